/**
 * Makes hooks: typed reactions to one kind of event in the life of a step or a run. It started, an attempt
 * failed, it is overdue, it succeeded, failed, was interrupted or skipped, or ended in any way, or its run is rolled
 * back.
 *
 * **Details**
 *
 * A `Hook<A, E, R>` can be attached to any step that yields an `A` and fails with an `E`; the services `R` are
 * then required by the step. A failure inside a hook does not reach the step, unless the hook is
 * `Hook.required`.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { onOverdue as overdueHook } from "./internal/engine/overdue.ts"
import { onRollback as rollbackHook } from "./internal/engine/undo.ts"
import type { FailedAttempt, Hook } from "./internal/model/hook.ts"
import * as internal from "./internal/model/hook.ts"
import * as kinds from "./internal/model/hookKinds.ts"
import type { Overdue, OverdueOptions } from "./internal/model/overdue.ts"
import type { StepSkipped } from "./internal/model/skip.ts"

export type { FailedAttempt, Hook, Kind } from "./internal/model/hook.ts"
export { HookError, type HookErrorFields } from "./internal/model/hookError.ts"
export type { Overdue, OverdueOptions } from "./internal/model/overdue.ts"

/**
 * A hook of any types.
 *
 * **When to use**
 *
 * As the type of arguments that inspect or collect hooks without attaching them.
 *
 * @see `Hooks.Any` for a hook or a collection of hooks
 *
 * @category models
 * @since 0.1.0
 */
export type Any = Hook<never, never, unknown, unknown, unknown>

/**
 * An error with a tag, as `Data.TaggedError` and `Schema.TaggedError` make them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tagged {
  /** The tag, by which a hook chooses errors. */
  readonly _tag: string
}

/**
 * Computes the tags of `T` with which a step that fails with `E` can't fail. It is `never` if the hook fits the
 * step.
 *
 * @see {@link FitsTags} for the constraint that uses it
 *
 * @category utility types
 * @since 0.1.0
 */
export type UnmetTags<E, T> = T extends Tagged ? [Extract<E, { readonly _tag: T["_tag"] }>] extends [never] ? T["_tag"]
  : Extract<E, { readonly _tag: T["_tag"] }> extends T ? never
  : T["_tag"]
  : never

/**
 * Constrains a step to those that can fail with the tagged errors `T`. Its property is what a compile error
 * shows where the step can't.
 *
 * @see {@link onFailureTag} for the hooks with such errors
 *
 * @category utility types
 * @since 0.1.0
 */
export type FitsTags<E, T> = [UnmetTags<E, T>] extends [never] ? unknown
  : { readonly "the step cannot fail with this tag": UnmetTags<E, T> }

/**
 * The time limit of hooks that have none of their own: 30 seconds unless provided.
 *
 * **When to use**
 *
 * To change the limit of all hooks inside an Effect, as in
 * `Effect.provideService(program, Hook.defaultTimeout, "5 seconds")`.
 *
 * **Gotchas**
 *
 * An invalid or negative limit fails each hook that has to wait for something under it; the step is not affected.
 *
 * @see `Hook.timeout` for the limit of one hook
 *
 * @category references
 * @since 0.1.0
 */
export const defaultTimeout: Context.Reference<Duration.Input> = internal.defaultTimeout

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a hook that runs an Effect before the first attempt of a step.
 *
 * @example
 * ```ts
 * import { Hook } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const announce = Hook.onStart(Effect.log("here we go"))
 * ```
 *
 * @see {@link onExit} for the end of a step
 *
 * @category constructors
 * @since 0.1.0
 */
export const onStart: <R>(effect: Effect.Effect<unknown, unknown, R>) => Hook<unknown, unknown, R> = kinds.onStart

/**
 * Makes a hook that runs after a step succeeded, with the value that the step's caller gets.
 *
 * @example
 * ```ts
 * import { Hook } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const count = Hook.onSuccess((rows: ReadonlyArray<string>) => Effect.log(`${rows.length} rows`))
 * ```
 *
 * @see {@link onFailure} for the opposite
 * @see {@link onExit} for any outcome
 *
 * @category constructors
 * @since 0.1.0
 */
export const onSuccess: <R, A = unknown>(
  f: (value: A) => Effect.Effect<unknown, unknown, R>
) => Hook<A, unknown, R> = kinds.onSuccess

/**
 * Makes a hook that runs after a step failed or died in its last attempt. A step that was interrupted and did
 * not also fail counts as interrupted.
 *
 * @example
 * ```ts
 * import { Hook } from "effect-epilogue"
 * import { Cause, Effect } from "effect"
 *
 * const report = Hook.onFailure((cause) => Effect.logError(Cause.pretty(cause)))
 * ```
 *
 * @see {@link onFailureTag} for one tagged error
 * @see {@link onInterrupt} for interruptions
 *
 * @category constructors
 * @since 0.1.0
 */
export const onFailure: <R, E = unknown>(
  f: (cause: Cause.Cause<E>) => Effect.Effect<unknown, unknown, R>
) => Hook<unknown, E, R> = kinds.onFailure

/**
 * Makes a hook that runs after a step failed with the error of that tag. It is skipped for other errors, and
 * does not compile on a step that can't fail with the tag. On `Pipeline.stepHooks`, where the steps' errors are
 * unknown, its function may use no field but the tag.
 *
 * **Gotchas**
 *
 * It is a failure hook: for an error of that tag it stands in for the failure hooks of the pipeline, which run for all
 * other errors and for defects. `Step.inherit("append", "failure")` runs both.
 *
 * @example
 * ```ts
 * import { Hook } from "effect-epilogue"
 * import { Data, Effect } from "effect"
 *
 * class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number }> {}
 *
 * const page = Hook.onFailureTag("HttpError", (error: HttpError) => Effect.logError(`HTTP ${error.status}`))
 * ```
 *
 * @see {@link onFailure} for all errors and defects
 *
 * @category constructors
 * @since 0.1.0
 */
export const onFailureTag: <const K extends string, R, T extends { readonly _tag: K } = { readonly _tag: K }>(
  tag: K,
  f: (error: T) => Effect.Effect<unknown, unknown, R>
) => Hook<unknown, unknown, R, never, T> = kinds.onFailureTag

/**
 * Makes a hook that runs after a step was interrupted, unless it also failed or died.
 *
 * @see {@link onFailure} for failures
 *
 * @category constructors
 * @since 0.1.0
 */
export const onInterrupt: <R>(
  f: (cause: Cause.Cause<never>) => Effect.Effect<unknown, unknown, R>
) => Hook<unknown, unknown, R> = kinds.onInterrupt

/**
 * Makes a hook that runs after a step was skipped, with the reason. The hooks of a success and of a failure do not run
 * then; those of {@link onExit} do.
 *
 * @example
 * ```ts
 * import { Hook } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const note = Hook.onSkip(({ reason }) => Effect.log(`nothing to do: ${reason}`))
 * ```
 *
 * @see `Step.when` and `Step.skip` for skipping steps
 *
 * @category constructors
 * @since 0.1.0
 */
export const onSkip: <R>(
  f: (skipped: StepSkipped) => Effect.Effect<unknown, unknown, R>
) => Hook<unknown, unknown, R> = kinds.onSkip

/**
 * Makes a hook that runs after an attempt failed and another is to follow, before the delay in between. Where a time
 * limit is up before that delay is over, the attempt `isLast`.
 *
 * @see `Step.retry` for the retries of a step
 * @see `Hook.retry` for retrying the hook itself
 *
 * @category constructors
 * @since 0.1.0
 */
export const onRetry: <R, E = unknown>(
  f: (failed: FailedAttempt<E>) => Effect.Effect<unknown, unknown, R>
) => Hook<unknown, E, R> = kinds.onRetry

/**
 * Makes a hook that runs while a step is still running: after a time, and again at an interval if one is set.
 *
 * **Details**
 *
 * With a time, the hook runs when the body has been running for that long. Without, it runs at the limits of the step that
 * it is attached to: those of `Step.overdue`, of `Pipeline.overdue` and `Pipeline.deadline`, or of a config file. Where
 * there are none it has nothing to do, and leaves its place to the pipeline's hooks.
 *
 * The time counts from the start of the body, all attempts included; start hooks and the wait for an approval
 * (`Step.requireApproval`) do not count. Retries, time limits and the outcome of the step are not affected. A step that
 * ends while the hook is running waits for it, within the hook's time limit, so that the hooks of its end come after it.
 *
 * **Gotchas**
 *
 * - A thread that is blocked runs no hooks. `epilogue run` tells that a step is overdue from its own process then.
 * - A hook that is not ready when its time comes again is not called for that time.
 * - It can't be `Hook.required`: the step dies.
 * - With `Hook.background` the step does not wait for it, and its own hooks may run first.
 *
 * @example
 * ```ts
 * import { Hook, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const nudge = Hook.onOverdue(
 *   "10 minutes",
 *   ({ elapsed, stepName }) => Effect.log(`${stepName} is still running`, elapsed),
 *   { every: "1 hour" }
 * )
 *
 * const load = Step.make("load", Effect.sleep("2 hours")).pipe(Step.hooks(nudge))
 * ```
 *
 * @see `AlerterHooks.overdue` for an alert
 * @see `Step.timeout` for a limit that ends the step
 *
 * @category constructors
 * @since 0.1.0
 */
export const onOverdue: {
  <R>(f: (overdue: Overdue) => Effect.Effect<unknown, unknown, R>): Hook<unknown, unknown, R>
  <R>(
    after: Duration.Input,
    f: (overdue: Overdue) => Effect.Effect<unknown, unknown, R>,
    options?: OverdueOptions
  ): Hook<unknown, unknown, R>
} = overdueHook

/**
 * Makes a hook that runs after a step ended, whatever the outcome, and after the hooks of that outcome. The exit of a
 * step that was skipped is a failure with a `Step.StepSkipped`, or, for a hook that is attached after `Step.when` or
 * `Step.whenSkipped`, what callers get: a success with `None`, or with that value.
 *
 * @see {@link onSuccess} for hooks of one outcome
 *
 * @category constructors
 * @since 0.1.0
 */
export const onExit: <R, A = unknown, E = unknown>(
  f: (exit: Exit.Exit<A, E>) => Effect.Effect<unknown, unknown, R>
) => Hook<A, E, R> = kinds.onExit

/**
 * Makes a hook that undoes what a step has done: it runs where the step has succeeded, and its run fails or is interrupted
 * later. Its function gets the value of the step, and the cause of the run.
 *
 * **When to use**
 *
 * For steps whose effects have to be taken back one by one, since no transaction spans them: a payment, a reservation, a
 * file, a machine.
 *
 * **Details**
 *
 * - When a run has failed or was interrupted, the rollback hooks of all of its steps that have succeeded run, one step
 *   after another, the last one that succeeded first. Each runs once. Several of one step run in the order attached.
 * - They run before the other hooks of the run's end, so that the alert of `AlerterHooks.failure` on the run says which
 *   steps were undone (`undone: charge, reserve`), and which were not, and why. They can't be interrupted.
 * - A hook that fails, dies, interrupts itself or exceeds its time limit is logged, and is a `HookFailed` event. The others
 *   run all the same, and the exit of the run stays as it is.
 * - Nothing is undone while the run goes on: not where an outer step catches the failure of an inner one, and not between
 *   attempts. A step that was evaluated several times is undone once for each evaluation that succeeded.
 * - The success of the body counts. A step that was failed afterwards by a required success hook is undone, too.
 * - The run is that of the innermost pipeline, which forgets its steps when it succeeds: for a pipeline inside of a step,
 *   attach a rollback hook to that step. Outside of any pipeline the outermost step is the run.
 *
 * **Gotchas**
 *
 * - The hook gets the services that the step had. What was closed since, as by `Effect.scoped` or by `Effect.provide`
 *   around the step alone, it finds closed. The layers of `Pipeline.provide` stay open until the rollback has ended.
 * - A run keeps each step that has a rollback hook, and its value, until its end.
 * - A step whose body was left behind at its time limit has not succeeded, whatever becomes of the body.
 * - It can't be `Hook.required` or `Hook.background`, and a run itself has none: the step, or the run, dies.
 *
 * @example
 * ```ts
 * import { Hook, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const refund = Hook.onRollback((payment: string) => Effect.log(`refunding ${payment}`)).pipe(
 *   Hook.timeout("1 minute"),
 *   Hook.retry({ times: 3 })
 * )
 *
 * const charge = Step.make("charge", Effect.succeed("payment 7")).pipe(Step.hooks(refund))
 * ```
 *
 * @see `Step.onRollback` for attaching a function
 * @see {@link onFailure} for a step that fails itself
 *
 * @category constructors
 * @since 0.1.0
 */
export const onRollback: <R, A = unknown>(
  f: (value: A, cause: Cause.Cause<unknown>) => Effect.Effect<unknown, unknown, R>
) => Hook<A, unknown, R> = rollbackHook

// -----------------------------------------------------------------------------
// policies
// -----------------------------------------------------------------------------

export {
  background,
  named,
  overdueAfter,
  required,
  retry,
  type RetryPolicy,
  timeout,
  when
} from "./internal/model/hookPolicies.ts"
