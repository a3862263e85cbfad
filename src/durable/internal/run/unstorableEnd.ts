/** Replaces the end of a step, or of a run, whose result or error can't be stored. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import type { EndRecord } from "../stored/records.ts"
import { type Problem, unstorable } from "../stored/unstorable.ts"
import { toldField } from "./hooks.ts"
import { pendingAfter } from "./pendingHooks.ts"

/** Returns the end that says what can't be stored. The attempts go on where they did. */
export const unstorableEnd = (evaluation: Evaluation, end: EndRecord, problem: Problem): Effect.Effect<EndRecord> =>
  Effect.suspend(() => {
    // the cast: that is what the schema of the record is of
    const error = unstorable(evaluation.label, end.exit as Exit.Exit<unknown, unknown>, problem)
    if (error === undefined) {
      return Effect.die(new TypeError(`the end of ${JSON.stringify(evaluation.label)} can't be stored as JSON`))
    }
    const exit = Exit.fail(error)
    const { told: _, ...rest } = end
    return Effect.succeed({
      ...rest,
      exit,
      pendingHooks: end.retry === undefined ? pendingAfter(evaluation, exit) : end.pendingHooks,
      ...toldField(evaluation, exit)
    })
  })
