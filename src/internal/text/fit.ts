/** Text of unknown origin and length, made fit for a channel. */
import { joinLines } from "./redact.ts"

// ECMA-48 control sequences, as terminals know them: CSI, OSC and two-character ones. An OSC without its end
// is no more than two characters, or all that follows would be lost.
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const escapeSequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)|[ -~])/g

/** No channel shows control characters, and some refuse them. Line ends and tabs stay. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** Without terminal colours, control characters and halves of characters, with `\n` at line ends. */
export const clean = (text: string): string =>
  text.toWellFormed().replace(escapeSequences, "").replaceAll("\r\n", "\n").replaceAll("\r", "\n").replace(controls, "")

/** The same on one line. */
export const oneLine = (text: string): string => joinLines(clean(text)).trim()

/** How much of a limit a text takes. Never less than its length, and no less for more text. */
export type Size = (text: string) => number

/** UTF-16 code units: what JavaScript, and most limits of most channels, count. */
export const units: Size = (text) => text.length

const encoder = new TextEncoder()

/** Bytes of UTF-8. */
export const bytes: Size = (text) => encoder.encode(text).length

/** Whether cutting at an index would leave halves of a surrogate pair on each side. */
const splits = (text: string, index: number): boolean =>
  index > 0 && index < text.length && isHigh(text.charCodeAt(index - 1)) && isLow(text.charCodeAt(index))

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

const start = (text: string, length: number): string => text.slice(0, splits(text, length) ? length - 1 : length)

const end = (text: string, length: number): string => {
  const from = text.length - length
  return text.slice(splits(text, from) ? from + 1 : from)
}

/** The longest that fits of what `cut` makes of a text, given how much of it to keep. */
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
 * A text of at most `limit`, of which the middle is left out if need be: a stack trace
 * begins with what went wrong and ends with where it began. It says how much is
 * missing, in UTF-16 code units.
 */
export const fitMiddle = (text: string, limit: number, size: Size = units): string =>
  longest(text, limit, size, (kept) => {
    const head = start(text, Math.ceil(kept / 2))
    const tail = end(text, Math.floor(kept / 2))
    return `${head}\n… ${text.length - head.length - tail.length} characters left out …\n${tail}`
  })

/** A text of at most `limit`, of which the end is left out if need be, with an ellipsis in its place. */
export const fitEnd = (text: string, limit: number, size: Size = units): string =>
  longest(text, limit, size, (kept) => `${start(text, kept).trimEnd()}…`)
