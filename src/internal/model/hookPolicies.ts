/** The policies of hooks, which `Hook` exports. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type * as Schedule from "effect/Schedule"
import type { StepContext } from "./context.ts"
import type { Hook } from "./hook.ts"
import * as internal from "./hook.ts"
import type { HookError } from "./hookError.ts"
import type { OverdueOptions } from "./overdue.ts"

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
 * A hook without a limit has `Hook.defaultTimeout`. `"Infinity"` removes the limit.
 *
 * **Gotchas**
 *
 * A hook without a limit that hangs blocks its step, and an interruption of it, for ever. A negative limit, or
 * one that is not a duration, is a mistake in the program: the step dies before its body runs.
 *
 * @see `Hook.defaultTimeout` for the limit of all hooks
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
 * Gives an overdue hook a time of its own, after which it runs, and the interval at which it runs again.
 *
 * **When to use**
 *
 * For hooks that have none, as `AlerterHooks.overdue`: to attach one to a pipeline for all of its steps, or several with
 * different times to one step.
 *
 * **Gotchas**
 *
 * A hook of another kind, or a time that is negative, is a mistake in the program: the step dies before its body runs.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Hook, Hooks } from "effect-epilogue"
 *
 * const hooks = Hooks.make(
 *   AlerterHooks.overdue.pipe(Hook.overdueAfter("10 minutes")),
 *   AlerterHooks.overdueWith((alert) => alert.with({ severity: "critical" })).pipe(
 *     Hook.overdueAfter("2 hours", { every: "1 hour" })
 *   )
 * )
 * ```
 *
 * @see `Hook.onOverdue` for a hook with a time
 * @see `Step.overdue` for the limit of a step
 *
 * @category policies
 * @since 0.1.0
 */
export const overdueAfter: {
  (after: Duration.Input, options?: OverdueOptions): <A, E, R, X, T>(self: Hook<A, E, R, X, T>) => Hook<A, E, R, X, T>
  <A, E, R, X, T>(self: Hook<A, E, R, X, T>, after: Duration.Input, options?: OverdueOptions): Hook<A, E, R, X, T>
} = dual((args) => internal.isHook(args[0]), internal.overdueAfter)

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
 * hook fails; a hook of `AlerterHooks` posts its alert before, unless it is about a success.
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
 * @see `Hook.onFailureTag` for a condition on the tag of an error
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
