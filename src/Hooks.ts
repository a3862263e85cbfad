/**
 * Collections of hooks, and the algebra by which a step's own hooks are laid over
 * those of its pipeline.
 *
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import type { Pipeable } from "effect/Pipeable"
import type { Hook, Kind } from "./Hook.ts"
import * as internal from "./internal/model/hooks.ts"
import type { Pipeline } from "./Pipeline.ts"
import type { Step } from "./Step.ts"

/**
 * Hooks for a step that yields `A` or fails with `E`, of each kind in the order
 * in which they run. The parameters are those of {@link Hook}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hooks<in A, in E, out R, out X = never, out T = never> extends Pipeable {
  readonly [internal.TypeId]: Hook.Variance<A, E, R, X, T>
  readonly hooks: Readonly<Record<Kind, ReadonlyArray<Hook<A, E, R, X, T>>>>
}

/**
 * A hook or a collection of them: what `Step.hooks` and `Pipeline.stepHooks` take.
 *
 * @category models
 * @since 0.1.0
 */
export type Input<A, E, R, X = never, T = never> = Hook<A, E, R, X, T> | Hooks<A, E, R, X, T>

/**
 * How a step's hooks of a kind stand to those of its pipeline:
 *
 * - `"override"`: the step's where it has any, else the pipeline's;
 * - `"append"`: the pipeline's, then the step's;
 * - `"prepend"`: the step's, then the pipeline's;
 * - `"off"`: the step's only.
 *
 * @category models
 * @since 0.1.0
 */
export type InheritMode = "override" | "append" | "prepend" | "off"

/**
 * One hook that would run, and why.
 *
 * @category models
 * @since 0.1.0
 */
export interface Explanation {
  readonly kind: Kind
  readonly name: string
  /** Where the hook comes from. */
  readonly level: "step" | "pipeline"
  /** How the step stands to its pipeline's hooks of this kind. */
  readonly mode: InheritMode
  readonly required: boolean
  readonly background: boolean
  /** One sentence for a person. */
  readonly reason: string
}

/**
 * The collection without hooks: the unit of {@link merge}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Hooks<unknown, unknown, never> = internal.empty

/**
 * Collects hooks, and collections of them, in the order given. The result fits
 * the steps that each of them fits.
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
 * @category constructors
 * @since 0.1.0
 */
export const make: <const Items extends ReadonlyArray<Input<never, never, unknown, unknown, unknown>>>(
  ...items: Items
) => Collected<Items[number]> = internal.make

/**
 * The type of the collection that {@link make} makes of such items.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Collected<Item> = [Item] extends [never] ? Hooks<unknown, unknown, never>
  : [Item] extends [Input<infer A, infer E, infer R, infer X, infer T>] ? Hooks<A, E, R, X, T>
  : never

/**
 * All hooks of both, those of the first before those of the second. Associative,
 * with {@link empty} as its unit.
 *
 * @category combinators
 * @since 0.1.0
 */
export const merge: {
  <A2, E2, R2, X2, T2>(
    that: Input<A2, E2, R2, X2, T2>
  ): <A, E, R, X, T>(self: Input<A, E, R, X, T>) => Hooks<A & A2, E & E2, R | R2, X | X2, T | T2>
  <A, E, R, X, T, A2, E2, R2, X2, T2>(
    self: Input<A, E, R, X, T>,
    that: Input<A2, E2, R2, X2, T2>
  ): Hooks<A & A2, E & E2, R | R2, X | X2, T | T2>
} = dual(2, internal.merge)

/**
 * A step's hooks laid over its pipeline's: of each kind the step's where it has
 * any, else the pipeline's. Idempotent.
 *
 * @category combinators
 * @since 0.1.0
 */
export const mergeUnder: {
  <A2, E2, R2, X2, T2>(
    pipelineHooks: Input<A2, E2, R2, X2, T2>
  ): <A, E, R, X, T>(stepHooks: Input<A, E, R, X, T>) => Hooks<A & A2, E & E2, R | R2, X | X2, T | T2>
  <A, E, R, X, T, A2, E2, R2, X2, T2>(
    stepHooks: Input<A, E, R, X, T>,
    pipelineHooks: Input<A2, E2, R2, X2, T2>
  ): Hooks<A & A2, E & E2, R | R2, X | X2, T | T2>
} = dual(2, internal.mergeUnder)

/**
 * Each hook that would run for a step, by kind and in running order, the level
 * it comes from and why. The second argument is the pipeline the step runs in,
 * or the hooks such a pipeline gives its steps.
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
 * ```
 *
 * @category inspection
 * @since 0.1.0
 */
export const explain: (
  step: Step<unknown, unknown, unknown>,
  pipeline?: Pipeline<unknown, unknown, unknown> | Input<never, never, unknown, unknown, unknown>
) => ReadonlyArray<Explanation> = internal.explain
