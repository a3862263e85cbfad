/** How values are shown to people without giving away what is secret. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"

/** Deep enough for parameters and annotations; whoever nests deeper gets an ellipsis. */
const maxDepth = 8

/**
 * A value as JSON can hold it, with each `Redacted` in it, however deep, as
 * `"<redacted>"` (with its label, if it has one).
 */
export const display = (value: unknown, depth = 0): unknown => {
  if (Redacted.isRedacted(value)) return String(value)
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") return String(value)
  if (typeof value !== "object" || value === null) return value
  if (depth >= maxDepth) return "…"
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString()
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (DateTime.isDateTime(value)) return DateTime.formatIso(value)
  if (Duration.isDuration(value)) return Duration.format(value)
  if (Array.isArray(value) || value instanceof Set) return Array.from(value, (item) => display(item, depth + 1))
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  return Object.fromEntries(entries.map(([key, item]) => [text(key, depth + 1), display(item, depth + 1)]))
}

/** A value on one line. */
export const text = (value: unknown, depth = 0): string => {
  const shown = display(value, depth)
  return typeof shown === "string" ? shown : JSON.stringify(shown) ?? String(shown)
}

/**
 * Whether there is something to hide in a value. What lies deeper than is shown may
 * hold anything: `display` leaves it out, where encoding would not.
 */
export const holdsSecret = (value: unknown, depth = 0): boolean => {
  if (Redacted.isRedacted(value)) return true
  if (typeof value !== "object" || value === null) return false
  if (depth >= maxDepth) return true
  const parts = value instanceof Map ?
    [...value.keys(), ...value.values()]
    : value instanceof Set ?
    [...value]
    : Object.values(value)
  return parts.some((part) => holdsSecret(part, depth + 1))
}

/**
 * Text of unknown origin, such as the message of a failed `fetch`, without the
 * addresses in it: a webhook's address is its password. Brackets and quotes may
 * belong to an address, unless it ends with them.
 */
export const withoutUrls = (message: string): string =>
  message.replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"<>]*[^\s"<>'()[\].,;:!?]/gi, "<url>")
