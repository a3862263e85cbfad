/** How evaluations end. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { HookError } from "../../Hook.ts"
import type { Outcome } from "../model/hooks.ts"

/** @internal */
export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Outcome =>
  exit._tag === "Success" ? "success" : Cause.hasInterruptsOnly(exit.cause) ? "interrupt" : "failure"

/** Whether it was interrupted, and nothing else went wrong. */
export const isInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean => outcomeOf(exit) === "interrupt"

/** As `Effect.onExit` has it: beside a defect, errors are defects too. */
const beside = (cause: Cause.Cause<unknown>, failed: Cause.Cause<unknown>): Cause.Cause<unknown> => {
  const both = Cause.combine(cause, failed)
  return Cause.hasDies(both)
    ? Cause.fromReasons(
      both.reasons.map((reason) => Cause.isFailReason(reason) ? Cause.makeDieReason(reason.error) : reason)
    )
    : both
}

/** The errors of required hooks, if any failed. */
export type Failed = Cause.Cause<HookError> | undefined

/** What the caller gets. */
export const withFailed = (exit: Exit.Exit<unknown, unknown>, failed: Failed): Exit.Exit<unknown, unknown> =>
  failed === undefined
    ? exit
    : Exit.failCause(exit._tag === "Success" ? failed : beside(exit.cause, failed))
