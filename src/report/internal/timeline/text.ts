/** Makes text of unknown origin safe for pages and pictures. */
import { clean, oneLine } from "../../../internal/text/fit.ts"
import { escapeHtml } from "../../../internal/text/html.ts"
import { printableJson } from "../../../internal/text/printable.ts"

/** Makes text safe, on one line. `clean` leaves no character that XML forbids (https://www.w3.org/TR/xml/#charsets). */
export const line = oneLine

/** Makes text safe, and keeps its lines. */
export const lines = clean

/**
 * Escapes text for HTML and XML, in elements and in attributes. Also escapes `##[`, which the runner of GitHub Actions
 * takes for a command where a page is printed to its log.
 */
export const escape = (text: string): string => escapeHtml(text).replaceAll("##[", "##&#91;")

/**
 * Encodes JSON for a script element, without `<`: the element ends at `</script`, and `<!--` changes how it is parsed.
 */
export const jsonInHtml = (value: unknown): string =>
  printableJson(JSON.stringify(value)).replace(
    /[<>&]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
