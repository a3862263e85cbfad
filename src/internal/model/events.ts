/** The events of a run, as observers get them. */
import type * as Cause from "effect/Cause"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Exit from "effect/Exit"
import type { Kind } from "./hook.ts"

/**
 * The fields that all events have.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunInfo {
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
  /** The time of the event, to the millisecond. */
  readonly at: DateTime.Utc
}

/**
 * Identifies one evaluation of a step in a run. Two evaluations of the same name differ in `index`, in `stepKey` if
 * they have keys, and in `stepPath` if they run in different steps.
 *
 * @see {@link RunInfo} for the run
 *
 * @category models
 * @since 0.1.0
 */
export interface StepInfo {
  readonly stepName: string
  /** The key of the step, which `Step.key` sets. */
  readonly stepKey: string | undefined
  /** The names of the steps from the outermost to this one. */
  readonly stepPath: ReadonlyArray<string>
  /** The names of `stepPath` as people are shown them: with their keys, as in `fetch-page[7]`. */
  readonly stepLabels: ReadonlyArray<string>
  /** The position of the evaluation in the run: the number of evaluations of steps that started before it. */
  readonly index: number
  /** The `index` of the step around it, if any. */
  readonly parent: number | undefined
}

/**
 * Identifies a hook in a run.
 *
 * @see {@link StepInfo} for the step of the hook
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
  /** The step of the hook, or `undefined` for a hook of the run itself. */
  readonly step: StepInfo | undefined
}

/**
 * The outcome of a step or a run. An interruption beside an error or a defect is a failure, and so is the interruption
 * of something else that the step waited for, such as a fiber, a queue or a deferred.
 *
 * @see {@link StepEnded} and {@link RunEnded} for the events that have one
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = "success" | "failure" | "interrupt"

/**
 * The first event of a run.
 *
 * @see {@link RunEnded} for the last
 *
 * @category events
 * @since 0.1.0
 */
export interface RunStarted extends RunInfo {
  readonly _tag: "RunStarted"
  /** The annotations that the run starts with. */
  readonly annotations: Readonly<Record<string, unknown>>
}

/**
 * A step started. Its start hooks run after this event, and then its body.
 *
 * @see {@link StepEnded} for the end of the step
 *
 * @category events
 * @since 0.1.0
 */
export interface StepStarted extends RunInfo, StepInfo {
  readonly _tag: "StepStarted"
  /** The parameters, encoded and with secrets redacted, as in `StepContext`. */
  readonly params: Readonly<Record<string, unknown>>
  /** The annotations that the step starts with, those of its run included. */
  readonly annotations: Readonly<Record<string, unknown>>
}

/**
 * An attempt failed, and another follows after `delay`. The failure of the last attempt is in {@link StepEnded}.
 *
 * @see `Step.retry` for retries
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
 * The one terminal event of an evaluation of a step. The events of its hooks follow, except those of required
 * hooks, which precede it because they can still change the outcome.
 *
 * @see {@link StepStarted} for its beginning
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
 * The body of a step reported its progress.
 *
 * @see `StepContext.progress` for reporting it
 *
 * @category events
 * @since 0.1.0
 */
export interface StepProgress extends RunInfo, StepInfo {
  readonly _tag: "StepProgress"
  readonly done: number
  /** The amount of work in all, where that is known. */
  readonly total: number | undefined
}

/**
 * A hook started and waits for something. A hook that ends at once has no such event.
 *
 * @see {@link HookEnded} for a hook that succeeded
 * @see {@link HookFailed} for a hook that failed
 *
 * @category events
 * @since 0.1.0
 */
export interface HookStarted extends RunInfo, HookInfo {
  readonly _tag: "HookStarted"
}

/**
 * A hook ran and succeeded.
 *
 * @see {@link HookFailed} for a hook that failed
 * @see {@link HookSkipped} for a hook that had nothing to do
 *
 * @category events
 * @since 0.1.0
 */
export interface HookEnded extends RunInfo, HookInfo {
  readonly _tag: "HookEnded"
  readonly duration: Duration.Duration
}

/**
 * A hook failed, died, or exceeded its time limit (a `Cause.TimeoutError`).
 *
 * @see `Hook.required` for hooks whose failure fails the step
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
 * @see `Hook.when` for predicates
 *
 * @category events
 * @since 0.1.0
 */
export interface HookSkipped extends RunInfo, HookInfo {
  readonly _tag: "HookSkipped"
}

/**
 * The last event of a run, after its hooks and all background hooks have ended. Only steps on fibers that
 * outlive the run have events after it.
 *
 * @see {@link RunStarted} for the first
 *
 * @category events
 * @since 0.1.0
 */
export interface RunEnded extends RunInfo {
  readonly _tag: "RunEnded"
  readonly outcome: Outcome
  readonly exit: Exit.Exit<unknown, unknown>
  readonly duration: Duration.Duration
  /** The number of evaluations of steps. */
  readonly steps: number
  /** The number of hooks that failed, of steps and of the run. */
  readonly hookFailures: number
  readonly annotations: Readonly<Record<string, unknown>>
}

/**
 * An event of a run. `_tag` distinguishes the kinds.
 *
 * @see {@link Observer} for receiving events
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
 * It must not block: for slow work use `RunEvent.layerEffect`. An exception is logged and does not affect the
 * run.
 *
 * @see `RunEvent.layer` for adding an observer
 *
 * @category models
 * @since 0.1.0
 */
export type Observer = (event: RunEvent) => void
