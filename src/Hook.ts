/**
 * One typed reaction to one kind of event in the life of a step or a run: it
 * started, an attempt failed, it succeeded, failed, was interrupted, or ended in
 * whatever way.
 *
 * A `Hook<A, E, R>` may be attached to any step that yields an `A` and fails with
 * an `E`; the services `R` it needs become the step's. What goes wrong inside a
 * hook never reaches the step, unless the hook is {@link required}.
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
 * A hook of whatever types: what a function takes that looks at hooks, or collects
 * them, and does not attach them.
 *
 * @see `Hooks.Any` for a hook or a collection of hooks
 *
 * @category models
 * @since 0.1.0
 */
export type Any = Hook<never, never, unknown, unknown, unknown>

/**
 * An error that carries a tag, as `Data.TaggedError` and `Schema.TaggedError` make them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tagged {
  readonly _tag: string
}

/**
 * The tags of `T` with which a step that fails with `E` can't fail: `never` if
 * the hook fits the step.
 *
 * @category utility types
 * @since 0.1.0
 */
export type UnmetTags<E, T> = T extends Tagged ? [Extract<E, { readonly _tag: T["_tag"] }>] extends [never] ? T["_tag"]
  : Extract<E, { readonly _tag: T["_tag"] }> extends T ? never
  : T["_tag"]
  : never

/**
 * What a compile error shows where a hook listens for an error that the step
 * can't fail with.
 *
 * @category utility types
 * @since 0.1.0
 */
export type FitsTags<E, T> = [UnmetTags<E, T>] extends [never] ? unknown
  : { readonly "the step cannot fail with this tag": UnmetTags<E, T> }

/**
 * The time limit of a hook that sets none with {@link timeout}: 30 seconds.
 * Provide another to change it for everything inside; an invalid or negative one
 * kills the hook that would have run under it.
 *
 * @category references
 * @since 0.1.0
 */
export const defaultTimeout: Context.Reference<Duration.Input> = internal.defaultTimeout

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Runs before the first attempt.
 *
 * @example
 * ```ts
 * import { Hook } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const announce = Hook.onStart(Effect.log("here we go"))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const onStart: <R>(effect: Effect.Effect<unknown, unknown, R>) => Hook<unknown, unknown, R> = internal.onStart

/**
 * Runs when the step succeeded, with the value its caller gets.
 *
 * @example
 * ```ts
 * import { Hook } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const count = Hook.onSuccess((rows: ReadonlyArray<string>) => Effect.log(`${rows.length} rows`))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const onSuccess: <R, A = unknown>(
  f: (value: A) => Effect.Effect<unknown, unknown, R>
) => Hook<A, unknown, R> = internal.onSuccess

/**
 * Runs when the step failed or died, after its last attempt. A step that was
 * interrupted, and nothing else, did not fail: see {@link onInterrupt}.
 *
 * @example
 * ```ts
 * import { Hook } from "effect-epilogue"
 * import { Cause, Effect } from "effect"
 *
 * const report = Hook.onFailure((cause) => Effect.logError(Cause.pretty(cause)))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const onFailure: <R, E = unknown>(
  f: (cause: Cause.Cause<E>) => Effect.Effect<unknown, unknown, R>
) => Hook<unknown, E, R> = internal.onFailure

/**
 * Runs when the step failed with the error of that tag, and is skipped when it
 * failed otherwise. It does not compile on a step that can't fail so. On a
 * pipeline, whose steps' errors are not known, it may ask for no more than the tag.
 *
 * It is a failure hook: by precedence a step that has one no longer inherits the
 * pipeline's failure hooks, not even for errors of other tags. To keep them, say
 * `Step.inherit("append", "failure")`.
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
 * @category constructors
 * @since 0.1.0
 */
export const onFailureTag: <const K extends string, R, T extends { readonly _tag: K } = { readonly _tag: K }>(
  tag: K,
  f: (error: T) => Effect.Effect<unknown, unknown, R>
) => Hook<unknown, unknown, R, never, T> = internal.onFailureTag

/**
 * Runs when the step was interrupted and nothing else went wrong.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onInterrupt: <R>(
  f: (cause: Cause.Cause<never>) => Effect.Effect<unknown, unknown, R>
) => Hook<unknown, unknown, R> = internal.onInterrupt

/**
 * Runs when an attempt failed and another follows, before the delay between them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onRetry: <R, E = unknown>(
  f: (failed: FailedAttempt<E>) => Effect.Effect<unknown, unknown, R>
) => Hook<unknown, E, R> = internal.onRetry

/**
 * Runs however the step ended, after the hooks of that outcome.
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
 * Gives the hook a name for logs, spans and events. Without it, a hook is called
 * as its function is, or `onFailure`, `onSuccess`, ….
 *
 * @category policies
 * @since 0.1.0
 */
export const named: {
  (name: string): <A, E, R, X, T>(self: Hook<A, E, R, X, T>) => Hook<A, E, R, X, T>
  <A, E, R, X, T>(self: Hook<A, E, R, X, T>, name: string): Hook<A, E, R, X, T>
} = dual(2, internal.named)

/**
 * How long the hook may take, retries included. When its time is up it is
 * interrupted and no longer waited for, and counts as failed. Without it,
 * {@link defaultTimeout} holds. `"Infinity"` takes the limit away: then nothing
 * frees a step, or an interruption, from a hook that hangs.
 *
 * A negative limit, or one that is no duration, is a mistake in the program: the
 * step dies before its body runs and says so.
 *
 * @category policies
 * @since 0.1.0
 */
export const timeout: {
  (duration: Duration.Input): <A, E, R, X, T>(self: Hook<A, E, R, X, T>) => Hook<A, E, R, X, T>
  <A, E, R, X, T>(self: Hook<A, E, R, X, T>, duration: Duration.Input): Hook<A, E, R, X, T>
} = dual(2, internal.timeout)

/**
 * Runs the hook again when it fails: by a `Schedule`, or
 * `{ times, schedule, while, until }`. All tries together have the hook's
 * time limit, and count as one run of it.
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
 * When to run a failed hook again. A hook's errors are of no known type, so
 * conditions on them take `unknown`.
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
 * Runs the hook only where the predicate says so. It is asked each time, with the
 * step's context and its exit (that of the failed attempt for an `onRetry` hook,
 * none for an `onStart` hook). A predicate that fails fails the hook.
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
 * Does not hold up the step: it runs beside what follows, and the run waits for
 * it before it ends. It can't be {@link required} as well.
 *
 * @category policies
 * @since 0.1.0
 */
export const background = <A, E, R, T>(self: Hook<A, E, R, never, T>): Hook<A, E, R, never, T> =>
  internal.modify(self, { background: true })

/**
 * Its failure fails the step, with {@link HookError} beside the cause the step
 * had. Required hooks run before the others of the same event, so that a success
 * hook is called only when nothing can fail the step any more; where one fails a
 * step that had succeeded, the step's failure hooks are called instead. Beside a
 * defect of the step the `HookError` is a defect too, as Effect has it for any error.
 *
 * A required hook can't be {@link background} as well: the step dies and says so.
 * It does not compile as a pipeline's default for steps, whose types could not
 * tell of the `HookError`.
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
 * @category policies
 * @since 0.1.0
 */
export const required = <A, E, R, X, T>(self: Hook<A, E, R, X, T>): Hook<A, E, R, HookError, T> =>
  internal.modify(self, { required: true })
