/**
 * Makes hooks: typed reactions to one kind of event in the life of a step or a run. It started, an attempt
 * failed, it succeeded, failed, was interrupted, or ended in any way.
 *
 * **Details**
 *
 * A `Hook<A, E, R>` can be attached to any step that yields an `A` and fails with an `E`; the services `R` are
 * then required by the step. A failure inside a hook does not reach the step, unless the hook is
 * {@link required}.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type * as Schedule from "effect/Schedule"
import type { FailedAttempt, Hook } from "./internal/model/hook.ts"
import * as internal from "./internal/model/hook.ts"
import type { HookError } from "./internal/model/hookError.ts"
import type { StepContext } from "./StepContext.ts"

export type { FailedAttempt, Hook, Kind } from "./internal/model/hook.ts"
export { HookError, type HookErrorFields } from "./internal/model/hookError.ts"

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
 * An invalid or negative limit fails each hook that would run under it; the step is not affected.
 *
 * @see {@link timeout} for the limit of one hook
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
export const onStart: <R>(effect: Effect.Effect<unknown, unknown, R>) => Hook<unknown, unknown, R> = internal.onStart

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
) => Hook<A, unknown, R> = internal.onSuccess

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
) => Hook<unknown, E, R> = internal.onFailure

/**
 * Makes a hook that runs after a step failed with the error of that tag. It is skipped for other errors, and
 * does not compile on a step that can't fail with the tag. On `Pipeline.stepHooks`, where the steps' errors are
 * unknown, its function may use no field but the tag.
 *
 * **Gotchas**
 *
 * It is a failure hook: a step that has one no longer inherits its pipeline's failure hooks, not even for errors
 * of other tags. `Step.inherit("append", "failure")` keeps them.
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
) => Hook<unknown, unknown, R, never, T> = internal.onFailureTag

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
) => Hook<unknown, unknown, R> = internal.onInterrupt

/**
 * Makes a hook that runs after an attempt failed and another follows, before the delay in between.
 *
 * @see `Step.retry` for the retries of a step
 * @see {@link retry} for retrying the hook itself
 *
 * @category constructors
 * @since 0.1.0
 */
export const onRetry: <R, E = unknown>(
  f: (failed: FailedAttempt<E>) => Effect.Effect<unknown, unknown, R>
) => Hook<unknown, E, R> = internal.onRetry

/**
 * Makes a hook that runs after a step ended, whatever the outcome, and after the hooks of that outcome.
 *
 * @see {@link onSuccess} for hooks of one outcome
 *
 * @category constructors
 * @since 0.1.0
 */
export const onExit: <R, A = unknown, E = unknown>(
  f: (exit: Exit.Exit<A, E>) => Effect.Effect<unknown, unknown, R>
) => Hook<A, E, R> = internal.onExit

// -----------------------------------------------------------------------------
// policies
// -----------------------------------------------------------------------------

/**
 * Names a hook in logs, spans and events. A hook without a name has that of its function, as in
 * `Hook.onFailure(pageOnCall)`, or else that of its constructor, as in `onFailure`.
 *
 * @see `TestObserver.assertFired` of `effect-epilogue/testing` for asserting by name that a hook ran
 *
 * @category policies
 * @since 0.1.0
 */
export const named: {
  (name: string): <A, E, R, X, T>(self: Hook<A, E, R, X, T>) => Hook<A, E, R, X, T>
  <A, E, R, X, T>(self: Hook<A, E, R, X, T>, name: string): Hook<A, E, R, X, T>
} = dual(2, internal.named)

/**
 * Limits the time of a hook, all of its retries included. A hook that exceeds the limit is interrupted, counts
 * as failed, and is not waited for any longer.
 *
 * **Details**
 *
 * A hook without a limit has {@link defaultTimeout}. `"Infinity"` removes the limit.
 *
 * **Gotchas**
 *
 * A hook without a limit that hangs blocks its step, and an interruption of it, for ever. A negative limit, or
 * one that is not a duration, is a mistake in the program: the step dies before its body runs.
 *
 * @see {@link defaultTimeout} for the limit of all hooks
 * @see `Step.timeout` for the time limit of a body
 *
 * @category policies
 * @since 0.1.0
 */
export const timeout: {
  (duration: Duration.Input): <A, E, R, X, T>(self: Hook<A, E, R, X, T>) => Hook<A, E, R, X, T>
  <A, E, R, X, T>(self: Hook<A, E, R, X, T>, duration: Duration.Input): Hook<A, E, R, X, T>
} = dual(2, internal.timeout)

/**
 * Runs a hook again when it fails, by a `Schedule` or `{ times, schedule, while, until }`. All tries together
 * share the hook's time limit and count as one run of the hook. Defects are not retried.
 *
 * @example
 * ```ts
 * import { Hook } from "effect-epilogue"
 * import { Effect, Schedule } from "effect"
 *
 * const post = Hook.onFailure(() => Effect.fail("no route to host")).pipe(
 *   Hook.retry({ times: 3, schedule: Schedule.exponential("200 millis") })
 * )
 * ```
 *
 * @see {@link timeout} for the time limit
 * @see `Step.retry` for retrying the body of a step
 *
 * @category policies
 * @since 0.1.0
 */
export const retry: {
  <R2 = never>(
    policy: RetryPolicy<R2>
  ): <A, E, R, X, T>(self: Hook<A, E, R, X, T>) => Hook<A, E, R | R2, X, T>
  <A, E, R, X, T, R2 = never>(
    self: Hook<A, E, R, X, T>,
    policy: RetryPolicy<R2>
  ): Hook<A, E, R | R2, X, T>
} = dual(2, internal.retry)

/**
 * The policy of {@link retry}. Conditions take `unknown`, as the types of a hook's errors are not tracked.
 *
 * @see {@link retry} for using it
 *
 * @category models
 * @since 0.1.0
 */
export type RetryPolicy<R = never> = Schedule.Schedule<unknown, unknown, unknown, R> | {
  readonly times?: number | undefined
  readonly schedule?: Schedule.Schedule<unknown, unknown, unknown, R> | undefined
  readonly while?: ((error: unknown) => boolean | Effect.Effect<boolean, unknown, R>) | undefined
  readonly until?: ((error: unknown) => boolean | Effect.Effect<boolean, unknown, R>) | undefined
}

/**
 * Runs a hook only if a predicate holds. The predicate is evaluated each time, with the step's context and exit:
 * for an `onRetry` hook the exit of the failed attempt, for an `onStart` hook none. If the predicate fails, the
 * hook fails.
 *
 * Where the predicate returns `false` for all of a step's hooks of a kind, the pipeline's hooks of that kind run, unless
 * `Step.inherit` says otherwise.
 *
 * @example
 * ```ts
 * import { Hook } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const stubborn = Hook.onFailure(() => Effect.log("it took more than one attempt, and failed")).pipe(
 *   Hook.when((context) => context.attempt > 1)
 * )
 * ```
 *
 * @see {@link onFailureTag} for a condition on the tag of an error
 *
 * @category policies
 * @since 0.1.0
 */
export const when: {
  <A, E, R2 = never>(
    predicate: (
      context: StepContext["Service"],
      exit?: Exit.Exit<A, E>
    ) => boolean | Effect.Effect<boolean, unknown, R2>
  ): <R, X, T>(self: Hook<A, E, R, X, T>) => Hook<A, E, R | R2, X, T>
  <A, E, R, X, T, R2 = never>(
    self: Hook<A, E, R, X, T>,
    predicate: (
      context: StepContext["Service"],
      exit?: Exit.Exit<A, E>
    ) => boolean | Effect.Effect<boolean, unknown, R2>
  ): Hook<A, E, R | R2, X, T>
} = dual(2, internal.when)

/**
 * Runs a hook beside what follows, so that the step does not wait for it. The run waits for all background hooks
 * before it ends.
 *
 * **Gotchas**
 *
 * A background hook can't be {@link required}: `required` piped into `background` does not compile, and the
 * other order makes the step die.
 *
 * @see {@link timeout} for how long the run waits at most
 *
 * @category policies
 * @since 0.1.0
 */
export const background = <A, E, R, T>(self: Hook<A, E, R, never, T>): Hook<A, E, R, never, T> =>
  internal.modify(self, { background: true })

/**
 * Makes a hook's failure fail the step, with a {@link HookError} that is added to the cause of the step's own
 * failure, if any.
 *
 * **When to use**
 *
 * For hooks without which a success must not count, such as an entry in an audit log.
 *
 * **Details**
 *
 * Required hooks run before the others of the same event, so an ordinary success hook runs only when nothing can
 * fail the step any more. If a required hook fails a step that had succeeded, the step's failure hooks run.
 *
 * **Gotchas**
 *
 * - Beside a defect of the step, the `HookError` is a defect too and can't be caught by its tag, as with errors
 *   of Effect's finalizers.
 * - A required hook can't be {@link background} as well: the step dies.
 * - `Pipeline.stepHooks` does not take required hooks, as the types of its steps could not mention the
 *   `HookError`.
 *
 * @example
 * ```ts
 * import { Hook, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * // Effect<void, HookError>
 * const step = Step.make("pay", Effect.void).pipe(
 *   Step.hooks(Hook.onSuccess(() => Effect.fail("the audit log is full")).pipe(Hook.required))
 * )
 * ```
 *
 * @see {@link HookError} for the error
 *
 * @category policies
 * @since 0.1.0
 */
export const required = <A, E, R, X, T>(self: Hook<A, E, R, X, T>): Hook<A, E, R, HookError, T> =>
  internal.modify(self, { required: true })
