/** Shows values to people without the secrets in them. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { isIterable } from "effect/Predicate"
import * as Redactable from "effect/Redactable"
import * as Redacted from "effect/Redacted"
import { formatDuration } from "./duration.ts"
import {
  attempt,
  isError,
  isInstance,
  isProxy,
  nameOf,
  property,
  textProperty,
  Unreadable,
  unreadable
} from "./read.ts"
import { cut } from "./words.ts"

/** The depth to which nested values are shown; deeper ones become an ellipsis. */
const maxDepth = 8

/** The number of elements of a collection that are shown; an ellipsis stands for the rest. */
const maxParts = 100

/** The number of objects that are shown in all: without it, a graph of objects would take exponential time. */
const maxObjects = 10_000

/** The rest of the budget for a value: objects, and characters of text. */
export interface Left {
  objects: number
  characters: number
}

/**
 * Converts a value to JSON for people. A `Redacted`, at any depth, becomes `"<redacted>"`
 * (with its label, if it has one), a collection of Effect its elements, an `Option` its
 * value or `"none"`, a value that contains itself an ellipsis, and a value that throws when
 * it is read `"<unreadable: …>"` with the name of the error. The contents of a proxy are not
 * listed, unless it is an array's: the number of its keys has no bound.
 */
export const display = (
  value: unknown,
  within: ReadonlyArray<object> = [],
  left: Left = { objects: maxObjects, characters: Infinity }
): unknown => {
  // a property that has thrown
  const shown = Unreadable.is(value) ? value : attempt(() => displayed(value, within, left))
  return Unreadable.is(shown) ? unreadable(shown) : shown
}

const displayed = (value: unknown, within: ReadonlyArray<object>, left: Left): unknown => {
  if (typeof value === "string") return withinLimit(value, left)
  if (typeof value === "bigint" || typeof value === "symbol") return withinLimit(String(value), left)
  if (typeof value === "function") return `<${`function ${textProperty(value, "name")?.slice(0, 100) ?? ""}`.trim()}>`
  // JSON has no such numbers, and would show null
  if (typeof value === "number" && !Number.isFinite(value)) return String(value)
  if (typeof value !== "object" || value === null) return value
  if (isProxy(value)) return displayedProxy(value, within, left)
  if (Redacted.isRedacted(value)) return String(value)
  if (within.length >= maxDepth || within.includes(value) || left.objects-- <= 0 || left.characters <= 0) return "…"
  if (isInstance(value, Date.prototype)) return displayedDate(value as Date) // a date, or it throws
  if (isError(value)) return withinLimit(displayedError(value, within, left), left)
  if (isInstance(value, URL.prototype)) return withinLimit(withoutPassword(String(value)), left)
  if (DateTime.isDateTime(value)) return DateTime.formatIso(value)
  if (Duration.isDuration(value)) return formatDuration(Duration.toMillis(value))
  if (Redactable.isRedactable(value)) return display(Redactable.redact(value), [...within, value], left)
  if (isInstance(value, Uint8Array.prototype)) return withinLimit(textOfBytes(value as Uint8Array), left) // or it throws
  const inside = [...within, value]
  if (Option.isOption(value)) return value._tag === "None" ? "none" : display(value.value, inside, left)
  const isMap = isInstance(value, Map.prototype)
  if (!isMap && isCollection(value)) {
    const { more, parts } = take(value)
    const shown = parts.map((part) => display(part, inside, left))
    return more ? [...shown, "…"] : shown
  }
  // the cast: a map, or it throws when its entries are taken
  const { more, parts } = isMap ? take(value as Map<unknown, unknown>) : entries(value)
  if (parts.length === 0 && !isMap) return displayedEmpty(value)
  const shown = parts.map(([key, part]): [string, unknown] => [text(key, inside, left), display(part, inside, left)])
  return Object.fromEntries(more ? [...shown, ["…", "…"]] : shown)
}

const displayedDate = (date: Date): string => Number.isNaN(date.getTime()) ? "Invalid Date" : date.toISOString()

/** Shows an error by its message, and one without a message by its fields and its cause. */
const displayedError = (error: Error, within: ReadonlyArray<object>, left: Left): string => {
  const told = error.message || entries(error).parts
    .filter(([key]) => !ownParts.has(key))
    // which is not enumerable
    .concat([["cause", error.cause]])
    .flatMap(([key, part]) => part === undefined ? [] : `${key} ${text(part, [...within, error], left)}`)
    .join(", ")
  return `${nameOf(error) ?? "Error"}${told && `: ${told}`}`
}

/** The parts of an error that are not among its fields. */
export const ownParts: ReadonlySet<string> = new Set(["_tag", "name", "message", "stack", "cause"])

/** Shows an object without properties by its class, and a response of HTTP by its status. */
const displayedEmpty = (value: object): unknown => {
  // the cast: any property may be asked for
  const { constructor, status } = value as {
    readonly constructor?: { readonly name?: string }
    readonly status?: unknown
  }
  return constructor?.name && constructor.name !== "Object" ? `<${[constructor.name, status].join(" ").trim()}>` : {}
}

/** Returns bytes as text, if they are text. */
const textOfBytes = (bytes: Uint8Array): string => {
  const decoded = new TextDecoder().decode(bytes)
  // oxlint-disable-next-line no-control-regex -- bytes that are no text
  return /[\ufffd\0-\b]/.test(decoded) ? `<${bytes.length} bytes>` : decoded
}

/** Shows a proxy by what can be read of it one by one: the elements of an array, or the message of an error. */
const displayedProxy = (value: object, within: ReadonlyArray<object>, left: Left): unknown => {
  if (within.length >= maxDepth || left.objects-- <= 0) return "…"
  if (!Array.isArray(value)) {
    return isError(value)
      ? withinLimit(`${nameOf(value)}: ${value.message}`, left)
      : "<a proxy>"
  }
  const { length } = value
  const shown = Array.from(
    { length: Math.min(length, maxParts) },
    (_, i) => display(value[i], [...within, value], left)
  )
  return length > maxParts ? [...shown, "…"] : shown
}

/** Cuts a text to the characters that are left. */
const withinLimit = (text: string, left: Left): string => {
  const limit = Math.max(0, left.characters)
  left.characters -= text.length
  return cut(text, limit)
}

const withoutPassword = (url: string): string => {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.password === "") return url
  parsed.password = "<redacted>"
  return parsed.href.replace("%3Credacted%3E", "<redacted>")
}

/** Returns the first properties of an object, one that throws as an `Unreadable`. Reads no more of them. */
const entries = (value: object): { readonly parts: ReadonlyArray<[string, unknown]>; readonly more: boolean } => {
  const keys = Object.keys(value)
  const parts = keys.slice(0, maxParts).map((key): [string, unknown] => [key, property(value, key)])
  return { parts, more: keys.length > maxParts }
}

/** Whether a value holds elements. Tagged values such as `Option` do not: they are iterable for `yield*` alone. */
const isCollection = (value: object): value is Iterable<unknown> => isIterable(value) && !("_tag" in value)

/** Takes the first elements of an iterable, which may be infinite. */
const take = <A>(parts: Iterable<A>): { readonly parts: ReadonlyArray<A>; readonly more: boolean } => {
  const taken: Array<A> = []
  for (const part of parts) {
    if (taken.length === maxParts) return { parts: taken, more: true }
    taken.push(part)
  }
  return { parts: taken, more: false }
}

/** Converts a value to one line of text, without its secrets. */
export const text = (value: unknown, within: ReadonlyArray<object> = [], left?: Left): string => {
  const shown = display(value, within, left)
  return typeof shown === "string" ? shown : JSON.stringify(shown) ?? String(shown)
}

/**
 * Whether a value may hold a secret. The parts that are not shown, since they are too deep
 * or too many, count as secrets: `display` leaves them out, and encoding would not.
 */
export const holdsSecret = (value: unknown, depth = 0, seen: Set<object> = new Set()): boolean => {
  if (Redacted.isRedacted(value)) return true
  if (typeof value !== "object" || value === null || seen.has(value)) return false
  if (depth >= maxDepth) return true
  seen.add(value)
  const { more, parts } = take<unknown>(isCollection(value) ? value : Object.values(value))
  return more || parts.some((part) => holdsSecret(part, depth + 1, seen))
}
