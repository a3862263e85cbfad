/** The outcomes of evaluations, and what required hooks that fail make of them. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { Outcome } from "../model/events.ts"
import type { HookError } from "../model/hookError.ts"
import { isStepSkipped, skippedOf } from "../model/skip.ts"

/** Whether an exit has interruptions, and neither errors nor defects. */
export const isInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean =>
  exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause)

/** Returns how an exit is reported: a cause of interruptions alone is no failure, and neither is one of skips. */
export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Outcome => {
  if (exit._tag === "Success") return "success"
  const { reasons } = exit.cause
  let outcome: Outcome = "failure"
  // each step that fails comes here: one loop takes a third of the time of asking effect, and for a skip after that
  for (let i = 0; i < reasons.length; i++) {
    const reason = reasons[i]!
    if (reason._tag === "Fail" && isStepSkipped(reason.error)) outcome = "skip"
    else if (reason._tag !== "Interrupt") return "failure"
    else if (outcome === "failure") outcome = "interrupt"
  }
  return outcome
}

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

/**
 * Returns the exit of a step with what is added to it: the errors of required hooks. They replace a skip, for who handles
 * that must not lose them.
 */
export const withFailed = (
  exit: Exit.Exit<unknown, unknown>,
  failed: RequiredFailures
): Exit.Exit<unknown, unknown> =>
  failed === undefined
    ? exit
    : Exit.failCause(
      exit._tag === "Success" || skippedOf(exit) !== undefined ? failed : combine(exit.cause, failed)
    )

/** Removes the skip from a cause that required hooks have added errors to. */
export const withoutSkip = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> => {
  const others = cause.reasons.filter((reason) => !(Cause.isFailReason(reason) && isStepSkipped(reason.error)))
  return others.some((reason) => !Cause.isInterruptReason(reason)) ? Cause.fromReasons(others) : cause
}
