/** Chooses the rows that a picture has room for. */
import { refuse, wholeMistakes } from "../../../internal/model/options.ts"
import { count, plural } from "../../../internal/text/words.ts"
import { isTrouble, type Row } from "./data.ts"
import { tookMillis } from "./words.ts"

/** Returns how many rows a chart has at most, which is a usual number where none is given. Throws unless it is one at least. */
export const rowsOf = (of: string, rows: number | undefined, usual: number): number => {
  refuse(of, wholeMistakes("maxRows", rows, 1, Infinity))
  return rows ?? usual
}

/** @internal */
export interface Picked {
  /** The chosen rows, in their order, each with its index among all rows. */
  readonly rows: ReadonlyArray<{ readonly row: Row; readonly index: number }>
  /** How many steps are left out, and how many of them failed. */
  readonly left: number
  readonly leftFailed: number
}

/**
 * Chooses failed rows first, then rows with other trouble, then the longest, each with the rows that it is inside of.
 */
export const pick = (rows: ReadonlyArray<Row>, most: number): Picked => {
  const kept = new Set<number>()
  const order = rows.map((_, index) => index)
  if (rows.length > most) {
    const rank = (row: Row): number => row.ending === "failure" ? 0 : isTrouble(row) ? 1 : 2
    order.sort((a, b) => rank(rows[a]!) - rank(rows[b]!) || tookMillis(rows[b]!) - tookMillis(rows[a]!) || a - b)
  }
  for (const index of order) {
    if (kept.size >= most) break
    const missing: Array<number> = []
    for (let at = index; at >= 0 && !kept.has(at); at = rows[at]!.parent) {
      missing.push(at)
      // deeper than there is room for: to go on would take quadratic time for steps nested in one another
      if (kept.size + missing.length > most) break
    }
    if (kept.size + missing.length <= most) { for (const at of missing) kept.add(at) }
  }
  const out = rows.filter((row, index) => row.kind === "step" && !kept.has(index))
  return {
    rows: [...kept].toSorted((a, b) => a - b).map((index) => ({ row: rows[index]!, index })),
    left: out.length,
    leftFailed: out.filter(({ ending }) => ending === "failure").length
  }
}

/** Returns a line about the steps that are left out, or `undefined` if there are none. */
export const leftOut = ({ left, leftFailed }: Picked): string | undefined =>
  left === 0
    ? undefined
    : `… and ${plural(left, "more step")}${leftFailed === 0 ? "" : `, of which ${count(leftFailed)} failed`}`
