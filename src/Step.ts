/**
 * Names Effects as steps, and attaches hooks to them: functions that run when the Effect starts, is retried,
 * succeeds, fails, is interrupted, is skipped or ends, with its context, its parameters and its typed value or error.
 *
 * **Details**
 *
 * A `Step<A, E, R>` is an `Effect<A, E, R>`: `yield*` it, put it in `Effect.all`, retry it from outside. Each
 * evaluation ends in exactly one of success, failure, interrupt and skip. A hook that fails does not change the step's
 * exit, unless it is `Hook.required`.
 *
 * With a tracer, each evaluation opens a span with the step's name and attributes that begin with `cicd.pipeline`, as
 * OpenTelemetry has them, and with `epilogue` (pipeline, run, step, attempt), and each hook opens a child span. With
 * Effect's default tracer, which exports nothing, no span is opened.
 *
 * **Gotchas**
 *
 * `Effect.runSync` can't run a step whose hooks wait for something, as hooks run on fibers of their own.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Schedule from "effect/Schedule"
import type * as Types from "effect/Types"
import type { Needs, Step } from "./internal/model/step.ts"
import { combinator } from "./internal/steps/combinator.ts"
import type { Fn } from "./internal/steps/fn.ts"
import * as internal from "./internal/steps/step.ts"

export type { Needs, Step } from "./internal/model/step.ts"
export type { PromiseBody, PromiseFn, PromiseOptions } from "./internal/steps/promiseFn.ts"

/**
 * The key of a parameter service, as `Params.Service` makes it.
 *
 * @see {@link params} for declaring that a step uses the parameters
 *
 * @category models
 * @since 0.1.0
 */
export interface ParamsKey<out Self, out Value> extends Context.Key<Self, Value> {
  /** Encodes the value for people, with secrets redacted. */
  readonly describe: (value: never) => unknown
}

/**
 * Returns whether a value is a step.
 *
 * @see `Pipeline.isPipeline` for pipelines
 *
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
 * Makes a step from a name and an Effect.
 *
 * **Gotchas**
 *
 * An empty name is a mistake in the program: the step dies before its body runs.
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
 * @see {@link named} for the form that takes the Effect first
 * @see {@link fn} for steps with arguments
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: <A, E = never, R = never>(name: string, effect: Effect.Effect<A, E, R>) => Step<A, E, Needs<R>> =
  internal.makeStep

/**
 * Makes a step from an Effect and a name, to be piped into.
 *
 * @see {@link make} for the form that takes the name first
 *
 * @category constructors
 * @since 0.1.0
 */
export const named: {
  (name: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Step<A, E, Needs<R>>
  <A, E, R>(self: Effect.Effect<A, E, R>, name: string): Step<A, E, Needs<R>>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, name: string) => make(name, self))

/**
 * Makes a function whose calls return steps of that name, as `Effect.fn` makes one whose calls return Effects.
 * Each evaluation of such a step runs the body anew. Combinators receive the step, followed by the arguments of
 * the call.
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
 * @see {@link make} for steps without arguments
 *
 * @category constructors
 * @since 0.1.0
 */
export const fn: (name: string) => Fn<"Step"> = internal.fn(internal.makeStep)

export type { Fn, FnBody, FnCombinator, FnResult } from "./internal/steps/fn.ts"

export { fnPromise, promise } from "./internal/steps/promise.ts"

// -----------------------------------------------------------------------------
// hooks
// -----------------------------------------------------------------------------

export {
  hooks,
  inherit,
  onExit,
  onFailure,
  onFailureTag,
  onInterrupt,
  onOverdue,
  onRetry,
  onRollback,
  onSkip,
  onStart,
  onSuccess,
  overdue
} from "./internal/steps/stepHooks.ts"

// -----------------------------------------------------------------------------
// skips
// -----------------------------------------------------------------------------

export { type Condition, skip, when, type WhenOptions, whenSkipped } from "./internal/steps/skip.ts"

export { StepSkipped, type StepSkippedFields } from "./internal/model/skip.ts"

// -----------------------------------------------------------------------------
// identity
// -----------------------------------------------------------------------------

/**
 * The value of a key. It is shown as text.
 *
 * @see {@link key} for giving a step a key
 *
 * @category models
 * @since 0.1.0
 */
export type Key = string | number | bigint | boolean

/**
 * Gives the step a key, which tells evaluations of steps of one name apart.
 *
 * **When to use**
 *
 * For a step that is evaluated several times in a run, once for each page, customer or file: without keys, nothing says
 * which of them failed, or which of them recovered.
 *
 * **Details**
 *
 * The step is shown as `fetch-page[7]` wherever its name is: in alerts, progress, records, timelines and spans. The key
 * is in `StepContext.stepKey` and in the events of the step. Alerts about different keys are about different things: one
 * recovers without the other. In a durable run, the results of steps are stored by name and key.
 *
 * A key of more than 200 characters is cut, and ends with a hash of the whole. Of several keys in a pipe the last one
 * counts. Config files, routes and metrics know a step by its name alone.
 *
 * **Gotchas**
 *
 * Keys are shown: take no secret for one. Take a value that is the same on the next night and after a restart, such as
 * the number of a page, and not a random one.
 *
 * @example
 * ```ts
 * import { Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const fetchPage = Step.fn("fetch-page")(
 *   (page: number) => Effect.succeed(`page ${page}`),
 *   (step, page) => Step.key(step, page)
 * )
 *
 * const pull = Pipeline.make("pull", Effect.forEach([1, 2, 3], fetchPage, { concurrency: 3 }))
 * ```
 *
 * @see {@link annotate} for values that are shown, and do not identify
 *
 * @category combinators
 * @since 0.1.0
 */
export const key: {
  (value: Key): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R>
  <A, E, R>(self: Step<A, E, R>, value: Key): Step<A, E, R>
} = combinator(2, internal.key)

// -----------------------------------------------------------------------------
// the body
// -----------------------------------------------------------------------------

/**
 * Declares that the step uses these parameters: the step requires the service, and hooks see the value in
 * `StepContext.params`, encoded and with secrets redacted.
 *
 * @see `Params.Service` for making a parameter service
 *
 * @category combinators
 * @since 0.1.0
 */
export const params: {
  <Self, Value>(params: ParamsKey<Self, Value>): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R | Self>
  <A, E, R, Self, Value>(self: Step<A, E, R>, params: ParamsKey<Self, Value>): Step<A, E, R | Self>
} = combinator(2, internal.params)

/**
 * Retries the step's body inside its hooks. Takes what `Effect.retry` takes: a `Schedule`, a builder, or
 * `{ times, schedule, while, until }`.
 *
 * **Details**
 *
 * Each failed attempt that is to be followed by another runs the `onRetry` hooks. The hooks for the step's outcome run
 * once, after the last attempt. Defects, interruptions and skips are not retried.
 *
 * **Gotchas**
 *
 * The order of {@link timeout} and `retry` in a pipe matters: a timeout before `retry` limits each attempt, one
 * after it limits all attempts together.
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
 * @see `Step.onRetry` for hooks that run between attempts
 * @see `Hook.retry` for retrying a hook
 *
 * @category combinators
 * @since 0.1.0
 */
export const retry: {
  <B, E, Error = never, Env = never>(
    policy: Schedule.Schedule<B, Types.NoInfer<E>, Error, Env>
  ): <A, R>(self: Step<A, E, R>) => Step<A, E | Error, R | Needs<Env>>
  <B, E, Error, Env>(
    builder: RetryBuilder<B, E, Error, Env>
  ): <A, R>(self: Step<A, E, R>) => Step<A, E | Error, R | Needs<Env>>
  <E, O extends Types.NoExcessProperties<Effect.Retry.Options<E>, O>>(
    options: O
  ): <A, R>(self: Step<A, E, R>) => Retried<A, E, R, O>
  // matches nothing that the forms above do not: the compiler's error is about the last one, and this one lists the options
  (options: Effect.Retry.Options<unknown>): (self: never) => never
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
} = combinator(2, internal.retry)

/**
 * A function that makes a schedule with the step's error type inferred, as in
 * `Step.retry(($) => $(Schedule.recurs(3)))`.
 *
 * @category models
 * @since 0.1.0
 */
export type RetryBuilder<B, E, Error, Env> = (
  $: <O, SE, R>(_: Schedule.Schedule<O, Types.NoInfer<E>, SE, R>) => Schedule.Schedule<O, E, SE, R>
) => Schedule.Schedule<B, Types.NoInfer<E>, Error, Env>

/**
 * The type of the step that {@link retry} returns for such options, as `Effect.Retry.Return` is for Effects.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Retried<A, E, R, O extends Effect.Retry.Options<E>> = Effect.Retry.Return<R, E, A, O> extends
  Effect.Effect<infer A2, infer E2, infer R2> ? Step<A2, E2, Needs<R2>> : never

/**
 * Options of {@link timeout} and `Pipeline.timeout`.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeoutOptions {
  /** How long the body may take to stop once it was interrupted. 5 seconds unless set. */
  readonly grace?: Duration.Input | undefined
}

/**
 * Limits the time of the step's body: when it is exceeded, the body is interrupted and the step fails with a
 * `Cause.TimeoutError`. The time of hooks does not count.
 *
 * **Details**
 *
 * A body that has not stopped at the end of the `grace`, because it is uninterruptible or a finalizer of it hangs, is
 * left behind: a warning is logged, the step fails, and its hooks run. What is left behind may still have effects.
 *
 * **Gotchas**
 *
 * Code that blocks the thread can't be interrupted: the step fails when it returns.
 *
 * A negative limit is a mistake in the program: the step dies before its body runs.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const load = Step.make("load", Effect.sleep("1 hour")).pipe(
 *   Step.timeout("10 minutes", { grace: "30 seconds" })
 * )
 * ```
 *
 * @see {@link retry} for how the two combine
 * @see `Pipeline.timeout` for the time limit of a run
 * @see `Hook.timeout` for the time limit of a hook
 *
 * @category combinators
 * @since 0.1.0
 */
export const timeout: {
  (
    duration: Duration.Input,
    options?: TimeoutOptions
  ): <A, E, R>(self: Step<A, E, R>) => Step<A, E | Cause.TimeoutError, R>
  <A, E, R>(
    self: Step<A, E, R>,
    duration: Duration.Input,
    options?: TimeoutOptions
  ): Step<A, E | Cause.TimeoutError, R>
} = internal.timeout

export { approved, requireApproval } from "./internal/steps/requireApproval.ts"

/**
 * Adds annotations to the step, which its hooks, alerts and events show.
 *
 * @see `StepContext.annotate` for values that the body finds out
 * @see `Pipeline.annotate` for annotations of a whole run
 *
 * @category combinators
 * @since 0.1.0
 */
export const annotate: {
  (values: Readonly<Record<string, unknown>>): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R>
  <A, E, R>(self: Step<A, E, R>, values: Readonly<Record<string, unknown>>): Step<A, E, R>
} = combinator(2, internal.annotate)
