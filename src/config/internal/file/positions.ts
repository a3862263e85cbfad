/** The tree of a config file, and the positions of its parts. */
import type * as Redacted from "effect/Redacted"
import { printableLine } from "../../../internal/text/printable.ts"
import { cut } from "../../../internal/text/words.ts"

/**
 * A position in a file. Lines and columns are counted from 1, columns in UTF-16 code units.
 *
 * @category models
 * @since 0.1.0
 */
export interface Position {
  readonly line: number
  readonly column: number
}

/**
 * A key of a map, or an index of a list, counted from 0.
 *
 * @category models
 * @since 0.1.0
 */
export type PathSegment = string | number

/**
 * An issue with a config file. It never contains the value of a variable.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConfigIssue {
  /** The keys and indices that lead to the issue, as in `steps.validate.hooks.failure[1]`. Empty for the whole file. */
  readonly path: ReadonlyArray<PathSegment>
  readonly file: string
  /** The position of the value or key. For a missing one, the position of the nearest value around it. */
  readonly position: Position | undefined
  readonly found: string
  readonly expected: string
}

/** The keys and indices that lead from the root of a file to a value. */
export type Path = ReadonlyArray<PathSegment>

/** A value that is neither a list nor a map. A text with a variable is `Redacted`. */
export type Leaf = string | number | boolean | null | Redacted.Redacted

/** A value with its position. An alias has a position of its own, but shares the value object with its anchor. */
export interface Node {
  readonly at: Position
  /** The text of a number or a truth value in the file, where it is another than that of the value: `01234`, `1e3`, `True`. */
  readonly written?: string | undefined
  readonly value: Leaf | ReadonlyArray<Node> | ReadonlyMap<string, Entry>
}

/** The position of a key, and its value. */
export interface Entry {
  readonly keyAt: Position
  readonly node: Node
}

/** A {@link ConfigIssue} without the name of the file. */
export type Problem = Omit<ConfigIssue, "file">

/** Orders problems as they appear in the file. */
export const byPosition = (a: Problem, b: Problem): number =>
  (a.position?.line ?? 0) - (b.position?.line ?? 0) || (a.position?.column ?? 0) - (b.position?.column ?? 0)

/** Returns whether a value is a list. */
export const isList = (value: Node["value"]): value is ReadonlyArray<Node> => Array.isArray(value)

/** Returns whether a value is a map. */
export const isMap = (value: Node["value"]): value is ReadonlyMap<string, Entry> => value instanceof Map

const entryAt = (node: Node, segment: PathSegment): Entry | undefined => {
  if (isMap(node.value)) return node.value.get(String(segment))
  const item = isList(node.value) && typeof segment === "number" ? node.value[segment] : undefined
  return item === undefined ? undefined : { keyAt: item.at, node: item }
}

/** Returns the entry at a path, or `undefined`. */
export const find = (root: Node, path: Path): Entry | undefined => {
  let entry: Entry | undefined = { keyAt: root.at, node: root }
  for (const segment of path) entry = entry && entryAt(entry.node, segment)
  return entry
}

/**
 * Returns the position of the value at a path. If that is missing, returns the position of the nearest value around it.
 */
export const positionOf = (root: Node, path: Path): Position => {
  let node = root
  for (const segment of path) {
    const next = entryAt(node, segment)
    if (next === undefined) break
    node = next.node
  }
  return node.at
}

/** Returns a number as the file writes it, and `hidden` in place of what may be a secret. */
export const shownNumber = (path: Path, source: string, hidden: string): string =>
  mayBeSecret(path) ? hidden : cut(source, maxQuoted)

/** Returns the text of a value in the file for a {@link Node}, or `undefined` where that of the value says the same. */
export const writtenFor = (value: Node["value"], source: string | undefined): string | undefined =>
  (typeof value === "number" || typeof value === "boolean") && source !== undefined && source !== String(value)
    ? cut(source, maxQuoted)
    : undefined

/** Returns a text as the file writes it, if it is that of the number or the truth value at a path. */
export const asWritten = (root: Node, path: Path, found: string): string => {
  const { value, written } = find(root, path)?.node ?? { value: undefined }
  return written !== undefined && found === String(value) ? written : found
}

/** Returns a function from an offset in the text to its position. Lines end with `\n` or `\r\n`. */
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

/**
 * Whether a value at a path is not shown, since users may write secrets into the file as they are, and at the wrong key.
 * A file that is no map may be one of variables, or anything else.
 */
export const mayBeSecret = (path: Path): boolean =>
  path.length === 0 || path[0] === "alerter" || path[0] === "monitor" || path.includes("params")

/** Returns a path as text: `steps.validate.hooks.failure[1]`. */
export const showPath = (path: Path): string =>
  path.reduce<string>((shown, segment) => {
    if (typeof segment === "number") return `${shown}[${segment}]`
    if (!/^[\p{L}\p{N}_$-][\p{L}\p{N}_$ -]*$/u.test(segment)) return `${shown}[${quote(segment)}]`
    return shown === "" ? segment : `${shown}.${segment}`
  }, "")

const maxQuoted = 60

/**
 * Quotes a text of the file on one line of limited length, with control and bidi characters escaped, and spaces that YAML
 * takes for letters, as one that was copied from a page.
 */
export const quote = (text: string): string => {
  const short = text.length > maxQuoted ? `${text.slice(0, maxQuoted).toWellFormed()}…` : text.toWellFormed()
  return JSON.stringify(short).replace(
    /[\u007f-\u00a0\u2000-\u200a\u2028-\u202f\u2066-\u2069\u3000\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
}

const maxShown = 100

/** Explains one issue in a line: where it is, what was expected and what was found. */
export const explainOne = ({ expected, file, found, path, position }: ConfigIssue): string => {
  const place = position === undefined ? file : `${file}:${position.line}:${position.column}`
  const what = path.length === 0 ? "" : ` ${showPath(path)}:`
  return printableLine(`${place}${path.length === 0 ? ":" : ""}${what} expected ${expected}, found ${found}`)
}

/** Returns the issues as text, one on each line. */
export const explain = (issues: ReadonlyArray<ConfigIssue>): string => {
  const lines = issues.slice(0, maxShown).map(explainOne)
  return issues.length > maxShown ? [...lines, `… and ${issues.length - maxShown} more`].join("\n") : lines.join("\n")
}
