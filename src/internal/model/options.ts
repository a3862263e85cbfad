/** Checks options that are numbers or durations: NaN, as of a variable that is not set, would be taken for 0 or for ever. */
import type * as Duration from "effect/Duration"
import { shown } from "../text/shown.ts"
import { limitMillis, timeMistakes } from "./limit.ts"

/** Mistakes in options, in words. Empty for options without any. */
type Mistakes = ReadonlyArray<string>

const none: Mistakes = []

/** Returns the mistake in a number that has to be whole. With a `most` of `Infinity` it may be infinite. */
export const wholeMistakes = (
  what: string,
  value: number | undefined,
  least: number,
  most = Number.MAX_SAFE_INTEGER
): Mistakes => {
  if (value === undefined || ((Number.isInteger(value) || value === Infinity) && value >= least && value <= most)) {
    return none
  }
  const range = most === Infinity
    ? `from ${least} on, or Infinity`
    : most === Number.MAX_SAFE_INTEGER
    ? `from ${least} on`
    : `from ${least} to ${most}`
  return [`${what} must be a whole number ${range}, got ${shown(value)}`]
}

/**
 * Returns the names of options that do not exist. JavaScript lets them through, and so does a cast; a misspelt one would
 * do nothing, in silence. An object of a class, such as a schedule, may have more than its options.
 */
export const unknownNames = (options: unknown, known: Readonly<Record<string, unknown>>): ReadonlyArray<string> =>
  // a null has no prototype to ask for
  Object.getPrototypeOf(options ?? 0) === Object.prototype
    ? Object.keys(options ?? 0).filter((key) => !Object.hasOwn(known, key))
    : none

/** Returns the mistake in options that do not exist. */
export const unknownMistakes = (what: string, options: unknown, known: Readonly<Record<string, unknown>>): Mistakes => {
  const unknown = unknownNames(options, known)
  return unknown.length === 0
    ? none
    : [`${what} has no option ${unknown.map(shown).join(", ")}, only ${Object.keys(known).join(", ")}`]
}

/** Returns the mistakes in priorities by severity. */
export const priorityMistakes = (
  priorities: Readonly<Record<string, number | undefined>> | undefined,
  least: number,
  most: number
): Mistakes =>
  Object.entries(priorities ?? {}).flatMap(([severity, priority]) =>
    wholeMistakes(`the priority of ${severity}`, priority, least, most)
  )

/** Returns the mistake in a number that has to be above 0, or from 0 on. */
export const numberMistakes = (what: string, value: number | undefined, least: 0 | "above 0"): Mistakes =>
  value === undefined || (typeof value === "number" && (least === 0 ? value >= 0 : value > 0))
    ? none
    : [`${what} must be a number ${least === 0 ? "from 0 on" : least}, got ${shown(value)}`]

/** Returns the mistake in a duration that must not be negative. */
export const durationMistakes = (what: string, input: Duration.Input | undefined): Mistakes =>
  input === undefined ? none : timeMistakes(what, input)

/** Returns the mistake in a duration that has to be finite, and above 0 unless `orZero`. */
export const spanMistakes = (what: string, input: Duration.Input | undefined, orZero = false): Mistakes => {
  if (input === undefined) return none
  const millis = limitMillis(input) ?? NaN
  return millis < Infinity && (orZero ? millis >= 0 : millis > 0)
    ? none
    : [`${what} must be a finite duration ${orZero ? "from 0 on" : "above 0"}, got ${shown(input)}`]
}

const retryOptions = { times: 0, schedule: 0, while: 0, until: 0 }

/** Returns the mistakes in a policy of retries: with a wrong one the attempts would never end. A schedule has no `times`. */
export const retryMistakes = (what: string, policy: unknown): Mistakes =>
  typeof policy === "function"
    ? none
    : typeof policy === "object" && policy !== null
    ? [
      // a cast: whatever it is, it is checked to be a number
      ...wholeMistakes(`the times of ${what}`, (policy as { readonly times?: number }).times, 0, Infinity),
      ...unknownMistakes(what, policy, retryOptions)
    ]
    : [`${what} must be a Schedule, or options such as { times: 3 }, got ${shown(policy)}`]

/** Throws where there are mistakes in the options of a function or a layer. */
export const refuse = (of: string, ...mistakes: ReadonlyArray<Mistakes>): void => {
  const all = mistakes.flat()
  if (all.length > 0) throw new TypeError(`${of}: ${all.join("; ")}`)
}

/**
 * Returns options, all of which exist; throws otherwise. `known` has each of their names, which the compiler demands.
 * `what` names options that are within others.
 */
export const checked = <O extends object>(
  of: string,
  options: O,
  known: Readonly<Record<keyof O, 0>>,
  what = "it"
): O => {
  refuse(of, unknownMistakes(what, options, known))
  return options
}
