/** Changes of steps and pipelines that are made where they are evaluated, by a config file for example. */
import * as Context from "effect/Context"
import type { Occurrence } from "./occurrence.ts"
import type { PipelineOwner, StepOwner } from "./owner.ts"

/**
 * Returns the owner to evaluate in place of another, given the evaluation around it.
 * `inHook` is whether a hook of that evaluation evaluates it. Called at each evaluation.
 */
export type Override<A extends StepOwner | PipelineOwner> = (
  owner: A,
  around: Occurrence | undefined,
  inHook: boolean
) => A

/** @internal */
export interface Overrides {
  readonly run: Override<PipelineOwner>
  readonly step: Override<StepOwner>
}

/** The overrides of the runs inside. Each run reads them once, when it starts. */
export const CurrentOverrides: Context.Reference<Overrides | undefined> = Context.Reference<Overrides | undefined>(
  "effect-epilogue/Overrides",
  { defaultValue: () => undefined }
)
