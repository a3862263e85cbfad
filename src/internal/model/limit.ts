/** Time limits, of hooks and of bodies. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { formatDuration } from "../text/duration.ts"

/** Returns a time limit in milliseconds, or `undefined` where the input is no duration or is negative. */
export const limitMillis = (input: Duration.Input): number | undefined => {
  const duration = Option.getOrUndefined(Duration.fromInput(input))
  return duration === undefined || Number.isNaN(input) || Duration.isNegative(duration)
    ? undefined
    : Duration.toMillis(duration)
}

/** Makes the error of a step or a hook that exceeded its limit, in milliseconds. */
export const exceeded = (what: string, limit: number): Cause.TimeoutError =>
  new Cause.TimeoutError(`${what} exceeded its time limit of ${formatDuration(limit)}`)

/** Returns the mistake in a time limit, in words, or an empty list. */
export const limitMistakes = (of: string, input: Duration.Input): ReadonlyArray<string> =>
  limitMillis(input) === undefined
    ? [`the time limit of ${of} must be a duration that is not negative, got ${JSON.stringify(input)}`]
    : []
