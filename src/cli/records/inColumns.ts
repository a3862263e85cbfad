/** Puts the cells of a table into columns. */
import { fit, type Segment, take, width } from "../../internal/text/columns.ts"
import type { Display } from "../terminal.ts"

const gap = "  "

/** The column that is cut where there is too little room, and the width that it keeps. */
export interface Flexible {
  readonly column: number
  readonly least: number
}

/** The width of that column where there is no terminal: one long name would widen the rows of all others. */
const most = 100

/** Returns the lines of a table. Each row has as many cells as the first one. */
export const inColumns = (
  rows: ReadonlyArray<ReadonlyArray<Segment>>,
  flexible: Flexible,
  { colors, columns }: Pick<Display, "colors" | "columns">
): ReadonlyArray<string> => {
  const widths: Array<number> = []
  for (const row of rows) row.forEach(([text], i) => widths[i] = Math.max(widths[i] ?? 0, width(text)))
  const widest = Math.min(widths[flexible.column]!, columns === Infinity ? most : Infinity)
  const total = widths.reduce((sum, one) => sum + one, gap.length * (widths.length - 1))
  widths[flexible.column] = Math.max(Math.min(flexible.least, widest), widest - Math.max(0, total - columns))
  return rows.map((row) => {
    const last = row.findLastIndex(([text]) => text !== "")
    const line = row.slice(0, last + 1).flatMap(([text, style], i): ReadonlyArray<Segment> => {
      const room = widths[i]!
      const cell = width(text) > room ? `${take(text, room - 1)}…` : text
      const isLast = i === last
      return [[cell, style], [isLast ? "" : " ".repeat(room - width(cell)) + gap, "plain"]]
    })
    return fit(line, columns, colors).text
  })
}
