/** Makes pings of the events of runs. */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Occurrence } from "../../internal/model/occurrence.ts"
import { reasonOf, skippedOf } from "../../internal/model/skip.ts"
import { CurrentStopping } from "../../internal/model/stopping.ts"
import { LoggerKey, type Tap, TapKey } from "../../internal/model/tap.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { causeDetail, causeHeadline } from "../../internal/text/errors.ts"
import { pathText } from "../../internal/text/stepLabel.ts"
import { utc } from "../../internal/text/utc.ts"
import { count, plural } from "../../internal/text/words.ts"
import * as Writer from "../../internal/text/writer.ts"
import type { Observer, Outcome, RunEnded, RunEvent, RunStarted } from "../../RunEvent.ts"
import { Failures } from "./failures.ts"
import type { Monitor } from "./model.ts"
import { make as makePing, type Ping, type PingKind } from "./ping.ts"
import { Running } from "./running.ts"
import { Selection } from "./selection.ts"
import * as Tail from "./tail.ts"

/** The lines of the log that are sent unless set. */
const defaultLogs = 50

/** How many runs that have ended are known. */
const maxEnded = 1_000

/** The part of the first event of a run that tells of the run. */
type FirstEvent =
  & Pick<RunStarted, "at" | "pipelineName" | "runId" | "runName">
  & Partial<Pick<RunStarted, "annotations">>

interface OpenRun {
  readonly started: RunStarted
  readonly failures: Failures
  /** The path of the step that began last, where heartbeats tell of it. */
  latest: ReadonlyArray<string> | undefined
  heartbeat: Fiber.Fiber<void> | undefined
}

/** Makes the observer of a monitor. It sends no heartbeats once the scope has closed. */
export const make = (monitor: Monitor, send: (ping: Ping) => void): Effect.Effect<Observer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const watch = new Watch(monitor, send, yield* Effect.context<never>())
    yield* Effect.addFinalizer(() => watch.close)
    const observer: Observer = (event) => watch.observe(event)
    const logger = watch.tail === undefined ? {} : { [LoggerKey]: watch.tail.logger }
    return Object.assign(observer, { [TapKey]: watch.tap }, logger)
  })

class Watch {
  readonly tail: Tail.Tail | undefined
  /** Gets the steps themselves, which know the run that theirs is inside of. */
  readonly tap: Tap
  readonly #monitor: Monitor
  readonly #send: (ping: Ping) => void
  readonly #context: Context.Context<never>
  readonly #selection: Selection
  readonly #runs = new Map<string, OpenRun>()
  /** The runs under way that it is not told of. */
  readonly #others = new Set<string>()
  /** The steps that are running, of those too. `undefined` where no heartbeat tells of them. */
  readonly #running: Running | undefined
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
    this.#running = monitor.everyMillis === undefined ? undefined : new Running()
    this.tap = {
      stepStarted: (step, at) => {
        const run = this.#runOf(step, at)
        this.#running?.begin(step, at)
        if (run !== undefined && this.#running !== undefined) run.latest = step.labels
      },
      stepEnded: (step, at, exit, outcome) => {
        this.#running?.end(step.run.id, step.index)
        this.#runOf(step, at)?.failures.stepEnded(step, exit, outcome)
      },
      hookEnded: (step, at) => void this.#runOf(step, at)
    }
  }

  #runOf(step: Occurrence, at: number): OpenRun | undefined {
    const known = this.#runs.get(step.run.id)
    if (known !== undefined) return known
    const { annotations, run: { id: runId, name: runName, pipelineName } } = step
    return this.#begun({ pipelineName, runId, runName, at: utc(at), annotations })
  }

  observe(event: RunEvent): void {
    const run = this.#runs.get(event.runId) ?? this.#begun(event)
    switch (event._tag) {
      case "StepSkipped":
        this.#running?.end(event.runId, event.index)
        return
      case "RunEnded":
        this.#forget(event.runId)
        return run && this.#end(run, event)
      case "RunStarted":
        return run && this.#ping(run, "start", `${event.pipelineName} started`)
      case "StepStarted":
      case "StepEnded":
      case "StepProgress":
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
  #begun({ annotations = {}, at, pipelineName, runId, runName }: FirstEvent): OpenRun | undefined {
    if (this.#others.has(runId) || this.#ended.has(runId)) return undefined
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
    const run: OpenRun = { started, failures: new Failures(), latest: undefined, heartbeat: undefined }
    this.#runs.set(runId, run)
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
    this.#running?.endRun(runId)
    this.#ended.add(runId)
    for (const oldest of this.#ended) {
      if (this.#ended.size <= maxEnded) break
      this.#ended.delete(oldest)
    }
  }

  #beat(run: OpenRun, now: DateTime.Utc): void {
    const { pipelineName, at, runId } = run.started
    const nowMillis = DateTime.toEpochMillis(now)
    const millis = Math.max(0, nowMillis - DateTime.toEpochMillis(at))
    const steps = this.#running?.text(runId, nowMillis) ?? ""
    const latest = run.latest === undefined ? "" : `, last step ${pathText(run.latest, " › ")}`
    const where = steps === "" ? latest : `, in ${steps}`
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
