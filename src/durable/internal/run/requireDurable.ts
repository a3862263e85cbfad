/** What must not run in the body of a durable pipeline: steps and pipelines that nobody records. */
import type { PipelineOwner, StepOwner } from "../../../internal/engine/evaluation.ts"
import type { View } from "../../../internal/engine/view.ts"
import type { Overrides } from "../../../internal/model/overrides.ts"
import { durableAround } from "./step.ts"

const withMistake = <Owner extends StepOwner | PipelineOwner>(owner: Owner, mistake: string): Owner => ({
  ...owner,
  mistakes: [...owner.mistakes, mistake],
  cache: { under: undefined, plan: undefined }
})

/** An engine in memory starts a run's next evaluation in the context of the last one, and a child's in its parent's. */
const guards = new WeakSet<Overrides>()

/** They would run again each time the workflow goes on, and so would their hooks: so they are mistakes. */
export const guarding = (inner: Overrides | undefined): Overrides => {
  if (inner !== undefined && guards.has(inner)) return inner
  const made = guard(inner)
  guards.add(made)
  return made
}

const guard = (inner: Overrides | undefined): Overrides => ({
  step: (owner, view) => {
    const changed = inner?.step(owner, view) ?? owner
    return owner.durable === undefined && durableAround(view) !== undefined
      ? withMistake(changed, inBody(view, "make it durable with Durable.step(step, { success })"))
      : changed
  },
  run: (owner, view) => {
    const changed = inner?.run(owner, view) ?? owner
    return durableAround(view) === undefined
      ? changed
      : withMistake(changed, inBody(view, "make it one of its own with Durable.pipeline, and execute its workflow"))
  }
})

const inBody = (view: View | undefined, remedy: string): string =>
  `in the body of the durable pipeline ${
    JSON.stringify(view?.pipelineName)
  } it would run again at each resumption: ${remedy}`
