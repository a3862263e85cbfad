/** Text of unknown origin in pages and pictures. */
import { clean, oneLine } from "../../../internal/text/fit.ts"

/**
 * What changes the direction of the text around it
 * (https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings): by it, the name of a step could make what
 * stands beside it read otherwise. Text in Arabic or Hebrew needs none of it.
 */
const directions = /[\u202a-\u202e\u2066-\u2069]/g

/** No XML document may hold them (https://www.w3.org/TR/xml/#charsets), and `clean` leaves them. */
const noncharacters = /[\ufffe\uffff]/g

const harmless = (text: string): string => text.replace(directions, "").replace(noncharacters, "")

/** On one line. */
export const line = (text: string): string => harmless(oneLine(text))

/** On as many lines as it has. */
export const lines = (text: string): string => harmless(clean(text))

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;" }

/** For HTML and XML, in elements and in attributes. */
export const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? "")

/** For a script element, which ends at `</script` and has rules of its own after `<!--`: it has no `<` then. */
export const jsonInHtml = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
