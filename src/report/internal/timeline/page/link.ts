/** Finds the step that the fragment of the address names, and makes such fragments: see `stepLink.ts`. */
import { shownName } from "../../../../internal/text/shownName.ts"
import { isTrouble, type Row } from "../data.ts"
import { nthFragment } from "../fragment.ts"

/** Returns the names of the steps around a step, and its own. */
const pathOf = (rows: ReadonlyArray<Row>, index: number): ReadonlyArray<string> => {
  const names: Array<string> = []
  for (let at = index; at >= 0 && rows[at]!.kind === "step"; at = rows[at]!.parent) names.push(rows[at]!.name)
  return names.toReversed()
}

/** Whether a row is the step with this path. */
const isAt = (rows: ReadonlyArray<Row>, index: number, path: ReadonlyArray<string>): boolean => {
  if (rows[index]!.depth !== path.length || path.length === 0) return false
  let at = index
  for (const name of path.toReversed()) {
    if (rows[at]!.name !== name) return false
    at = rows[at]!.parent
  }
  return true
}

const rowsAt = (rows: ReadonlyArray<Row>, path: ReadonlyArray<string>): ReadonlyArray<number> =>
  rows.flatMap((_, index) => isAt(rows, index, path) ? [index] : [])

const decode = (path: string): ReadonlyArray<string> => {
  try {
    // alerts have the whole name, of which the page may show less
    return path.split("/").map((name) => shownName(decodeURIComponent(name)))
  } catch {
    return []
  }
}

/**
 * Returns the index of the step that a fragment names. Of several with one path, the fragment says which one it is; an
 * alert's does not, and leads to the one with trouble.
 */
export const linkedRow = (rows: ReadonlyArray<Row>, fragment: string): number | undefined => {
  const [, path, nth] = /^#step=([^&]+)(?:&nth=(\d{1,9}))?$/.exec(fragment) ?? []
  if (path === undefined) return undefined
  const found = rowsAt(rows, decode(path))
  if (nth !== undefined) return found[Number(nth) - 1]
  return found.find((index) => isTrouble(rows[index]!)) ?? found[0]
}

/** Returns the fragment of a row: nothing for a run, and for a step that is nested too deep. */
export const fragmentOf = (rows: ReadonlyArray<Row>, index: number): string => {
  const path = pathOf(rows, index)
  const others = rowsAt(rows, path)
  const nth = others.indexOf(index) + 1
  const fragment = nthFragment(path, nth)
  // without its number it would lead to another one with trouble
  return nth === 1 && others.length > 1 && fragment !== "" ? `${fragment}&nth=1` : fragment
}
