/**
 * Collects hooks, and combines collections with each other and with those of a pipeline.
 *
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import { explain as explain_, type Explanation } from "./internal/model/explain.ts"
import type { Any, Hooks } from "./internal/model/hooks.ts"
import * as internal from "./internal/model/hooks.ts"
import type { Needs, Pipeline, Step } from "./internal/model/step.ts"
import { stepDefaults } from "./internal/steps/defaults.ts"
import type { FitsAnyStep } from "./internal/steps/pipelineHooks.ts"

export type { Explanation } from "./internal/model/explain.ts"
export type { Any, Hooks, InheritMode, Others, Several } from "./internal/model/hooks.ts"

/**
 * The collection without hooks, which is the unit of {@link merge} and {@link mergeUnder}.
 *
 * @see {@link make} for collections with hooks
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Hooks<unknown, unknown, never> = internal.empty

/**
 * Collects hooks and collections of hooks in the order given. The result fits only steps that each of them fits.
 *
 * @example
 * ```ts
 * import { Hook, Hooks } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const both = Hooks.make(
 *   Hook.onFailure(() => Effect.log("failed")),
 *   Hook.onSuccess(() => Effect.log("succeeded"))
 * )
 * ```
 *
 * @see {@link merge} for two collections in a pipe
 * @see `Step.hooks` for attaching a collection to a step
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: <const Items extends ReadonlyArray<Any>>(
  ...items: Items
) => Collected<Items[number]> = internal.make

/**
 * Computes the type of the collection that {@link make} makes of its items.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Collected<Item> = [Item] extends [never] ? Hooks<unknown, unknown, never>
  : [Item] extends [Any<infer A, infer E, infer R, infer X, infer T>] ? Hooks<A, E, R, X, T>
  : never

/**
 * Combines the hooks of both, those of the first before those of the second. The operation is associative, with
 * {@link empty} as its unit.
 *
 * @see {@link mergeUnder} for hooks of which the first replace the second
 *
 * @category combinators
 * @since 0.1.0
 */
export const merge: {
  <A2, E2, R2, X2, T2>(
    that: Any<A2, E2, R2, X2, T2>
  ): <A, E, R, X, T>(self: Any<A, E, R, X, T>) => Hooks<A & A2, E & E2, R | R2, X | X2, T | T2>
  <A, E, R, X, T, A2, E2, R2, X2, T2>(
    self: Any<A, E, R, X, T>,
    that: Any<A2, E2, R2, X2, T2>
  ): Hooks<A & A2, E & E2, R | R2, X | X2, T | T2>
} = dual(2, internal.merge)

/**
 * Combines a step's hooks with its pipeline's as the mode `"override"` does: of each kind, the step's if one of them
 * has something to do, else the pipeline's. The operation is idempotent and associative, with {@link empty} as its
 * unit.
 *
 * **Details**
 *
 * If a step's hook of a kind has no condition, the pipeline's hooks of that kind are dropped. Else they are kept, and
 * each time run only where no hook of the step has a tag or a predicate that matches.
 *
 * @see {@link merge} for all hooks of both
 * @see `Step.inherit` for the other modes
 *
 * @category combinators
 * @since 0.1.0
 */
export const mergeUnder: {
  <A2, E2, R2, X2, T2>(
    pipelineHooks: Any<A2, E2, R2, X2, T2>
  ): <A, E, R, X, T>(stepHooks: Any<A, E, R, X, T>) => Hooks<A & A2, E & E2, R | R2, X | X2, T | T2>
  <A, E, R, X, T, A2, E2, R2, X2, T2>(
    stepHooks: Any<A, E, R, X, T>,
    pipelineHooks: Any<A2, E2, R2, X2, T2>
  ): Hooks<A & A2, E & E2, R | R2, X | X2, T | T2>
} = dual(2, internal.mergeUnder)

/**
 * Gives hooks to all steps that are evaluated where the layer is provided, in pipelines and outside of them. Those of a
 * kind run only where neither the step nor its pipeline has a hook of the kind that has something to do.
 *
 * **When to use**
 *
 * For what holds in the whole of a project, as an alert about each step that fails, without a line in each pipeline.
 *
 * **Details**
 *
 * - The layer requires the services of the hooks, and its hooks use those that it was built with. The log, the clock, the
 *   tracer and the secrets are those of the step.
 * - Of nested layers the inner one takes precedence, as a step's hooks do over a pipeline's: of each kind, its hooks run
 *   if one of them has something to do, else those of the outer one.
 * - `Step.inherit` says how a step's hooks combine with these where its pipeline has none: `"append"` runs both, `"off"`
 *   only those of the step.
 * - A durable pipeline gets the hooks of the layers around its own `layer`, or around the engine: they run once, as others
 *   do.
 * - A step that a hook evaluates gets none of them, unless the hook provides the layer itself.
 *
 * **Gotchas**
 *
 * - Of two such layers side by side, as in `Layer.mergeAll` or `Effect.provide([…])`, only the last one counts. Collect the
 *   hooks with {@link make} instead.
 * - As the steps may be of any type, the hooks are those that `Pipeline.stepHooks` takes: they use no particular value or
 *   error, no field of a tagged error but its tag, and are not required.
 * - Policies of hooks that are mistaken, as a negative time limit, are a defect of the layer.
 *
 * @example
 * ```ts
 * import { Alerter, AlerterHooks, Hooks, Pipeline, Step } from "effect-epilogue"
 * import { Effect, Layer } from "effect"
 *
 * const load = Step.make("load", Effect.fail("no such table: prices"))
 * const nightly = Pipeline.make("nightly", load)
 *
 * const Defaults = Hooks.layerDefault(AlerterHooks.failure).pipe(Layer.provide(Alerter.layerConsole))
 *
 * // "nightly › load failed: no such table: prices"
 * const program = nightly.pipe(Effect.provide(Defaults))
 * ```
 *
 * @see `Pipeline.layerDefault` for hooks of the runs themselves
 * @see `Pipeline.stepHooks` for the steps of one pipeline
 *
 * @category layers
 * @since 0.1.0
 */
export const layerDefault: <R, T>(
  hooks: Any<unknown, unknown, R, never, T> & FitsAnyStep<T>
) => Layer.Layer<never, never, Needs<R>> = stepDefaults

/**
 * Lists the hooks that would run for a step, by kind and in running order, with the level that each comes from
 * and the reason. The second argument is the pipeline that the step runs in, or the hooks that such a pipeline
 * gives its steps; the third are the hooks of {@link layerDefault}.
 *
 * **When to use**
 *
 * To see, or to assert in a test, which hooks a step has after precedence.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Hooks, Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const load = Step.make("load", Effect.void).pipe(Step.onFailure(() => Effect.log("sorry")))
 * const etl = Pipeline.make("etl", load).pipe(Pipeline.stepHooks(AlerterHooks.all))
 *
 * for (const hook of Hooks.explain(load, etl)) console.log(hook.kind, hook.name, hook.level)
 * // success AlerterHooks.success pipeline
 * // failure onFailure step
 * // interrupt AlerterHooks.interrupt pipeline
 * ```
 *
 * @see `Step.inherit` for how a step changes the precedence
 *
 * @category inspection
 * @since 0.1.0
 */
export const explain: (
  step: Step<unknown, unknown, unknown>,
  pipeline?: Pipeline<unknown, unknown, unknown> | Any,
  defaults?: Any
) => ReadonlyArray<Explanation> = explain_
