/** Makes text of unknown origin safe for pages and pictures. */
import { clean, oneLine } from "../../../internal/text/fit.ts"

/**
 * Matches characters that change the direction of the text around them
 * (https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings): with them, the name of a step could reorder the
 * text beside it. Arabic and Hebrew text needs none of them.
 */
const directions = /[\u202a-\u202e\u2066-\u2069]/g

/** Matches characters that XML forbids (https://www.w3.org/TR/xml/#charsets) and that `clean` does not remove. */
const noncharacters = /[\ufffe\uffff]/g

const harmless = (text: string): string => text.replace(directions, "").replace(noncharacters, "")

/** Makes text safe, on one line. */
export const line = (text: string): string => harmless(oneLine(text))

/** Makes text safe, and keeps its lines. */
export const lines = (text: string): string => harmless(clean(text))

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;" }

/** Escapes text for HTML and XML, in elements and in attributes. */
export const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? "")

/**
 * Encodes JSON for a script element, without `<`: the element ends at `</script`, and `<!--` changes how it is parsed.
 */
export const jsonInHtml = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
