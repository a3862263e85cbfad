/** Times for people, with their zone. */
import * as DateTime from "effect/DateTime"

const formats = new Map<string, Intl.DateTimeFormat>()

const formatOf = (zone: DateTime.TimeZone): Intl.DateTimeFormat => {
  const timeZone = DateTime.zoneToString(zone)
  let format = formats.get(timeZone)
  if (format === undefined) {
    // Swedish formats dates like ISO 8601; `inZone` adds the name of the zone
    format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" })
    formats.set(timeZone, format)
  }
  return format
}

/** Formats a time as `2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)`, or in UTC if the zone is unknown. */
export const localTime = (at: DateTime.DateTime, zone: DateTime.TimeZone): string => {
  try {
    return inZone(at, zone)
  } catch {
    // the variable `TZ` may hold anything, and the offset of a zone may exceed the range of dates
    return DateTime.formatIso(at).replace("T", " ").replace(/(\.\d+)?Z$/, " UTC")
  }
}

const inZone = (at: DateTime.DateTime, zone: DateTime.TimeZone): string => {
  const zoned = DateTime.setZone(at, zone)
  const name = DateTime.zoneToString(zone)
  const offset = DateTime.formatIsoOffset(zoned).slice(-6).replace("Z", "")
  const utc = /^[+-]/.test(offset) && offset !== "+00:00" ? `UTC${offset}` : "UTC"
  const time = formatOf(zone).format(new Date(DateTime.toEpochMillis(at)))
  return /^[+-]|^UTC$/.test(name) ? `${time} ${utc}` : `${time} ${name} (${utc})`
}

/** Formats a time in the zone of this machine. */
export const localTimeHere = (at: DateTime.DateTime): string => localTime(at, DateTime.zoneMakeLocal())
