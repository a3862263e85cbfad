/**
 * Reports the events of a run to its observers. All events are made here, and only where there are observers: to make
 * them takes longer than to evaluate a step.
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Logger } from "effect/Logger"
import type { HookInfo, StepInfo } from "../model/eventInfo.ts"
import type { Observer, Outcome, RunEvent, StepEnded, Unsent } from "../model/events.ts"
import { type FailedAttempt, skipped } from "../model/hook.ts"
import { monotonicNanos } from "../model/monotonic.ts"
import { AlerterObservers, MonitorObservers, Observers } from "../model/observers.ts"
import { type LogEntry, maxKeptPath, type Occurrence, type OccurrenceRun } from "../model/occurrence.ts"
import type { Overdue } from "../model/overdue.ts"
import type { Planned } from "../model/plan.ts"
import type { Guard } from "../model/secrets.ts"
import { reasonOf, skippedOf } from "../model/skip.ts"
import { isLogged, isTapped, LoggerKey, type Tap, TapKey } from "../model/tap.ts"
import { utc } from "../text/utc.ts"
import * as Writer from "../text/writer.ts"
import { elapsed } from "./elapsed.ts"

/** A run, as far as its events describe it. */
interface ReportedRun extends OccurrenceRun {
  readonly steps: number
  readonly hookFailures: number
  readonly annotations: Readonly<Record<string, unknown>>
}

/** The longest time that quick observers take for an event, in nanoseconds. */
const quick = 50_000

/** How often quick observers are trusted to be so: reading the clock takes longer than such an observer. */
const trust = 15

/** Reads a clock after observers have been told, and seldom where they were quick when it was read. */
class After {
  private readonly clock: Clock.Clock
  private trusted = 0

  constructor(clock: Clock.Clock) {
    this.clock = clock
  }

  /** Returns the time, which is taken to be that from before the observers as long as they are trusted. */
  now(before: number): number {
    if (this.trusted-- > 0) return before
    const now = monotonicNanos(this.clock)
    this.trusted = now - before < quick ? trust : 0
    return now
  }
}

/** Reports the events of one run. Durations and `now` are in nanoseconds, on the monotonic clock. */
export class Telling {
  /** The step whose hooks run one after another, with nothing in between. */
  private chained: Occurrence | undefined
  /** The time that was just read, where nothing but observers has run since. */
  private fresh: number | undefined
  private readonly afterStart: After
  private readonly afterEnd: After
  private readonly run: ReportedRun
  private readonly context: Context.Context<never>
  private readonly clock: Clock.Clock
  private observers!: ReadonlyArray<Observer>
  private taps!: ReadonlyArray<Tap>
  /** The observers that need objects for the events that taps get. */
  private untapped!: ReadonlyArray<Observer>
  readonly loggers: ReadonlyArray<Logger<unknown, unknown>> | undefined
  private clockReadAt = -Infinity
  private clockMillis = 0
  /** The time of the events of a millisecond, which share one. */
  private at: DateTime.Utc | undefined

  constructor(run: ReportedRun, fiber: Fiber.Fiber<unknown, unknown>, observers: ReadonlyArray<Observer>) {
    this.run = run
    this.context = fiber.context
    this.clock = fiber.getRef(Clock.Clock)
    this.afterStart = new After(this.clock)
    this.afterEnd = new After(this.clock)
    const logged = observers.filter(isLogged)
    this.loggers = logged.length === 0 ? undefined : logged.map((observer) => observer[LoggerKey])
    this.tellTo(observers)
  }

  /** Tells observers without the values of a guard from now on. */
  guardBy(guard: Guard): void {
    this.tellTo(guard.observers(this.observers))
  }

  private tellTo(observers: ReadonlyArray<Observer>): void {
    this.observers = observers
    this.taps = observers.filter(isTapped).map((observer) => observer[TapKey])
    this.untapped = this.taps.length === 0 ? observers : observers.filter((observer) => !isTapped(observer))
  }

  /** Reads the monotonic clock. */
  nanos(): number {
    return monotonicNanos(this.clock)
  }

  /**
   * Begins to run the hooks of a step that has ended `now`. The clock is not read again where one event follows the other
   * at once, and seldom where observers run in between that were quick when it was.
   */
  chain(occurrence: Occurrence, now: number | undefined): void {
    this.chained = occurrence
    this.fresh = now
  }

  /** Ends what {@link chain} has begun: the hooks have ended, or one of them is waited for. */
  unchain(): void {
    this.chained = undefined
    this.fresh = undefined
  }

  /** Returns the time at which a hook starts. It may be a hook of a step that a hook evaluates, which starts later. */
  hookSince(occurrence: Occurrence): number {
    const { fresh } = this
    if (this.chained !== occurrence || fresh === undefined) return this.nanos()
    return this.untapped.length === 0 ? fresh : this.afterEnd.now(fresh)
  }

  /** `at` is the time of the start in milliseconds, where it is reported later. */
  runStarted(at = this.millisAt(this.nanos())): void {
    this.send({ _tag: "RunStarted", annotations: this.run.annotations }, at, this.observers)
  }

  runEnded(outcome: Outcome, exit: Exit.Exit<unknown, unknown>, nanos: number): void {
    const { annotations, hookFailures, steps } = this.run
    this.send({ _tag: "RunEnded", outcome, exit, duration: elapsed(nanos), steps, hookFailures, annotations })
  }

  /** Returns whether observers have taken a time that is not the step's, as far as that is known. */
  stepStarted(occurrence: Occurrence, now: number, at = this.millisAt(now)): boolean {
    const { taps } = this
    for (let i = 0; i < taps.length; i++) taps[i]!.stepStarted(occurrence, at)
    if (this.untapped.length === 0) return false
    this.tellStarted(occurrence, at)
    return this.afterStart.now(now) - now >= quick
  }

  /** Apart from what calls it, as {@link tellEnded} is: Bun takes half as long again for functions of this length. */
  private tellStarted(occurrence: Occurrence, at: number): void {
    const { annotations, params } = occurrence
    // a step has an `info`: only a run has none
    const info = occurrence.info!
    if (occurrence.depth > maxKeptPath) return this.send(of(info, { _tag: "StepStarted", params, annotations }), at)
    const { index, parent, stepKey, stepLabels, stepName, stepPath } = info
    const { id: runId, name: runName, pipelineName } = this.run
    // written out, since copying the fields of objects takes longer than the step
    this.tell({
      _tag: "StepStarted",
      pipelineName,
      runId,
      runName,
      at: this.timeAt(at),
      stepName,
      stepKey,
      stepPath,
      stepLabels,
      index,
      parent,
      params,
      annotations
    })
  }

  stepProgress({ info }: Occurrence, done: number, total: number | undefined): void {
    if (info !== undefined) this.send(of(info, { _tag: "StepProgress", done, total }))
  }

  attemptFailed({ info }: Occurrence, failed: FailedAttempt<unknown>): void {
    if (info !== undefined) this.send(of(info, { _tag: "AttemptFailed", ...failed }))
  }

  overdue({ info }: Occurrence, { attempt, deadline, elapsed, limit, times }: Overdue): void {
    this.send(
      info === undefined
        ? { _tag: "RunOverdue", elapsed, limit, deadline, times }
        : of(info, { _tag: "StepOverdue", elapsed, limit, times, attempt })
    )
  }

  logged({ info }: Occurrence, entry: LogEntry): void {
    this.send(info === undefined ? { _tag: "RunLogged", ...entry } : of(info, { _tag: "StepLogged", ...entry }))
  }

  stepEnded(
    occurrence: Occurrence,
    exit: Exit.Exit<unknown, unknown>,
    outcome: Outcome,
    now: number,
    nanos: number
  ): void {
    if (outcome === "skip") return this.stepSkipped(occurrence, exit, nanos)
    const at = this.millisAt(now)
    const { taps } = this
    for (let i = 0; i < taps.length; i++) taps[i]!.stepEnded(occurrence, at, exit, outcome, nanos)
    if (this.untapped.length > 0) this.tellEnded(occurrence, exit, outcome, at, nanos)
  }

  private tellEnded(
    occurrence: Occurrence,
    exit: Exit.Exit<unknown, unknown>,
    outcome: StepEnded["outcome"],
    at: number,
    nanos: number
  ): void {
    const { annotations, attempt: attempts } = occurrence
    const duration = elapsed(nanos)
    const info = occurrence.info!
    if (occurrence.depth > maxKeptPath) {
      return this.send(of(info, { _tag: "StepEnded", outcome, exit, attempts, duration, annotations }), at)
    }
    const { index, parent, stepKey, stepLabels, stepName, stepPath } = info
    const { id: runId, name: runName, pipelineName } = this.run
    this.tell({
      _tag: "StepEnded",
      pipelineName,
      runId,
      runName,
      at: this.timeAt(at),
      stepName,
      stepKey,
      stepPath,
      stepLabels,
      index,
      parent,
      outcome,
      exit,
      attempts,
      duration,
      annotations
    })
  }

  private stepSkipped(occurrence: Occurrence, exit: Exit.Exit<unknown, unknown>, nanos: number): void {
    const { annotations, attempt: attempts, info } = occurrence
    if (info === undefined) return
    const reason = reasonOf(skippedOf(exit))
    this.send(of(info, { _tag: "StepSkipped", reason, attempts, duration: elapsed(nanos), annotations }))
  }

  /** Called only for a hook that does not end at once. */
  hookStarted(occurrence: Occurrence, planned: Planned): void {
    this.send({ _tag: "HookStarted", ...hookInfo(occurrence, planned) })
  }

  hookEnded(occurrence: Occurrence, planned: Planned, exit: Exit.Exit<unknown, unknown>, since: number): void {
    const now = this.nanos()
    const nanos = now - since
    if (this.chained === occurrence) this.fresh = now
    if (exit._tag === "Failure") return this.hookFailed(occurrence, planned, exit.cause, nanos)
    if (exit.value === skipped) return this.hookSkipped(occurrence, planned)
    const at = this.millisAt(now)
    const { taps } = this
    for (let i = 0; i < taps.length; i++) taps[i]!.hookEnded(occurrence, at, planned, nanos)
    if (this.untapped.length > 0) this.tellHookEnded(occurrence, planned, at, nanos)
  }

  private hookFailed(occurrence: Occurrence, planned: Planned, cause: Cause.Cause<unknown>, nanos: number): void {
    this.send({ _tag: "HookFailed", ...hookInfo(occurrence, planned), duration: elapsed(nanos), cause })
  }

  private hookSkipped(occurrence: Occurrence, planned: Planned): void {
    this.send({ _tag: "HookSkipped", ...hookInfo(occurrence, planned) })
  }

  private tellHookEnded(occurrence: Occurrence, planned: Planned, at: number, nanos: number): void {
    const { hook, index: hookIndex, level } = planned
    const { id: runId, name: runName, pipelineName } = this.run
    this.tell({
      _tag: "HookEnded",
      pipelineName,
      runId,
      runName,
      at: this.timeAt(at),
      hook: hook.name,
      kind: hook.kind,
      level,
      hookIndex,
      step: occurrence.info,
      duration: elapsed(nanos)
    })
  }

  /** Sends an event to all observers, or one of those that taps get, at the given time, to the others. */
  send(event: Unsent, at?: number, observers = at === undefined ? this.observers : this.untapped): void {
    const { id: runId, name: runName, pipelineName } = this.run
    const time = this.timeAt(at ?? this.millisAt(this.nanos()))
    // assigned, and not spread, which would read the paths of a deeply nested step; the cast: these are the fields that
    // `Unsent` leaves out
    const sent = Object.assign(event, { pipelineName, runId, runName, at: time }) as RunEvent
    this.tell(sent, observers)
  }

  private tell(event: RunEvent, observers = this.untapped): void {
    for (let i = 0; i < observers.length; i++) {
      try {
        observers[i]!(event)
      } catch (defect) {
        Effect.runForkWith(this.context)(Writer.logError(`observer failed on ${event._tag}`, defect))
      }
    }
  }

  /** Returns the time of day, which is read once a millisecond of the monotonic clock: reading it is slow. */
  millisAt(now: number): number {
    const since = now - this.clockReadAt
    if (!(since >= 0 && since < 1e6)) {
      this.clockReadAt = now
      this.clockMillis = this.clock.currentTimeMillisUnsafe()
    }
    return this.clockMillis
  }

  private timeAt(millis: number): DateTime.Utc {
    if (this.at?.epochMilliseconds !== millis) this.at = utc(millis)
    return this.at
  }
}

/** Returns the observers of the runs of a fiber. */
export const observersOf = (fiber: Fiber.Fiber<unknown, unknown>): ReadonlyArray<Observer> => [
  ...fiber.getRef(Observers),
  ...fiber.getRef(AlerterObservers),
  ...fiber.getRef(MonitorObservers)
]

/** Returns the reporter of a run that is observed. */
export const tellingOf = (run: ReportedRun, fiber: Fiber.Fiber<unknown, unknown>): Telling => {
  const observers = observersOf(fiber)
  return new Telling(run, fiber, run.guard?.observers(observers) ?? observers)
}

/** Adds the fields of a step to an event. Those of a deeply nested step stay getters: see `Evaluation.info`. */
const of = <Event extends object>(info: StepInfo, event: Event): StepInfo & Event => {
  const path = Object.getOwnPropertyDescriptor(info, "stepPath")
  return path?.get === undefined
    ? { ...info, ...event }
    // the cast: the properties of both
    : Object.defineProperties(event, Object.getOwnPropertyDescriptors(info)) as StepInfo & Event
}

const hookInfo = ({ info }: Occurrence, { hook, index, level }: Planned): HookInfo => ({
  hook: hook.name,
  kind: hook.kind,
  level,
  hookIndex: index,
  step: info
})
