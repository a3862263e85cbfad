/**
 * Names Effects as pipelines. A pipeline gives hooks to all steps that are evaluated in it, and has hooks for
 * the run itself.
 *
 * **Details**
 *
 * A `Pipeline<A, E, R>` is an `Effect<A, E, R>`. Each evaluation is a run of its own with an id; runs share
 * nothing. A pipeline inside the body of another is a run of its own too, and its steps inherit the hooks of the
 * inner pipeline only.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type * as Types from "effect/Types"
import type { FitsTags } from "./Hook.ts"
import * as hook from "./internal/model/hook.ts"
import type { Any } from "./internal/model/hooks.ts"
import type { Needs, Pipeline } from "./internal/model/step.ts"
import type { PipelineFn } from "./internal/steps/fn.ts"
import * as internal from "./internal/steps/step.ts"
import type { TimeoutOptions } from "./Step.ts"

export type { Pipeline } from "./internal/model/step.ts"

/**
 * Returns whether a value is a pipeline.
 *
 * @see `Step.isStep` for steps
 *
 * @category guards
 * @since 0.1.0
 */
export const isPipeline: (u: unknown) => u is Pipeline<unknown, unknown, unknown> = internal.isPipeline as (
  u: unknown
) => u is Pipeline<unknown, unknown, unknown>

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a pipeline from a name and an Effect. All steps that the Effect evaluates, on whatever fiber, belong to
 * its run.
 *
 * **Gotchas**
 *
 * An empty name is a mistake in the program: the run dies before its body runs.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const extract = Step.make("extract", Effect.succeed([1, 2, 3]))
 * const load = (rows: ReadonlyArray<number>) => Step.make("load", Effect.log(rows))
 *
 * const etl = Pipeline.make("etl", Effect.flatMap(extract, load)).pipe(
 *   Pipeline.stepHooks(AlerterHooks.failure)
 * )
 * ```
 *
 * @see {@link named} for the form that takes the Effect first
 * @see {@link fn} for pipelines with arguments
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) => Pipeline<A, E, Needs<R>> =
  internal.makePipeline

/**
 * Makes a pipeline from an Effect and a name, to be piped into.
 *
 * @example
 * ```ts
 * import { Pipeline } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const etl = Effect.log("loading").pipe(Pipeline.named("etl"))
 * ```
 *
 * @see {@link make} for the form that takes the name first
 *
 * @category constructors
 * @since 0.1.0
 */
export const named: {
  (name: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Pipeline<A, E, Needs<R>>
  <A, E, R>(self: Effect.Effect<A, E, R>, name: string): Pipeline<A, E, Needs<R>>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, name: string) => make(name, self))

/**
 * Makes a function whose calls return pipelines of that name, as `Effect.fn` makes one whose calls return
 * Effects. Combinators receive the pipeline, followed by the arguments of the call.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Pipeline } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const train = Pipeline.fn("train")(
 *   function*(epochs: number) {
 *     yield* Effect.log(`${epochs} epochs`)
 *   },
 *   Pipeline.stepHooks(AlerterHooks.failure),
 *   (pipeline, epochs) => Pipeline.annotate(pipeline, { epochs })
 * )
 * ```
 *
 * @see {@link make} for pipelines without arguments
 *
 * @category constructors
 * @since 0.1.0
 */
export const fn: (name: string) => Fn = internal.fn(internal.makePipeline)

/**
 * The signature of {@link fn}: it takes a generator function, or a function that returns an Effect, and
 * combinators that take and return a pipeline.
 *
 * @category models
 * @since 0.1.0
 */
export type Fn = PipelineFn

// -----------------------------------------------------------------------------
// hooks for the steps
// -----------------------------------------------------------------------------

/**
 * Gives hooks to all steps that are evaluated in the pipeline. By default those of a kind run only where a step has no
 * hook of its own of the kind that has something to do.
 *
 * **Gotchas**
 *
 * As the steps may be of any type, the hooks may use no particular value or error, no field of a tagged error
 * but its tag, and may not be `Hook.required`: others do not compile.
 *
 * @see `Step.inherit` for how a step's hooks combine with these
 * @see {@link hooks} for hooks of the run itself
 *
 * @category hooks
 * @since 0.1.0
 */
export const stepHooks: {
  <R2, T>(
    hooks: Any<unknown, unknown, R2, never, T> & FitsAnyStep<T>
  ): <A, E, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R | Needs<R2>>
  <A, E, R, R2, T>(
    self: Pipeline<A, E, R>,
    hooks: Any<unknown, unknown, R2, never, T> & FitsAnyStep<T>
  ): Pipeline<A, E, R | Needs<R2>>
} = dual(2, internal.stepHooks)

/**
 * Constrains the hooks of {@link stepHooks} to those that use no field of a tagged error but its tag. Its
 * property is what a compile error shows for others.
 *
 * @category utility types
 * @since 0.1.0
 */
export type FitsAnyStep<T> = FitsTags<AnyTagged<T>, T>

type AnyTagged<T> = T extends { readonly _tag: infer K } ? { readonly _tag: K } : never

// -----------------------------------------------------------------------------
// hooks for the run
// -----------------------------------------------------------------------------

/**
 * Attaches a `Hook` or `Hooks` to the run itself, with their policies. They run once per run, never for its
 * steps, and see the `StepContext` of the run.
 *
 * @see {@link stepHooks} for hooks of the steps
 *
 * @category hooks
 * @since 0.1.0
 */
export const hooks: {
  <A2, E2, R2, X, T>(
    hooks: Any<A2, E2, R2, X, T>
  ): <A extends A2, E extends E2, R>(self: Pipeline<A, E, R> & FitsTags<E, T>) => Pipeline<A, E | X, R | Needs<R2>>
  <A extends A2, E extends E2, R, A2, E2, R2, X, T>(
    self: Pipeline<A, E, R> & FitsTags<E, T>,
    hooks: Any<A2, E2, R2, X, T>
  ): Pipeline<A, E | X, R | Needs<R2>>
} = dual(2, internal.hooks)

/**
 * Attaches a hook that runs before the body of the run.
 *
 * @see `Hook.onStart` for the hook as a value
 *
 * @category hooks
 * @since 0.1.0
 */
export const onStart: {
  <R2>(
    effect: Effect.Effect<unknown, unknown, R2>
  ): <A, E, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R | Needs<R2>>
  <A, E, R, R2>(
    self: Pipeline<A, E, R>,
    effect: Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>>
} = internal.attach(hook.onStart)

/**
 * Attaches a hook that runs after the run succeeded, with its value.
 *
 * @see `Hook.onSuccess` for the hook as a value
 *
 * @category hooks
 * @since 0.1.0
 */
export const onSuccess: {
  <A, R2>(
    f: (value: Types.NoInfer<A>) => Effect.Effect<unknown, unknown, R2>
  ): <E, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R | Needs<R2>>
  <A2, R2>(
    f: (value: A2) => Effect.Effect<unknown, unknown, R2>
  ): <A extends A2, E, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R | Needs<R2>>
  <A, E, R, R2>(
    self: Pipeline<A, E, R>,
    f: (value: Types.NoInfer<A>) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>>
} = internal.attach(hook.onSuccess)

/**
 * Attaches a hook that runs after the run failed or died.
 *
 * @see `Hook.onFailure` for the hook as a value
 * @see {@link onFailureTag} for one tagged error
 * @see {@link stepHooks} for failures of single steps
 *
 * @category hooks
 * @since 0.1.0
 */
export const onFailure: {
  <E, R2>(
    f: (cause: Cause.Cause<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): <A, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R | Needs<R2>>
  <E2, R2>(
    f: (cause: Cause.Cause<E2>) => Effect.Effect<unknown, unknown, R2>
  ): <A, E extends E2, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R | Needs<R2>>
  <A, E, R, R2>(
    self: Pipeline<A, E, R>,
    f: (cause: Cause.Cause<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>>
} = internal.attach(hook.onFailure)

/**
 * Attaches a hook that runs after the run failed with the error of that tag. A tag that the run can't fail with
 * does not compile.
 *
 * @example
 * ```ts
 * import { Pipeline } from "effect-epilogue"
 * import { Data, Effect } from "effect"
 *
 * class NoData extends Data.TaggedError("NoData")<{ readonly day: string }> {}
 *
 * const etl = Pipeline.make("etl", Effect.fail(new NoData({ day: "monday" }))).pipe(
 *   Pipeline.onFailureTag("NoData", ({ day }) => Effect.log(`nothing came on ${day}`))
 * )
 * ```
 *
 * @see {@link onFailure} for errors of any tag, and defects
 * @see `Step.onFailureTag` for a single step
 *
 * @category hooks
 * @since 0.1.0
 */
export const onFailureTag: {
  <const K extends Types.Tags<E>, E, R2>(
    tag: K,
    f: (error: Types.ExtractTag<Types.NoInfer<E>, K>) => Effect.Effect<unknown, unknown, R2>
  ): <A, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R | Needs<R2>>
  <A, E, R, const K extends Types.Tags<E>, R2>(
    self: Pipeline<A, E, R>,
    tag: K,
    f: (error: Types.ExtractTag<E, K>) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>>
} = internal.attachTag

/**
 * Attaches a hook that runs after the run was interrupted, unless it also failed or died.
 *
 * @see `Hook.onInterrupt` for the hook as a value
 *
 * @category hooks
 * @since 0.1.0
 */
export const onInterrupt: {
  <R2>(
    f: (cause: Cause.Cause<never>) => Effect.Effect<unknown, unknown, R2>
  ): <A, E, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R | Needs<R2>>
  <A, E, R, R2>(
    self: Pipeline<A, E, R>,
    f: (cause: Cause.Cause<never>) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>>
} = internal.attach(hook.onInterrupt)

/**
 * Attaches a hook that runs after the run ended, whatever the outcome, and after the hooks of that outcome.
 *
 * @see `Hook.onExit` for the hook as a value
 *
 * @category hooks
 * @since 0.1.0
 */
export const onExit: {
  <A, E, R2>(
    f: (exit: Exit.Exit<Types.NoInfer<A>, Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): <R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R | Needs<R2>>
  <A2, E2, R2>(
    f: (exit: Exit.Exit<A2, E2>) => Effect.Effect<unknown, unknown, R2>
  ): <A extends A2, E extends E2, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R | Needs<R2>>
  <A, E, R, R2>(
    self: Pipeline<A, E, R>,
    f: (exit: Exit.Exit<Types.NoInfer<A>, Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>>
} = internal.attach(hook.onExit)

// -----------------------------------------------------------------------------
// the run
// -----------------------------------------------------------------------------

/**
 * Adds annotations to the run, which hooks, alerts and events of the run and of its steps show.
 *
 * @see `Step.annotate` for annotations of one step
 * @see `StepContext.annotate` for values that a body finds out
 *
 * @category combinators
 * @since 0.1.0
 */
export const annotate: {
  (values: Readonly<Record<string, unknown>>): <A, E, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R>
  <A, E, R>(self: Pipeline<A, E, R>, values: Readonly<Record<string, unknown>>): Pipeline<A, E, R>
} = dual(2, internal.annotate)

/**
 * Limits the time of the run: when it is exceeded, its steps are interrupted and the run fails with a
 * `Cause.TimeoutError`. The time of the run's own hooks does not count.
 *
 * **Details**
 *
 * Steps that are running end with an interruption, and their hooks for it run; then the failure hooks of the run do.
 * A body that has not stopped at the end of the `grace`, which is 5 seconds unless set, is left behind: a warning is logged, and
 * the run fails. In a durable run the time counts from the start of the run, by the wall clock, through restarts.
 *
 * **Gotchas**
 *
 * `Effect.timeout` around a pipeline interrupts the run, and runs its hooks for an interruption instead.
 *
 * A negative limit is a mistake in the program: the run dies before its body runs.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const nightly = Pipeline.make("nightly", Step.make("load", Effect.sleep("1 day"))).pipe(
 *   Pipeline.timeout("6 hours"),
 *   Pipeline.hooks(AlerterHooks.failure)
 * )
 * ```
 *
 * @see `Step.timeout` for the time limit of a step
 *
 * @category combinators
 * @since 0.1.0
 */
export const timeout: {
  (
    duration: Duration.Input,
    options?: TimeoutOptions
  ): <A, E, R>(self: Pipeline<A, E, R>) => Pipeline<A, E | Cause.TimeoutError, R>
  <A, E, R>(
    self: Pipeline<A, E, R>,
    duration: Duration.Input,
    options?: TimeoutOptions
  ): Pipeline<A, E | Cause.TimeoutError, R>
} = internal.timeout

/**
 * Names the run for people. A run without a name is called by its pipeline and the second of its start (UTC), as
 * in `etl-2026_11_23-09_42_06`.
 *
 * **Gotchas**
 *
 * Names need not be unique: `StepContext.runId` identifies a run.
 *
 * @see `StepContext` for the run's name and id
 *
 * @category combinators
 * @since 0.1.0
 */
export const runName: {
  (name: string): <A, E, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R>
  <A, E, R>(self: Pipeline<A, E, R>, name: string): Pipeline<A, E, R>
} = dual(2, internal.runName)
