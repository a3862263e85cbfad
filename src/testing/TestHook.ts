/**
 * Runs a single hook against any outcome.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Hook } from "../Hook.ts"
import { withinLimit } from "../internal/engine/hookLimits.ts"
import { outcomeOf } from "../internal/engine/outcome.ts"
import { erase, type HookImpl, type Occasion, skipped } from "../internal/model/hook.ts"
import type { Overdue } from "../internal/model/overdue.ts"
import { hookMistakes } from "../internal/model/plan.ts"
import { StepContext } from "../StepContext.ts"

/**
 * The outcome of a hook:
 *
 * - `Ended`: it succeeded;
 * - `Skipped`: it had nothing to do, as its predicate returned `false` or the error had another tag;
 * - `NotCalled`: it is for another kind of outcome;
 * - `Failed`: it failed, died, or exceeded its time limit.
 *
 * @see {@link run} for running a hook
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
 * The context in which {@link run} runs a hook, where its options do not change it: step `"step"` in pipeline
 * `"pipeline"`, first attempt, started at the epoch.
 *
 * @see {@link run} for changing it
 *
 * @category models
 * @since 0.1.0
 */
export const defaultContext: StepContext.Shape = {
  pipelineName: "pipeline",
  runId: "00000000-0000-4000-8000-000000000000",
  runName: "run",
  stepName: "step",
  stepKey: undefined,
  stepPath: ["step"],
  stepLabels: ["step"],
  attempt: 1,
  startedAt: DateTime.makeUnsafe(0),
  params: {},
  annotations: {}
}

/**
 * Runs a hook as if a step had ended with the exit, with the hook's policies and its time limit, and returns the
 * hook's outcome. Dies if the policies are invalid, as a step with the hook would.
 *
 * **Details**
 *
 * - A start hook runs whatever the exit, and so does an overdue hook, as if its limit had just been reached.
 * - An `onRetry` hook runs as if the attempt of the context had failed with the exit's cause, and another followed without
 *   a delay.
 * - A rollback hook runs as if the step had succeeded with the exit's value and its run had failed later, with the error
 *   `"rollback"`.
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
 * @see {@link defaultContext} for the context of the hook
 * @see `TestObserver` for hooks of a whole run
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
  const erased = erase(hook)
  const mistakes = hookMistakes(erased)
  if (mistakes.length > 0) return Effect.die(new TypeError(mistakes.join("; ")))
  const called = occasionOf(erased, exit, context)
  if (called === undefined) return Effect.succeed({ _tag: "NotCalled" })
  return Effect.suspend(() => erased.run(called.occasion, context)).pipe(
    Effect.forkDetach({ startImmediately: true }),
    Effect.flatMap((fiber) => withinLimit(erased, fiber)),
    Effect.map((end): Result =>
      end._tag === "Failure"
        ? { _tag: "Failed", cause: end.cause }
        : { _tag: end.value === skipped ? "Skipped" : "Ended" }
    ),
    Effect.provideService(StepContext, context)
  )
}

/** Returns the argument of an overdue hook: its limit has just been reached, for the first time. */
const overdueOf = (limit: HookImpl["overdue"], context: StepContext.Shape): Overdue => {
  const { attempt, startedAt, stepKey, stepLabels, stepName, stepPath } = context
  const after = limit === undefined ? Duration.zero : Duration.fromInputUnsafe(limit.after)
  const every = limit?.every === undefined ? undefined : Duration.fromInputUnsafe(limit.every)
  const step = { startedAt, attempt, stepName, stepKey, stepPath, stepLabels }
  return { elapsed: after, limit: after, every, deadline: undefined, times: 1, ...step }
}

/** Returns the argument of a hook when a step ends with an exit, or `undefined` where the hook is not called. */
const occasionOf = (
  { kind, overdue }: HookImpl,
  exit: Exit.Exit<unknown, unknown>,
  context: StepContext.Shape
): { readonly occasion: Occasion } | undefined => {
  switch (kind) {
    case "start":
      return { occasion: undefined }
    case "retry":
      // like `Step.retry`, which tries again after errors only
      return exit._tag === "Success" || !Cause.hasFails(exit.cause) || outcomeOf(exit) === "skip"
        ? undefined
        : { occasion: { attempt: context.attempt, cause: exit.cause, delay: Duration.zero, isLast: false } }
    case "overdue":
      return { occasion: overdueOf(overdue, context) }
    case "exit":
      return { occasion: exit }
    case "rollback":
      return exit._tag === "Failure" ? undefined : { occasion: { value: exit.value, cause: Cause.fail("rollback") } }
    case "success":
    case "failure":
    case "interrupt":
    case "skip":
      return outcomeOf(exit) === kind ? { occasion: exit } : undefined
  }
}
