/** Skips: the error that skips a step, and the exits that are skips. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type * as Exit from "effect/Exit"
import { isProxy } from "../text/read.ts"
import { selfExplained } from "../text/selfExplained.ts"
import { cut } from "../text/words.ts"

/**
 * The fields of a {@link StepSkipped}.
 *
 * @category errors
 * @since 0.1.0
 */
export interface StepSkippedFields {
  /** The reason, for people. `undefined` where none was given. */
  readonly reason?: string | undefined
}

/** @internal */
export const TypeId = "~effect-epilogue/StepSkipped"

const StepSkippedBase: new(
  fields: StepSkippedFields
) => Cause.YieldableError & { readonly _tag: "StepSkipped" } & StepSkippedFields = selfExplained(
  Data.TaggedError("StepSkipped")<
    StepSkippedFields
  >
)

/**
 * The error of a step that was skipped, which is no failure: it runs the step's skip hooks, is not retried, and is not
 * alerted unless `AlerterHooks.skip` is asked for.
 *
 * **Details**
 *
 * A step around it, or a pipeline, that does not handle it is skipped, too, and what would have followed in its body does
 * not run.
 *
 * @see `Step.skip` for skipping a step from its body
 * @see `Step.when` and `Step.whenSkipped` for what callers get in its place
 *
 * @category errors
 * @since 0.1.0
 */
export class StepSkipped extends StepSkippedBase {
  /** Tells it from errors of others with the same tag. */
  get [TypeId](): typeof TypeId {
    return TypeId
  }
  /** Says that the step was skipped, with the reason if there is one. */
  override get message(): string {
    return this.reason === undefined ? "skipped" : `skipped: ${this.reason}`
  }
}

/** Also of another copy of the library, as the command and the module that it runs may have. */
export const isStepSkipped = (error: unknown): error is StepSkipped => {
  if (typeof error !== "object" || error === null) return false
  try {
    // not of the error itself: there is a step that fails, and JavaScriptCore takes long to find no property of an error
    const proto: object | null = Object.getPrototypeOf(error)
    return proto !== null && TypeId in proto && proto[TypeId] === TypeId && !isProxy(error)
  } catch {
    // a proxy may throw
    return false
  }
}

/** Returns the error that skipped a step; `undefined` for an exit of any other outcome. */
export const skippedOf = (exit: Exit.Exit<unknown, unknown>): StepSkipped | undefined => {
  if (exit._tag === "Success") return undefined
  let skipped: StepSkipped | undefined
  const { reasons } = exit.cause
  // a step that fails comes here, and an iterator would be one more object
  for (let i = 0; i < reasons.length; i++) {
    const reason = reasons[i]!
    if (reason._tag === "Interrupt") continue
    if (reason._tag !== "Fail" || !isStepSkipped(reason.error)) return undefined
    skipped ??= reason.error
  }
  return skipped
}

/** How much of a reason is told, in UTF-16 code units, before an ellipsis. */
const longest = 999

/** Returns the reason of a skip as it is told. */
export const reasonOf = (skipped: StepSkipped | undefined): string | undefined => {
  const reason: unknown = skipped?.reason
  if (typeof reason !== "string" || reason === "") return undefined
  return cut(reason, longest)
}
