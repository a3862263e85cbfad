/** Replaces errors that other code could not read by errors that hold their text. */
import * as Cause from "effect/Cause"
import { bounds, describe, errorsOf, longestMessage, most, rejection } from "./errorParts.ts"
import { causeDetail, messageText } from "./errors.ts"
import { attempt, isError, isProxy, nameOf, property, readOr, tagOf, Unreadable } from "./read.ts"
import { display } from "./redact.ts"

const longestStack = 40_000

/** Returns a cause that any logger can print: this one, or one with its text. */
export const legible = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> => {
  const errors = cause.reasons.flatMap(errorsOf)
  if (errors.length <= most && errors.every(isLegible)) return cause
  return Cause.fail(withText(errors[0], cause))
}

/** Returns a value that can be stored in place of a defect: the defect, or what can be read of it. */
export const legibleDefect = (defect: unknown): unknown => {
  if (typeof defect === "object" && defect !== null && (isError(defect) || isProxy(defect))) {
    return isLegible(defect) ? defect : withText(defect, Cause.die(defect))
  }
  const isStorable = defect === null || typeof defect === "boolean" || typeof defect === "number"
  return isStorable ? defect : readOr("<unreadable>", () => display(defect, [], bounds())) ?? String(defect)
}

/** Returns an error that has the name, the message and the stack of another one as text. */
const withText = (original: unknown, cause: Cause.Cause<unknown>): Error => {
  const described = describe(original)
  const error = new Error(messageText(described))
  error.name = described.name ?? "Error"
  error.stack = causeDetail(cause)
  const tag = tagOf(original)
  // by which alerts and hooks know it
  return tag === undefined ? error : Object.assign(error, { _tag: tag })
}

/** Whether any code can read an error, and finds in it all that there is to say. */
const isLegible = (error: unknown): boolean => {
  let at = error
  for (let i = 0; typeof at === "object" && at !== null; i++) {
    if (i > most || !isError(at) || isProxy(at) || rejection(at) !== at) return false
    const [message, stack] = [property(at, "message"), property(at, "stack")]
    if (typeof message !== "string" || message === "" || message.length > longestMessage) return false
    if (typeof stack !== "string" || stack.length > longestStack || nameOf(at) === undefined) return false
    at = property(at, "cause")
  }
  // of others than these, effect shows less than there is
  if (typeof at === "string" ? at.length > longestMessage : "bigint function symbol".includes(typeof at)) return false
  // effect reads more than that of an error
  return !Unreadable.is(attempt(() => Cause.pretty(Cause.fail(error))))
}
