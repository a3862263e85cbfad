/** The life of an evaluation: its start hooks, its body, the hooks of its end, and the end of its run. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Outcome } from "../model/events.ts"
import type { HookError } from "../model/hookError.ts"
import type { Body, PipelineOwner, StepOwner } from "../model/owner.ts"
import type { Plan, Planned } from "../model/plan.ts"
import { type Guard, provide } from "../model/secrets.ts"
import { Evaluation, type Keeper } from "./evaluation.ts"
import { runAll, runAllNow, runHook, runRequired } from "./hookRunner.ts"
import { waitInterrupted } from "./interruption.ts"
import { outcomeOf, type RequiredFailures, withFailed, withoutSkip } from "./outcome.ts"
import { rollBack } from "./rollingBack.ts"
import { lateGuardOf } from "./run.ts"
import { span } from "./spans.ts"
import type { Telling } from "./telling.ts"
import { viewAround } from "./view.ts"

/** Evaluates a step or a pipeline in memory. */
export const evaluate = (owner: StepOwner | PipelineOwner, fiber: Fiber.Fiber<unknown, unknown>): Body => {
  const evaluation = new Evaluation(owner, fiber, inMemory, viewAround(fiber))
  if (evaluation.plan.defect !== undefined) return Effect.die(evaluation.plan.defect)
  const life = Effect.onExitPrimitive(evaluation, (exit) => settle(evaluation, exit))
  return span(evaluation, fiber, evaluation.plan.required.skip.length === 0 ? life : failingRather(life))
}

/**
 * Removes the skip from a cause with errors of required hooks, which who handles the skip would lose otherwise. An
 * interrupted fiber handles no cause where it can be interrupted.
 */
const failingRather = (life: Body): Body =>
  Effect.uninterruptibleMask((restore) =>
    Effect.catchCause(restore(life), (cause) => Effect.failCause(withoutSkip(cause)))
  )

// -----------------------------------------------------------------------------
// the start
// -----------------------------------------------------------------------------

/** Runs the start hooks, the required ones first, and then the body, unless it is skipped or a required hook fails. */
export const startThenBody = (evaluation: Evaluation, unwatched: Body): Body => {
  const { overdue, starts } = evaluation.plan
  const body = overdue?.[0] === undefined
    ? unwatched
    : overdue[0].limit.watching.around(evaluation, overdue, unwatched)
  // apart, as engines make room for the variables of closures when a function is called that has some
  return starts ? onCondition(evaluation, body) : body
}

/** A step that is skipped by its condition has no start hooks, and asks for no approval. */
const onCondition = (evaluation: Evaluation, body: Body): Body => {
  const condition = evaluation.owner.skips?.condition
  if (condition === undefined) return afterStart(evaluation, body)
  const { keeper } = evaluation
  return Effect.flatMap(keeper.condition?.(condition) ?? condition, () => afterStart(evaluation, body))
}

/** Runs the start hooks, the required ones first. Returns the errors of those that fail. */
export const runStartHooks = (evaluation: Evaluation): Effect.Effect<RequiredFailures> =>
  Effect.flatMap(runRequired(evaluation, evaluation.plan.requiredStart, undefined), (failed) =>
    failed === undefined
      ? Effect.as(runAll(evaluation, evaluation.plan.start, undefined), undefined)
      : Effect.succeed(failed))

const afterStart = (evaluation: Evaluation, body: Body): Body => {
  const { gate } = evaluation.owner
  return Effect.flatMap(
    Effect.uninterruptible(runStartHooks(evaluation)),
    (failed) => {
      if (failed !== undefined) return Effect.failCause(failed)
      evaluation.beginBody()
      return gate === undefined ? body : Effect.flatMap(gate, () => {
        evaluation.approved()
        return body
      })
    }
  )
}

/** Reports the start of a step, of a run, or of a step that is a run of its own. */
export const reportStart = (evaluation: Evaluation, telling: Telling, now = telling.nanos()): void => {
  evaluation.startedNanos = now
  if (evaluation.ownsRun) telling.runStarted()
  if (!evaluation.isRun && telling.stepStarted(evaluation, now)) evaluation.beginBody()
}

/** @internal */
export const inMemory: Keeper = {
  sharesContext: true,
  isRecorded: false,
  start: (evaluation) => {
    const { telling } = evaluation.run
    if (telling !== undefined) reportStart(evaluation, telling, evaluation.begunNanos)
    return startThenBody(evaluation, evaluation.owner.body)
  },
  hook: runHook,
  settle: (_, posts) => posts,
  duration: (_, begun, ended) => ended - begun
}

// -----------------------------------------------------------------------------
// the end
// -----------------------------------------------------------------------------

/** Runs the hooks after the body. Called with its exit, on a fiber that can't be interrupted now. */
const settle = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<void, HookError> | undefined => {
  evaluation.leave()
  const guard = lateGuardOf(evaluation.run)
  // without such a guard there is often nothing to wait for
  return guard === undefined ? settleBody(evaluation, exit) : settleGuarded(evaluation, exit, guard)
}

/** Apart, as engines make room for the variables of closures when a function is called that has some. */
const settleGuarded = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  guard: Guard
): Effect.Effect<void, HookError> => provide(Effect.suspend(() => settleBody(evaluation, exit) ?? Effect.void), guard)

const settleBody = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<void, HookError> | undefined => {
  const outcome = outcomeOf(exit)
  if (outcome === "interrupt") {
    const defect = waitInterrupted(evaluation.fiber, exit)
    // The defect joins the exit of the step, too: it would be an interruption for the code around, which nobody asked for.
    if (defect !== undefined) {
      const settled = settleAs(evaluation, withFailed(exit, defect), "failure")
      return Effect.andThen(settled ?? Effect.void, Effect.failCause(defect))
    }
  }
  return settleAs(evaluation, exit, outcome)
}

/** Written out for one of the two that nearly all steps have: V8 takes longer for a property whose name changes. */
const hooksOf = (hooks: Plan["ordinary"], outcome: Outcome): ReadonlyArray<Planned> =>
  outcome === "failure" ? hooks.failure : hooks[outcome]

const settleAs = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome
): Effect.Effect<void, HookError> | undefined => {
  const { ownsRun, plan, run } = evaluation
  const { telling } = run
  // interrupted before its first operation, it started and ended at once
  if (telling !== undefined && evaluation.startedNanos === undefined) reportStart(evaluation, telling)
  const required = hooksOf(plan.required, outcome)
  const hooks = hooksOf(plan.ordinary, outcome)
  // Hooks see how long the body took, and not the hooks before them; a run's wait for background hooks, too. Where observers
  // are told, that comes before the hooks that are not required, and says when the body has ended.
  const isMeasured = telling === undefined ? required.length + hooks.length > 1 : required.length > 0
  if (evaluation.isRun || isMeasured) evaluation.endBody()
  const isSimple = !evaluation.isRun && plan.overdue === undefined && required.length === 0 &&
    plan.rollback.length === 0 && (!ownsRun || run.rollback === undefined)
  if (!isSimple) {
    return settleFully(evaluation, exit, outcome)
  }
  const now = reportEnd(evaluation, exit, outcome)
  telling?.chain(evaluation, now)
  const pending = runAllNow(evaluation, hooks, exit)
  telling?.unchain()
  if (!ownsRun) return pending
  if (pending === undefined && telling === undefined && !run.hasBackground && run.settlements === undefined) {
    run.close()
    return undefined
  }
  return Effect.andThen(pending ?? Effect.void, endRun(evaluation, exit, outcome))
}

/** Runs the hooks of any evaluation, those of a run and required ones, which can fail it, included. */
export const settleFully = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome
): Effect.Effect<void, HookError> => {
  const { isRun, ownsRun, plan, run } = evaluation
  // before the required hooks, which may fail the step: the body has done what there is to undo
  remember(evaluation, exit)
  const required = settleRequired(evaluation, exit, outcome)
  const end = Effect.flatMap(
    ownsRun && run.rollback !== undefined ? Effect.tap(required, run.rollback.close) : required,
    (failed) => {
      const final = withFailed(exit, failed)
      // a required hook that fails makes a failure of a success, and of an interruption
      const finalOutcome = failed === undefined ? outcome : "failure"
      if (!isRun) reportEnd(evaluation, final, finalOutcome)
      const hooks = runAll(evaluation, plan.ordinary[finalOutcome], final)
      const limit = plan.overdue?.[0]?.limit
      const rest = limit === undefined ? hooks : Effect.andThen(hooks, limit.watching.tellEnd(evaluation, final))
      const ended = ownsRun ? Effect.andThen(rest, endRun(evaluation, final, finalOutcome)) : rest
      return failed === undefined ? ended : Effect.andThen(ended, Effect.failCause(failed))
    }
  )
  // the run's own hooks come last, when the background hooks of its steps have ended and its steps are undone
  if (ownsRun && exit._tag === "Failure" && outcome !== "skip" && (isRun || run.rollback !== undefined)) {
    return Effect.andThen(rollBack(evaluation, exit.cause), end)
  }
  return isRun ? Effect.andThen(run.awaitBackground(), end) : end
}

/** Remembers a step whose body has succeeded, until its run ends, where it has rollback hooks. */
export const remember = (evaluation: Evaluation, exit: Exit.Exit<unknown, unknown>): void => {
  if (exit._tag === "Success") evaluation.plan.rollback[0]?.hook.remember?.(evaluation, exit.value)
}

/** Reports the end of a step. Returns the time on the monotonic clock, where observers are told. */
export const reportEnd = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome
): number | undefined => {
  const { run } = evaluation
  if (exit._tag === "Failure" || run.unsuccessful !== undefined || run.slowest !== undefined) {
    run.stepEnded(evaluation, exit, outcome)
  }
  const { telling } = run
  if (telling === undefined) return undefined
  const now = telling.nanos()
  // observers take time, too; the start has been reported by `start` or by `settle`
  const nanos = evaluation.keeper.duration(evaluation, evaluation.bodyNanos!, evaluation.endBody(now))
  if (nanos !== undefined) telling.stepEnded(evaluation, exit, outcome, now, nanos)
  return now
}

/** Ends the run of an evaluation, once its background hooks have ended, and reports that. */
export const endRun = (
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
    const nanos = evaluation.keeper.duration(evaluation, evaluation.startedNanos!, telling.nanos())
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

/**
 * Runs the required failure hooks where a required hook has failed a success, an interruption or a skip. A run whose
 * success or skip has failed is rolled back before.
 */
const settleFailed = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome,
  failed: RequiredFailures
): Effect.Effect<RequiredFailures> => {
  if (failed === undefined || outcome === "failure") return Effect.succeed(failed)
  const onFailure = evaluation.plan.required.failure.filter(({ hook }) => hook.kind === "failure")
  const mayHaveToUndo = evaluation.ownsRun && (outcome === "success" || outcome === "skip")
  const rolledBack = mayHaveToUndo ? rollBack(evaluation, failed) : Effect.void
  return Effect.map(
    Effect.andThen(rolledBack, runRequired(evaluation, onFailure, withFailed(exit, failed))),
    (more) => more === undefined ? failed : Cause.combine(failed, more)
  )
}
