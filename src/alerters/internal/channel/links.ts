/** Finds the addresses in a text that channels show as links. */
import { isCutAt } from "../../../internal/text/fit.ts"

/** A part of a text. `url` is set for a link, whose text it is. */
interface Part {
  readonly text: string
  readonly url: string | undefined
}

/** The longest address that is a link: browsers and mail clients cut longer ones. */
const longest = 2_000

/** The end of an address: a full stop, a bracket or a quote after it belongs to the sentence. */
const address = /\bhttps?:\/\/[^\s"'<>`]*[^\s"'<>`()[\]{}.,;:!?…]/g

/**
 * Splits a text at its addresses, of which the first `max` are links. Only those of the web: others may start programs.
 * An address that was cut is no link, since it would lead elsewhere.
 */
export const parts = (text: string, max = Infinity): ReadonlyArray<Part> => {
  const found: Array<Part> = []
  let from = 0
  let links = 0
  for (const { 0: url, index } of text.matchAll(address)) {
    if (links >= max) break
    const end = index + url.length
    if (url.length > longest || isCutAt(text, end) || URL.parse(url) === null) continue
    if (index > from) found.push({ text: text.slice(from, index), url: undefined })
    found.push({ text: url, url })
    from = end
    links++
  }
  return from < text.length ? [...found, { text: text.slice(from), url: undefined }] : found
}

const maxLines = 5
const maxLinesText = 400

/** Encodes what would be markup or a mention beside an address that is not in code. */
export const encodedUrl = (url: string): string =>
  url.replace(/[@|[\]()*~!$\\^{}]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/** Returns the first addresses of the texts, on a line each: in code they are no links. */
export const linkLines = (texts: ReadonlyArray<string>): string => {
  const urls = texts.flatMap((text) => parts(text, maxLines)).flatMap(({ url }) => url === undefined ? [] : [url])
  const found = new Set<string>()
  let room = maxLinesText
  for (const url of urls) {
    const link = encodedUrl(url)
    // in the part before the host an `@` can't be encoded
    if (URL.parse(url)?.username !== "" || found.has(link) || found.size === maxLines) continue
    room -= link.length + 1
    if (room < 0) break
    found.add(link)
  }
  return [...found].join("\n")
}
