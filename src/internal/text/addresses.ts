/** Finds addresses in text of unknown origin. */
import { decode, rangeOf, textOf, type View, viewOf } from "./decoded.ts"

type Range = readonly [start: number, end: number]

/** How many layers of encodings are decoded, as in `https%3A%2F%2F…` in JSON. */
const maxLayers = 3

/**
 * Replaces the addresses in a text of unknown origin, such as the message of a failed `fetch`: the URL of a webhook is
 * its password.
 *
 * **Details**
 *
 * An address is a URL, with or without its scheme; a host with a path; or `user:password@host`. It is found with
 * slashes escaped as in JSON, percent-encoded, and with HTML entities. Brackets and quotes are part of it unless it ends
 * with them. After a line end it goes on where it was cut within its path.
 */
export const withoutUrls = (message: string): string => {
  // nearly all messages: no address is written without one of these
  if (!/[/@\\%&]/.test(message)) return message
  const ranges: Array<Range> = []
  let view: View | undefined = viewOf(message)
  for (let layer = 0; view !== undefined && layer <= maxLayers; layer++) {
    for (const [start, end] of addressesIn(textOf(view))) ranges.push(rangeOf(view, start, end))
    view = decode(view)
  }
  ranges.sort(([a], [b]) => a - b)
  let shown = ""
  let at = 0
  for (const [start, end] of ranges) {
    if (start >= at) shown += `${message.slice(at, start)}<url>`
    at = Math.max(at, end)
  }
  return shown + message.slice(at)
}

/** Whether a character ends every address. */
const isEnd = (character: string | undefined): boolean =>
  character === undefined || character === "<" || character === ">" || /\s/.test(character)

/** Characters that end no address: a sentence or a bracket around it ends with them. */
const trailing = new Set("\"'`()[]{}.,;:!?")

/** Characters that begin no address. */
const leading = new Set("\"'`()[]{}=,;|")

/** Returns the ranges of the addresses in a text that is not encoded. */
const addressesIn = (text: string): ReadonlyArray<Range> => {
  const found: Array<Range> = []
  let at = 0
  while (at < text.length) {
    if (isEnd(text[at])) {
      at++
      continue
    }
    let end = at
    while (end < text.length && !isEnd(text[end])) end++
    const range = addressIn(text, at, end)
    if (range === undefined) {
      at = end
      continue
    }
    const [start, stop] = range
    const last = stop === end ? endOfNextLine(text, end) : stop
    found.push([start, last])
    at = Math.max(last, at + 1)
  }
  return found
}

/** Returns the range of the first address in a word, or `undefined`. */
const addressIn = (text: string, from: number, to: number): Range | undefined => {
  const word = text.slice(from, to)
  const start = startIn(word)
  if (start === undefined) return undefined
  let end = start
  // a quote that JSON continues after is none of the address
  while (end < word.length && !(word[end] === "\"" && /^[,\]}):;]/.test(word.slice(end + 1, end + 2)))) end++
  while (end > start && trailing.has(word[end - 1]!)) end--
  return [from + start, from + end]
}

const isSchemed = /[a-z][a-z0-9+.-]{0,30}$/i

/** A host as in DNS, an address of IPv4, or any name with a port, before a path. */
const hostWithPath =
  /^(?:(?:[a-z0-9_-]{1,63}\.){1,8}[a-z]{2,24}|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|[a-z][a-z0-9_-]{0,62}(?=:))(?::\d{1,5})?\/[^/]/i

/** Returns where an address begins in a word. */
const startIn = (word: string): number | undefined => {
  const slashes = word.indexOf("//")
  if (slashes >= 0) {
    const before = word.slice(Math.max(0, slashes - 32), slashes)
    const scheme = before.endsWith(":") ? isSchemed.exec(before.slice(0, -1)) : null
    if (scheme !== null) return slashes - 1 - scheme[0].length
    // relative to the protocol, and not a comment or a path with an empty part
    if ((slashes === 0 || leading.has(word[slashes - 1]!)) && /^[a-z0-9[]/i.test(word.slice(slashes + 2))) {
      return slashes
    }
  }
  let begins = true
  for (let i = 0; i < word.length; i++) {
    if (begins && hostWithPath.test(word.slice(i, i + 600))) return i
    begins = leading.has(word[i]!)
  }
  // user:password@host
  const sign = word.indexOf("@")
  const colon = word.indexOf(":")
  if (colon > 0 && sign > colon + 1 && /^[a-z0-9[]/i.test(word.slice(sign + 1))) {
    let start = colon
    while (start > 0 && !leading.has(word[start - 1]!)) start--
    return start
  }
  return undefined
}

/** Returns where an address ends that was cut at a line end within its path, or `end`. */
const endOfNextLine = (text: string, end: number): number => {
  if (!/[/=&?%_~-]/.test(text[end - 1] ?? "")) return end
  const next = /^[ \t]{0,40}\r?\n[ \t]{0,40}/.exec(text.slice(end, end + 90))
  if (next === null) return end
  let last = end + next[0].length
  while (last < text.length && !isEnd(text[last])) last++
  return last
}
