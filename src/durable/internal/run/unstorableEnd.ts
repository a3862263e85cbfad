/** Replaces the end of a step, or of a run, whose result or error can't be stored. */
import type * as Exit from "effect/Exit"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import type { EndRecord } from "../stored/records.ts"
import { type Problem, unstorableExit } from "../stored/unstorable.ts"
import { toldField } from "./hooks.ts"
import { pendingAfter } from "./pendingHooks.ts"

/**
 * Returns the end that says what can't be stored. The attempts go on where they did, unless the end does not fit its
 * schema: that is a mistake in the code, and a defect.
 */
export const unstorableEnd = (evaluation: Evaluation, end: EndRecord, problem: Problem): EndRecord => {
  // the cast: that is what the schema of the record is of
  const exit = unstorableExit(evaluation.label, end.exit as Exit.Exit<unknown, unknown>, problem)
  const { retry, told: _, ...rest } = end
  return {
    ...rest,
    exit,
    ...(retry === undefined || "unfit" in problem
      ? { pendingHooks: pendingAfter(evaluation, exit) }
      : { retry }),
    ...toldField(evaluation, exit)
  }
}
