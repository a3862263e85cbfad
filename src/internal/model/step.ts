/** The public types of steps and pipelines, and the ids by which they are known. */
import type * as Effect from "effect/Effect"
import type { StepContext } from "./context.ts"
import type { Hooks } from "./hooks.ts"

/** @internal */
export const StepTypeId = "~effect-epilogue/Step"

/** @internal */
export const PipelineTypeId = "~effect-epilogue/Pipeline"

/** @internal */
export const HookServicesTypeId = "~effect-epilogue/Pipeline/HookServices"

/** The key under which a function made by `Step.fn` keeps the name of its steps. */
export const StepFnTypeId = "~effect-epilogue/Step.fn"

/** The key of a function that says whether steps of a `Step.fn` may have keys: it runs none of the user's combinators. */
export const StepFnMayHaveKey = "~effect-epilogue/Step.fn/mayHaveKey"

/**
 * A named Effect with hooks, which yields `A`, fails with `E` and requires the services `R`.
 *
 * @see `Hooks.explain` for the hooks that run for a step in a pipeline, and why
 *
 * @category models
 * @since 0.1.0
 */
export interface Step<out A, out E = never, out R = never> extends Effect.Effect<A, E, R> {
  /** Tells steps from other Effects, as `Step.isStep` does. */
  readonly [StepTypeId]: typeof StepTypeId
  /** The name in alerts, events, logs and spans. */
  readonly name: string
}

/**
 * A named run of steps, which yields `A`, fails with `E` and requires the services `R`.
 *
 * **Details**
 *
 * `H` are those of the services that the hooks of the run itself require. They run around the body, so that
 * `Pipeline.provide` provides them nothing. A type that leaves `H` out says that the hooks may require any of `R`.
 *
 * @see `Pipeline.stepHooks` for the hooks that it gives its steps
 *
 * @category models
 * @since 0.1.0
 */
export interface Pipeline<out A, out E = never, out R = never, out H = R> extends Effect.Effect<A, E, R> {
  /** Tells pipelines from other Effects, as `Pipeline.isPipeline` does. */
  readonly [PipelineTypeId]: typeof PipelineTypeId
  /** Exists in the type alone. */
  readonly [HookServicesTypeId]?: (() => H) | undefined
  /** The name in alerts, events, logs and spans. */
  readonly name: string
  /** The hooks that it gives its steps. */
  readonly stepHooks: Hooks<never, never, unknown, unknown, unknown>
}

/**
 * Removes `StepContext`, which a step provides to its body and its hooks, from the services `R`.
 *
 * @see `StepContext` for the service
 *
 * @category utility types
 * @since 0.1.0
 */
export type Needs<R> = Exclude<R, StepContext>
