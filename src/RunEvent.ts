/**
 * What happened in a run, as data, and the observers it is told to.
 *
 * A run without observers builds no events.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import type { Kind } from "./Hook.ts"
import * as internal from "./internal/engine/observers.ts"
import * as run from "./internal/engine/run.ts"

/**
 * What every event tells.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunInfo {
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
  /** When it happened, to the millisecond. */
  readonly at: DateTime.Utc
}

/**
 * Which evaluation of which step: two steps of one name in a run differ by
 * `stepPath` or at least by `index`.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepInfo {
  readonly stepName: string
  /** The names of the steps this one runs in, outermost first, and its own. */
  readonly stepPath: ReadonlyArray<string>
  /** How many evaluations of steps had begun in this run before this one. */
  readonly index: number
  /** The `index` of the step it runs in, if any. */
  readonly parent: number | undefined
}

/**
 * Which hook, and of what: `step` is `undefined` for a hook of the run itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface HookInfo {
  readonly hook: string
  readonly kind: Kind
  /** Whether the hook is the step's (the run's) own or one that the pipeline gives its steps. */
  readonly level: "step" | "pipeline"
  /** Which of its kind it is, in running order. */
  readonly hookIndex: number
  readonly step: StepInfo | undefined
}

/**
 * How a step or run ended: a step that was interrupted, and nothing else, did not fail.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = "success" | "failure" | "interrupt"

/**
 * @category events
 * @since 0.1.0
 */
export interface RunStarted extends RunInfo {
  readonly _tag: "RunStarted"
}

/**
 * @category events
 * @since 0.1.0
 */
export interface StepStarted extends RunInfo, StepInfo {
  readonly _tag: "StepStarted"
  /** Redacted and encoded, as in `StepContext`. */
  readonly params: Readonly<Record<string, unknown>>
}

/**
 * An attempt failed and another follows after `delay`. The last attempt's failure
 * is the step's, so it is told by {@link StepEnded}.
 *
 * @category events
 * @since 0.1.0
 */
export interface AttemptFailed extends RunInfo, StepInfo {
  readonly _tag: "AttemptFailed"
  readonly attempt: number
  readonly cause: Cause.Cause<unknown>
  readonly delay: Duration.Duration
}

/**
 * The one terminal event of an evaluation of a step. Its hooks' events follow,
 * except those of required hooks, which can still change the outcome.
 *
 * @category events
 * @since 0.1.0
 */
export interface StepEnded extends RunInfo, StepInfo {
  readonly _tag: "StepEnded"
  readonly outcome: Outcome
  readonly exit: Exit.Exit<unknown, unknown>
  readonly attempts: number
  readonly duration: Duration.Duration
  readonly annotations: Readonly<Record<string, unknown>>
}

/**
 * The body of a step tells how far it is, with `Step.progress`.
 *
 * @category events
 * @since 0.1.0
 */
export interface StepProgress extends RunInfo, StepInfo {
  readonly _tag: "StepProgress"
  readonly done: number
  /** How much there is to do, where that is known. */
  readonly total: number | undefined
}

/**
 * A hook goes on after it was called: what it waits for takes time. One that has ended at once is told of by its end
 * alone.
 *
 * @category events
 * @since 0.1.0
 */
export interface HookStarted extends RunInfo, HookInfo {
  readonly _tag: "HookStarted"
}

/**
 * A hook did its work.
 *
 * @category events
 * @since 0.1.0
 */
export interface HookEnded extends RunInfo, HookInfo {
  readonly _tag: "HookEnded"
  readonly duration: Duration.Duration
}

/**
 * A hook failed, died, or ran out of time (a `Cause.TimeoutError`).
 *
 * @category events
 * @since 0.1.0
 */
export interface HookFailed extends RunInfo, HookInfo {
  readonly _tag: "HookFailed"
  readonly duration: Duration.Duration
  readonly cause: Cause.Cause<unknown>
}

/**
 * A hook had nothing to do: its predicate said no, or the error had another tag.
 *
 * @category events
 * @since 0.1.0
 */
export interface HookSkipped extends RunInfo, HookInfo {
  readonly _tag: "HookSkipped"
}

/**
 * The last event of a run: its hooks and all background hooks have ended. Only of a step on a fiber of its own that
 * outlives the run is more told after it.
 *
 * @category events
 * @since 0.1.0
 */
export interface RunEnded extends RunInfo {
  readonly _tag: "RunEnded"
  readonly outcome: Outcome
  readonly exit: Exit.Exit<unknown, unknown>
  readonly duration: Duration.Duration
  /** How many steps were evaluated. */
  readonly steps: number
  /** How many hooks failed, of steps and of the run. */
  readonly hookFailures: number
  readonly annotations: Readonly<Record<string, unknown>>
}

/**
 * @category models
 * @since 0.1.0
 */
export type RunEvent =
  | RunStarted
  | StepStarted
  | StepProgress
  | AttemptFailed
  | StepEnded
  | HookStarted
  | HookEnded
  | HookFailed
  | HookSkipped
  | RunEnded

/**
 * Is told each event, at once and in order. It must not block: for slow work use
 * {@link layerEffect}. What it throws is logged and changes nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type Observer = (event: RunEvent) => void

/**
 * Who is told. Read once, when a run starts.
 *
 * @category references
 * @since 0.1.0
 */
export const Observers: Context.Reference<ReadonlyArray<Observer>> = run.Observers

/**
 * Adds observers to those already provided. Layers side by side in one
 * `Layer.mergeAll` don't see each other, so give all to one call, or stack the
 * layers with `Layer.provideMerge`.
 *
 * @example
 * ```ts
 * import { RunEvent } from "effect-epilogue"
 *
 * const trace = RunEvent.layer((event) => console.log(event._tag))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (...observers: ReadonlyArray<Observer>): Layer.Layer<never> => internal.layer(Observers, observers)

/**
 * Adds an observer that works on its own fiber, one event after another, without
 * holding up the run. When the layer's scope closes it is given what is left, so
 * that no event is lost. A failure is logged, and so is an event that takes longer
 * than `Hook.defaultTimeout`; the events after it still come.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerEffect = <R>(
  observer: (event: RunEvent) => Effect.Effect<unknown, unknown, R>
): Layer.Layer<never, never, R> => internal.layerEffect(Observers, observer)
