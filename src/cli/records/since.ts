/** Times on the command line: how long ago, or when. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

const units: Readonly<Record<string, string>> = { s: "seconds", m: "minutes", h: "hours", d: "days", w: "weeks" }

const short = /^(\d+(?:\.\d+)?)\s*([smhdw])$/
const long = /^\d+(?:\.\d+)? (?:milli|second|minute|hour|day|week)s?$/
const date = /^\d{4}-\d\d-\d\d$/
const time = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?$/

/** In milliseconds since 1970. A date, and a time without a zone, are of the zone of who asks. */
export const sinceOf = (text: string, now: number): number | undefined => {
  const [, count, unit = ""] = short.exec(text) ?? []
  const ago = count === undefined ? text : `${count} ${units[unit]}`
  if (long.test(ago)) {
    // a cast, since the pattern is narrower than the type
    const duration = Option.getOrUndefined(Duration.fromInput(ago as Duration.Input))
    return duration === undefined ? undefined : now - Duration.toMillis(duration)
  }
  // of a date alone, JavaScript takes that of UTC
  const millis = date.test(text)
    ? Date.parse(`${text}T00:00`)
    : time.test(text)
    ? Date.parse(text.replace(" ", "T"))
    : NaN
  return Number.isNaN(millis) ? undefined : millis
}

/** As in `2026-11-23 18:04:09`, of the zone of who reads it. */
export const localTime = (millis: number): string => {
  const at = new Date(millis)
  const [month, day, hours, minutes, seconds] = [
    at.getMonth() + 1,
    at.getDate(),
    at.getHours(),
    at.getMinutes(),
    at.getSeconds()
  ].map((part) => String(part).padStart(2, "0"))
  return `${at.getFullYear()}-${month}-${day} ${hours}:${minutes}:${seconds}`
}
