/**
 * Checks options, since Bun, Deno and Node check no types: a variable that is not set is `undefined`, and as a number NaN,
 * which would be taken for 0 or for ever.
 */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import { shown } from "../text/shown.ts"
import { limitMillis, timeMistakes } from "./limit.ts"

/** Mistakes in options, in words. Empty for options without any. */
type Mistakes = ReadonlyArray<string>

const none: Mistakes = []

/** Returns the mistakes in an option whose type is `A`. */
export interface Check<A> {
  (what: string, value: A): Mistakes
  /** Never there. Without it, the check of an option that need not be set would do for one that must be. */
  readonly of?: (value: A) => A
}

/**
 * The names of options, each with its check. The compiler demands one for each option that has to be set, and for texts
 * and secrets. 0 is for others that are checked elsewhere.
 */
export type Known<Options> = {
  readonly [K in keyof Options]-?: {} extends Pick<Options, K> ? string extends Options[K] ? Check<Options[K]>
    : Redacted.Redacted<string> extends Options[K] ? Check<Options[K]>
    : Check<Options[K]> | 0
    : Check<Options[K]>
}

/** The names of options, all of which are checked elsewhere. */
type Names<Options> = Readonly<Record<keyof Options, 0>>

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

/** Checks a whole number from 1 on. */
export const fromOne: Check<number | undefined> = (what, value) => wholeMistakes(what, value, 1)

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

/** Checks a text. */
export const text: Check<string> = (what, value: unknown) =>
  typeof value === "string" && value.trim() !== ""
    ? none
    : [`${what} must be a text that is not empty, got ${value ? typeof value : shown(value)}`]

/** Checks a text, or a list of texts. */
export const texts: Check<string | ReadonlyArray<string>> = (what, value: unknown) =>
  Array.isArray(value) && value.length > 0
    ? value.flatMap((one) => text(`each of ${what}`, one))
    : typeof value === "string"
    ? text(what, value)
    : [`${what} must be a text, or a list of texts that is not empty, got ${typeof value}`]

/** Checks a text that need not be set. An empty one is that of a variable that is set to nothing. */
export const optionalText: Check<string | undefined> = (what, value) =>
  value === undefined || value === "" ? none : text(what, value)

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
 * Returns options that are right by their checks; throws where one does not exist, is missing, or of another kind. `what`
 * names options that are within others.
 */
export const checked = <O extends object>(of: string, options: O, known: Known<O> | Names<O>, what = "it"): O => {
  refuse(
    of,
    unknownMistakes(what, options, known),
    // casts, since the compiler has no type for a pair of an option and its own check
    Object.entries(known as Readonly<Record<string, Check<never> | 0>>).flatMap(([name, check]) =>
      check === 0 ? none : check(name, options?.[name as keyof O] as never)
    )
  )
  return options
}
