/** Rejects steps and pipelines in the body of a durable pipeline that are not durable themselves. */
import { Evaluation } from "../../../internal/engine/evaluation.ts"
import type { Occurrence } from "../../../internal/model/occurrence.ts"
import type { Overrides } from "../../../internal/model/overrides.ts"
import type { PipelineOwner, StepOwner } from "../../../internal/model/owner.ts"
import { enclosingRun } from "./step.ts"

const withMistake = <Owner extends StepOwner | PipelineOwner>(owner: Owner, mistake: string): Owner => ({
  ...owner,
  mistakes: [...owner.mistakes, mistake],
  cache: { under: undefined, plan: undefined }
})

/**
 * The overrides that this module made. The in-memory engine starts a run's next evaluation in the context of the last
 * one, and a child run in its parent's: without this each evaluation would wrap the overrides once more.
 */
const wrapped = new WeakSet<Overrides>()

/**
 * Adds a mistake, on which the run dies, to each step and pipeline in a durable body that is not durable: its body and
 * hooks would run again each time the workflow resumes. And to each step inside of a durable one, or of a hook, that has
 * rollback hooks of its own: it is part of one activity, which is not executed again once it is recorded.
 */
export const requireDurable = (inner: Overrides | undefined): Overrides => {
  if (inner !== undefined && wrapped.has(inner)) return inner
  const made = wrap(inner)
  wrapped.add(made)
  return made
}

const wrap = (inner: Overrides | undefined): Overrides => ({
  step: (owner, around, inHook) => {
    const changed = inner?.step(owner, around, inHook) ?? owner
    const isInBody = enclosingRun(around, inHook) !== undefined
    if (isInBody && owner.evaluator === undefined) {
      return withMistake(changed, inBody(around, "make it durable with Durable.step(step, { success })"))
    }
    return !isInBody && owner.own.hooks.rollback.length > 0 && isInDurableRun(around)
      ? withMistake(
        changed,
        `it has a rollback hook, and runs inside of a step or a hook of the durable pipeline ${
          JSON.stringify(around?.run.pipelineName)
        }, which is recorded as a whole: attach the hook to a durable step in the body of the pipeline`
      )
      : changed
  },
  run: (owner, around, inHook) => {
    const changed = inner?.run(owner, around, inHook) ?? owner
    return enclosingRun(around, inHook) === undefined
      ? changed
      : withMistake(changed, inBody(around, "make it one of its own with Durable.pipeline, and execute its workflow"))
  }
})

/** Whether the run that something is evaluated in is durable. */
const isInDurableRun = (around: Occurrence | undefined): boolean => {
  let whole = around
  while (whole?.parent !== undefined) whole = whole.parent
  return whole instanceof Evaluation && whole.keeper.isRecorded
}

const inBody = (around: Occurrence | undefined, remedy: string): string =>
  `in the body of the durable pipeline ${
    JSON.stringify(around?.run.pipelineName)
  } it would run again at each resumption: ${remedy}`
