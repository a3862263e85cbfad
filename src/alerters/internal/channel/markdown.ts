/** Makes Markdown of texts that others wrote, by CommonMark's rules (https://spec.commonmark.org/0.31.2/#backslash-escapes). */
import { parts } from "./links.ts"

/**
 * Escapes what is markup in CommonMark and in GitHub's tables and strikethrough. Angle brackets become entities: no `<` is
 * left for a server that looks for its own markup before Markdown.
 */
export const escapeMarkdown = (text: string): string =>
  text
    .replace(/\\/g, "\\\\")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    // braces, too, since Teams would format `{{DATE(…)}}`
    .replace(/[*_`~[\]()!|{]/g, "\\$&")
    // Without any end of a line in the white space: each of many U+2028 begins a line, which would reach to their end.
    .replace(/^([^\S\n\r\u2028\u2029]*)([-+#=])/gm, "$1\\$2")
    .replace(/^([^\S\n\r\u2028\u2029]*\d+)([.)])/gm, "$1\\$2")

/** Encodes what would end the address of a link. */
const target = (url: string): string =>
  url.replace(/[()<>\\\s|]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`)

/** Makes a link of Markdown. */
export const markdownLink = (label: string, url: string): string => `[${label}](${target(url)})`

/** Escapes a text by `escape`, and makes links of its first addresses: escaped, they would not be recognized. */
export const linkedMarkdown = (text: string, max: number, escape: (text: string) => string): string =>
  parts(text, max).map(({ text, url }) => url === undefined ? escape(text) : markdownLink(escape(text), url)).join("")
