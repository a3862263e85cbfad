/** Says that something is overdue, in alerts, in progress and in charts. */
import { formatDuration } from "./duration.ts"

/**
 * Returns what is overdue, as a predicate: `is still running after 10 min`, `has not ended by 06:00 Europe/Berlin`.
 * `deadline` is a time in ISO 8601, with its zone.
 */
export const overdueText = (elapsedMillis: number, deadline?: string | undefined): string =>
  deadline === undefined
    ? stillRunning(formatDuration(elapsedMillis))
    : notEndedBy(deadlineText(deadline))

/** @internal */
export const stillRunning = (duration: string): string => `is still running after ${duration}`

/** @internal */
export const notEndedBy = (time: string): string => `has not ended by ${time}`

/** Says at which limit something was overdue: `overdue after 10 min`, `overdue at 06:00 Europe/Berlin`. */
export const limitText = (limitMillis: number, deadline?: string | undefined): string =>
  deadline === undefined ? `overdue after ${formatDuration(limitMillis)}` : `overdue at ${deadlineText(deadline)}`

/** Returns the time of day of a deadline and its zone: `06:00 Europe/Berlin`. */
export const deadlineText = (deadline: string): string => {
  const [, time, seconds, offset, zone] =
    /^[\d+-]+T(\d\d:\d\d)(:\d\d)?(?:\.\d{3})?(Z|[+-]\d\d:\d\d)?(?:\[([^\]]*)\])?$/.exec(deadline) ?? []
  if (time === undefined) return deadline
  const shown = seconds === undefined || seconds === ":00" ? time : `${time}${seconds}`
  return `${shown} ${zone ?? (offset === undefined || offset === "Z" || offset === "+00:00" ? "UTC" : offset)}`
}
