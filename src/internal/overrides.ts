/** What is changed of steps and pipelines where they are evaluated: by a file that names them, say. */
import * as Context from "effect/Context"
import type { Effect } from "effect/Effect"
import type { PipelineOwner, StepOwner } from "./evaluation.ts"

type Body = Effect<unknown, unknown, any>

/** What a combinator did to a body, so that it can be done otherwise. */
export interface Wrap {
  readonly kind: "retry" | "timeout"
  readonly wrap: (body: Body) => Body
}

/** Gives what is evaluated in place of a step or a pipeline. Asked at each evaluation. */
export interface Overrides {
  readonly run: (owner: PipelineOwner) => PipelineOwner
  readonly step: (owner: StepOwner, inHook: boolean) => StepOwner
}

/** Read by each run when it starts. */
export const CurrentOverrides: Context.Reference<Overrides | undefined> = Context.Reference<Overrides | undefined>(
  "effect-epilogue/Overrides",
  { defaultValue: () => undefined }
)
