/** Formats times for the reader's time zone and language. */
import { h } from "./dom.ts"

const format = (options: Intl.DateTimeFormatOptions): (millis: number) => string => {
  const formatter = new Intl.DateTimeFormat(undefined, options)
  return (millis) => {
    // the edge of a chart may be a time that a Date can't hold
    try {
      return formatter.format(millis)
    } catch {
      return String(millis)
    }
  }
}

const long = format({ dateStyle: "medium", timeStyle: "medium" })
const precise = format({ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 })
const seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" })
const minutes = format({ hour: "2-digit", minute: "2-digit" })
const days = format({ month: "short", day: "numeric" })
export const date = format({ dateStyle: "medium" })

const offsets = format({ hour: "2-digit", minute: "2-digit", timeZoneName: "shortOffset" })

/**
 * Labels a mark of the axis, as exact as marks at a distance of `step` need it. Where the clock `isSet` among the marks,
 * labels of hours have the offset from UTC, as one hour is there twice or not at all.
 */
export const tickLabel = (millis: number, step: number, isSet = false): string =>
  (step < 1000 ? precise : step < 60_000 ? seconds : step >= 86_400_000 ? days : isSet ? offsets : minutes)(millis)

const utc = (millis: number): string => new Date(millis).toISOString()

/** Makes an element with a time in the reader's time zone, and in UTC in its title. */
export const timeElement = (millis: number, exact = false): HTMLTimeElement =>
  h("time", { datetime: utc(millis), title: utc(millis) }, exact ? precise(millis) : long(millis))

export const zoneName = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

/** Returns how far the reader's clock is ahead of UTC at a time, in milliseconds. */
export const offset = (millis: number): number => -new Date(millis).getTimezoneOffset() * 60_000 || 0
