/** What trees of either format have in common: limits, and keys that are refused. */
import type { Entry, Node, Path, Position, Problem } from "./positions.ts"
import { quote } from "./positions.ts"

/** Levels of lists and maps in each other. */
export const deepest = 64

/** Values in one file, those that come by aliases counted each time. */
export const mostNodes = 50_000

/** A tree as far as it could be read: none where the file can't be made sense of. */
export interface Building {
  readonly root: Node | undefined
  readonly problems: ReadonlyArray<Problem>
}

// An object's prototype could be reached through these.
const refused = new Set(["__proto__", "constructor", "prototype"])

/** Adds an entry, unless there is one of that key already or there must not be any. */
export const addEntry = (
  entries: Map<string, Entry>,
  key: string,
  entry: Entry,
  path: Path,
  problems: Array<Problem>
): void => {
  const problem = (expected: string): void =>
    void problems.push({ path: [...path, key], position: entry.keyAt, found: `the key ${quote(key)}`, expected })
  const first = entries.get(key)
  if (refused.has(key)) return problem("a key other than __proto__, constructor and prototype")
  if (first !== undefined) return problem(`each key once (it is in line ${first.keyAt.line} already)`)
  entries.set(key, entry)
}

/** One thing that keeps a file from being read at all. */
export const unreadable = (position: Position, expected: string, found: string): Building => ({
  root: undefined,
  problems: [{ path: [], position, expected, found }]
})
