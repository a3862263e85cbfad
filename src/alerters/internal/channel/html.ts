/** Makes links and indents of HTML. */
import { escapeHtml } from "../../../internal/text/html.ts"

/** Makes a link of HTML. */
export const anchor = (html: string, url: string): string => `<a href="${escapeHtml(url)}">${html}</a>`

/** Replaces the spaces of indents by non-breaking ones, since browsers collapse several spaces into one. */
export const indented = (text: string): string =>
  text.replace(/^[ \t]+/gm, (indent) => indent.replace(/\t/g, "    ").replace(/ /g, "\u00a0"))
