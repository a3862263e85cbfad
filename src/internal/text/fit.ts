/** Cleans text of unknown origin, and cuts it to the limits of a channel. */
import { plain, replaceUnprintable } from "./printable.ts"
import { joinLines } from "./words.ts"

// ECMA-48 control sequences that terminals interpret: CSI, OSC and two-character ones. Of an OSC without an end only
// two characters match: otherwise all text after it would be lost.
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const escapeSequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)|[ -~])/g

/**
 * Removes what a channel does not show, or would obey: escape sequences, control characters, controls of the direction
 * of text, characters without a shape. All line ends become `\n`, and tabs stay. Terminals and logs show these
 * characters instead: see `printable.ts`.
 */
export const clean = (text: string): string =>
  plain.test(text)
    ? text
    : replaceUnprintable(
      text.toWellFormed().replace(escapeSequences, "").replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n"),
      () => ""
    )

/** Cleans a text and joins its lines. */
export const oneLine = (text: string): string => joinLines(clean(text)).trim()

/** Measures a text by the unit of a limit. Never less than its length, and monotonic: more text is never less. */
export type Size = (text: string) => number

/** Counts UTF-16 code units, as JavaScript does, and most limits of most channels. */
export const units: Size = (text) => text.length

const encoder = new TextEncoder()

/** Counts bytes of UTF-8. */
export const bytes: Size = (text) => encoder.encode(text).length

/** Whether a cut at an index would split a surrogate pair. */
const splits = (text: string, index: number): boolean =>
  index > 0 && index < text.length && isHigh(text.charCodeAt(index - 1)) && isLow(text.charCodeAt(index))

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

const start = (text: string, length: number): string => text.slice(0, splits(text, length) ? length - 1 : length)

const end = (text: string, length: number): string => {
  const from = text.length - length
  return text.slice(splits(text, from) ? from + 1 : from)
}

/** Returns the longest result of `cut` within the limit, found by bisecting the number of code units that it keeps. */
const longest = (text: string, limit: number, size: Size, cut: (kept: number) => string): string => {
  if (text.length <= limit && size(text) <= limit) return text
  let low = 0
  let high = Math.min(text.length, Math.max(0, limit))
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (size(cut(middle)) <= limit) low = middle
    else high = middle - 1
  }
  const fitting = cut(low)
  return size(fitting) <= limit ? fitting : ""
}

/**
 * Cuts a text to the limit by leaving out its middle, and says how many UTF-16 code units
 * are missing. For stack traces: they begin with the error and end with its origin.
 */
export const fitMiddle = (text: string, limit: number, size: Size = units): string =>
  longest(text, limit, size, (kept) => {
    const head = start(text, Math.ceil(kept / 2))
    const tail = end(text, Math.floor(kept / 2))
    return `${head}\n… ${text.length - head.length - tail.length} characters left out …\n${tail}`
  })

/** Returns whether a text that was fitted is cut at an index: whether a note or an ellipsis stands for what followed. */
export const isCutAt = (text: string, index: number): boolean => cut.test(text.slice(index, index + 60))

const cut = /^[()[\]{}.,;:!?]*(?:…|\n… \d+ characters left out …\n)/

/** Cuts a text to the limit by replacing its end with an ellipsis. */
export const fitEnd = (text: string, limit: number, size: Size = units): string =>
  longest(text, limit, size, (kept) => `${start(text, kept).trimEnd()}…`)
