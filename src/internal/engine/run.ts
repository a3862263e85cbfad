/** The state that the steps of one run share. Nothing here outlives the run. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Observer, RunEvent, RunInfo } from "../model/events.ts"
import { empty, type Table } from "../model/hooks.ts"
import { AlerterObservers, Observers } from "../model/observers.ts"
import { CurrentOverrides, type Overrides } from "../model/overrides.ts"
import { isTapped, type Tap, TapKey } from "../model/tap.ts"

/** Stays empty: most runs have no background hooks, and make no set for them. */
const none: Set<Fiber.Fiber<unknown, unknown>> = new Set()

type Annotations = Readonly<Record<string, unknown>>

/** An event less what `Run.emit` adds to it. */
export type Untold = RunEvent extends infer Event ? Event extends RunEvent ? Omit<Event, keyof RunInfo> : never : never

/** @internal */
export class Run {
  readonly pipelineName: string
  readonly stepHooks: Table
  readonly clock: Clock.Clock
  startedMillis: number
  /** `undefined` where nobody listens: then no event is built. */
  readonly observers: ReadonlyArray<Observer> | undefined
  /** The first of them that can do without the most frequent events being built; those are built for `others`. */
  readonly tap: Tap | undefined
  readonly others: ReadonlyArray<Observer>
  readonly overrides: Overrides | undefined
  annotations: Annotations
  /** Whether its last hook has ended. */
  ended = false
  steps = 0
  hookFailures = 0
  private readonly context: Context.Context<never>
  private readonly givenName: string | undefined
  private lazyId: string | undefined
  private askedAt = -Infinity
  private answer = 0
  private lazyName: string | undefined
  /** What `lazyName` was made for. */
  private named: number | undefined
  /** Background hooks that have not ended. */
  private background: Set<Fiber.Fiber<unknown, unknown>> = none

  constructor(
    fiber: Fiber.Fiber<unknown, unknown>,
    pipelineName: string,
    stepHooks: Table = empty.hooks,
    annotations: Annotations = noAnnotations,
    givenName?: string,
    id?: string
  ) {
    const provided = fiber.getRef(Observers)
    const ofAlerter = fiber.getRef(AlerterObservers)
    const observers = ofAlerter.length === 0 ? provided : [...provided, ...ofAlerter]
    this.context = fiber.context
    this.pipelineName = pipelineName
    this.stepHooks = stepHooks
    this.clock = fiber.getRef(Clock.Clock)
    this.startedMillis = this.clock.currentTimeMillisUnsafe()
    this.observers = observers.length === 0 ? undefined : observers
    const tapped = observers.find(isTapped)
    this.tap = tapped?.[TapKey]
    this.others = tapped === undefined ? observers : observers.filter((observer) => observer !== tapped)
    this.overrides = fiber.getRef(CurrentOverrides)
    this.annotations = annotations
    this.givenName = givenName
    this.lazyId = id
  }

  // On demand: a UUID costs as much as a step.
  get id(): string {
    return this.lazyId ??= globalThis.crypto.randomUUID()
  }

  /** As in ZenML, the default names the pipeline and the second it started in (UTC). */
  get name(): string {
    return this.givenName ?? this.defaultName
  }

  // kept, since each event has it; a run that goes on after a crash learns late when it started
  private get defaultName(): string {
    if (this.named !== this.startedMillis || this.lazyName === undefined) {
      this.named = this.startedMillis
      this.lazyName = `${this.pipelineName}-${
        new Date(this.startedMillis).toISOString().slice(0, 19).replaceAll(/[-:]/g, "_").replace("T", "-")
      }`
    }
    return this.lazyName
  }

  emit(event: Untold, at?: number, observers = this.observers): void {
    if (observers === undefined) return
    const told = {
      ...event,
      pipelineName: this.pipelineName,
      runId: this.id,
      runName: this.name,
      at: DateTime.makeUnsafe(at ?? this.millisAt(this.nanos()))
    } as RunEvent // the fields that `Untold` leaves out are added here
    for (const observer of observers) {
      try {
        observer(told)
      } catch (defect) {
        Effect.runForkWith(this.context)(Effect.logError(`observer failed on ${event._tag}`, defect))
      }
    }
  }

  /** The monotonic clock. Not as a bigint, with which every sum takes as long as to ask the clock. */
  nanos(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe())
  }

  /** The time of day, by that on the monotonic clock: it is asked for once a millisecond, as that takes long too. */
  millisAt(now: number): number {
    const since = now - this.askedAt
    if (!(since >= 0 && since < 1e6)) {
      this.askedAt = now
      this.answer = this.clock.currentTimeMillisUnsafe()
    }
    return this.answer
  }

  addBackground(fiber: Fiber.Fiber<unknown, unknown>): void {
    if (this.background === none) this.background = new Set()
    this.background.add(fiber)
    fiber.addObserver(() => this.background.delete(fiber))
  }

  get hasBackground(): boolean {
    return this.background.size > 0
  }

  /** A run of the same pipeline, with the same hooks. */
  again(fiber: Fiber.Fiber<unknown, unknown>): Run {
    return new Run(fiber, this.pipelineName, this.stepHooks, this.annotations, this.givenName)
  }

  /** Waits for background hooks; the run is over then. */
  get end(): Effect.Effect<void> {
    return Effect.andThen(
      this.awaitBackground(),
      Effect.sync(() => {
        this.ended = true
      })
    )
  }

  /** Background hooks have time limits, so this ends; hooks started meanwhile are waited for too. */
  awaitBackground(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.hasBackground
        ? Effect.flatMap(Fiber.awaitAll(this.background), () => this.awaitBackground())
        : Effect.void
    )
  }
}

/** @internal */
export const noAnnotations: Annotations = {}

/** @internal */
export const toDuration = (nanos: number): Duration.Duration => Duration.nanos(BigInt(Math.round(nanos)))
