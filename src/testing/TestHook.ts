/**
 * Runs one hook by itself, against any outcome.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Hook } from "../Hook.ts"
import { StepContext } from "../StepContext.ts"
import * as internal from "./internal/testHook.ts"

/**
 * What became of the hook: it did its work, had nothing to do (its predicate said
 * no, or the error had another tag), was not called (it is for another kind of
 * outcome), or failed, died, or ran out of time.
 *
 * @category models
 * @since 0.1.0
 */
export type Result =
  | { readonly _tag: "Ended" }
  | { readonly _tag: "Skipped" }
  | { readonly _tag: "NotCalled" }
  | { readonly _tag: "Failed"; readonly cause: Cause.Cause<unknown> }

/**
 * The context the hook sees where nothing else is said: step `"step"` of pipeline
 * `"pipeline"`, first attempt, started at the epoch.
 *
 * @category models
 * @since 0.1.0
 */
export const defaultContext: StepContext.Shape = {
  pipelineName: "pipeline",
  runId: "00000000-0000-4000-8000-000000000000",
  runName: "run",
  stepName: "step",
  stepPath: ["step"],
  attempt: 1,
  startedAt: DateTime.makeUnsafe(0),
  params: {},
  annotations: {}
}

/**
 * Runs a hook as if a step had ended so, with its policies and its time limit.
 * A start hook is run whatever the exit. An `onRetry` hook is told that the attempt
 * of the context failed so, and that another follows at once.
 *
 * @example
 * ```ts
 * import { Hook, StepContext } from "effect-epilogue"
 * import { TestHook } from "effect-epilogue/testing"
 * import { Effect, Exit } from "effect"
 *
 * const hook = Hook.onFailure(() =>
 *   Effect.gen(function*() {
 *     const { params, stepName } = yield* StepContext
 *     yield* Effect.log(`${stepName} failed`, params)
 *   })
 * )
 *
 * const test = Effect.gen(function*() {
 *   const result = yield* TestHook.run(hook, Exit.fail("boom"), {
 *     context: { stepName: "load" },
 *     params: { LoadParams: { rows: 3 } }
 *   })
 *   console.log(result._tag) // Ended
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = <A, E, R, X, T>(
  hook: Hook<A, E, R, X, T>,
  exit: Exit.Exit<A, E>,
  options?: {
    readonly context?: Partial<StepContext.Shape> | undefined
    readonly params?: Readonly<Record<string, unknown>> | undefined
  }
): Effect.Effect<Result, never, Exclude<R, StepContext>> => {
  const context: StepContext.Shape = {
    ...defaultContext,
    ...options?.context,
    ...(options?.params === undefined ? undefined : { params: options.params })
  }
  return Effect.provideService(internal.run(hook, exit, context), StepContext, context)
}
