/** Makes pings of the events of runs. */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { runningText } from "../../internal/model/running.ts"
import { reasonOf, skippedOf } from "../../internal/model/skip.ts"
import { CurrentStopping } from "../../internal/model/stopping.ts"
import { LoggerKey } from "../../internal/model/tap.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { causeDetail, causeHeadline } from "../../internal/text/errors.ts"
import { labelsOf, pathText } from "../../internal/text/stepLabel.ts"
import { count, plural } from "../../internal/text/words.ts"
import * as Writer from "../../internal/text/writer.ts"
import type { Observer, Outcome, RunEnded, RunEvent, RunStarted, StepStarted } from "../../RunEvent.ts"
import { Failures } from "./failures.ts"
import type { Monitor } from "./model.ts"
import { make as makePing, type Ping, type PingKind } from "./ping.ts"
import { Selection } from "./selection.ts"
import * as Tail from "./tail.ts"

/** The lines of the log that are sent unless set. */
const defaultLogs = 50

/** How many runs that have ended are known. */
const maxEnded = 1_000

interface OpenRun {
  readonly started: RunStarted
  readonly failures: Failures
  /** The step that began last. */
  latest: StepStarted | undefined
  /** The steps that are running, by their indexes. `undefined` where no heartbeat tells of them. */
  readonly running: Map<number, StepStarted> | undefined
  heartbeat: Fiber.Fiber<void> | undefined
}

/** Makes the observer of a monitor. It sends no heartbeats once the scope has closed. */
export const make = (monitor: Monitor, send: (ping: Ping) => void): Effect.Effect<Observer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const watch = new Watch(monitor, send, yield* Effect.context<never>())
    yield* Effect.addFinalizer(() => watch.close)
    const observer: Observer = (event) => watch.observe(event)
    return watch.tail === undefined ? observer : Object.assign(observer, { [LoggerKey]: watch.tail.logger })
  })

class Watch {
  readonly tail: Tail.Tail | undefined
  readonly #monitor: Monitor
  readonly #send: (ping: Ping) => void
  readonly #context: Context.Context<never>
  readonly #selection: Selection
  readonly #runs = new Map<string, OpenRun>()
  /** The runs under way that it is not told of. */
  readonly #others = new Set<string>()
  /** The runs that ended last. */
  readonly #ended = new Set<string>()
  /** Whether it has been told of a run, and the name of a pipeline that it has not. */
  #isUsed = false
  #other: string | undefined

  constructor(monitor: Monitor, send: (ping: Ping) => void, context: Context.Context<never>) {
    this.#monitor = monitor
    this.#send = send
    this.#context = context
    this.#selection = new Selection(monitor)
    const { options: { logs = defaultLogs }, service } = monitor
    this.tail = logs > 0 && service.showsLogs === true ? Tail.make(logs) : undefined
  }

  observe(event: RunEvent): void {
    const run = this.#runs.get(event.runId) ?? this.#begun(event)
    if (event._tag === "RunEnded") this.#forget(event.runId)
    if (run === undefined) return
    switch (event._tag) {
      case "StepStarted":
        run.latest = event
        run.running?.set(event.index, event)
        return
      case "StepEnded":
        run.running?.delete(event.index)
        return run.failures.stepEnded(event)
      case "RunEnded":
        return this.#end(run, event)
      case "RunStarted":
      case "StepProgress":
      case "StepSkipped":
      case "AttemptFailed":
      case "StepOverdue":
      case "RunOverdue":
      case "StepLogged":
      case "RunLogged":
      case "HookStarted":
      case "HookEnded":
      case "HookFailed":
      case "HookSkipped":
      case "AlertPosted":
        return
      default:
        event satisfies never
    }
  }

  /**
   * Takes note of a run by its first event, and returns it if the monitor is told of it. A durable run that goes on in this
   * process has begun in another, which has told of that.
   */
  #begun(event: RunEvent): OpenRun | undefined {
    const { at, pipelineName, runId, runName } = event
    if (this.#others.has(runId) || this.#ended.has(runId)) return undefined
    const annotations = "annotations" in event ? event.annotations : {}
    const started: RunStarted = { _tag: "RunStarted", pipelineName, runId, runName, at, annotations }
    const { everyMillis, options: { when } } = this.#monitor
    // before `when` is called: one that throws is told once in the log, and not for each event
    this.#others.add(runId)
    if (!this.#selection.begins(started, when && (() => when(started)))) {
      this.#other ??= pipelineName
      return undefined
    }
    this.#others.delete(runId)
    this.#isUsed = true
    this.tail?.begin(runId)
    const running = everyMillis === undefined ? undefined : new Map<number, StepStarted>()
    const run: OpenRun = { started, failures: new Failures(), latest: undefined, running, heartbeat: undefined }
    this.#runs.set(runId, run)
    if (event._tag === "RunStarted") this.#ping(run, "start", `${pipelineName} started`)
    if (everyMillis === undefined) return run
    const beat = Effect.flatMap(
      Effect.andThen(Effect.sleep(everyMillis), DateTime.now),
      (now) => Effect.sync(() => this.#beat(run, now))
    )
    run.heartbeat = Effect.runForkWith(this.#context)(Effect.forever(beat))
    return run
  }

  /** Takes note that a run has ended. A step that outlives it has events after that. */
  #forget(runId: string): void {
    this.#runs.delete(runId)
    this.#others.delete(runId)
    this.#selection.ends(runId)
    this.#ended.add(runId)
    for (const oldest of this.#ended) {
      if (this.#ended.size <= maxEnded) break
      this.#ended.delete(oldest)
    }
  }

  #beat(run: OpenRun, now: DateTime.Utc): void {
    const { pipelineName, at } = run.started
    const millis = Math.max(0, DateTime.toEpochMillis(now) - DateTime.toEpochMillis(at))
    const steps = runningText(innermost(run).map((step) => `${nameOf(step)} (${sinceText(step, now)})`))
    const where = steps !== "" ? `, in ${steps}` : run.latest === undefined ? "" : `, last step ${nameOf(run.latest)}`
    this.#ping(run, "heartbeat", `${pipelineName} running for ${formatDuration(millis)}${where}`, { millis })
  }

  #end(run: OpenRun, event: RunEnded): void {
    const { annotations, duration, exit, outcome, pipelineName, runId, steps } = event
    run.heartbeat?.interruptUnsafe()
    const logs = this.tail?.end(runId) ?? []
    // an interruption for an error that nothing catches is no stop that somebody has asked for
    const failure = outcome === "interrupt" ? Context.get(this.#context, CurrentStopping)?.failure() : undefined
    const kind = failure === undefined ? this.#kindOf(outcome) : "failure"
    if (kind === undefined) return
    const { failures } = run
    const { count: failed, lines } = failures
    const millis = Duration.toMillis(duration)
    const cause = exit._tag === "Failure" ? exit.cause : undefined
    const isFailure = outcome === "failure" && cause !== undefined
    const reason = reasonOf(skippedOf(exit))
    this.#ping(
      run,
      kind,
      `${pipelineName} ${words[outcome]} after ${formatDuration(millis)}${countsOf(steps, failed)}` +
        (reason === undefined ? "" : `: ${reason}`),
      {
        millis,
        steps,
        failed,
        lines: failure !== undefined
          ? [failure, ...lines]
          : isFailure && !failures.explain(cause)
          ? [causeHeadline(cause), ...lines]
          : lines,
        detail: isFailure ? causeDetail(cause) : undefined,
        logs,
        numbers: numbersIn(annotations)
      }
    )
  }

  #kindOf(outcome: Outcome): PingKind | undefined {
    if (outcome === "interrupt") return interruptKind(this.#monitor)
    // it ran, and had nothing to do: without a ping the service would tell that it did not run
    return outcome === "skip" ? "success" : outcome
  }

  #ping({ started }: OpenRun, kind: PingKind, headline: string, more: Partial<Ping> = {}): void {
    const { pipelineName, runId, runName } = started
    this.#send(makePing({ kind, pipelineName, runId, runName, headline, ...more }))
  }

  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      for (const { heartbeat } of this.#runs.values()) heartbeat?.interruptUnsafe()
      const { pipelines, service } = this.#monitor
      return pipelines === undefined || this.#isUsed || this.#other === undefined
        ? Effect.void
        : Writer.logWarning(
          `effect-epilogue: ${service.name} was told of no run, since it watches ${
            pipelines.join(", ")
          } and this was ${this.#other}`
        )
    })
  }
}

/** Returns the steps that are running and have no other one inside. */
const innermost = ({ running }: OpenRun): ReadonlyArray<StepStarted> => {
  const steps = [...running?.values() ?? []]
  const outer = new Set(steps.map(({ parent }) => parent))
  return steps.filter(({ index }) => !outer.has(index))
}

const nameOf = (step: StepStarted): string => pathText(labelsOf(step), " › ")

const sinceText = ({ at }: StepStarted, now: DateTime.Utc): string =>
  formatDuration(Math.max(0, DateTime.toEpochMillis(now) - DateTime.toEpochMillis(at)))

/** Returns how a monitor is told of an interruption, or `undefined` where it is not. */
export const interruptKind = ({ options: { interrupt }, service }: Monitor): PingKind | undefined =>
  service.takes.has("interrupt") ? "interrupt" : interrupt === "none" ? undefined : interrupt ?? "failure"

const words: Readonly<Record<Outcome, string>> = {
  success: "succeeded",
  failure: "failed",
  interrupt: "was interrupted",
  skip: "was skipped"
}

const countsOf = (steps: number, failed: number): string =>
  steps === 0
    ? ""
    : failed === 0
    ? ` (${plural(steps, "step")})`
    : ` (${count(failed)} of ${plural(steps, "step")} failed)`

const numbersIn = (annotations: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(annotations).filter((entry): entry is [string, number] =>
      typeof entry[1] === "number" && Number.isFinite(entry[1])
    )
  )
