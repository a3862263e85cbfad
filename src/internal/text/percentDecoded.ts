/** Decodes percent-encoding. */

/** Returns decoded text, or the text itself where a `%` in it encodes nothing. */
export const percentDecoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
