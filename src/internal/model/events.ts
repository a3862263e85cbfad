/** The events of a run, as observers get them. */
import type * as Cause from "effect/Cause"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Exit from "effect/Exit"
import type { Severity } from "effect/LogLevel"
import type { Severity as AlertSeverity } from "../../Alert.ts"
import type { HookInfo, RunInfo, StepInfo } from "./eventInfo.ts"
import type { Synchronous } from "./synchronous.ts"

/**
 * The outcome of a step or a run. An interruption beside an error or a defect is a failure, and so is the interruption
 * of something else that the step waited for, such as a fiber, a queue or a deferred. A skip is no failure.
 *
 * @see {@link StepEnded} and {@link RunEnded} for the events that have one
 * @see {@link StepSkipped} for a step that was skipped
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = "success" | "failure" | "interrupt" | "skip"

/**
 * The first event of a run.
 *
 * @see {@link RunEnded} for the last
 *
 * @category events
 * @since 0.1.0
 */
export interface RunStarted extends RunInfo {
  /** The kind of event. */
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
  /** The kind of event. */
  readonly _tag: "StepStarted"
  /** The parameters, encoded and with secrets redacted, as in `StepContext`. */
  readonly params: Readonly<Record<string, unknown>>
  /** The annotations that the step starts with, those of its run included. */
  readonly annotations: Readonly<Record<string, unknown>>
}

/**
 * An attempt failed, and the step is to be tried again. The failure of an attempt that ends the step is in
 * {@link StepEnded}.
 *
 * @see `Step.retry` for retries
 *
 * @category events
 * @since 0.1.0
 */
export interface AttemptFailed extends RunInfo, StepInfo {
  /** The kind of event. */
  readonly _tag: "AttemptFailed"
  /** The number of the attempt. 1 is the first. */
  readonly attempt: number
  /** Why it failed. */
  readonly cause: Cause.Cause<unknown>
  /** The time until the next attempt or, if this one `isLast`, until the time limit. */
  readonly delay: Duration.Duration
  /** Whether no other attempt follows, since a time limit of the step, or of one or a run around it, is up before. */
  readonly isLast: boolean
}

/**
 * A step is overdue: it is still running at a limit that was set for it. Its overdue hooks run after this event.
 *
 * @see `Step.overdue` and `Hook.onOverdue` for such limits
 * @see {@link RunOverdue} for a run
 *
 * @category events
 * @since 0.1.0
 */
export interface StepOverdue extends RunInfo, StepInfo {
  /** The kind of event. */
  readonly _tag: "StepOverdue"
  /** How long the body has been running. */
  readonly elapsed: Duration.Duration
  /** The time after which the step is overdue. */
  readonly limit: Duration.Duration
  /** How many times this limit has been told, this time included. */
  readonly times: number
  /** The number of the attempt that is running. */
  readonly attempt: number
}

/**
 * A run is overdue: it is still running at a limit that was set for it, or after its deadline.
 *
 * @see `Pipeline.overdue` and `Pipeline.deadline` for such limits
 * @see {@link StepOverdue} for a step
 *
 * @category events
 * @since 0.1.0
 */
export interface RunOverdue extends RunInfo {
  /** The kind of event. */
  readonly _tag: "RunOverdue"
  /** How long the body of the run has been running. */
  readonly elapsed: Duration.Duration
  /** The time after which the run is overdue; for a deadline, the time from the start of the run until then. */
  readonly limit: Duration.Duration
  /** The deadline that has passed. `undefined` for other limits. */
  readonly deadline: DateTime.Zoned | undefined
  /** How many times this limit has been told, this time included. */
  readonly times: number
}

/**
 * The one terminal event of an evaluation of a step that was not skipped. The events of its hooks follow, except those
 * of required hooks, which precede it because they can still change the outcome.
 *
 * @see {@link StepStarted} for its beginning
 * @see {@link StepSkipped} for the other terminal event
 *
 * @category events
 * @since 0.1.0
 */
export interface StepEnded extends RunInfo, StepInfo {
  /** The kind of event. */
  readonly _tag: "StepEnded"
  /** How it ended. */
  readonly outcome: Exclude<Outcome, "skip">
  /** The value, or the cause of the failure or interruption. */
  readonly exit: Exit.Exit<unknown, unknown>
  /** How many attempts were made. */
  readonly attempts: number
  /** How long the body took, its retries and an approval before it included, and its hooks not. */
  readonly duration: Duration.Duration
  /** The annotations at the end. Those of its run are included. */
  readonly annotations: Readonly<Record<string, unknown>>
}

/**
 * The one terminal event of an evaluation of a step that was skipped: by the predicate of `Step.when`, by `Step.skip` in
 * its body, or by a step inside it that was skipped. The events of its hooks follow, as those of {@link StepEnded} do.
 *
 * @see `Step.when` and `Step.skip` for skipping steps
 *
 * @category events
 * @since 0.1.0
 */
export interface StepSkipped extends RunInfo, StepInfo {
  /** The kind of event. */
  readonly _tag: "StepSkipped"
  /** The reason, for people. `undefined` where none was given. */
  readonly reason: string | undefined
  /** How many attempts were made. */
  readonly attempts: number
  /** How long the body took, its retries and an approval before it included, and its hooks not. */
  readonly duration: Duration.Duration
  /** The annotations at the end. Those of its run are included. */
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
  /** The kind of event. */
  readonly _tag: "StepProgress"
  /** The amount of work that is done. */
  readonly done: number
  /** The amount of work in all, where that is known. */
  readonly total: number | undefined
}

/**
 * A step logged something, where `StepLogs.layer` is provided.
 *
 * @see {@link RunLogged} for what no step has logged
 *
 * @category events
 * @since 0.1.0
 */
export interface StepLogged extends RunInfo, StepInfo {
  /** The kind of event. */
  readonly _tag: "StepLogged"
  /** The level at which it was logged. */
  readonly logLevel: Severity
  /**
   * The message, the first line of the cause and the annotations, as a text of one or more lines, of at most 4,000
   * characters.
   */
  readonly message: string
}

/**
 * The body or a hook of a run logged something outside of its steps, where `StepLogs.layer` is provided.
 *
 * @see {@link StepLogged} for a step
 *
 * @category events
 * @since 0.1.0
 */
export interface RunLogged extends RunInfo {
  /** The kind of event. */
  readonly _tag: "RunLogged"
  /** The level at which it was logged. */
  readonly logLevel: Severity
  /** As in {@link StepLogged}. */
  readonly message: string
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
  /** The kind of event. */
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
  /** The kind of event. */
  readonly _tag: "HookEnded"
  /** How long the hook took. */
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
  /** The kind of event. */
  readonly _tag: "HookFailed"
  /** How long the hook took. */
  readonly duration: Duration.Duration
  /** Why it failed. */
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
  /** The kind of event. */
  readonly _tag: "HookSkipped"
}

/**
 * Tells what became of an alert that a step or a run has posted, at one channel or policy.
 *
 * **Details**
 *
 * - An alert that goes to several channels has an event for each of them. A channel that tries again has one event for all
 *   its attempts, and one before them if the alert has to wait.
 * - A `result` of `"waiting"` or `"held"` may change: then another event follows with the same `deliveryId`, after the
 *   end of the run if need be.
 * - Alerts that a policy posts by itself, such as a digest, belong to the run that has provided its layer. Where that is
 *   provided around all runs, they have no events.
 *
 * @see `Alerter` for posting alerts
 *
 * @category events
 * @since 0.1.0
 */
export interface AlertPosted extends RunInfo {
  /** The kind of event. */
  readonly _tag: "AlertPosted"
  /** Tells one delivery from all others. */
  readonly deliveryId: string
  /** The step that has posted the alert, in its body or by a hook. `undefined` for the run itself. */
  readonly step: StepInfo | undefined
  /** The title of the alert on one line, without secrets, of at most 200 characters. */
  readonly title: string
  /** The severity of the alert. */
  readonly severity: AlertSeverity
  /** The name of the channel or the policy: `"slack"`, `"digest"`, …. */
  readonly by: string
  /**
   * Says what became of the alert:
   *
   * - `delivered`: the channel has accepted it;
   * - `failed`: the channel has not, and will not be asked again;
   * - `waiting`: the channel has it in its mailbox, and will try again, or has not tried yet;
   * - `held`: the policy keeps it for later, or only counts it, as a mailbox does with the thousands after the first
   *   1,000 alerts that it has folded into one;
   * - `dropped`: the policy has dropped it, so that nobody is told.
   */
  readonly result: "delivered" | "failed" | "held" | "dropped" | "waiting"
  /** The result in the event before it with the same `deliveryId`. `undefined` in the first one. */
  readonly previous: "held" | "waiting" | undefined
  /** Why it has not arrived, without secrets and addresses, of at most 300 characters. `undefined` where nothing is known. */
  readonly reason: string | undefined
  /** When the alert was posted. */
  readonly postedAt: DateTime.Utc
}

/**
 * The last event of a run, after its hooks and all background hooks have ended. Only steps on fibers that
 * outlive the run, and alerts that are delivered later, have events after it.
 *
 * @see {@link RunStarted} for the first
 *
 * @category events
 * @since 0.1.0
 */
export interface RunEnded extends RunInfo {
  /** The kind of event. */
  readonly _tag: "RunEnded"
  /** How it ended. */
  readonly outcome: Outcome
  /** The value, or the cause of the failure or interruption. */
  readonly exit: Exit.Exit<unknown, unknown>
  /** How long the run took, its hooks included. */
  readonly duration: Duration.Duration
  /** The number of evaluations of steps. */
  readonly steps: number
  /** The number of hooks that failed, of steps and of the run. */
  readonly hookFailures: number
  /** The annotations at the end. */
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
  | StepOverdue
  | StepLogged
  | StepEnded
  | StepSkipped
  | HookStarted
  | HookEnded
  | HookFailed
  | HookSkipped
  | AlertPosted
  | RunOverdue
  | RunLogged
  | RunEnded

/** An event without the fields that all events have. */
export type Unsent = RunEvent extends infer Event ? Event extends RunEvent ? Omit<Event, keyof RunInfo> : never : never

/**
 * A function that is called with each event, at once and in order.
 *
 * **Gotchas**
 *
 * It must not block: for slow work use `RunEvent.layerEffect`. The time for which it blocks may be in the duration of
 * the step or the hook that runs next. An exception is logged and does not affect the run. An observer that returns an
 * Effect or a promise is a type error, since nobody would run or await it.
 *
 * @see `RunEvent.layer` for adding an observer
 *
 * @category models
 * @since 0.1.0
 */
export type Observer = (event: RunEvent) => Synchronous<"use RunEvent.layerEffect">
