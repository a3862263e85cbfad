/** Makes the fragment of an address that leads to a step on the page of its run. */

/** The longest fragment. Channels take addresses of about 2,000 characters. */
const longest = 1500

/** Encodes also what ends a link in Markdown and in the markup of chats. */
const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`)

/**
 * Returns the fragment, as in `#step=load/fetch%5B7%5D`, or nothing for a path that is too long. `labels` are the names of
 * the path with their keys.
 */
export const stepFragment = (labels: ReadonlyArray<string>): string => {
  // before a path of thousands of names is encoded
  const fragment = labels.length > longest ? "" : labels.map(encode).join("/")
  return fragment === "" || fragment.length > longest ? "" : `#step=${fragment}`
}
