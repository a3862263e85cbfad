/** Time limits, of hooks and of bodies. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { formatDuration } from "../text/duration.ts"
import { frameless } from "../text/frameless.ts"
import { shown } from "../text/shown.ts"

/** The limit that was asked for last: most hooks have the same, and converting it takes as long as a step. */
let last: { readonly input: Duration.Input; readonly limit: number | undefined } | undefined

/** Returns a time limit in milliseconds, or `undefined` where the input is no duration or is negative. */
export const limitMillis = (input: Duration.Input): number | undefined => {
  if (last === undefined || last.input !== input) last = { input, limit: toLimit(input) }
  return last.limit
}

const toLimit = (input: Duration.Input): number | undefined => {
  const duration = Option.getOrUndefined(Duration.fromInput(input))
  return duration === undefined || hasNaN(input) || Duration.isNegative(duration)
    ? undefined
    : Duration.toMillis(duration)
}

/** Whether a part of a duration is no number: effect takes that for 0. */
const hasNaN = (input: Duration.Input): boolean =>
  typeof input === "object" && !Duration.isDuration(input)
    ? Object.values(input).some(Number.isNaN)
    : Number.isNaN(input)

/**
 * Makes the error of a step, a run or a hook that exceeded its limit, in milliseconds. `running` names the steps that were
 * running then: a field of the error, which alerts, records and logs show as those of any error.
 */
export const exceeded = (what: string, limit: number, running?: string): Cause.TimeoutError => {
  const error = frameless(new Cause.TimeoutError(`${what} exceeded its time limit of ${formatDuration(limit)}`))
  return running === undefined || running === "" ? error : Object.assign(error, { running })
}

/** Returns the mistake in a time limit, in words, or an empty list. */
export const limitMistakes = (of: string, input: Duration.Input): ReadonlyArray<string> =>
  timeMistakes(`the time limit of ${of}`, input)

/** Returns the mistake in a time, in words, or an empty list. */
export const timeMistakes = (what: string, input: Duration.Input): ReadonlyArray<string> =>
  limitMillis(input) === undefined
    ? [`${what} must be a duration that is not negative, such as "5 seconds", got ${shown(input)}`]
    : []
