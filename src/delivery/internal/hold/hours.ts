/** Hours of the day in a time zone. */
import * as DateTime from "effect/DateTime"

/** Sunday first, as `DateTime` numbers them. */
export const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const

/** The options of {@link endOf}, before they are checked. */
interface Hours {
  readonly from: string
  readonly to: string
  readonly timeZone: DateTime.TimeZone
  readonly days: ReadonlyArray<(typeof weekdays)[number]>
}

interface Time {
  readonly hour: number
  readonly minute: number
}

const parseTime = (name: string, text: string, latest: "23:59" | "24:00"): Time => {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text)
  const time = { hour: Number(match?.[1]), minute: Number(match?.[2]) }
  const valid = match !== null && time.minute < 60 && minutesOf(time) <= (latest === "24:00" ? 1_440 : 1_439)
  if (!valid) throw new Error(`quietHours: "${name}" is "${text}", not a time between 00:00 and ${latest}`)
  return time
}

const minutesOf = ({ hour, minute }: Time): number => hour * 60 + minute

/**
 * Returns a function from a time to the end of the quiet hours that contain it, or to `undefined` outside of them.
 * The quiet hours of the next day may begin at that end. Throws if the options are invalid.
 *
 * Where clocks are put forward, hours that begin in the skipped hour begin an hour later by the clock. Where they are
 * put back, hours that end in the repeated hour end in its second run.
 */
export const endOf = ({ days, from, timeZone, to }: Hours): (now: number) => number | undefined => {
  const begin = parseTime("from", from, "23:59")
  const end = parseTime("to", to, "24:00")
  const overMidnight = minutesOf(end) < minutesOf(begin)
  const onDays = new Set(days.map((day) => weekdays.indexOf(day)))
  if (minutesOf(end) === minutesOf(begin)) throw new Error(`quietHours: "from" and "to" are both ${from}`)
  if (onDays.has(-1)) {
    throw new Error(`quietHours: "days" contains a value that is not a day of the week: ${days.join(", ")}`)
  }
  if (onDays.size === 7 && minutesOf(end) - minutesOf(begin) === 1_440) {
    throw new Error("quietHours: all hours of all days would be quiet")
  }

  const at = (date: DateTime.DateTime, days: number, { hour, minute }: Time, which: "compatible" | "later"): number => {
    const { day, month, year } = DateTime.toPartsUtc(DateTime.add(date, { days }))
    const zoned = DateTime.makeZonedUnsafe({ year, month, day, hour, minute }, {
      timeZone,
      adjustForTimeZone: true,
      disambiguation: which
    })
    return DateTime.toEpochMillis(zoned)
  }

  const find = (now: number): number | undefined => {
    const { day, month, year } = DateTime.toParts(DateTime.makeZonedUnsafe(now, { timeZone }))
    // A calendar date, held in UTC so that a change of clocks does not affect the addition of days.
    const today = DateTime.makeUnsafe({ year, month, day })
    for (const offset of [-1, 0]) {
      const date = DateTime.add(today, { days: offset })
      if (!onDays.has(DateTime.toPartsUtc(date).weekDay)) continue
      const until = at(date, overMidnight ? 1 : 0, end, "later")
      if (at(date, 0, begin, "compatible") <= now && now < until) return until
    }
    return undefined
  }

  // Each alert of a storm asks, and a date in a time zone takes longer than all else that is done for it. The answer is
  // the same for all of a minute.
  let last: { readonly minute: number; readonly end: number | undefined } | undefined
  return (now) => {
    const minute = Math.floor(now / 60_000)
    if (last?.minute !== minute) last = { minute, end: find(now) }
    return last.end
  }
}
