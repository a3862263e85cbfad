/** Names the steps of a timeline by their paths, and their failures by their first lines. */
import type { Row } from "../timeline/data.ts"

/** The deepest path that is named whole: longer ones would take quadratic space for steps nested in one another. */
const deepest = 10

/** Returns the names of the steps around a row and its own, without the run. */
export const pathOf = (rows: ReadonlyArray<Row>, row: Row): ReadonlyArray<string> => {
  const names: Array<string> = []
  for (let at: Row | undefined = row; at?.kind === "step"; at = rows[at.parent]) {
    if (names.length === deepest) return ["…", ...names]
    names.unshift(at.name)
  }
  return names
}

/** Returns the first line of a cause. */
export const headline = (cause: string | undefined): string | undefined =>
  cause?.trimStart().split("\n", 1)[0] || undefined
