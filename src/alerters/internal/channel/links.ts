/** Finds the addresses in a text that channels show as links. */

/** A part of a text. `url` is set for a link, whose text it is. */
export interface Part {
  readonly text: string
  readonly url: string | undefined
}

/** The longest address that is a link: browsers and mail clients cut longer ones. */
const longest = 2_000

/** The end of an address: a full stop, a bracket or a quote after it belongs to the sentence. */
const address = /\bhttps?:\/\/[^\s"'<>`]*[^\s"'<>`()[\]{}.,;:!?…]/g

/** Splits a text at its addresses. Only those of the web: others may start programs. */
export const parts = (text: string): ReadonlyArray<Part> => {
  const found: Array<Part> = []
  let from = 0
  for (const { 0: url, index } of text.matchAll(address)) {
    if (url.length > longest || URL.parse(url) === null) continue
    if (index > from) found.push({ text: text.slice(from, index), url: undefined })
    found.push({ text: url, url })
    from = index + url.length
  }
  return from < text.length ? [...found, { text: text.slice(from), url: undefined }] : found
}
