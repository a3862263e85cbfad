/** Rejects steps and pipelines in the body of a durable pipeline that are not durable themselves. */
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
 * hooks would run again each time the workflow resumes.
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
    return owner.evaluator === undefined && enclosingRun(around, inHook) !== undefined
      ? withMistake(changed, inBody(around, "make it durable with Durable.step(step, { success })"))
      : changed
  },
  run: (owner, around, inHook) => {
    const changed = inner?.run(owner, around, inHook) ?? owner
    return enclosingRun(around, inHook) === undefined
      ? changed
      : withMistake(changed, inBody(around, "make it one of its own with Durable.pipeline, and execute its workflow"))
  }
})

const inBody = (around: Occurrence | undefined, remedy: string): string =>
  `in the body of the durable pipeline ${
    JSON.stringify(around?.run.pipelineName)
  } it would run again at each resumption: ${remedy}`
