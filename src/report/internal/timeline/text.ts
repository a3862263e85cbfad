/** Makes text of unknown origin safe for pages and pictures. */
import { clean, oneLine } from "../../../internal/text/fit.ts"

/** Makes text safe, on one line. `clean` leaves no character that XML forbids (https://www.w3.org/TR/xml/#charsets). */
export const line = oneLine

/** Makes text safe, and keeps its lines. */
export const lines = clean

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
