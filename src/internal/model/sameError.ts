/**
 * Decides whether two causes hold the same error.
 *
 * An error is known by its reference, or by that of the error that it is a copy of, and stays the same where another
 * error has it as its `cause`, among the members of an `AggregateError` or of a list, or in a field. Text, numbers and
 * other values without a reference are compared by value. All walks are bounded, and a value that can't be read is an
 * error like any other.
 */
import * as Cause from "effect/Cause"
import { errorsOf as errorsOfReason } from "../text/errorParts.ts"
import { isError, isInstance, isProxy, readOr, suppressedBy } from "../text/read.ts"

/** How many errors of a chain of causes are looked at. */
const maxDepth = 100

/** How many values are looked at in all: an error may hold thousands of others. */
const maxValues = 10_000

/** How many fields of an error are looked at. */
const maxFields = 50

/** The longest text that is kept to compare it with others. */
const maxText = 500

/** The errors that copies without secrets were made of. */
const originals = new WeakMap<object, object>()

/** Takes note that a value is a copy of another, which stands for the same error. Returns the copy. */
export const asCopyOf = <A>(copy: A, original: object): A => {
  if (isReference(copy) && copy !== original) originals.set(copy, originals.get(original) ?? original)
  return copy
}

/** Returns the value by which an error is compared: a long text is cut, since a run keeps it. */
export const errorKey = (error: unknown): unknown =>
  typeof error === "string" && error.length > maxText
    ? `${error.length} ${error.slice(0, maxText)}`
    : isReference(error)
    ? originals.get(error) ?? error
    : error

/** Whether a value has a reference of its own. */
export const isReference = (u: unknown): u is object => (typeof u === "object" && u !== null) || typeof u === "function"

/** Returns the errors of a cause; for a cause of interruptions alone, a text for each fiber that interrupted. */
export const errorsOf = (cause: Cause.Cause<unknown>): ReadonlyArray<unknown> => {
  const errors = cause.reasons.flatMap(errorsOfReason)
  return errors.length > 0
    ? errors
    : cause.reasons.flatMap((reason) => Cause.isInterruptReason(reason) ? [`interrupted by ${reason.fiberId}`] : [])
}

const causeOf = (error: object): unknown => readOr(undefined, () => (error as Partial<Error>).cause) // any may have one

/** Returns the errors that a list, an `AggregateError` or a `SuppressedError` is made of, or `undefined` for other values. */
const membersOf = (value: object): ReadonlyArray<unknown> | undefined =>
  readOr(undefined, () => {
    if (isProxy(value)) return undefined
    if (Array.isArray(value)) return value
    if (Cause.isCause(value)) return errorsOf(value)
    if (!isInstance(value, AggregateError.prototype)) return suppressedBy(value)
    const { errors } = value as AggregateError // its prototype says so
    return Array.isArray(errors) && errors.length > 0 ? errors : undefined
  })

/** Returns what is in the own fields of an error, which may be a plain object with a tag, without calling a getter. */
const fieldsOf = (value: object): ReadonlyArray<unknown> =>
  readOr([], () =>
    isProxy(value) || !(isError(value) || "_tag" in value)
      ? []
      : Object.keys(value).slice(0, maxFields).map((key) => Object.getOwnPropertyDescriptor(value, key)?.value))

/**
 * Whether an error is known, or is made of known ones: its cause, at any depth, and the errors in its fields. Where one of
 * several is not known, as one of a list or of an `AggregateError`, nobody has been told of it.
 */
export const holdsKnown = (error: unknown, isKnown: (error: unknown) => boolean): boolean => {
  let left = maxValues
  /** Whether a value is an error, or a list that has some. A plain object is one where it is known: else it may be any. */
  const isErrors = (value: unknown): boolean =>
    left-- > 0 &&
    readOr(false, () =>
      isError(value) || (isReference(value) && isKnown(value)) || Cause.isCause(value) ||
      (Array.isArray(value) && value.slice(0, left).some(isErrors)))
  /** Returns the errors that another one holds, or its cause where that is none and nothing else is one. */
  const heldBy = (error: object): ReadonlyArray<unknown> => {
    const cause = causeOf(error)
    const errors = [cause, ...fieldsOf(error)].filter(isErrors)
    return errors.length > 0 || cause === undefined ? errors : [cause]
  }
  const holds = (error: unknown, depth: number): boolean => {
    if (left-- <= 0 || depth > maxDepth) return false
    if (isKnown(error)) return true
    if (!isReference(error)) return false
    const parts = membersOf(error) ?? heldBy(error)
    return parts.length > 0 && parts.every((part) => holds(part, depth + 1))
  }
  return holds(error, 0)
}

/** Returns an error with all that it is made of: its chain of causes, and its members. */
export const partsOf = (error: unknown): ReadonlySet<unknown> => {
  const parts = new Set<unknown>()
  const add = (error: unknown, depth: number): void => {
    if (parts.size >= maxValues || depth > maxDepth || parts.has(error)) return
    parts.add(errorKey(error))
    if (!isReference(error)) return
    for (const member of membersOf(error) ?? []) add(member, depth + 1)
    const cause = causeOf(error)
    if (cause !== undefined && cause !== null) add(cause, depth + 1)
  }
  add(error, 0)
  return parts
}

/** Returns the errors of a cause and all that they are made of, as {@link errorKey} compares them. */
export const partsIn = (cause: Cause.Cause<unknown>): ReadonlyArray<unknown> =>
  errorsOf(cause).flatMap((error) => [...partsOf(error)])

/** Returns whether a cause holds no other errors than known ones, which `has` finds by {@link errorKey}. */
export const isMadeOf = (cause: Cause.Cause<unknown>, has: (key: unknown) => boolean): boolean =>
  errorsOf(cause).every((error) => holdsKnown(error, (part) => has(errorKey(part))))
