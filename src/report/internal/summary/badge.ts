/** Draws a badge: the name of a pipeline, and how its last run ended. */
import { width } from "../../../internal/text/columns.ts"
import { fitEnd } from "../../../internal/text/fit.ts"
import { palettes } from "../timeline/colors.ts"
import { escape, line } from "../timeline/text.ts"

/** @internal */
export interface Badge {
  readonly label: string
  readonly message: string
  readonly color: "success" | "failure" | "interrupt" | "skip" | "cut"
}

const longest = 60

/** The average width of a character of 11 px Verdana, as most badges have it; `textLength` fits the text to it. */
const characterWidth = 6.6

const room = (text: string): number => Math.ceil(width(text) * characterWidth)

/** @internal */
export const badge = ({ color, ...texts }: Badge): string => {
  const label = fitEnd(line(texts.label), longest)
  const message = fitEnd(line(texts.message), longest)
  const left = room(label) + 12
  const right = room(message) + 12
  const title = escape(`${label}: ${message}`)
  const text = (text: string, x: number) =>
    `<text x="${x}" y="14" textLength="${room(text)}" lengthAdjust="spacingAndGlyphs">${escape(text)}</text>`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${
    left + right
  }" height="20" role="img" aria-label="${title}">` +
    `<title>${title}</title>` +
    `<clipPath id="r"><rect width="${left + right}" height="20" rx="3"/></clipPath>` +
    `<g clip-path="url(#r)"><rect width="${left}" height="20" fill="#444d56"/>` +
    `<rect x="${left}" width="${right}" height="20" fill="${palettes.light[color]}"/></g>` +
    `<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">` +
    `${text(label, 6)}${text(message, left + 6)}</g></svg>\n`
}
