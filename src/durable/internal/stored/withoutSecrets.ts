/** Keeps secrets out of the records of errors. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { Guard } from "../../../internal/model/secrets.ts"
import { isLibraryError } from "./errors.ts"

/**
 * Returns an exit as it is stored: defects, and errors of the library, which hold those of others, without secrets. The
 * typed errors of a step are values, as its results are: what is stored of them is for their schema to say.
 */
export const withoutSecrets = (
  exit: Exit.Exit<unknown, unknown>,
  guard: Guard | undefined
): Exit.Exit<unknown, unknown> => {
  if (guard === undefined || exit._tag === "Success") return exit
  const reasons = exit.cause.reasons.map((reason) => {
    if (Cause.isDieReason(reason)) {
      const defect = guard.value(reason.defect)
      return defect === reason.defect ? reason : Cause.makeDieReason(defect)
    }
    if (!Cause.isFailReason(reason) || !isLibraryError(reason.error)) return reason
    const error = guard.value(reason.error)
    return error === reason.error ? reason : Cause.makeFailReason(error)
  })
  return reasons.every((reason, i) => reason === exit.cause.reasons[i])
    ? exit
    : Exit.failCause(Cause.fromReasons(reasons))
}
