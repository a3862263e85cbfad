/** Where things stand in a file. */
import type * as Redacted from "effect/Redacted"
import type { ConfigIssue, PathSegment, Position } from "../../ConfigFileError.ts"

export type { ConfigIssue, PathSegment, Position }

/** @internal */
export type Path = ReadonlyArray<PathSegment>

/** What a leaf of the tree can be: a variable's value is a secret. */
export type Leaf = string | number | boolean | null | Redacted.Redacted

/** A part of a file and its place. What an alias means is the same object as what its anchor is at, but for the place. */
export interface Node {
  readonly at: Position
  readonly value: Leaf | ReadonlyArray<Node> | ReadonlyMap<string, Entry>
}

/** A key's place, and what stands there. */
export interface Entry {
  readonly keyAt: Position
  readonly node: Node
}

/** An issue, before the file is known. */
export type Problem = Omit<ConfigIssue, "file">

/** In the order of the file. */
export const byPosition = (a: Problem, b: Problem): number =>
  (a.position?.line ?? 0) - (b.position?.line ?? 0) || (a.position?.column ?? 0) - (b.position?.column ?? 0)

/** @internal */
export const isList = (value: Node["value"]): value is ReadonlyArray<Node> => Array.isArray(value)

/** @internal */
export const isMap = (value: Node["value"]): value is ReadonlyMap<string, Entry> => value instanceof Map

const entryAt = (node: Node, segment: PathSegment): Entry | undefined => {
  if (isMap(node.value)) return node.value.get(String(segment))
  const item = isList(node.value) && typeof segment === "number" ? node.value[segment] : undefined
  return item === undefined ? undefined : { keyAt: item.at, node: item }
}

/** What stands at a path, if anything does. */
export const find = (root: Node, path: Path): Entry | undefined => {
  let entry: Entry | undefined = { keyAt: root.at, node: root }
  for (const segment of path) entry = entry && entryAt(entry.node, segment)
  return entry
}

/** The place of a path; of what should hold it, where it is not there. */
export const positionOf = (root: Node, path: Path): Position => {
  let node = root
  for (const segment of path) {
    const next = entryAt(node, segment)
    if (next === undefined) break
    node = next.node
  }
  return node.at
}

/** A function from an offset in the text to its place. A line ends with `\n` or `\r\n`. */
export const positions = (text: string): (offset: number) => Position => {
  const starts = [0]
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: Math.max(0, offset - starts[low]!) + 1 }
  }
}

/** `steps.validate.hooks.failure[1]` */
export const showPath = (path: Path): string =>
  path.reduce<string>((shown, segment) => {
    if (typeof segment === "number") return `${shown}[${segment}]`
    if (!/^[\p{L}\p{N}_$-][\p{L}\p{N}_$ -]*$/u.test(segment)) return `${shown}[${quote(segment)}]`
    return shown === "" ? segment : `${shown}.${segment}`
  }, "")

const longest = 60

/** Text of the file on one line, within limits, with nothing in it that a terminal might obey. */
export const quote = (text: string): string => {
  const short = text.length > longest ? `${text.slice(0, longest).toWellFormed()}…` : text.toWellFormed()
  return JSON.stringify(short).replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
}

const mostShown = 100

/** All issues, one a line. */
export const explain = (issues: ReadonlyArray<ConfigIssue>): string => {
  const lines = issues.slice(0, mostShown).map(({ expected, file, found, path, position }) => {
    const place = position === undefined ? file : `${file}:${position.line}:${position.column}`
    const what = path.length === 0 ? "" : ` ${showPath(path)}:`
    return `${place}${path.length === 0 ? ":" : ""}${what} expected ${expected}, found ${found}`
  })
  return issues.length > mostShown ? [...lines, `… and ${issues.length - mostShown} more`].join("\n") : lines.join("\n")
}
