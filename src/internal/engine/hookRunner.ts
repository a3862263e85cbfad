/** Runs hooks: isolated, under a time limit, in order. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import { defaultTimeout, type HookImpl, type Kind, type Occasion } from "../model/hook.ts"
import { HookError } from "../model/hookError.ts"
import { exceeded, limitMillis, limitMistakes } from "../model/limit.ts"
import type { Planned } from "../model/plan.ts"
import * as Writer from "../text/writer.ts"
import type { Evaluation, HookEnd } from "./evaluation.ts"
import type { RequiredFailures } from "./outcome.ts"
import { hookSpan } from "./spans.ts"

const failures = Metric.counter("epilogue_hook_failures_total", {
  description: "Hooks that failed, died or ran out of time",
  incremental: true
})

/**
 * Runs hooks one after another. Where each of them ends at once without a failure, as most do, this only calls them
 * and returns `undefined`, which spares the fiber an Effect.
 */
export const runAllNow = (
  evaluation: Evaluation,
  hooks: ReadonlyArray<Planned>,
  occasion: Occasion,
  from = 0
): Effect.Effect<void> | undefined => {
  for (let i = from; i < hooks.length; i++) {
    if (evaluation.isReplaced(hooks[i]!.hook)) continue
    const pending = evaluation.keeper.hook(evaluation, hooks[i]!, occasion)
    if (pending !== undefined) {
      return i + 1 === hooks.length
        ? Effect.asVoid(pending)
        : Effect.flatMap(pending, () => runAllNow(evaluation, hooks, occasion, i + 1) ?? Effect.void)
    }
  }
  return undefined
}

/** {@link runAllNow} for a caller that needs an Effect in any case. */
export const runAll = (
  evaluation: Evaluation,
  hooks: ReadonlyArray<Planned>,
  occasion: Occasion
): Effect.Effect<void> => runAllNow(evaluation, hooks, occasion) ?? Effect.void

const runUnlessReplaced = (evaluation: Evaluation, planned: Planned, occasion: Occasion): HookEnd =>
  (evaluation.isReplaced(planned.hook) ? undefined : evaluation.keeper.hook(evaluation, planned, occasion)) ??
    Effect.undefined

/** Runs hooks one after another, and returns the errors of the required ones that fail. */
export const runRequired = (
  evaluation: Evaluation,
  hooks: ReadonlyArray<Planned>,
  occasion: Occasion
): Effect.Effect<RequiredFailures> =>
  Effect.suspend(() => {
    let failed: RequiredFailures
    return Effect.map(
      Effect.forEach(hooks, (planned) =>
        Effect.map(runUnlessReplaced(evaluation, planned, occasion), (cause) => {
          if (cause === undefined || !planned.hook.required) {
            return
          }
          const error = Cause.fail(
            new HookError({
              hook: planned.hook.name,
              kind: planned.hook.kind,
              pipelineName: evaluation.run.pipelineName,
              stepName: evaluation.label,
              cause: Cause.squash(cause)
            })
          )
          failed = failed === undefined ? error : Cause.combine(failed, error)
        }), { discard: true }),
      () => failed
    )
  })

const kindsAfter: ReadonlySet<Kind> = new Set(["success", "failure", "interrupt", "exit"])

/** Runs a hook in memory, and reports it. `undefined` means that it has ended without a failure. */
export const runHook = (evaluation: Evaluation, planned: Planned, occasion: Occasion): HookEnd | undefined => {
  const { telling } = evaluation.run
  const since = telling?.nanos()
  const started = start(evaluation, planned, occasion)
  if (!Exit.isExit(started)) {
    if (kindsAfter.has(planned.hook.kind)) evaluation.endBody()
    telling?.hookStarted(evaluation, planned)
    const supervised = Effect.flatMap(
      withinLimit(planned.hook, started),
      (exit) => report(evaluation, planned, exit, since) ?? Effect.undefined
    )
    return planned.hook.background ? runInBackground(evaluation, planned, supervised) : supervised
  }
  if (started._tag === "Success" && telling === undefined) return undefined
  return report(evaluation, planned, started, since)
}

/**
 * Starts a hook on a fiber of its own, and returns its exit, or its fiber if it has not ended. A hook that does not
 * wait for anything needs no timer then, and one that exceeds its time limit can be abandoned.
 */
export const start = (
  evaluation: Evaluation,
  { decides, hook }: Planned,
  occasion: Occasion,
  context: Context.Context<never> = evaluation.hookContext
): Exit.Exit<unknown, unknown> | Fiber.Fiber<unknown, unknown> => {
  let effect: Effect.Effect<unknown, unknown, unknown>
  try {
    effect = hook.run(occasion, evaluation.hookView, decides ? () => evaluation.apply(hook) : undefined)
  } catch (defect) {
    effect = Exit.die(defect)
  }
  const traced = hookSpan(evaluation, evaluation.fiber, hook, effect)
  if (Exit.isExit(traced)) return traced
  // the cast: the services of a hook are among those of its step, whose type says so
  const fiber = Effect.runForkWith(context)(traced as Effect.Effect<unknown, unknown>)
  return fiber.pollUnsafe() ?? fiber
}

/** Waits for a hook within its time limit. Then interrupts its fiber, and does not wait until that has ended. */
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

/**
 * Runs a background hook beside what follows. The run waits for it before it ends. Of a hook that others depend on,
 * what follows waits until it is known whether it has something to do.
 */
export const runInBackground = (
  evaluation: Evaluation,
  { decides, hook }: Planned,
  supervised: HookEnd
): HookEnd | undefined => {
  const fiber = Effect.runForkWith(evaluation.hookContext)(supervised)
  evaluation.run.addBackground(fiber)
  return !decides ? undefined : Effect.callback((resume) => {
    const decided = () => resume(Effect.undefined)
    evaluation.whenApplied(hook, decided)
    fiber.addObserver(decided)
  })
}

/** Reports the end of a hook to observers; logs and counts a failure, of which it returns the cause. */
export const report = (
  evaluation: Evaluation,
  planned: Planned,
  exit: Exit.Exit<unknown, unknown>,
  since: number | undefined
): HookEnd | undefined => {
  const { hook } = planned
  const { run } = evaluation
  if (since !== undefined) run.telling?.hookEnded(evaluation, planned, exit, since)
  if (exit._tag === "Success") return undefined
  run.hookFailures++
  return Writer.logError(`hook "${hook.name}" (${hook.kind}) of "${evaluation.label}" failed`, exit.cause).pipe(
    Effect.annotateLogs({
      pipeline: Writer.line(run.pipelineName),
      runId: run.id,
      step: Writer.line(evaluation.label),
      hook: Writer.line(hook.name)
    }),
    Effect.andThen(Metric.update(Metric.withAttributes(failures, { hook: hook.name, kind: hook.kind }), 1)),
    // a logger or a metric that fails must not fail the step
    Effect.catchCause(() => Effect.void),
    Effect.as(exit.cause)
  )
}
