/** The state that the steps of one run share. Nothing here outlives the run. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { AlertedErrors } from "../model/alerted.ts"
import type { Outcome } from "../model/events.ts"
import { defaultTimeout } from "../model/hook.ts"
import { empty, type Table } from "../model/hooks.ts"
import type { Occurrence, OccurrenceRun, Settlement } from "../model/occurrence.ts"
import { CurrentOverrides, type Overrides } from "../model/overrides.ts"
import { CurrentGuard, type Guard } from "../model/secrets.ts"
import * as Writer from "../text/writer.ts"
import { Failures } from "./failures.ts"
import type { Slowest } from "./slowest.ts"
import { type Telling, tellingOf } from "./telling.ts"

/** Never added to: most runs have no background hooks, and need no set of their own. */
const none: Set<Fiber.Fiber<unknown, unknown>> = new Set()

type Annotations = Readonly<Record<string, unknown>>

/** @internal */
export const noAnnotations: Annotations = {}

/** @internal */
export class Run implements OccurrenceRun {
  readonly pipelineName: string
  readonly stepHooks: Table
  readonly clock: Clock.Clock
  readonly guard: Guard | undefined
  startedMillis: number
  /** `undefined` where there are no observers. */
  readonly telling: Telling | undefined
  readonly overrides: Overrides | undefined
  annotations: Annotations
  /** Whether its last hook has ended. */
  ended = false
  /** The number of evaluations of steps that have begun. */
  steps = 0
  hookFailures = 0
  around: Occurrence | undefined
  alerted: AlertedErrors | undefined
  unsuccessful: Failures | undefined
  /** Kept only for a run with a hook that asks for it. */
  slowest: Slowest | undefined
  settlements: Map<string, Settlement> | undefined
  private readonly givenName: string | undefined
  private lazyId: string | undefined
  private lazyName: string | undefined
  /** The start time in `lazyName`. */
  private namedMillis: number | undefined
  /** The background hooks that have not ended. */
  private background: Set<Fiber.Fiber<unknown, unknown>> = none

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
    this.clock = fiber.getRef(Clock.Clock)
    this.startedMillis = this.clock.currentTimeMillisUnsafe()
    this.guard = fiber.getRef(CurrentGuard)
    this.telling = tellingOf(this, fiber)
    this.overrides = fiber.getRef(CurrentOverrides)
    this.annotations = annotations
    this.givenName = givenName
    this.lazyId = id
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
    if (this.namedMillis !== this.startedMillis || this.lazyName === undefined) {
      this.namedMillis = this.startedMillis
      this.lazyName = `${this.pipelineName}-${
        new Date(this.startedMillis).toISOString().slice(0, 19).replaceAll(/[-:]/g, "_").replace("T", "-")
      }`
    }
    return this.lazyName
  }

  /** Takes note of the end of a step, where anything has failed or is measured. */
  stepEnded(step: Occurrence, exit: Exit.Exit<unknown, unknown>, outcome: Outcome): void {
    if (exit._tag === "Failure") (this.unsuccessful ??= new Failures()).add(step, exit.cause, outcome)
    else this.unsuccessful?.succeeded(step)
    this.slowest?.add(step, this.clock.currentTimeMillisUnsafe())
  }

  addBackground(fiber: Fiber.Fiber<unknown, unknown>): void {
    if (this.background === none) this.background = new Set()
    this.background.add(fiber)
    fiber.addObserver(() => this.background.delete(fiber))
  }

  get hasBackground(): boolean {
    return this.background.size > 0
  }

  /** Makes another run of the same pipeline, with the same hooks. */
  again(fiber: Fiber.Fiber<unknown, unknown>): Run {
    return new Run(fiber, this.pipelineName, this.stepHooks, this.annotations, this.givenName)
  }

  /** Ends the run when its background hooks have ended. */
  end(settle: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.andThen(
      Effect.andThen(this.awaitBackground(), settle),
      Effect.sync(() => {
        this.ended = true
      })
    )
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
      ({ alert, post }) => withinHookLimit(post(alert)),
      { discard: true, concurrency: 10 }
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

/** Posts within the time limit of hooks, and logs a failure. */
const withinHookLimit = (post: Effect.Effect<void, unknown>): Effect.Effect<void> =>
  Effect.flatMap(defaultTimeout, (limit) => Effect.timeout(post, limit)).pipe(
    Effect.catchCause((cause) =>
      Writer.logError("effect-epilogue: it could not be posted that a step is well again", cause)
    )
  )
