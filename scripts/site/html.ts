/** Text as HTML, highlighted code, and addresses relative to a page. */
import hljs from "highlight.js"
import { posix } from "node:path"

export const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;" })[character]!)

/** Returns the text of HTML, without its tags. */
export const textOf = (html: string): string =>
  html.replace(/<[^>]*>/g, "").replace(
    /&(lt|gt|quot|amp|#39);/g,
    (_, name: string) => ({ lt: "<", gt: ">", quot: "\"", amp: "&", "#39": "'" })[name]!
  )

/** Returns code as HTML, in which the parts have classes by their kind. Code of an unknown language is shown as it is. */
export const highlighted = (code: string, language: string): string =>
  hljs.getLanguage(language) === undefined ? escape(code) : hljs.highlight(code, { language }).value

/** Returns a block of code, which the keyboard can scroll. */
export const codeBlock = (html: string): string => `<pre tabindex="0"><code>${html}</code></pre>\n`

/** Returns a signature, whose lines are wrapped where the page is narrow: it is read, not copied. */
export const signatureBlock = (html: string): string => `<pre class="signature"><code>${html}</code></pre>\n`

/** Returns the address of one file of the site as seen from another, so that the site works in any folder. */
export const relativeTo = (from: string, to: string): string => {
  const [path = "", hash] = to.split("#")
  const fragment = hash === undefined ? "" : `#${hash}`
  if (path === from && fragment !== "") return fragment
  return `${posix.relative(posix.dirname(from), path)}${fragment}`
}
