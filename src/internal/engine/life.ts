/** The life of an evaluation: its start hooks, its body, the hooks of its end, and the end of its run. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Outcome } from "../model/events.ts"
import type { HookError } from "../model/hookError.ts"
import type { Body, PipelineOwner, StepOwner } from "../model/owner.ts"
import { Evaluation, type Keeper } from "./evaluation.ts"
import { runAll, runAllNow, runHook, runRequired } from "./hookRunner.ts"
import { waitInterrupted } from "./interruption.ts"
import { outcomeOf, type RequiredFailures, withFailed } from "./outcome.ts"
import { span } from "./spans.ts"
import type { Telling } from "./telling.ts"

/** Evaluates a step or a pipeline in memory. */
export const evaluate = (owner: StepOwner | PipelineOwner, fiber: Fiber.Fiber<unknown, unknown>): Body => {
  const evaluation = new Evaluation(owner, fiber, inMemory)
  if (evaluation.plan.defect !== undefined) return Effect.die(evaluation.plan.defect)
  return span(evaluation, fiber, Effect.onExit(evaluation, (exit) => settle(evaluation, exit)))
}

// -----------------------------------------------------------------------------
// the start
// -----------------------------------------------------------------------------

/** Runs the start hooks, the required ones first, and then the body, unless a required hook fails. */
export const startThenBody = (evaluation: Evaluation, body: Body): Body => {
  const { gate } = evaluation.owner
  const { requiredStart, start, starts } = evaluation.plan
  if (!starts) return body
  return Effect.flatMap(
    Effect.uninterruptible(
      Effect.flatMap(runRequired(evaluation, requiredStart, undefined), (failed) =>
        failed === undefined
          ? Effect.as(runAll(evaluation, start, undefined), undefined)
          : Effect.succeed(failed))
    ),
    (failed) => {
      if (failed !== undefined) return Effect.failCause(failed)
      evaluation.beginBody()
      return gate === undefined ? body : Effect.flatMap(gate, () => {
        evaluation.beginBody()
        return body
      })
    }
  )
}

/** Reports the start of a step, of a run, or of a step that is a run of its own. */
export const reportStart = (evaluation: Evaluation, telling: Telling): void => {
  const now = telling.nanos()
  evaluation.startedNanos = now
  if (evaluation.ownsRun) telling.runStarted()
  if (!evaluation.isRun) telling.stepStarted(evaluation, now)
}

const inMemory: Keeper = {
  sharesContext: true,
  start: (evaluation) => {
    const { telling } = evaluation.run
    if (telling !== undefined) reportStart(evaluation, telling)
    return startThenBody(evaluation, evaluation.owner.body)
  },
  hook: runHook,
  settle: (_, posts) => posts,
  // the start has been reported by then, by `start` or by `settle`
  duration: (evaluation, now) => now - evaluation.startedNanos!
}

// -----------------------------------------------------------------------------
// the end
// -----------------------------------------------------------------------------

/**
 * A finalizer that has nothing to do. `Effect.onExit` accepts `undefined` for it, as
 * `Effect.provideService` makes use of, and then does not combine causes, which takes a
 * third of the time of a step that fails. Its public type does not say so: hence the
 * trial, in which a later version that rejects `undefined` would die.
 */
const nothing: Effect.Effect<void> = (() => {
  const none = undefined as unknown as Effect.Effect<void>
  const failed = Effect.onExit(Effect.fail("trial"), () => none)
  return Exit.isSuccess(Effect.runSyncExit(Effect.onExit(Effect.exit(failed), () => none))) ? none : Effect.void
})()

/** Runs the hooks after the body. Called with its exit, on a fiber that can't be interrupted now. */
const settle = (evaluation: Evaluation, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void, HookError> => {
  evaluation.leave()
  const outcome = outcomeOf(exit)
  if (outcome === "interrupt") {
    const defect = waitInterrupted(evaluation.fiber, exit)
    // The defect joins the exit of the step, too: it would be an interruption for the code around, which nobody asked for.
    if (defect !== undefined) {
      const settled: Effect.Effect<void, HookError> | undefined = settleAs(
        evaluation,
        withFailed(exit, defect),
        "failure"
      )
      return Effect.andThen(settled ?? Effect.void, Effect.failCause(defect))
    }
  }
  return settleAs(evaluation, exit, outcome)
}

const settleAs = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome
): Effect.Effect<void, HookError> => {
  const { ownsRun, plan, run } = evaluation
  const { telling } = run
  // interrupted before its first operation, it started and ended at once
  if (telling !== undefined && evaluation.startedNanos === undefined) reportStart(evaluation, telling)
  // hooks see how long the body took, and not the hooks before them; a run's wait for background hooks, too
  if (evaluation.isRun || plan.required[outcome].length + plan.ordinary[outcome].length > 1) evaluation.endBody()
  if (evaluation.isRun || plan.required[outcome].length > 0) return settleFully(evaluation, exit, outcome)
  reportEnd(evaluation, exit, outcome)
  const pending = runAllNow(evaluation, plan.ordinary[outcome], exit)
  if (!ownsRun) return pending ?? nothing
  if (pending === undefined && telling === undefined && !run.hasBackground && run.settlements === undefined) {
    run.ended = true
    return nothing
  }
  return Effect.andThen(pending ?? Effect.void, endRun(evaluation, exit, outcome))
}

/** Runs the hooks of any evaluation, those of a run and required ones, which can fail it, included. */
export const settleFully = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome
): Effect.Effect<void, HookError> => {
  const { isRun, ownsRun, run } = evaluation
  const end = Effect.flatMap(
    settleRequired(evaluation, exit, outcome),
    (failed) => {
      const final = withFailed(exit, failed)
      // a required hook that fails makes a failure of a success, and of an interruption
      const finalOutcome = failed === undefined ? outcome : "failure"
      if (!isRun) reportEnd(evaluation, final, finalOutcome)
      const rest = runAll(evaluation, evaluation.plan.ordinary[finalOutcome], final)
      const ended = ownsRun ? Effect.andThen(rest, endRun(evaluation, final, finalOutcome)) : rest
      return failed === undefined ? ended : Effect.andThen(ended, Effect.failCause(failed))
    }
  )
  // the run's own hooks come last, when the background hooks of its steps have ended
  return isRun ? Effect.andThen(run.awaitBackground(), end) : end
}

const reportEnd = (evaluation: Evaluation, exit: Exit.Exit<unknown, unknown>, outcome: Outcome): void => {
  const { run } = evaluation
  if ((exit._tag === "Failure" || run.unsuccessful !== undefined || run.slowest !== undefined) && !evaluation.inHook) {
    run.stepEnded(evaluation, exit, outcome)
  }
  const { telling } = run
  if (telling === undefined) return
  const now = telling.nanos()
  const nanos = evaluation.keeper.duration(evaluation, now)
  if (nanos !== undefined) telling.stepEnded(evaluation, exit, outcome, now, nanos)
}

const endRun = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome
): Effect.Effect<void> => {
  const { run } = evaluation
  const { telling } = run
  const settle = Effect.suspend(() => {
    const posts = run.settle(outcome)
    return run.settlements === undefined ? posts : evaluation.keeper.settle(evaluation, posts)
  })
  const end = run.end(settle)
  return telling === undefined ? end : Effect.map(end, () => {
    const nanos = evaluation.keeper.duration(evaluation, telling.nanos())
    if (nanos !== undefined) telling.runEnded(outcome, exit, nanos)
  })
}

/** Runs the required hooks, those of the outcome and then those of any exit. Returns the errors of those that fail. */
const settleRequired = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome
): Effect.Effect<RequiredFailures> => {
  const required = evaluation.plan.required[outcome]
  if (required.length === 0) return Effect.undefined
  const ofOutcome = required.filter(({ hook }) => hook.kind !== "exit")
  const ofExit = required.filter(({ hook }) => hook.kind === "exit")
  return Effect.flatMap(
    runRequired(evaluation, ofOutcome, exit),
    (failed) =>
      Effect.flatMap(
        settleFailed(evaluation, exit, outcome, failed),
        (failed) =>
          Effect.flatMap(runRequired(evaluation, ofExit, withFailed(exit, failed)), (late) =>
            failed === undefined
              ? settleFailed(evaluation, exit, outcome, late)
              : Effect.succeed(late === undefined ? failed : Cause.combine(failed, late)))
      )
  )
}

/** Runs the required failure hooks where a required hook has failed a success or an interruption. */
const settleFailed = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome,
  failed: RequiredFailures
): Effect.Effect<RequiredFailures> => {
  if (failed === undefined || outcome === "failure") return Effect.succeed(failed)
  const onFailure = evaluation.plan.required.failure.filter(({ hook }) => hook.kind === "failure")
  return Effect.map(
    runRequired(evaluation, onFailure, withFailed(exit, failed)),
    (more) => more === undefined ? failed : Cause.combine(failed, more)
  )
}
