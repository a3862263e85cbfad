/** Times for people, with their zone. */
import * as DateTime from "effect/DateTime"

const formats = new Map<string, Intl.DateTimeFormat>()

const formatOf = (timeZone: string): Intl.DateTimeFormat => {
  let format = formats.get(timeZone)
  if (format === undefined) {
    const twoDigits = "2-digit"
    // Swedish formats dates like ISO 8601
    format = new Intl.DateTimeFormat("sv-SE", {
      timeZone,
      year: "numeric",
      month: twoDigits,
      day: twoDigits,
      hour: twoDigits,
      minute: twoDigits,
      second: twoDigits,
      timeZoneName: "longOffset"
    })
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
  const name = DateTime.zoneToString(zone)
  // as `2026-11-23 13:40:12 GMT+01:00`, with the sign that is no hyphen where it is negative
  const [date, time, offset = ""] = formatOf(name).format(DateTime.toEpochMillis(at)).split(" ")
  const utc = `UTC${offset.slice(3, 9).replace("\u2212", "-").replace("+00:00", "")}`
  return `${date} ${time} ${/^[+-]|^UTC$/.test(name) ? utc : `${name} (${utc})`}`
}

/** Formats a time in the zone of this machine. */
export const localTimeHere = (at: DateTime.DateTime): string => localTime(at, DateTime.zoneMakeLocal())
