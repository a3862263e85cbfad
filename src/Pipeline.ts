/**
 * A named run: hooks for its steps, and hooks for itself.
 *
 * A `Pipeline<A, E, R>` is an `Effect<A, E, R>` too. Each evaluation of it is a run
 * of its own, with an id; nothing is shared between runs. A pipeline inside
 * another's body is a run of its own as well, and its steps inherit its hooks, not
 * the outer one's.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
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

export type { Pipeline } from "./internal/model/step.ts"

/**
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
 * Makes a pipeline of an Effect: the steps evaluated in it, by whatever fiber, are
 * steps of its run.
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
 * @category constructors
 * @since 0.1.0
 */
export const make: <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) => Pipeline<A, E, Needs<R>> =
  internal.makePipeline

/**
 * Makes a pipeline of an Effect, to be piped into.
 *
 * @see {@link make} for the form that takes the name first
 *
 * @example
 * ```ts
 * import { Pipeline } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const etl = Effect.log("loading").pipe(Pipeline.named("etl"))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const named: {
  (name: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Pipeline<A, E, Needs<R>>
  <A, E, R>(self: Effect.Effect<A, E, R>, name: string): Pipeline<A, E, Needs<R>>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, name: string) => make(name, self))

/**
 * A function whose calls are pipelines of that name; mirrors `Effect.fn`. The
 * combinators get the pipeline, then the arguments of the call.
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
 * @category constructors
 * @since 0.1.0
 */
export const fn: (name: string) => Fn = internal.fn(internal.makePipeline)

/**
 * The signature of {@link fn}.
 *
 * @category models
 * @since 0.1.0
 */
export type Fn = PipelineFn

// -----------------------------------------------------------------------------
// hooks for the steps
// -----------------------------------------------------------------------------

/**
 * Default hooks for every step run inside, merged under the step's own: of each
 * kind the step's where it has any, else these (see `Step.inherit`). As such steps
 * are of any type, the hooks may ask for no particular value, error or tagged
 * error's fields, and may not be `Hook.required`.
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
 * What a compile error shows where a pipeline's hook wants more of an error than
 * its tag.
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
 * Attaches a `Hook` or `Hooks` to the run itself, with whatever policies they have.
 * Like those below it runs once a run and is never propagated to steps. Its
 * `StepContext` is that of the run.
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
 * Runs before the run's body.
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
 * Runs when the run succeeded.
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
 * Runs when the run failed or died.
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
 * Runs when the run failed with the error of that tag. It does not compile where the
 * run can't fail with it.
 *
 * @see {@link onFailure} for errors of any tag, and defects
 * @see `Step.onFailureTag` for a single step
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
 * Runs when the run was interrupted and nothing else went wrong.
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
 * Runs however the run ended.
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
 * Notes something about the run: its hooks and alerts see it, and those of its steps.
 *
 * @category combinators
 * @since 0.1.0
 */
export const annotate: {
  (values: Readonly<Record<string, unknown>>): <A, E, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R>
  <A, E, R>(self: Pipeline<A, E, R>, values: Readonly<Record<string, unknown>>): Pipeline<A, E, R>
} = dual(2, internal.annotate)

/**
 * Names the run, for people; otherwise it is called by the pipeline's name and the
 * second it started in (UTC), such as `etl-2026_11_23-09_42_06`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const runName: {
  (name: string): <A, E, R>(self: Pipeline<A, E, R>) => Pipeline<A, E, R>
  <A, E, R>(self: Pipeline<A, E, R>, name: string): Pipeline<A, E, R>
} = dual(2, internal.runName)
