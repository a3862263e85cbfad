/**
 * Parses JSON (RFC 8259) into a tree with positions. `JSON.parse` reports no positions, keeps the last of duplicate
 * keys, and lets `__proto__` through.
 */
import {
  type Entry,
  type Node,
  type Path,
  type Position,
  type Problem,
  quote,
  shownNumber,
  writtenFor
} from "./positions.ts"
import { addEntry, deepest, mostNodes, type Parsed } from "./tree.ts"

/** Thrown at the first syntax error: what follows can't be read reliably. */
class SyntaxProblem {
  readonly problem: Problem
  constructor(problem: Problem) {
    this.problem = problem
  }
}

const space = /[ \t\n\r]*/y
const string = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y // oxlint-disable-line no-control-regex -- JSON's own rule
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const word = /[A-Za-z]+/y

const words: ReadonlyMap<string, boolean | null> = new Map([["true", true], ["false", false], ["null", null]])

/** Returns the tree of a JSON text, or the problem that made it unreadable. */
export const parseJson = (text: string, place: (offset: number) => Position): Parsed => parse(text, place)

/** Returns a map of the entries that stand before the first syntax error, as a JSON text, or an empty text. */
export const jsonBefore = (text: string): string => {
  let end = 0
  parse(text, () => ({ line: 1, column: 1 }), (at) => {
    end = at
  })
  return end === 0 ? "" : `${text.slice(0, end)}}`
}

/** `entryEnds` gets the offset of the end of each entry of the outermost map. */
const parse = (text: string, place: (offset: number) => Position, entryEnds?: (offset: number) => void): Parsed => {
  const problems: Array<Problem> = []
  let at = 0
  let nodes = 0

  const fail = (path: Path, expected: string, found = foundAt(text, at)): never => {
    throw new SyntaxProblem({ path, position: place(at), found, expected })
  }
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0] ?? ""
    at += found.length
    return found
  }
  const next = (character: string): boolean => {
    match(space)
    if (text[at] !== character) return false
    at++
    return true
  }
  const readString = (path: Path, expected: string): string => {
    const found = match(string)
    return found === "" ? fail(path, expected) : JSON.parse(found)
  }

  const readMap = (path: Path): ReadonlyMap<string, Entry> => {
    const entries = new Map<string, Entry>()
    if (next("}")) return entries
    do {
      match(space)
      const keyAt = place(at)
      const key = readString(path, "a key in quotes")
      if (!next(":")) fail([...path, key], "a colon after the key")
      addEntry(entries, key, { keyAt, node: read([...path, key]) }, path, problems)
      if (path.length === 0) entryEnds?.(at)
    } while (next(","))
    return next("}") ? entries : fail(path, "a comma or }")
  }

  const readList = (path: Path): ReadonlyArray<Node> => {
    const items: Array<Node> = []
    if (next("]")) return items
    do items.push(read([...path, items.length]))
    while (next(","))
    return next("]") ? items : fail(path, "a comma or ]")
  }

  const readValue = (path: Path): Node["value"] => {
    const first = text[at]
    if (first === "{" || first === "[") {
      if (path.length >= deepest) return fail(path, `at most ${deepest} levels of nesting`, "more")
      at++
      return first === "{" ? readMap(path) : readList(path)
    }
    if (first === "\"") return readString(path, "a closing quote, and no control characters before it")
    const start = at
    const digits = match(number)
    if (digits !== "") {
      const value = Number(digits)
      at = Number.isFinite(value) ? at : start
      return Number.isFinite(value) ? value : fail(path, "a finite number", shownNumber(path, digits, "a number"))
    }
    const value = words.get(match(word))
    if (value === undefined) at = start
    return value === undefined ? fail(path, "a JSON value") : value
  }

  const read = (path: Path): Node => {
    match(space)
    if (++nodes > mostNodes) fail(path, `at most ${mostNodes} values`, "more")
    const start = at
    const value = readValue(path)
    return { at: place(start), value, written: writtenFor(value, text.slice(start, at)) }
  }

  try {
    const root = read([])
    match(space)
    if (at < text.length) fail([], "nothing after the value")
    return { root, problems }
  } catch (error) {
    if (error instanceof SyntaxProblem) return { root: undefined, problems: [...problems, error.problem] }
    throw error
  }
}

const foundAt = (text: string, at: number): string => {
  if (at >= text.length) return "the end of the file"
  const isComment = text.startsWith("//", at) || text.startsWith("/*", at)
  return isComment
    ? "a comment, which YAML has, and JSON has not"
    : quote(String.fromCodePoint(text.codePointAt(at)!))
}
