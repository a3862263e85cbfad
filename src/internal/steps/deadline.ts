/** Times of day by which runs have to end. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { watching } from "../engine/overdue.ts"
import { unknownMistakes } from "../model/options.ts"
import { type Deadline, everyMistakes, type OverdueOptions, toMillis } from "../model/overdue.ts"
import type { PipelineOwner } from "../model/owner.ts"
import { shown } from "../text/shown.ts"
import { combinator } from "./combinator.ts"
import { isPipeline, modify, withMistakes } from "./step.ts"

/**
 * Options of `Pipeline.deadline`.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeadlineOptions extends OverdueOptions {
  /** The time zone of the time: a name such as `"Europe/Berlin"`, or an offset such as `"+02:00"`. The machine's unless set. */
  readonly timeZone?: DateTime.TimeZone | string | undefined
}

interface TimeOfDay {
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const clockOf = (text: string): TimeOfDay | undefined => {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(String(text))
  if (match === null) return undefined
  const [hour, minute, second = 0] = match.slice(1).map((part) => Number(part ?? 0))
  return { hour: hour!, minute: minute!, second }
}

const zoneOf = (zone: DateTime.TimeZone | string | undefined): DateTime.TimeZone | undefined =>
  zone === undefined
    ? DateTime.zoneMakeLocal()
    : typeof zone === "string"
    ? Option.getOrUndefined(DateTime.zoneFromString(zone))
    : zone

/**
 * Returns a function from a time, in milliseconds, to the first such time of day after it.
 *
 * Where clocks are put back, a time of the repeated hour comes twice. Where they are put forward, a time of the skipped
 * hour is an hour later by the clock.
 */
const nextTimeOfDay = (time: TimeOfDay, timeZone: DateTime.TimeZone) => (millis: number): DateTime.Zoned => {
  const { day, month, year } = DateTime.toParts(DateTime.makeZonedUnsafe(millis, { timeZone }))
  // a calendar date, held in UTC so that a change of clocks does not affect the addition of days
  const today = DateTime.makeUnsafe({ year, month, day })
  for (let days = 0;; days++) {
    const { day, month, year } = DateTime.toPartsUtc(DateTime.add(today, { days }))
    // of a time that comes twice, the first and the second; of others the same instant
    for (const disambiguation of ["compatible", "later"] as const) {
      const at = DateTime.makeZonedUnsafe({ year, month, day, ...time }, {
        timeZone,
        adjustForTimeZone: true,
        disambiguation
      })
      if (DateTime.toEpochMillis(at) > millis) return at
    }
  }
}

/** Makes a deadline, or returns the mistakes in it, in words. */
export const makeDeadline = (time: string, options: DeadlineOptions = {}): Deadline | ReadonlyArray<string> => {
  const { every, timeZone } = options
  const zone = zoneOf(timeZone)
  const clock = clockOf(time)
  const mistakes = [
    ...(clock === undefined
      ? [`its deadline must be a time of day such as "06:00", got ${shown(time)}`]
      : []),
    ...(zone === undefined
      ? [`the time zone of its deadline must be one such as "Europe/Berlin", got ${shown(timeZone)}`]
      : []),
    ...everyMistakes("its deadline", every),
    ...unknownMistakes("its deadline", options, { every, timeZone })
  ]
  return clock === undefined || zone === undefined || mistakes.length > 0
    ? mistakes
    : {
      next: nextTimeOfDay(clock, zone),
      text: `${time.trim()} ${DateTime.zoneToString(zone)}`,
      every: every === undefined ? undefined : toMillis({ after: 0, every }).every,
      watching
    }
}

/** @internal */
export const deadline: any = combinator(
  (args) => isPipeline(args[0]),
  (self: PipelineOwner, time: string, options?: DeadlineOptions): any => {
    const made = makeDeadline(time, options)
    return isMistaken(made)
      ? withMistakes(self, made)
      : modify(self, { overdue: { ...self.overdue, deadline: made } })
  }
)

/** @internal */
export const isMistaken = (made: Deadline | ReadonlyArray<string>): made is ReadonlyArray<string> => Array.isArray(made)
