/** The outcomes of evaluations, and what required hooks that fail make of them. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { Outcome } from "../model/events.ts"
import type { HookError } from "../model/hookError.ts"

/** Returns how an exit is reported: a cause of interruptions alone is no failure. */
export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Outcome =>
  exit._tag === "Success" ? "success" : Cause.hasInterruptsOnly(exit.cause) ? "interrupt" : "failure"

/** Whether an exit has interruptions, and neither errors nor defects. */
export const isInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean => outcomeOf(exit) === "interrupt"

/** Combines two causes as `Effect.onExit` does: where there is a defect, errors become defects too. */
const combine = (cause: Cause.Cause<unknown>, failed: Cause.Cause<unknown>): Cause.Cause<unknown> => {
  const both = Cause.combine(cause, failed)
  return Cause.hasDies(both)
    ? Cause.fromReasons(
      both.reasons.map((reason) => Cause.isFailReason(reason) ? Cause.makeDieReason(reason.error) : reason)
    )
    : both
}

/** The errors of the required hooks that failed, or `undefined`. */
export type RequiredFailures = Cause.Cause<HookError> | undefined

/** Returns the exit of a step with what is added to it: the errors of required hooks. */
export const withFailed = (
  exit: Exit.Exit<unknown, unknown>,
  failed: RequiredFailures
): Exit.Exit<unknown, unknown> =>
  failed === undefined
    ? exit
    : Exit.failCause(exit._tag === "Success" ? failed : combine(exit.cause, failed))
