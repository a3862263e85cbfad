/**
 * A named Effect with hooks: callbacks that run right after it, in its
 * environment, with its context, its parameters and its error.
 *
 * A `Step<A, E, R>` is an `Effect<A, E, R>`: `yield*` it, put it in `Effect.all`,
 * retry it from outside. Each evaluation of it ends in exactly one terminal event,
 * and what goes wrong in a hook changes nothing about its exit, unless the hook is
 * `Hook.required`. A step whose hooks wait for something can't be run with
 * `Effect.runSync`, as nothing can that forks.
 *
 * `Hooks.explain` lists the hooks that run for a step in a pipeline, and why.
 *
 * Where a tracer is provided, a step opens a span named after it, with the
 * pipeline, the run and the attempt as attributes (`epilogue.*`), and each of its
 * hooks a child of that span. Where only the default tracer is there, which nobody
 * listens to, it opens none.
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
import type * as Types from "effect/Types"
import type { FitsTags } from "./Hook.ts"
import type { FailedAttempt, Kind } from "./internal/model/hook.ts"
import * as hook from "./internal/model/hook.ts"
import type { Any, InheritMode } from "./internal/model/hooks.ts"
import type { Needs, Step } from "./internal/model/step.ts"
import type { StepFn } from "./internal/steps/fn.ts"
import * as internal from "./internal/steps/step.ts"

export type { Needs, Step } from "./internal/model/step.ts"

/**
 * The parameters of a step, as `Params.Service` makes them.
 *
 * @category models
 * @since 0.1.0
 */
export interface ParamsKey<out Self, out Value> extends Context.Key<Self, Value> {
  /** The value as it may be shown: encoded, without secrets. */
  readonly describe: (value: never) => unknown
}

/**
 * @category guards
 * @since 0.1.0
 */
export const isStep: (u: unknown) => u is Step<unknown, unknown, unknown> = internal.isStep as (
  u: unknown
) => u is Step<unknown, unknown, unknown>

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a step of an Effect. An empty name is a mistake in the program, on which
 * the step dies.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Cause, Effect } from "effect"
 *
 * const load = Step.make("load", Effect.fail("no such file")).pipe(
 *   Step.onFailure((cause) => Effect.logError(Cause.pretty(cause)))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) => Step<A, E, Needs<R>> = internal.makeStep

/**
 * {@link make}, to be piped into.
 *
 * @category constructors
 * @since 0.1.0
 */
export const named: {
  (name: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Step<A, E, Needs<R>>
  <A, E, R>(self: Effect.Effect<A, E, R>, name: string): Step<A, E, Needs<R>>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, name: string) => make(name, self))

/**
 * A function whose calls are steps of that name; mirrors `Effect.fn`. The
 * combinators get the step, then the arguments of the call.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const fetchPage = Step.fn("fetchPage")(
 *   function*(url: string) {
 *     yield* Effect.log(url)
 *     return url.length
 *   },
 *   Step.onSuccess((length) => Effect.log(`${length} characters`)),
 *   (step, url) => Step.annotate(step, { url })
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fn: (name: string) => Fn = internal.fn(internal.makeStep)

/**
 * The signature of {@link fn}: a generator function or one that returns an Effect,
 * and combinators that take and return a step.
 *
 * @category models
 * @since 0.1.0
 */
export type Fn = StepFn

// -----------------------------------------------------------------------------
// hooks
//
// Each has two forms to be piped into: in the first the step says what the hook gets,
// in the second the hook does, where it stands outside a pipe. Neither widens the step.
// -----------------------------------------------------------------------------

/**
 * Runs an Effect before the first attempt. See `Hook.onStart`.
 *
 * @category hooks
 * @since 0.1.0
 */
export const onStart: {
  <R2>(effect: Effect.Effect<unknown, unknown, R2>): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2>(self: Step<A, E, R>, effect: Effect.Effect<unknown, unknown, R2>): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onStart)

/**
 * Runs when the step succeeded, with the value its caller gets. See `Hook.onSuccess`.
 *
 * @category hooks
 * @since 0.1.0
 */
export const onSuccess: {
  <A, R2>(
    f: (value: Types.NoInfer<A>) => Effect.Effect<unknown, unknown, R2>
  ): <E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A2, R2>(
    f: (value: A2) => Effect.Effect<unknown, unknown, R2>
  ): <A extends A2, E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2>(
    self: Step<A, E, R>,
    f: (value: Types.NoInfer<A>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onSuccess)

/**
 * Runs when the step failed or died, after its last attempt. See `Hook.onFailure`.
 *
 * @category hooks
 * @since 0.1.0
 */
export const onFailure: {
  <E, R2>(
    f: (cause: Cause.Cause<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): <A, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <E2, R2>(
    f: (cause: Cause.Cause<E2>) => Effect.Effect<unknown, unknown, R2>
  ): <A, E extends E2, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2>(
    self: Step<A, E, R>,
    f: (cause: Cause.Cause<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onFailure)

/**
 * Runs when the step failed with the error of that tag. It does not compile where
 * the step can't fail so. See `Hook.onFailureTag`, also for how it stands to the
 * pipeline's failure hooks.
 *
 * @category hooks
 * @since 0.1.0
 */
export const onFailureTag: {
  <const K extends Types.Tags<E>, E, R2>(
    tag: K,
    f: (error: Types.ExtractTag<Types.NoInfer<E>, K>) => Effect.Effect<unknown, unknown, R2>
  ): <A, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, const K extends Types.Tags<E>, R2>(
    self: Step<A, E, R>,
    tag: K,
    f: (error: Types.ExtractTag<E, K>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attachTag

/**
 * Runs when the step was interrupted and nothing else went wrong. See `Hook.onInterrupt`.
 *
 * @category hooks
 * @since 0.1.0
 */
export const onInterrupt: {
  <R2>(
    f: (cause: Cause.Cause<never>) => Effect.Effect<unknown, unknown, R2>
  ): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2>(
    self: Step<A, E, R>,
    f: (cause: Cause.Cause<never>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onInterrupt)

/**
 * Runs when an attempt failed and another follows. See `Hook.onRetry`.
 *
 * @category hooks
 * @since 0.1.0
 */
export const onRetry: {
  <E, R2>(
    f: (failed: FailedAttempt<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): <A, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <E2, R2>(
    f: (failed: FailedAttempt<E2>) => Effect.Effect<unknown, unknown, R2>
  ): <A, E extends E2, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2>(
    self: Step<A, E, R>,
    f: (failed: FailedAttempt<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onRetry)

/**
 * Runs however the step ended. See `Hook.onExit`.
 *
 * @category hooks
 * @since 0.1.0
 */
export const onExit: {
  <A, E, R2>(
    f: (exit: Exit.Exit<Types.NoInfer<A>, Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): <R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A2, E2, R2>(
    f: (exit: Exit.Exit<A2, E2>) => Effect.Effect<unknown, unknown, R2>
  ): <A extends A2, E extends E2, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2>(
    self: Step<A, E, R>,
    f: (exit: Exit.Exit<Types.NoInfer<A>, Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onExit)

/**
 * Attaches a `Hook` or `Hooks`, with whatever policies they have.
 *
 * @example
 * ```ts
 * import { Hook, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const step = Step.make("load", Effect.succeed(42)).pipe(
 *   Step.hooks(
 *     Hook.onSuccess((n: number) => Effect.log(n)).pipe(Hook.named("log the number"), Hook.timeout("5 seconds"))
 *   )
 * )
 * ```
 *
 * @category hooks
 * @since 0.1.0
 */
export const hooks: {
  <A2, E2, R2, X, T>(
    hooks: Any<A2, E2, R2, X, T>
  ): <A extends A2, E extends E2, R>(self: Step<A, E, R> & FitsTags<E, T>) => Step<A, E | X, R | Needs<R2>>
  <A extends A2, E extends E2, R, A2, E2, R2, X, T>(
    self: Step<A, E, R> & FitsTags<E, T>,
    hooks: Any<A2, E2, R2, X, T>
  ): Step<A, E | X, R | Needs<R2>>
} = dual(2, internal.hooks)

/**
 * Sets how the step's hooks combine with those of its pipeline, for the kinds named,
 * or for all: `"override"` (the default: of each kind the step's where it has any,
 * else the pipeline's), `"append"` (the pipeline's, then the step's), `"prepend"`
 * (the step's, then the pipeline's), `"off"` (the step's only).
 *
 * @see `Hooks.explain` for the hooks that run for a step in a pipeline, and why
 * @see `Pipeline.stepHooks` for the hooks that a pipeline gives its steps
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const quiet = Step.make("probe", Effect.void).pipe(Step.inherit("off", "failure"))
 * const loud = Step.inherit(quiet, "append", "success", "exit")
 * ```
 *
 * @category hooks
 * @since 0.1.0
 */
export const inherit: {
  (mode: InheritMode, ...kinds: ReadonlyArray<Kind>): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R>
  <A, E, R>(self: Step<A, E, R>, mode: InheritMode, ...kinds: ReadonlyArray<Kind>): Step<A, E, R>
} = internal.inherit

// -----------------------------------------------------------------------------
// the body
// -----------------------------------------------------------------------------

/**
 * The step needs these parameters: hooks see them, encoded and without secrets, in
 * `StepContext.params`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const params: {
  <Self, Value>(params: ParamsKey<Self, Value>): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R | Self>
  <A, E, R, Self, Value>(self: Step<A, E, R>, params: ParamsKey<Self, Value>): Step<A, E, R | Self>
} = dual(2, internal.params)

/**
 * Retries the body, inside the hooks: takes what `Effect.retry` takes, a
 * `Schedule` or `{ times, schedule, while, until }`. Each failed attempt that
 * another follows is an `onRetry` event; the step's terminal hooks run once, after
 * the last. A {@link timeout} before it in the pipe holds for each attempt, one
 * after it for all together.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Effect, Schedule } from "effect"
 *
 * const load = Step.make("load", Effect.fail("unreachable")).pipe(
 *   Step.retry({ times: 3, schedule: Schedule.exponential("1 second") }),
 *   Step.onRetry(({ attempt, delay }) => Effect.log(`attempt ${attempt} failed`, delay))
 * )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const retry: {
  <E, O extends Types.NoExcessProperties<Effect.Retry.Options<E>, O>>(
    options: O
  ): <A, R>(self: Step<A, E, R>) => Retried<A, E, R, O>
  <B, E, Error, Env>(
    policy: Schedule.Schedule<B, Types.NoInfer<E>, Error, Env>
  ): <A, R>(self: Step<A, E, R>) => Step<A, E | Error, R | Needs<Env>>
  <B, E, Error, Env>(
    builder: RetryBuilder<B, E, Error, Env>
  ): <A, R>(self: Step<A, E, R>) => Step<A, E | Error, R | Needs<Env>>
  <A, E, R, O extends Types.NoExcessProperties<Effect.Retry.Options<E>, O>>(
    self: Step<A, E, R>,
    options: O
  ): Retried<A, E, R, O>
  <A, E, R, B, Error, Env>(
    self: Step<A, E, R>,
    policy: Schedule.Schedule<B, Types.NoInfer<E>, Error, Env>
  ): Step<A, E | Error, R | Needs<Env>>
  <A, E, R, B, Error, Env>(
    self: Step<A, E, R>,
    builder: RetryBuilder<B, E, Error, Env>
  ): Step<A, E | Error, R | Needs<Env>>
} = dual(2, internal.retry)

/**
 * Makes a schedule with the step's error type at hand, as in
 * `Step.retry(($) => $(Schedule.recurs(3)))`.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryBuilder<B, E, Error, Env> = (
  $: <O, SE, R>(_: Schedule.Schedule<O, Types.NoInfer<E>, SE, R>) => Schedule.Schedule<O, E, SE, R>
) => Schedule.Schedule<B, Types.NoInfer<E>, Error, Env>

/**
 * The step that {@link retry} makes with such options, as `Effect.Retry.Return`
 * has it for Effects.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Retried<A, E, R, O extends Effect.Retry.Options<E>> = Effect.Retry.Return<R, E, A, O> extends
  Effect.Effect<infer A2, infer E2, infer R2> ? Step<A2, E2, Needs<R2>> : never

/**
 * A time limit for the body: when it is up, the body is interrupted and the step
 * fails with a `Cause.TimeoutError`. A negative limit is a mistake in the program,
 * on which the step dies before its body runs.
 *
 * @category combinators
 * @since 0.1.0
 */
export const timeout: {
  (duration: Duration.Input): <A, E, R>(self: Step<A, E, R>) => Step<A, E | Cause.TimeoutError, R>
  <A, E, R>(self: Step<A, E, R>, duration: Duration.Input): Step<A, E | Cause.TimeoutError, R>
} = dual(2, internal.timeout)

export { requireApproval } from "./internal/steps/requireApproval.ts"

/**
 * Notes something about the step, for its hooks and alerts. See also
 * `StepContext.annotate`, for what the body finds out.
 *
 * @category combinators
 * @since 0.1.0
 */
export const annotate: {
  (values: Readonly<Record<string, unknown>>): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R>
  <A, E, R>(self: Step<A, E, R>, values: Readonly<Record<string, unknown>>): Step<A, E, R>
} = dual(2, internal.annotate)
