/** The error of a step whose required hook failed. Apart from `hook.ts`, so that an observer does not load it. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import { selfExplained } from "../text/selfExplained.ts"
import type { Kind } from "./hook.ts"

/**
 * The fields of a {@link HookError}.
 *
 * @category errors
 * @since 0.1.0
 */
export interface HookErrorFields {
  /** The name of the hook. */
  readonly hook: string
  /** The kind of event that it reacted to. */
  readonly kind: Kind
  /** The name of the pipeline of the run. */
  readonly pipelineName: string
  /** The name of the step or the pipeline, with the step's key, as in `fetch-page[7]`. */
  readonly stepName: string
  /** The error or the defect of the hook. */
  readonly cause: unknown
}

const HookErrorBase: new(
  fields: HookErrorFields
) => Cause.YieldableError & { readonly _tag: "HookError" } & HookErrorFields = selfExplained(
  Data.TaggedError("HookError")<
    HookErrorFields
  >
)

/**
 * The error of a step, or a run, whose required hook failed.
 *
 * @see `Hook.required` for required hooks
 *
 * @category errors
 * @since 0.1.0
 */
export class HookError extends HookErrorBase {
  /** Names the hook, its kind and the step. Why it failed is in `cause`. */
  override get message(): string {
    return `required hook "${this.hook}" (${this.kind}) of "${this.stepName}" failed`
  }
}
