/** The words of an alerter, for the hooks and the policies around it. */
import * as Context from "effect/Context"
import { hasProperty } from "effect/Predicate"
import { english, type Words } from "../text/alertWords.ts"
import type { Posting } from "./settling.ts"

const Key: unique symbol = Symbol.for("effect-epilogue/Alerter/Words")

/** The words with which alerters are built. Hooks ask the alerter first. */
export const CurrentWords: Context.Reference<Words> = Context.Reference<Words>("effect-epilogue/Alerter/Words", {
  defaultValue: () => english
})

/** Returns the alerter with the words that hooks and policies around it are to use. */
export const inWords = (alerter: Posting, words: Words | undefined): Posting =>
  words === undefined ? alerter : Object.assign({}, alerter, { [Key]: words })

/** Returns the words of an alerter, or `undefined` for one that has none of its own. */
export const wordsOf = (alerter: Posting): Words | undefined =>
  // a cast: only `inWords` sets the property
  hasProperty(alerter, Key) ? alerter[Key] as Words : undefined

/** Returns whether two tables have the same words. */
export const isSame = (a: Words, b: Words): boolean => {
  const others = new Map(Object.entries(b))
  return Object.entries(a).every(([key, word]) => others.get(key) === word)
}

/** Merges a part of a table over a whole one. */
export const merged = (words: Words, part: Partial<Words>): Words => {
  const set = Object.entries(part).filter(([, word]) => word !== undefined)
  return set.length === 0 ? words : { ...words, ...Object.fromEntries(set) }
}
