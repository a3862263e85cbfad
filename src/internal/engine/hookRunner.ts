/** Runs hooks: isolated, under a time limit, in order. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import { defaultTimeout, type HookImpl, type Occasion, skipped } from "../model/hook.ts"
import { HookError } from "../model/hookError.ts"
import { exceeded, limitMillis, limitMistakes } from "../model/limit.ts"
import type { Planned } from "../model/plan.ts"
import type { Evaluation } from "./evaluation.ts"
import { toDuration } from "./run.ts"
import { hookSpan } from "./spans.ts"
import { hookInfo, tellHookEnded } from "./telling.ts"

/** The cause of a hook that failed, or `undefined`. */
export type HookFailure = Cause.Cause<unknown> | undefined

const failures = Metric.counter("epilogue_hook_failures_total", {
  description: "Hooks that failed, died or ran out of time",
  incremental: true
})

/**
 * All of them, one after another. Where each ends at once and well, which is the
 * common case, this does no more than call them; `undefined` means that.
 */
export const runAllNow = (
  evaluation: Evaluation,
  hooks: ReadonlyArray<Planned>,
  occasion: Occasion,
  from = 0
): Effect.Effect<void> | undefined => {
  for (let i = from; i < hooks.length; i++) {
    const pending = evaluation.runHook(hooks[i]!, occasion)
    if (pending !== undefined) {
      return i + 1 === hooks.length
        ? Effect.asVoid(pending)
        : Effect.flatMap(pending, () => runAllNow(evaluation, hooks, occasion, i + 1) ?? Effect.void)
    }
  }
  return undefined
}

/** {@link runAllNow}, where an Effect is wanted whatever came of it. */
export const runAll = (
  evaluation: Evaluation,
  hooks: ReadonlyArray<Planned>,
  occasion: Occasion
): Effect.Effect<void> => runAllNow(evaluation, hooks, occasion) ?? Effect.void

/** All of them, and the errors of those that are required. */
export const runRequired = (
  evaluation: Evaluation,
  hooks: ReadonlyArray<Planned>,
  occasion: Occasion
): Effect.Effect<Cause.Cause<HookError> | undefined> =>
  Effect.suspend(() => {
    let failed: Cause.Cause<HookError> | undefined
    return Effect.map(
      Effect.forEach(hooks, (planned) =>
        Effect.map(evaluation.runHook(planned, occasion) ?? Effect.undefined, (cause) => {
          if (cause === undefined || !planned.hook.required) {
            return
          }
          const error = Cause.fail(
            new HookError({
              hook: planned.hook.name,
              kind: planned.hook.kind,
              pipelineName: evaluation.run.pipelineName,
              stepName: evaluation.owner.name,
              cause: Cause.squash(cause)
            })
          )
          failed = failed === undefined ? error : Cause.combine(failed, error)
        }), { discard: true }),
      () =>
        failed
    )
  })

/**
 * A hook runs on a fiber of its own, started at once: then its end is known
 * without a timer if it is synchronous, and otherwise it can be left behind when
 * its time is up. `undefined` means that it is over and well.
 */
export const runHook = (
  evaluation: Evaluation,
  planned: Planned,
  occasion: Occasion
): Effect.Effect<HookFailure> | undefined => {
  const { observers } = evaluation.run
  const since = observers === undefined ? undefined : evaluation.run.nanos()
  const started = start(evaluation, planned, occasion)
  if (!Exit.isExit(started)) {
    goesOn(evaluation, planned)
    const supervised = Effect.flatMap(
      withinLimit(planned.hook, started),
      (exit) => report(evaluation, planned, exit, since) ?? Effect.undefined
    )
    return planned.hook.background ? goOnWithout(evaluation, supervised) : supervised
  }
  if (started._tag === "Success" && observers === undefined) return undefined
  return report(evaluation, planned, started, since)
}

export const start = (
  evaluation: Evaluation,
  { hook }: Planned,
  occasion: Occasion,
  context: Context.Context<never> = evaluation.hookContext
): Exit.Exit<unknown, unknown> | Fiber.Fiber<unknown, unknown> => {
  let effect: Effect.Effect<unknown, unknown, unknown>
  try {
    effect = hook.run(occasion, evaluation.hookView)
  } catch (defect) {
    effect = Exit.die(defect)
  }
  const traced = hookSpan(evaluation, evaluation.fiber, hook, effect)
  if (Exit.isExit(traced)) return traced
  // The services that a hook needs are in the step's context: its type says so.
  const fiber = Effect.runForkWith(context)(traced as Effect.Effect<unknown, unknown>)
  return fiber.pollUnsafe() ?? fiber
}

/** Waits for a hook as long as its limit allows; then it is interrupted, but not waited for. */
export const withinLimit = (
  { name, timeout }: HookImpl,
  hook: Fiber.Fiber<unknown, unknown>
): Effect.Effect<Exit.Exit<unknown, unknown>> =>
  Effect.withFiber((fiber) => {
    const input = timeout ?? fiber.getRef(defaultTimeout)
    const limit = limitMillis(input)
    if (limit === undefined) {
      hook.interruptUnsafe(fiber.id)
      return Effect.succeed(Exit.die(new TypeError(limitMistakes("Hook.defaultTimeout", input)[0])))
    }
    if (limit === Infinity) return Fiber.await(hook)
    return Effect.map(Effect.timeoutOption(Fiber.await(hook), limit), (exit) => {
      if (Option.isSome(exit)) return exit.value
      hook.interruptUnsafe(fiber.id)
      return Exit.fail(exceeded(`hook "${name}"`, limit))
    })
  })

/** Tells observers of a hook that has not ended at once. */
export const goesOn = (evaluation: Evaluation, planned: Planned): void => {
  if (evaluation.run.observers !== undefined) {
    evaluation.run.emit({ _tag: "HookStarted", ...hookInfo(evaluation, planned) })
  }
}

/** The run waits for it before it ends. */
export const goOnWithout = (evaluation: Evaluation, supervised: Effect.Effect<HookFailure>): undefined => {
  evaluation.run.addBackground(Effect.runForkWith(evaluation.hookContext)(supervised))
}

/** Logs, counts and tells observers. What goes wrong while doing so is no concern of the step's. */
export const report = (
  evaluation: Evaluation,
  planned: Planned,
  exit: Exit.Exit<unknown, unknown>,
  since: number | undefined
): Effect.Effect<HookFailure> | undefined => {
  const { hook } = planned
  const { run } = evaluation
  const failed = exit._tag === "Failure"
  if (since !== undefined) {
    if (failed) {
      const duration = toDuration(run.nanos() - since)
      run.emit({ _tag: "HookFailed", ...hookInfo(evaluation, planned), duration, cause: exit.cause })
    } else if (exit.value === skipped) run.emit({ _tag: "HookSkipped", ...hookInfo(evaluation, planned) })
    else tellHookEnded(evaluation, planned, since)
  }
  if (!failed) return undefined
  run.hookFailures++
  return Effect.logError(`hook "${hook.name}" (${hook.kind}) of "${evaluation.owner.name}" failed`, exit.cause).pipe(
    Effect.annotateLogs({ pipeline: run.pipelineName, runId: run.id, step: evaluation.owner.name, hook: hook.name }),
    Effect.andThen(Metric.update(Metric.withAttributes(failures, { hook: hook.name, kind: hook.kind }), 1)),
    Effect.catchCause(() => Effect.void),
    Effect.as(exit.cause)
  )
}
