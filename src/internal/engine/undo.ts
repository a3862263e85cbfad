/** Undoes the steps of a run that fails: runs the rollback hooks of those that have succeeded, the last one first. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Remember } from "../model/hook.ts"
import * as hook from "../model/hookKinds.ts"
import type { Planned } from "../model/plan.ts"
import { pathText } from "../text/stepLabel.ts"
import type { Evaluation } from "./evaluation.ts"
import { Rollback } from "./rollback.ts"

/** Remembers a step until its run ends. A step that a run can't undo after a crash is left out, where others can be. */
const remember: Remember = (step, value) => {
  const evaluation = step as Evaluation // the cast: the engine calls it, with evaluations
  const { inHook, keeper, run } = evaluation
  const rollback = run.rollback ??= new Rollback(false)
  if (rollback.isRecorded && !keeper.isRecorded) return
  rollback.remember({ undo: undo(rollback, evaluation, value), endedMillis: keeper.endedMillis }, inHook)
}

/** The constructor of rollback hooks, which bring along what undoes steps: a program without such hooks loads none of it. */
export const onRollback: (f: (...args: Array<any>) => any) => any = hook.onRollback(remember)

const undo = (rollback: Rollback, evaluation: Evaluation, value: unknown) =>
(
  cause: Cause.Cause<unknown>
): Effect.Effect<void> => {
  const hooks = Effect.withFiber((fiber) => {
    // the fiber that has evaluated the step may have ended, and has no context any more
    evaluation.fiber = fiber
    return Effect.forEach(
      evaluation.plan.rollback,
      (planned) => undoBy(rollback, evaluation, planned, { value, cause }),
      {
        discard: true
      }
    )
  })
  return Effect.updateContext(hooks, () => evaluation.surroundings)
}

const undoBy = (
  rollback: Rollback,
  evaluation: Evaluation,
  planned: Planned,
  occasion: { readonly value: unknown; readonly cause: Cause.Cause<unknown> }
): Effect.Effect<void> => {
  const { hook } = planned
  if (evaluation.leavesOut(hook)) return Effect.void
  // as one that others depend on, it says whether it had something to do
  const deciding = hook.conditional ? { ...planned, decides: true } : planned
  return Effect.map(evaluation.keeper.hook(evaluation, deciding, occasion) ?? Effect.undefined, (failed) => {
    if (failed !== undefined || !hook.conditional || evaluation.hasApplied(hook)) {
      rollback.ended(pathText(evaluation.labels, " › "), failed)
    }
  })
}
