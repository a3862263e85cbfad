/** The combinators of `Pipeline` that attach hooks. */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import type * as Types from "effect/Types"
import type { FitsTags } from "../../Hook.ts"
import * as hook from "../model/hookKinds.ts"
import type { Any, Others, Several } from "../model/hooks.ts"
import type { Overdue, OverdueOptions } from "../model/overdue.ts"
import type { StepSkipped } from "../model/skip.ts"
import type { Needs, Pipeline } from "../model/step.ts"
import { combinator } from "./combinator.ts"
import { deadline as withDeadline, type DeadlineOptions } from "./deadline.ts"
import { runDefaults } from "./defaults.ts"
import * as lateness from "./overdue.ts"
import * as internal from "./step.ts"

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
  ): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H>
  <First extends Any | Pipeline<unknown, unknown, unknown, unknown>>(
    first: First,
    second: Any,
    ...others: Others<First>
  ): Several<First>
  <A, E, R, H, R2, T>(
    self: Pipeline<A, E, R, H>,
    hooks: Any<unknown, unknown, R2, never, T> & FitsAnyStep<T>
  ): Pipeline<A, E, R | Needs<R2>, H>
} = combinator(2, internal.stepHooks)

/**
 * Constrains the hooks of {@link stepHooks} to those that use no field of a tagged error but its tag. Its
 * property is what a compile error shows for others.
 *
 * @category utility types
 * @since 0.1.0
 */
export type FitsAnyStep<T> = FitsTags<T extends { readonly _tag: infer K } ? { readonly _tag: K } : never, T>

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
  ): <A extends A2, E extends E2, R, H>(
    self: Pipeline<A, E, R, H> & FitsTags<E, T>
  ) => Pipeline<A, E | X, R | Needs<R2>, H | Needs<R2>>
  <First extends Any | Pipeline<unknown, unknown, unknown, unknown>>(
    first: First,
    second: Any,
    ...others: Others<First>
  ): Several<First>
  <A extends A2, E extends E2, R, H, A2, E2, R2, X, T>(
    self: Pipeline<A, E, R, H> & FitsTags<E, T>,
    hooks: Any<A2, E2, R2, X, T>
  ): Pipeline<A, E | X, R | Needs<R2>, H | Needs<R2>>
} = combinator(2, internal.hooks)

/**
 * Gives hooks to all runs of pipelines that begin where the layer is provided. Those of a kind run only where the pipeline
 * has no hook of its own, of {@link hooks} for example, of the kind that has something to do.
 *
 * **Details**
 *
 * - They run once per run, as those of {@link hooks} do. A step outside of any pipeline is no run of theirs.
 * - Services and nested layers are as for `Hooks.layerDefault`, and so are two such layers side by side.
 * - A pipeline inside of another is a run of its own, and gets them, too. One that such a hook runs gets none.
 *
 * **Gotchas**
 *
 * As the pipelines may be of any type, the hooks may use no particular value or error, no field of a tagged error
 * but its tag, and may not be `Hook.required`: others do not compile.
 *
 * @example
 * ```ts
 * import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
 * import { Effect, Layer } from "effect"
 *
 * const nightly = Pipeline.make("nightly", Step.make("load", Effect.log("loading")))
 *
 * const Defaults = Pipeline.layerDefault(AlerterHooks.summary).pipe(Layer.provide(Alerter.layerConsole))
 *
 * const program = nightly.pipe(Effect.provide(Defaults))
 * ```
 *
 * @see `Hooks.layerDefault` for hooks of the steps
 * @see {@link hooks} for hooks of one pipeline
 *
 * @category layers
 * @since 0.1.0
 */
export const layerDefault: <R, T>(
  hooks: Any<unknown, unknown, R, never, T> & FitsAnyStep<T>
) => Layer.Layer<never, never, Needs<R>> = runDefaults

/**
 * Attaches a hook that runs before the body of the run.
 *
 * @see `Hook.onStart` for the hook as a value
 *
 * @category hooks
 * @since 0.1.0
 */
export const onStart: {
  <R2 = never>(
    effect: Effect.Effect<unknown, unknown, R2>
  ): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <A, E, R, H, R2 = never>(
    self: Pipeline<A, E, R, H>,
    effect: Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
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
  <A, R2 = never>(
    f: (value: Types.NoInfer<A>) => Effect.Effect<unknown, unknown, R2>
  ): <E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <A2, R2 = never>(
    f: (value: A2) => Effect.Effect<unknown, unknown, R2>
  ): <A extends A2, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <A, E, R, H, R2 = never>(
    self: Pipeline<A, E, R, H>,
    f: (value: Types.NoInfer<A>) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
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
  <E, R2 = never>(
    f: (cause: Cause.Cause<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): <A, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <E2, R2 = never>(
    f: (cause: Cause.Cause<E2>) => Effect.Effect<unknown, unknown, R2>
  ): <A, E extends E2, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <A, E, R, H, R2 = never>(
    self: Pipeline<A, E, R, H>,
    f: (cause: Cause.Cause<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
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
  <const K extends Types.Tags<E>, E, R2 = never>(
    tag: K,
    f: (error: Types.ExtractTag<Types.NoInfer<E>, K>) => Effect.Effect<unknown, unknown, R2>
  ): <A, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <A, E, R, H, const K extends Types.Tags<E>, R2 = never>(
    self: Pipeline<A, E, R, H>,
    tag: K,
    f: (error: Types.ExtractTag<E, K>) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
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
  <R2 = never>(
    f: (cause: Cause.Cause<never>) => Effect.Effect<unknown, unknown, R2>
  ): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <A, E, R, H, R2 = never>(
    self: Pipeline<A, E, R, H>,
    f: (cause: Cause.Cause<never>) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
} = internal.attach(hook.onInterrupt)

/**
 * Attaches a hook that runs after the run was skipped: a step that was skipped, or `Step.skip`, ended its body.
 *
 * @see `Hook.onSkip` for the hook as a value
 * @see {@link stepHooks} for skips of single steps
 *
 * @category hooks
 * @since 0.1.0
 */
export const onSkip: {
  <R2 = never>(
    f: (skipped: StepSkipped) => Effect.Effect<unknown, unknown, R2>
  ): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <A, E, R, H, R2 = never>(
    self: Pipeline<A, E, R, H>,
    f: (skipped: StepSkipped) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
} = internal.attach(hook.onSkip)

/**
 * Attaches a hook that runs while the run is still running: after a time, and again at an interval if one is set.
 *
 * **Details**
 *
 * Without a time, the hook runs at the limit of {@link overdue}, or of a config file. Every overdue hook of the run runs
 * when the {@link deadline} has passed. `Hook.onOverdue` has the details.
 *
 * @see `Hook.onOverdue` for the hook as a value
 * @see {@link stepHooks} for overdue hooks of the steps
 *
 * @category hooks
 * @since 0.1.0
 */
export const onOverdue: {
  <R2 = never>(
    f: (overdue: Overdue) => Effect.Effect<unknown, unknown, R2>
  ): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <R2 = never>(
    after: Duration.Input,
    f: (overdue: Overdue) => Effect.Effect<unknown, unknown, R2>,
    options?: OverdueOptions
  ): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <A, E, R, H, R2 = never>(
    self: Pipeline<A, E, R, H>,
    f: (overdue: Overdue) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <A, E, R, H, R2 = never>(
    self: Pipeline<A, E, R, H>,
    after: Duration.Input,
    f: (overdue: Overdue) => Effect.Effect<unknown, unknown, R2>,
    options?: OverdueOptions
  ): Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
} = lateness.attachOverdue

/**
 * Sets after which time the run is overdue, and how often that is told again. The run goes on.
 *
 * @see {@link deadline} for a time of day
 * @see `Step.overdue` for a step
 *
 * @category hooks
 * @since 0.1.0
 */
export const overdue: {
  (after: Duration.Input, options?: OverdueOptions): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R, H>
  <A, E, R, H>(self: Pipeline<A, E, R, H>, after: Duration.Input, options?: OverdueOptions): Pipeline<A, E, R, H>
} = lateness.overdue

/**
 * Sets the time of day by which the run must have ended: its overdue hooks run at the first such time after its start. The
 * run goes on.
 *
 * **Details**
 *
 * The time is one of the `timeZone`, that of the machine unless set, also where clocks are changed in between: a time of
 * the hour that is skipped is an hour later by the clock, and of one that comes twice the first after the start counts.
 * After a change of the wall clock, and after a sleep of the machine, it is told at most 15 minutes late.
 *
 * **Gotchas**
 *
 * A time that is none, or a zone that does not exist, is a mistake in the program: the run dies before its body runs.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const nightly = Pipeline.make("nightly", Step.make("load", Effect.sleep("8 hours"))).pipe(
 *   Pipeline.deadline("06:00", { timeZone: "Europe/Berlin" }),
 *   Pipeline.hooks(AlerterHooks.all) // "nightly has not ended by 06:00"
 * )
 * ```
 *
 * @see {@link overdue} for a duration
 * @see `Pipeline.timeout` for a limit that ends the run
 *
 * @category hooks
 * @since 0.1.0
 */
export const deadline: {
  (time: string, options?: DeadlineOptions): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R, H>
  <A, E, R, H>(self: Pipeline<A, E, R, H>, time: string, options?: DeadlineOptions): Pipeline<A, E, R, H>
} = withDeadline

/**
 * Attaches a hook that runs after the run ended, whatever the outcome, and after the hooks of that outcome.
 *
 * @see `Hook.onExit` for the hook as a value
 *
 * @category hooks
 * @since 0.1.0
 */
export const onExit: {
  <A, E, R2 = never>(
    f: (exit: Exit.Exit<Types.NoInfer<A>, Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): <R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <A2, E2, R2 = never>(
    f: (exit: Exit.Exit<A2, E2>) => Effect.Effect<unknown, unknown, R2>
  ): <A extends A2, E extends E2, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
  <A, E, R, H, R2 = never>(
    self: Pipeline<A, E, R, H>,
    f: (exit: Exit.Exit<Types.NoInfer<A>, Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): Pipeline<A, E, R | Needs<R2>, H | Needs<R2>>
} = internal.attach(hook.onExit)
