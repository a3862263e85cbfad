/** Limits and forbidden keys that YAML and JSON have in common. */
import type { Entry, Node, Path, Position, Problem } from "./positions.ts"
import { quote } from "./positions.ts"

/** The largest size of a config file, in bytes: 1 MiB. */
export const mostBytes = 1_048_576

/** The largest depth of nested lists and maps. */
export const deepest = 64

/** The largest number of values in a file. A value counts once more for each alias to it. */
export const mostNodes = 50_000

/** The result of parsing: a tree, unless the file is unreadable, and all problems. */
export interface Parsed {
  readonly root: Node | undefined
  readonly problems: ReadonlyArray<Problem>
}

// With these keys the values of a file could change the prototype of an object.
const forbidden = new Set(["__proto__", "constructor", "prototype"])

/** Adds an entry. A duplicate or forbidden key is added to the problems instead. */
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
  if (forbidden.has(key)) return problem("a key other than __proto__, constructor and prototype")
  if (first !== undefined) return problem(`each key once (it is in line ${first.keyAt.line} already)`)
  entries.set(key, entry)
}

/** Returns the result for a file that can't be parsed at all. */
export const unreadable = (position: Position, expected: string, found: string): Parsed => ({
  root: undefined,
  problems: [{ path: [], position, expected, found }]
})
