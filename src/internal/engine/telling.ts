/**
 * Reports the events of a run to its observers. All events are made here, and only where there are observers: to make
 * them takes longer than to evaluate a step.
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { HookInfo, Observer, Outcome, RunEvent, RunInfo, StepInfo } from "../model/events.ts"
import { type FailedAttempt, skipped } from "../model/hook.ts"
import { AlerterObservers, Observers } from "../model/observers.ts"
import type { Occurrence, OccurrenceRun } from "../model/occurrence.ts"
import type { Planned } from "../model/plan.ts"
import { isTapped, type Tap, TapKey } from "../model/tap.ts"
import * as Writer from "../text/writer.ts"

/** A run, as far as its events describe it. */
interface ReportedRun extends OccurrenceRun {
  readonly steps: number
  readonly hookFailures: number
  readonly annotations: Readonly<Record<string, unknown>>
}

/** An event without the fields that {@link Telling} adds to each. */
type Unsent = RunEvent extends infer Event ? Event extends RunEvent ? Omit<Event, keyof RunInfo> : never : never

/** Reports the events of one run. Durations and `now` are in nanoseconds, on the monotonic clock. */
export class Telling {
  private readonly run: ReportedRun
  private readonly context: Context.Context<never>
  private readonly clock: Clock.Clock
  private readonly observers: ReadonlyArray<Observer>
  /** The tap of the first observer that has one, and the observers that need objects for the same events. */
  private readonly tap: Tap | undefined
  private readonly untapped: ReadonlyArray<Observer>
  private clockReadAt = -Infinity
  private clockMillis = 0

  constructor(run: ReportedRun, fiber: Fiber.Fiber<unknown, unknown>, observers: ReadonlyArray<Observer>) {
    this.run = run
    this.context = fiber.context
    this.clock = fiber.getRef(Clock.Clock)
    this.observers = observers
    const tapped = observers.find(isTapped)
    this.tap = tapped?.[TapKey]
    this.untapped = tapped === undefined ? observers : observers.filter((observer) => observer !== tapped)
  }

  /** Reads the monotonic clock as a number: sums of bigints take as long as reading the clock. */
  nanos(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe())
  }

  runStarted(): void {
    this.send({ _tag: "RunStarted", annotations: this.run.annotations })
  }

  runEnded(outcome: Outcome, exit: Exit.Exit<unknown, unknown>, nanos: number): void {
    const { annotations, hookFailures, steps } = this.run
    this.send({ _tag: "RunEnded", outcome, exit, duration: toDuration(nanos), steps, hookFailures, annotations })
  }

  stepStarted(occurrence: Occurrence, now: number): void {
    const at = this.millisAt(now)
    this.tap?.stepStarted(occurrence, at)
    if (this.untapped.length > 0) {
      // a step has an `info`: only a run has none
      const { annotations, params } = occurrence
      this.send(of(occurrence.info!, { _tag: "StepStarted", params, annotations }), at, this.untapped)
    }
  }

  stepProgress({ info }: Occurrence, done: number, total: number | undefined): void {
    if (info !== undefined) this.send(of(info, { _tag: "StepProgress", done, total }))
  }

  attemptFailed({ info }: Occurrence, failed: FailedAttempt<unknown>): void {
    if (info !== undefined) this.send(of(info, { _tag: "AttemptFailed", ...failed }))
  }

  stepEnded(
    occurrence: Occurrence,
    exit: Exit.Exit<unknown, unknown>,
    outcome: Outcome,
    now: number,
    nanos: number
  ): void {
    const at = this.millisAt(now)
    this.tap?.stepEnded(occurrence, at, exit, outcome, nanos)
    if (this.untapped.length > 0) {
      const { annotations, attempt: attempts } = occurrence
      const ended = { outcome, exit, attempts, duration: toDuration(nanos), annotations }
      this.send(of(occurrence.info!, { _tag: "StepEnded", ...ended }), at, this.untapped)
    }
  }

  /** Called only for a hook that does not end at once. */
  hookStarted(occurrence: Occurrence, planned: Planned): void {
    this.send({ _tag: "HookStarted", ...hookInfo(occurrence, planned) })
  }

  hookEnded(occurrence: Occurrence, planned: Planned, exit: Exit.Exit<unknown, unknown>, since: number): void {
    const now = this.nanos()
    const nanos = now - since
    if (exit._tag === "Failure") {
      const info = hookInfo(occurrence, planned)
      this.send({ _tag: "HookFailed", ...info, duration: toDuration(nanos), cause: exit.cause })
    } else if (exit.value === skipped) {
      this.send({ _tag: "HookSkipped", ...hookInfo(occurrence, planned) })
    } else {
      const at = this.millisAt(now)
      this.tap?.hookEnded(occurrence, at, planned, nanos)
      if (this.untapped.length > 0) {
        const info = hookInfo(occurrence, planned)
        this.send({ _tag: "HookEnded", ...info, duration: toDuration(nanos) }, at, this.untapped)
      }
    }
  }

  private send(event: Unsent, at = this.millisAt(this.nanos()), observers = this.observers): void {
    const { id: runId, name: runName, pipelineName } = this.run
    // assigned, and not spread, which would read the paths of a deeply nested step; the cast: these are the fields that
    // `Unsent` leaves out
    const sent = Object.assign(event, { pipelineName, runId, runName, at: DateTime.makeUnsafe(at) }) as RunEvent
    for (const observer of observers) {
      try {
        observer(sent)
      } catch (defect) {
        Effect.runForkWith(this.context)(Writer.logError(`observer failed on ${event._tag}`, defect))
      }
    }
  }

  /** Returns the time of day, which is read once a millisecond of the monotonic clock: reading it is slow. */
  private millisAt(now: number): number {
    const since = now - this.clockReadAt
    if (!(since >= 0 && since < 1e6)) {
      this.clockReadAt = now
      this.clockMillis = this.clock.currentTimeMillisUnsafe()
    }
    return this.clockMillis
  }
}

/** Returns the reporter of a run, or `undefined` where there are no observers. */
export const tellingOf = (run: ReportedRun, fiber: Fiber.Fiber<unknown, unknown>): Telling | undefined => {
  const provided = fiber.getRef(Observers)
  const ofAlerters = fiber.getRef(AlerterObservers)
  const observers = ofAlerters.length === 0 ? provided : [...provided, ...ofAlerters]
  if (observers.length === 0) return undefined
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

const toDuration = (nanos: number): Duration.Duration => Duration.nanos(BigInt(Math.round(nanos)))

const hookInfo = ({ info }: Occurrence, { hook, index, level }: Planned): HookInfo => ({
  hook: hook.name,
  kind: hook.kind,
  level,
  hookIndex: index,
  step: info
})
