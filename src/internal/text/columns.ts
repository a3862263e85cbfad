/** Measures text on a terminal, and cuts lines to its width. */
import { printableLine } from "./printable.ts"
import { forLog } from "./writer.ts"

/** The style of a part of a line. Whether it becomes colours is decided where the line is drawn. */
export type Style = "plain" | "bold" | "dim" | "red" | "green" | "yellow" | "cyan"

/** @internal */
export type Segment = readonly [text: string, style: Style]

/** A line before it is cut and coloured. */
export type Line = ReadonlyArray<Segment>

/** No line has room for a longer label, which would be measured again with each frame. */
const longest = 1000

/** Makes a name or message printable as a part of one line, without spaces and line ends around it. */
export const label = (text: string): string => printableLine(text.slice(0, longest).trim())

// oxlint-disable-next-line no-control-regex -- a range that begins with the space
const ascii = /^[\u0020-\u007e]*$/

/**
 * Matches characters of two columns: what Unicode calls wide or fullwidth (UAX #11), and emoji, by blocks. Node has
 * such a function, but doesn't export it. The two letters of a flag, which have emoji presentation, take one column
 * each.
 */
const wide =
  /(?![\u{1f1e6}-\u{1f1ff}])\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d37f}\u{1f200}-\u{1f265}\u{1fa70}-\u{1faff}\u{20000}-\u{3fffd}]/u

/**
 * Matches characters of no column: combining ones, joiners, variation selectors, vowels and finals of decomposed
 * Hangul.
 */
const none = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u

/**
 * Returns how many columns a text takes on a terminal.
 *
 * **Details**
 *
 * Where terminals differ, it is the larger number, since a line that is taken for too short reaches beyond the edge:
 * the parts of a joined emoji are added up, as terminals that don't join them show them side by side; and a variation
 * selector makes a wide emoji of the character before it.
 *
 * `displayWidth` of `effect/cli` joins emoji, but takes letters with a spacing vowel, as in Hindi, Tamil, Bengali and
 * Khmer, for one column, where terminals show two.
 */
export const width = (text: string): number => {
  if (ascii.test(text)) return text.length
  let columns = 0
  let narrow = false
  for (const character of text) {
    if (character === "\ufe0f") {
      if (narrow) columns++
      narrow = false
    } else if (!none.test(character)) {
      narrow = !wide.test(character)
      columns += narrow ? 1 : 2
    }
  }
  return columns
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" })

/** Returns the beginning of a text, of at most `columns`. Never splits a grapheme. */
export const take = (text: string, columns: number): string => {
  if (ascii.test(text)) return text.slice(0, Math.max(0, columns))
  let taken = ""
  let left = columns
  for (const { segment } of graphemes.segment(text)) {
    left -= width(segment)
    if (left < 0) break
    taken += segment
  }
  return taken
}

const codes: Readonly<Record<Exclude<Style, "plain">, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39]
}

const paint = (text: string, style: Style, colors: boolean): string => {
  if (!colors || style === "plain" || text === "") return text
  const [on, off] = codes[style]
  return `\u001b[${on}m${text}\u001b[${off}m`
}

/** A text as a terminal shows it, and how many columns it takes. */
export interface Fitted {
  readonly text: string
  readonly width: number
}

/** The most texts that are kept with what they are shown as, and the longest. */
const maxKept = 500
const longestKept = 100

/** The texts with other characters than those of ASCII that were shown: most are signs and the trunks of trees. */
const kept = new Map<string, Fitted>()

/** Returns a text as it is printed on one line. */
const printed = (text: string): Fitted => {
  const known = kept.get(text)
  if (known !== undefined) return known
  const line = printableLine(text)
  const shown = { text: line, width: width(line) }
  if (text.length <= longestKept) {
    if (kept.size === maxKept) kept.clear()
    kept.set(text, shown)
  }
  return shown
}

/** As {@link printed}, and harmless to the runner of GitHub Actions. */
const show = (text: string): Fitted => {
  // one test in place of those that make a text printable, and measure it
  const shown = ascii.test(text) ? { text, width: text.length } : printed(text)
  const safe = forLog(shown.text)
  return safe === shown.text ? shown : { text: safe, width: width(safe) }
}

/** Makes a line printable, cuts it to at most `columns`, with an ellipsis at the end, and colours it. */
export const fit = (segments: Line, columns: number, colors: boolean): Fitted => {
  let text = ""
  let total = 0
  for (const [part, style] of segments) {
    const shown = show(part)
    total += shown.width
    if (total > columns) return cut(segments, columns, colors)
    text += paint(shown.text, style, colors)
  }
  return { text, width: total }
}

const cut = (segments: Line, columns: number, colors: boolean): Fitted => {
  if (columns < 1) return { text: "", width: 0 }
  let fitted = ""
  let left = columns - 1
  for (const [part, style] of segments) {
    const { text, width } = show(part)
    const taken = take(text, left)
    fitted += paint(taken, style, colors)
    if (taken !== text) break
    left -= width
  }
  return { text: `${fitted}…`, width: columns }
}

/** Returns lines with cells in columns, each as wide as its widest cell. The texts have to be safe for one line. */
export const padTo = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths: Array<number> = []
  for (const row of rows) row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, width(cell)))
  return rows.map((row) =>
    row.map((cell, i) => i + 1 === row.length ? cell : cell + " ".repeat(widths[i]! - width(cell))).join("  ").trimEnd()
  )
}
