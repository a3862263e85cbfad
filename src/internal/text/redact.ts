/** Shows values to people without the secrets in them. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { isIterable } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { formatDuration } from "./duration.ts"

/** The depth to which nested values are shown; deeper ones become an ellipsis. */
const maxDepth = 8

/** The number of elements of a collection that are shown; an ellipsis stands for the rest. */
const maxParts = 100

/** The number of objects that are shown in all: without it, a graph of objects would take exponential time. */
const maxObjects = 10_000

interface Left {
  objects: number
}

/**
 * Converts a value to JSON for people. A `Redacted`, at any depth, becomes `"<redacted>"`
 * (with its label, if it has one), a collection of Effect its elements, a value that
 * contains itself an ellipsis, and a value that throws when it is read
 * `"<unreadable: …>"` with the name of the error.
 */
export const display = (
  value: unknown,
  within: ReadonlyArray<object> = [],
  left: Left = { objects: maxObjects }
): unknown => {
  try {
    return displayed(value, within, left)
  } catch (error) {
    return `<unreadable: ${error instanceof Error ? error.name : "an error"}>`
  }
}

const displayed = (value: unknown, within: ReadonlyArray<object>, left: Left): unknown => {
  if (Redacted.isRedacted(value)) return String(value)
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") return String(value)
  if (typeof value !== "object" || value === null) return value
  if (within.length >= maxDepth || within.includes(value) || left.objects-- <= 0) return "…"
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString()
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (DateTime.isDateTime(value)) return DateTime.formatIso(value)
  if (Duration.isDuration(value)) return formatDuration(Duration.toMillis(value))
  const inside = [...within, value]
  if (!(value instanceof Map) && isCollection(value)) {
    const { more, parts } = take(value)
    const shown = parts.map((part) => display(part, inside, left))
    return more ? [...shown, "…"] : shown
  }
  const { more, parts } = take<[unknown, unknown]>(value instanceof Map ? value : Object.entries(value))
  const shown = parts.map(([key, part]): [string, unknown] => [text(key, inside, left), display(part, inside, left)])
  return Object.fromEntries(more ? [...shown, ["…", "…"]] : shown)
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

/** Joins lines to one. Not by a regular expression, which takes quadratic time for many spaces. */
export const joinLines = (lines: string): string =>
  lines.includes("\n") ? lines.split("\n").map((line) => line.trim()).filter((line) => line !== "").join(" ") : lines
