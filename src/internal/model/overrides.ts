/** What is changed of steps and pipelines where they are evaluated: by a file that names them, say. */
import * as Context from "effect/Context"
import type { Effect } from "effect/Effect"
import type { PipelineOwner, StepOwner } from "../engine/evaluation.ts"
import type { RetryPolicy } from "../engine/retry.ts"
import type { View } from "../engine/view.ts"

type Body = Effect<unknown, unknown, any>

/** What a combinator did to a body, so that it can be done otherwise. */
export type Wrap =
  & (
    | { readonly kind: "retry"; readonly policy: RetryPolicy }
    /** In milliseconds. */
    | { readonly kind: "timeout"; readonly limit: number }
  )
  & { readonly wrap: (body: Body) => Body }

/** Gives what is evaluated in place of a step or a pipeline, by what that stands in. Asked at each evaluation. */
export interface Overrides {
  readonly run: (owner: PipelineOwner, around: View | undefined) => PipelineOwner
  readonly step: (owner: StepOwner, around: View | undefined) => StepOwner
}

/** Read by each run when it starts. */
export const CurrentOverrides: Context.Reference<Overrides | undefined> = Context.Reference<Overrides | undefined>(
  "effect-epilogue/Overrides",
  { defaultValue: () => undefined }
)
