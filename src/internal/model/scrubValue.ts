/** Removes secrets from values of unknown origin: logged objects, errors, causes. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Redacted from "effect/Redacted"
import type { StackFrame } from "effect/References"
import { legibleDefect } from "../text/legible.ts"
import { isError, isInstance, isProxy, property, readOr } from "../text/read.ts"
import { display } from "../text/redact.ts"
import type { Scrub } from "../text/secrets.ts"
import { asCopyOf } from "./sameError.ts"

/** How many errors, each the cause of the one before, are read, and how many in all. What is beyond is left out. */
const maxCauses = 20
const maxErrors = 200

/** The copies made for one value: an error that is in several places, or in itself, is copied once. */
interface Seen {
  readonly copies: Map<Error, Error>
  errors: number
}

/**
 * Returns a value as it may be shown. One in which nothing is found is returned as it is, so that loggers and tracers
 * format it as ever; otherwise a copy, an error for an error, and JSON for other objects.
 */
export const scrubValue = (value: unknown, scrub: Scrub, depth = 0, before?: Seen): unknown => {
  if (typeof value === "string") return scrub(value)
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "symbol") {
    const text = String(value)
    const scrubbed = scrub(text)
    return scrubbed === text ? value : scrubbed
  }
  if (typeof value !== "object" || value === null) return value
  return asCopyOf(scrubObject(value, scrub, depth, before ?? { copies: new Map(), errors: 0 }), value)
}

const scrubObject = (value: object, scrub: Scrub, depth: number, seen: Seen): unknown => {
  try {
    if (isProxy(value)) return scrubLegible(value, scrub, depth, seen)
    if (Redacted.isRedacted(value)) return value
    if (Cause.isCause(value)) return scrubCause(value, scrub, depth, seen)
    if (isError(value)) return scrubError(value, scrub, depth, seen)
    const shown = display(value)
    const scrubbed = scrubJson(shown, scrub)
    return scrubbed === shown && !printsSecret(value, scrub) && !hidesSecret(value, scrub) ? value : scrubbed
  } catch {
    return scrubLegible(value, scrub, depth, seen)
  }
}

/** Returns what can be read of a value, as a copy. */
const scrubLegible = (value: object, scrub: Scrub, depth: number, seen: Seen): unknown => {
  const copy = legibleDefect(value)
  if (copy === value) return "<unreadable>"
  // not as any value: a copy may be as hard to print, and would be copied again, for ever
  return isError(copy) ? scrubError(copy, scrub, depth + 1, seen) : scrubJson(copy, scrub)
}

/** Whether a value's own way to print itself shows more than its fields do, and something secret. */
const printsSecret = (value: object, scrub: Scrub): boolean => {
  const texts: Array<unknown> = []
  if ("toJSON" in value && typeof value.toJSON === "function") texts.push(JSON.stringify(value))
  // that of a list joins all of it, however long it is
  if (
    "toString" in value && typeof value.toString === "function" && value.toString !== Object.prototype.toString &&
    !("length" in value)
  ) {
    texts.push(value.toString())
  }
  return texts.some((text) => typeof text === "string" && scrub(text) !== text)
}

/** How many parts of a value are looked at. Of one with more, what is shown is shown alone. */
const maxParts = 100_000

/**
 * Whether there is a secret among the parts that `display` leaves out, since they are too many or too deep: loggers print
 * them all the same. So it is taken to be where there are more parts than are looked at.
 */
const hidesSecret = (value: object, scrub: Scrub): boolean => {
  const seen = new Set([value])
  let left = maxParts
  // those that are added meanwhile come, too
  for (const object of seen) {
    if (Redacted.isRedacted(object) || ArrayBuffer.isView(object)) continue
    for (const part of partsOf(object)) {
      if (left-- <= 0) return true
      if (typeof part === "object" && part !== null) seen.add(part)
      else if ((typeof part === "string" || typeof part === "number") && scrub(String(part)) !== String(part)) {
        return true
      }
    }
  }
  return false
}

/** Returns the parts of an object one after another, since a list may have four billion. */
function* partsOf(object: object): Generator<unknown> {
  // the cast: the pairs of a map are lists, too
  if ([Array, Set, Map].some(({ prototype }) => isInstance(object, prototype))) {
    return yield* object as Iterable<unknown>
  }
  // not the enumerable ones alone, of which an error has none
  for (const name of Object.getOwnPropertyNames(object)) {
    yield name
    yield property(object, name)
  }
}

/** Replaces secrets in JSON. Returns it as it is where nothing is found. */
const scrubJson = (json: unknown, scrub: Scrub): unknown => {
  if (typeof json !== "object" || json === null) return scrubValue(json, scrub)
  let changed = false
  const part = (value: unknown): unknown => {
    const scrubbed = scrubJson(value, scrub)
    changed ||= scrubbed !== value
    return scrubbed
  }
  const copy = Array.isArray(json)
    ? json.map(part)
    : Object.fromEntries(Object.entries(json).map(([key, value]) => [String(part(key)), part(value)]))
  return changed ? copy : json
}

/** Replaces secrets in the values, and the keys, of a record. */
export const scrubRecord = (
  values: Readonly<Record<string, unknown>>,
  scrub: Scrub
): Readonly<Record<string, unknown>> => {
  let changed = false
  const entries = Object.entries(values).map(([key, value]): [string, unknown] => {
    const entry: [string, unknown] = [scrub(key), scrubValue(value, scrub)]
    changed ||= entry[0] !== key || entry[1] !== value
    return entry
  })
  return changed ? Object.fromEntries(entries) : values
}

/** Replaces secrets in an error: in its message, stack, fields and causes. */
const scrubError = (error: Error, scrub: Scrub, depth: number, seen: Seen): Error => {
  const known = seen.copies.get(error)
  if (known !== undefined) return known
  if (depth > maxCauses || seen.errors++ > maxErrors) return new Error("…")
  const copy: Error = Object.create(Object.getPrototypeOf(error))
  seen.copies.set(error, copy)
  const fields = new Map<PropertyKey, unknown>()
  let changed = false
  for (const key of new Set([...Object.getOwnPropertyNames(error), "name", "message", "stack", "cause"])) {
    if (!(key in error)) continue
    const value: unknown = Reflect.get(error, key)
    const scrubbed = scrubValue(value, scrub, depth + 1, seen)
    const shownKey = scrub(key)
    changed ||= scrubbed !== value || shownKey !== key
    fields.set(shownKey, scrubbed)
  }
  if (!changed && !printsSecret(error, scrub)) {
    seen.copies.set(error, error)
    return error
  }
  for (const [key, value] of fields) {
    // as own properties, so that a getter of the class does not make the text anew of what it knows otherwise
    const enumerable = Object.prototype.propertyIsEnumerable.call(error, key)
    Object.defineProperty(copy, key, { value, enumerable, writable: true, configurable: true })
  }
  return copy
}

/** The annotations of a reason with the spans and functions of effect that it passed through: loggers print them. */
const frameKeys = [Cause.StackTrace.key, Cause.InterruptorStackTrace.key]

/** How many frames are read. What is beyond is left out: loggers print ten. */
const maxFrames = 20

/** Replaces secrets in the names and the places of frames. Returns the frame itself where there are none. */
const scrubFrame = (frame: StackFrame, scrub: Scrub, depth = 0): StackFrame => {
  const name = scrub(frame.name)
  const stack = readOr(undefined, frame.stack)
  const scrubbed = stack && scrub(stack)
  const parent = frame.parent && depth < maxFrames ? scrubFrame(frame.parent, scrub, depth + 1) : undefined
  return name === frame.name && scrubbed === stack && parent === frame.parent
    ? frame
    : { name, stack: () => scrubbed, parent }
}

/** Replaces secrets in the frames of a reason. Returns the reason itself where there are none. */
const scrubFrames = (reason: Cause.Reason<unknown>, scrub: Scrub): Cause.Reason<unknown> => {
  const scrubbed = frameKeys.flatMap((key): ReadonlyArray<[string, unknown]> => {
    // the cast: these keys have nothing else
    const frame = reason.annotations.get(key) as StackFrame | undefined
    const shown = frame && scrubFrame(frame, scrub)
    return shown === frame ? [] : [[key, shown]]
  })
  return scrubbed.length === 0
    ? reason
    : reason.annotate(Context.makeUnsafe(new Map(scrubbed)), { overwrite: true })
}

/** Replaces secrets in the errors, defects and frames of a cause. Returns the cause itself where there are none. */
export const scrubCause = (
  cause: Cause.Cause<unknown>,
  scrub: Scrub,
  depth = 0,
  seen: Seen = { copies: new Map(), errors: 0 }
): Cause.Cause<unknown> => {
  let changed = false
  const reasons = cause.reasons.map((given) => {
    const reason = scrubFrames(given, scrub)
    changed ||= reason !== given
    if (reason._tag === "Interrupt") return reason
    const value = reason._tag === "Fail" ? reason.error : reason.defect
    const scrubbed = scrubValue(value, scrub, depth + 1, seen)
    if (scrubbed === value) return reason
    changed = true
    const made = reason._tag === "Fail" ? Cause.makeFailReason(scrubbed) : Cause.makeDieReason(scrubbed)
    return made.annotate(Context.makeUnsafe(new Map(reason.annotations)))
  })
  return changed ? Cause.fromReasons(reasons) : cause
}
