/** How values are shown to people without giving away what is secret. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { isIterable } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { formatDuration } from "./duration.ts"

/** Deep enough for parameters and annotations; whoever nests deeper gets an ellipsis. */
const maxDepth = 8

/** So many parts of a collection are shown, and an ellipsis for the rest. */
const maxParts = 100

/** So many objects are shown in all: where each leads to many others, there is no end to them otherwise. */
const maxObjects = 10_000

interface Left {
  objects: number
}

/**
 * A value as JSON can hold it, with each `Redacted` in it, however deep, as
 * `"<redacted>"` (with its label, if it has one). Collections of Effect are shown by
 * their elements, what contains itself by an ellipsis, and what can't be read by its error.
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

/** Not what is iterable only so that it can be yielded, as an `Option` is. */
const isCollection = (value: object): value is Iterable<unknown> => isIterable(value) && !("_tag" in value)

/** Lazily, since an iterable need not end. */
const take = <A>(parts: Iterable<A>): { readonly parts: ReadonlyArray<A>; readonly more: boolean } => {
  const taken: Array<A> = []
  for (const part of parts) {
    if (taken.length === maxParts) return { parts: taken, more: true }
    taken.push(part)
  }
  return { parts: taken, more: false }
}

/** A value on one line. */
export const text = (value: unknown, within: ReadonlyArray<object> = [], left?: Left): string => {
  const shown = display(value, within, left)
  return typeof shown === "string" ? shown : JSON.stringify(shown) ?? String(shown)
}

/**
 * Whether there is something to hide in a value. What lies deeper or further on than
 * is shown may hold anything: `display` leaves it out, where encoding would not.
 */
export const holdsSecret = (value: unknown, depth = 0, seen: Set<object> = new Set()): boolean => {
  if (Redacted.isRedacted(value)) return true
  if (typeof value !== "object" || value === null || seen.has(value)) return false
  if (depth >= maxDepth) return true
  seen.add(value)
  const { more, parts } = take<unknown>(isCollection(value) ? value : Object.values(value))
  return more || parts.some((part) => holdsSecret(part, depth + 1, seen))
}

/**
 * Text of unknown origin, such as the message of a failed `fetch`, without the
 * addresses in it: a webhook's address is its password. Brackets and quotes may
 * belong to an address, unless it ends with them.
 */
export const withoutUrls = (message: string): string =>
  message.replace(/\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s"<>]*[^\s"<>'()[\].,;:!?]/gi, "<url>")

/** Lines made one. Not by a pattern, which takes long where there are many spaces. */
export const joinLines = (lines: string): string =>
  lines.includes("\n") ? lines.split("\n").map((line) => line.trim()).filter((line) => line !== "").join(" ") : lines
