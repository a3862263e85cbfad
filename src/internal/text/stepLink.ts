/** Makes the fragment of an address that leads to a step on the page of its run. */
import { fitEnd, oneLine } from "./fit.ts"

/** The longest name of a step on the page of its run, in UTF-16 code units. */
export const longestName = 500

/** Returns the name of a step as the page of its run shows it. */
export const shownName = (text: string): string => fitEnd(oneLine(text), longestName)

/** The longest fragment. Channels take addresses of about 2,000 characters. */
const longest = 1500

/** Encodes also what ends a link in Markdown and in the markup of chats. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/**
 * Returns the fragment, as in `#step=load/fetch%5B7%5D`, or nothing for a path that is too long. `labels` are the names of
 * the path with their keys. `nth` tells steps with the same path apart, from 1.
 */
export const stepFragment = (labels: ReadonlyArray<string>, nth = 1): string => {
  if (labels.length === 0 || labels.length > longest) return ""
  const fragment = `#step=${labels.map((label) => encode(shownName(label))).join("/")}${nth === 1 ? "" : `&nth=${nth}`}`
  return fragment.length > longest ? "" : fragment
}
