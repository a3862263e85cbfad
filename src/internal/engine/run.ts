/** The state that the steps of one run share. Nothing here outlives the run. */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { AlertedErrors } from "../model/alerted.ts"
import type { Outcome } from "../model/events.ts"
import { empty, type Table } from "../model/hooks.ts"
import type { FailedStep, Occurrence, OccurrenceRun, Unsuccessful } from "../model/occurrence.ts"
import { CurrentOverrides, type Overrides } from "../model/overrides.ts"
import { CurrentGuard, type Guard } from "../model/secrets.ts"
import { type Telling, tellingOf } from "./telling.ts"

/** Never added to: most runs have no background hooks, and need no set of their own. */
const none: Set<Fiber.Fiber<unknown, unknown>> = new Set()

type Annotations = Readonly<Record<string, unknown>>

/** @internal */
export const noAnnotations: Annotations = {}

/** How many failures are kept: enough to name the steps that failed in an alert. */
const maxFailures = 64

/** Counts the evaluations that did not succeed. */
class Failures implements Unsuccessful {
  failed = 0
  interrupted = 0
  readonly failures: Array<FailedStep> = []
}

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

  /** Counts a step that failed or was interrupted. */
  notSucceeded(step: Occurrence, cause: Cause.Cause<unknown>, outcome: Outcome): void {
    const unsuccessful = this.unsuccessful ??= new Failures()
    if (outcome === "interrupt") {
      unsuccessful.interrupted++
      return
    }
    unsuccessful.failed++
    const { failures } = unsuccessful
    if (failures.length < maxFailures && !isPassedOn(failures.at(-1), step, cause)) failures.push({ step, cause })
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
  get end(): Effect.Effect<void> {
    return Effect.andThen(
      this.awaitBackground(),
      Effect.sync(() => {
        this.ended = true
      })
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

/** Whether an inner step failed just before with the same error: then only the inner one is listed. */
const isPassedOn = (
  last: FailedStep | undefined,
  { index }: Occurrence,
  { reasons }: Cause.Cause<unknown>
): boolean => {
  // steps that began later than this one are inside of it or beside it
  if (last === undefined || last.step.index < index || last.cause.reasons.length !== reasons.length) return false
  return reasons.every((reason, i) => reason === last.cause.reasons[i])
}
