/** The events of a run, as observers get them. */
import type * as Cause from "effect/Cause"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Exit from "effect/Exit"
import type { Kind } from "./hook.ts"

/**
 * The fields of every event.
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
 * Identifies the evaluation of a step in a run: two steps of one name differ by
 * `stepPath`, or at least by `index`.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepInfo {
  readonly stepName: string
  /** The names of the steps that this one runs in, outermost first, and its own. */
  readonly stepPath: ReadonlyArray<string>
  /** The number of evaluations of steps that had begun in this run before this one. */
  readonly index: number
  /** The `index` of the step it runs in, if any. */
  readonly parent: number | undefined
}

/**
 * Identifies a hook: `step` is `undefined` for a hook of the run itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface HookInfo {
  readonly hook: string
  readonly kind: Kind
  /** Whether the hook is the step's own (the run's, if `step` is `undefined`), or one that the pipeline gives its steps. */
  readonly level: "step" | "pipeline"
  /** The position of the hook among those of its kind, in running order. */
  readonly hookIndex: number
  readonly step: StepInfo | undefined
}

/**
 * How a step or a run ended. One that was interrupted, without an error or a defect, did not fail.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = "success" | "failure" | "interrupt"

/**
 * The first event of a run.
 *
 * @category events
 * @since 0.1.0
 */
export interface RunStarted extends RunInfo {
  readonly _tag: "RunStarted"
}

/**
 * A step started. Its start hooks run after this event, and then its body.
 *
 * @category events
 * @since 0.1.0
 */
export interface StepStarted extends RunInfo, StepInfo {
  readonly _tag: "StepStarted"
  /** Redacted and encoded, as in `StepContext`. */
  readonly params: Readonly<Record<string, unknown>>
}

/**
 * An attempt failed and another follows after `delay`. The failure of the last
 * attempt is the step's: it is in {@link StepEnded}.
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
 * The body of a step reported its progress, with `StepContext.progress`.
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
 * A hook was called and waits for something. A hook that ends at once has no such event, only that of its end.
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
 * A hook had nothing to do: its predicate returned `false`, or the error had another tag.
 *
 * @category events
 * @since 0.1.0
 */
export interface HookSkipped extends RunInfo, HookInfo {
  readonly _tag: "HookSkipped"
}

/**
 * The last event of a run: its hooks and all background hooks have ended. Only a step on a fiber that outlives the run
 * has events after it.
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
 * An event of a run. `_tag` tells the kinds apart.
 *
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
 * A function that is called with each event, at once and in order.
 *
 * **Gotchas**
 *
 * It must not block: for slow work use `RunEvent.layerEffect`. What it throws is
 * logged and changes nothing about the run.
 *
 * @category models
 * @since 0.1.0
 */
export type Observer = (event: RunEvent) => void
