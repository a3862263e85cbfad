/** The state that the steps of one run share. Nothing here outlives the run. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { AlertedErrors } from "../model/alerted.ts"
import type { Outcome } from "../model/events.ts"
import { empty, type Table } from "../model/hooks.ts"
import type { LogEntry, Occurrence, OccurrenceRun, RolledBack, Settlement, StepLogs } from "../model/occurrence.ts"
import { CurrentOverrides, type Overrides } from "../model/overrides.ts"
import { CurrentGuard, type Guard, provide } from "../model/secrets.ts"
import { CurrentStepLogs } from "../model/stepLogs.ts"
import { CurrentStopping, type Stopping } from "../model/stopping.ts"
import * as Writer from "../text/writer.ts"
import { Failures } from "./failures.ts"
import { type HookLimits, hookLimits, postTold } from "./hookLimits.ts"
import { type Defaults, defaultsOf } from "./planning.ts"
import type { Rollback } from "./rollback.ts"
import type { Slowest } from "./slowest.ts"
import { observersOf, type Telling, tellingOf } from "./telling.ts"
import { Watchdog } from "./watchdog.ts"

/** Never added to: most runs have no background hooks, and need no set of their own. */
const none: Set<Fiber.Fiber<unknown, unknown>> = new Set()

/** Most runs have no hook that waits for something, and no limits at which a step is overdue. */
const noWatchdogs: ReadonlyArray<Watchdog> = []

type Annotations = Readonly<Record<string, unknown>>

/** @internal */
export const noAnnotations: Annotations = {}

/** @internal */
export class Run implements OccurrenceRun {
  readonly pipelineName: string
  readonly stepHooks: Table
  readonly clock: Clock.Clock
  guard: Guard | undefined
  startedMillis: number
  /** `undefined` where there are no observers. */
  readonly telling: Telling | undefined
  readonly overrides: Overrides | undefined
  /** The hooks that layers around the run give to steps, and to the run. One field, as most runs have none. */
  readonly defaults: Defaults | undefined
  annotations: Annotations
  /** Whether its last hook has ended. */
  ended = false
  /** The number of evaluations of steps that have begun. */
  steps = 0
  hookFailures = 0
  around: Occurrence | undefined
  alerted: AlertedErrors | undefined
  unsuccessful: Failures | undefined
  /** Kept only for a run that has limits at which it is overdue. */
  open: Set<Occurrence> | undefined
  /** Kept only for a run with a hook that asks for it. */
  slowest: Slowest | undefined
  settlements: Map<string, Settlement> | undefined
  /** The steps with rollback hooks that have succeeded, once one has. */
  rollback: Rollback | undefined
  /** How often hooks have had the same to log. */
  private repeats: Map<string, number> | undefined
  private readonly givenName: string | undefined
  /** In place of fields for what is seldom looked at, as a run without observers is to stay small. */
  private readonly surroundings: Surroundings
  private lazyId: string | undefined
  /** The default name, and the start time in it. */
  private lazyName: { readonly text: string; readonly millis: number } | undefined
  /** The background hooks that have not ended. */
  private background: Set<Fiber.Fiber<unknown, unknown>> = none
  private watchdogs = noWatchdogs
  /** The limits of the last hook that a fiber waited for. */
  private lastLimits: HookLimits | undefined

  constructor(
    fiber: Fiber.Fiber<unknown, unknown>,
    pipelineName: string,
    stepHooks: Table = empty.hooks,
    annotations: Annotations = noAnnotations,
    givenName?: string,
    id?: string
  ) {
    this.pipelineName = pipelineName
    this.stepHooks = stepHooks
    const surroundings = surroundingsOf(fiber)
    const { clock, defaults, guard, isObserved, overrides, stopping } = surroundings
    this.surroundings = surroundings
    this.clock = clock
    this.startedMillis = clock.currentTimeMillisUnsafe()
    this.guard = guard
    this.telling = isObserved ? tellingOf(this, fiber) : undefined
    this.overrides = overrides
    this.defaults = defaults
    this.annotations = annotations
    this.givenName = givenName
    this.lazyId = id
    stopping?.runBegun(fiber)
  }

  /** Made on demand, since a UUID takes as long as a step. */
  get id(): string {
    return this.lazyId ??= globalThis.crypto.randomUUID()
  }

  /** The given name, or the pipeline's with the second in which the run started (UTC), as in ZenML. */
  get name(): string {
    return this.givenName ?? this.defaultName
  }

  /** Kept, since each event has it, until the start time changes: a recorded run learns late when it started. */
  private get defaultName(): string {
    const millis = this.startedMillis
    if (this.lazyName?.millis !== millis) {
      const time = new Date(millis).toISOString().slice(0, 19).replaceAll(/[-:]/g, "_").replace("T", "-")
      this.lazyName = { text: `${this.pipelineName}-${time}`, millis }
    }
    return this.lazyName.text
  }

  /** Takes note of the end of a step, where anything has failed or is measured. */
  stepEnded(step: Occurrence, exit: Exit.Exit<unknown, unknown>, outcome: Outcome): void {
    if (exit._tag === "Failure") (this.unsuccessful ??= new Failures()).add(step, exit.cause, outcome)
    else this.unsuccessful?.succeeded(step)
    this.slowest?.add(step, this.clock.currentTimeMillisUnsafe())
  }

  get rolledBack(): RolledBack | undefined {
    return this.rollback
  }

  get loggers(): Telling["loggers"] {
    const { stepLogs, telling } = this
    if (stepLogs === undefined) return telling?.loggers
    return [...telling?.loggers ?? [], stepLogs.logger]
  }

  guardBy(guard: Guard): void {
    if (this.guard !== undefined) return
    this.guard = guard
    guardedLate.add(this)
    this.telling?.guardBy(guard)
  }

  logged(by: Occurrence, entry: LogEntry): void {
    this.telling?.logged(by, entry)
  }

  /** Returns whether a hook may log something that it has logged fewer than `most` times: a channel that is down fails all. */
  mayLog(text: string, most: number): boolean {
    const times = (this.repeats ??= new Map()).get(text) ?? -most
    this.repeats.set(text, times + 1)
    return times < 0
  }

  /** Logs something of this run. A logger or a metric that fails must not fail the step. */
  log<A>(entry: Effect.Effect<void>, then: A): Effect.Effect<A> {
    return entry.pipe(
      Effect.annotateLogs({ pipeline: Writer.line(this.pipelineName), runId: this.id }),
      Effect.catchCause(() => Effect.void),
      Effect.as(then)
    )
  }

  /** Logs how often hooks had more to log than they were allowed to. */
  private logRepeats(): Effect.Effect<void> {
    const texts = [...this.repeats ?? []].flatMap(([text, times]) =>
      times > 0 ? [`${text} ${times} more times in this run`] : []
    )
    return texts.length === 0 ? Effect.void : this.log(Writer.logWarning(texts.join("; ")), undefined)
  }

  addBackground(fiber: Fiber.Fiber<unknown, unknown>): void {
    if (this.background === none) this.background = new Set()
    this.background.add(fiber)
    fiber.addObserver(() => this.background.delete(fiber))
  }

  get hasBackground(): boolean {
    return this.background.size > 0
  }

  get stepLogs(): StepLogs | undefined {
    return this.surroundings.stepLogs
  }

  /** Makes another run of the same pipeline, with the same hooks. */
  again(fiber: Fiber.Fiber<unknown, unknown>): Run {
    return new Run(fiber, this.pipelineName, this.stepHooks, this.annotations, this.givenName)
  }

  /** Ends the run when its background hooks have ended. */
  end(settle: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.andThen(
      Effect.andThen(this.awaitBackground(), settle),
      Effect.suspend(() => {
        const rest = this.logRepeats()
        this.close()
        return rest
      })
    )
  }

  /** Marks the run as ended, and holds nothing of it any more. */
  close(): void {
    this.ended = true
    this.surroundings.stopping?.runEnded()
    this.rollback = undefined
    if (this.watchdogs !== noWatchdogs) this.watchdogs.forEach((watchdog) => watchdog.stop())
  }

  /** Returns the time limits of hooks that a fiber waits for. */
  limits(fiber: Fiber.Fiber<unknown, unknown>): HookLimits {
    const { context } = fiber
    // most often the same as for the step before: looking the two up takes as long as a step
    if (this.lastLimits?.context !== context) {
      this.lastLimits = hookLimits(fiber, this.watchdog(fiber))
    }
    return this.lastLimits
  }

  /** Returns what looks after time limits on the clock of a fiber: those of hooks, and those at which a step is overdue. */
  watchdog(fiber: Fiber.Fiber<unknown, unknown>): Watchdog {
    const found = watchdogIn(this.watchdogs, fiber)
    if (found !== undefined) return found
    const made = new Watchdog(fiber)
    this.watchdogs = [...this.watchdogs, made]
    return made
  }

  /** Posts what has waited for the end of the run, to say that steps are well of which no evaluation failed for good. */
  settle(outcome: Outcome): Effect.Effect<void> {
    const { settlements, unsuccessful } = this
    if (settlements === undefined) return Effect.void
    const isWell = (step: Occurrence) =>
      unsuccessful === undefined || !(
        unsuccessful.isOpen(step) || (outcome !== "success" && unsuccessful.wasInterrupted(step))
      )
    return Effect.forEach(
      [...settlements.values()].filter(({ step }) => isWell(step)),
      ({ alert, post }) => postTold(post(alert), "a step is well again"),
      // one after another would take the time limit of each where the channel does not answer
      { discard: true, concurrency: "unbounded" }
    )
  }

  /** Waits for the background hooks, those that start meanwhile included. It ends, since they have time limits. */
  awaitBackground(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.hasBackground
        ? Effect.flatMap(Fiber.awaitAll(this.background), () => this.awaitBackground())
        : Effect.void
    )
  }
}

/** The runs whose guard is that of a layer inside of them, which the fibers of the steps around it do not have. */
const guardedLate = new WeakSet<Run>()

/** @internal */
export const lateGuardOf = (run: Run): Guard | undefined =>
  run.guard !== undefined && guardedLate.has(run) ? run.guard : undefined

/**
 * Returns an effect with the guard of a layer inside of the run, where there is one by now, for a fiber around that layer,
 * as the one of a step is that posts and logs by itself.
 */
export const withLateGuard = <A, E, R>(run: Run, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const guard = lateGuardOf(run)
  return guard === undefined ? effect : provide(effect, guard)
}

/** The services that a run takes from the context of its fiber. */
interface Surroundings {
  readonly clock: Clock.Clock
  readonly guard: Guard | undefined
  readonly stepLogs: StepLogs | undefined
  readonly overrides: Overrides | undefined
  readonly defaults: Defaults | undefined
  readonly isObserved: boolean
  readonly stopping: Stopping | undefined
}

/** By context: steps outside of pipelines are runs, and looking all of it up takes a tenth of the time of one. */
const surroundings = new WeakMap<Context.Context<never>, Surroundings>()

const surroundingsOf = (fiber: Fiber.Fiber<unknown, unknown>): Surroundings => {
  const { context } = fiber
  let found = surroundings.get(context)
  if (found === undefined) {
    found = {
      clock: fiber.getRef(Clock.Clock),
      guard: fiber.getRef(CurrentGuard),
      stepLogs: fiber.getRef(CurrentStepLogs),
      overrides: fiber.getRef(CurrentOverrides),
      defaults: defaultsOf(fiber),
      isObserved: observersOf(fiber).length > 0,
      stopping: fiber.getRef(CurrentStopping)
    }
    surroundings.set(context, found)
  }
  return found
}

/** Finds the watchdog with the clock of a fiber: a step may run on a clock of its own. */
const watchdogIn = (all: ReadonlyArray<Watchdog>, fiber: Fiber.Fiber<unknown, unknown>): Watchdog | undefined => {
  const own = fiber.getRef(Clock.Clock)
  return all.find(({ clock }) => clock === own)
}
