/** Times as people read them. */
import * as DateTime from "effect/DateTime"

const formats = new Map<string, Intl.DateTimeFormat>()

const formatOf = (zone: DateTime.TimeZone): Intl.DateTimeFormat => {
  const timeZone = DateTime.zoneToString(zone)
  let format = formats.get(timeZone)
  if (format === undefined) {
    // Swedish writes dates as ISO 8601 does; the name of the zone is made below.
    format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" })
    formats.set(timeZone, format)
  }
  return format
}

/** As in `2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)`, or in UTC where the zone is none that is known. */
export const localTime = (at: DateTime.DateTime, zone: DateTime.TimeZone): string => {
  try {
    return inZone(at, zone)
  } catch {
    // A machine's `TZ` may be anything, and a zone may lead out of the years that a date can have.
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
