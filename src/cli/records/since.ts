/** Parses and formats times on the command line. */
import { durationIn } from "../../internal/text/parseDuration.ts"

const date = /^\d{4}-\d\d-\d\d$/
const time = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?$/

/** The days that have a name, by how many days ago they are. */
const days: ReadonlyMap<string, number> = new Map([["today", 0], ["yesterday", 1]])

/** Returns the beginning of a day in the local time zone: a day may have 23 or 25 hours. */
const midnight = (now: number, daysAgo: number): number => {
  const at = new Date(now)
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() - daysAgo).getTime()
}

/**
 * Parses how long ago, as in `90m` or `2 days`, or `yesterday`, a date or a time, to milliseconds since 1970. Dates, and
 * times without a time zone, are taken to be in the local one, and a day begins at midnight.
 */
export const sinceOf = (text: string, now: number): number | undefined => {
  const day = days.get(text.trim().toLowerCase())
  if (day !== undefined) return midnight(now, day)
  const ago = durationIn(text)
  if (ago !== undefined) return now - ago
  // a time is added to a date, since JavaScript reads a date alone as one in UTC
  const millis = date.test(text)
    ? Date.parse(`${text}T00:00`)
    : time.test(text)
    ? Date.parse(text.replace(" ", "T"))
    : NaN
  return Number.isNaN(millis) ? undefined : millis
}

/** The most milliseconds from 1970 that a `Date` can hold (https://tc39.es/ecma262/#sec-time-values-and-time-range). */
const mostMillis = 8.64e15

/** Formats a time in the local time zone, as in `2026-11-23 18:04:09`. A record may have one that no `Date` can hold. */
export const localTime = (millis: number): string => {
  const at = new Date(Math.min(Math.max(millis, -mostMillis), mostMillis))
  const [month, day, hours, minutes, seconds] = [
    at.getMonth() + 1,
    at.getDate(),
    at.getHours(),
    at.getMinutes(),
    at.getSeconds()
  ].map((part) => String(part).padStart(2, "0"))
  return `${at.getFullYear()}-${month}-${day} ${hours}:${minutes}:${seconds}`
}
