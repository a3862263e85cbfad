/** YAML 1.2, as far as it is JSON in other clothes: no tags, no further documents, no cycles. */
import type * as Yaml from "yaml"
import { type Entry, isList, isMap, type Node, type Path, type Position, type Problem, quote } from "./positions.ts"
import { addEntry, type Building, deepest, mostNodes, unreadable } from "./tree.ts"

/** So many tokens are enough for {@link mostNodes} values. */
const mostTokens = 8 * mostNodes

const scalarFollows = "\u001f"

/**
 * Where the text is nested too deeply, or holds too much, for the parser, whose stack
 * and memory it would exhaust. Flows are counted by their brackets; blocks by the
 * columns at which something begins, each of which can be of a list and of a map.
 */
const excess = (
  lexer: Yaml.Lexer,
  text: string
): { readonly offset: number; readonly expected: string } | undefined => {
  const columns: Array<number> = []
  let offset = 0
  let lineStart = 0
  let flow = 0
  let tokens = 0
  let begins = true
  let isScalar = false
  for (const token of lexer.lex(text)) {
    if (++tokens > mostTokens) return { offset, expected: `at most ${mostNodes} values` }
    if (!isScalar && token.length === 1 && token < " " && token !== "\n" && token !== "\t") {
      isScalar = token === scalarFollows
      continue
    }
    if (!isScalar) {
      if (token === "[" || token === "{") flow++
      else if (token === "]" || token === "}") flow--
    }
    const column = offset - lineStart
    if (begins && flow === 0 && token.trim() !== "") {
      while (columns.length > 0 && columns.at(-1)! >= column) columns.pop()
      columns.push(column)
      begins = token === "-" || token === "?" || token === ":"
    }
    if (flow > deepest || columns.length > deepest) return { offset, expected: `at most ${deepest} levels` }
    offset += token.length
    const newline = token.lastIndexOf("\n")
    if (newline >= 0) {
      lineStart = offset - token.length + newline + 1
      begins = true
    }
    isScalar = false
  }
  return undefined
}

// -----------------------------------------------------------------------------
// variables
// -----------------------------------------------------------------------------

// In a flow map braces and commas end a text, so a variable's are other characters until the parser is done: such as
// Unicode keeps from texts. Their number does not change, nor so the places.
const special = "{}[],"
const firstStandIn = 0xfdd0

const standIns = new RegExp(
  `[${String.fromCharCode(firstStandIn)}-${String.fromCharCode(firstStandIn + special.length - 1)}]`,
  "g"
)

const hide = (text: string): string =>
  text.replace(
    /\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}\r\n]*)?\}/g,
    (variable) =>
      variable.replace(/[{}[\],]/g, (character) => String.fromCharCode(firstStandIn + special.indexOf(character)))
  )

const restore = (text: string): string =>
  text.replace(standIns, (character) => special[character.charCodeAt(0) - firstStandIn]!)

// -----------------------------------------------------------------------------
// the tree
// -----------------------------------------------------------------------------

/** @internal */
export const parseYaml = (yaml: typeof Yaml, text: string, place: (offset: number) => Position): Building => {
  const shown = hide(text)
  const tooMuch = excess(new yaml.Lexer(), shown)
  if (tooMuch !== undefined) return unreadable(place(tooMuch.offset), tooMuch.expected, "more")
  // duplicates are looked for below, in less time, and with their paths
  const options = { prettyErrors: false, stringKeys: true, uniqueKeys: false, merge: false, schema: "core" } as const
  const [document, another] = [
    ...new yaml.Composer(options).compose(new yaml.Parser().parse(shown), true, shown.length)
  ]
  if (document === undefined) return unreadable({ line: 1, column: 1 }, "YAML", "nothing")
  const problems: Array<Problem> = document.errors.map((error) => ({
    path: [],
    position: place(error.pos[0]),
    // less the text that some end with, which may be a secret
    found: restore(error.message).replace(/: ".*$/s, "").slice(0, 200).replace(/\s+/g, " ").trim(),
    expected: "YAML that can be read"
  }))
  if (problems.length > 0) return { root: undefined, problems }
  if (another !== undefined) {
    return unreadable(place(another.range[0]), "one document in the file", "another after ---")
  }
  const { explicit, version } = document.directives.yaml
  if (explicit === true && version !== "1.2") return unreadable({ line: 1, column: 1 }, "YAML 1.2", `YAML ${version}`)
  return convert(yaml, document.contents, place)
}

const convert = (
  yaml: typeof Yaml,
  contents: Yaml.ParsedNode | null,
  place: (offset: number) => Position
): Building => {
  const problems: Array<Problem> = []
  const anchors = new Map<string, Anchored>()
  let total = 0
  let exhausted = false

  const startOf = (node: Yaml.ParsedNode | null | undefined, otherwise: Position): Position =>
    // what is empty is placed where it is named
    node?.range == null || node.range[0] === node.range[1] ? otherwise : place(node.range[0])

  const problem = (path: Path, position: Position, expected: string, found: string): void =>
    void problems.push({ path, position, expected, found })

  const read = (node: Yaml.ParsedNode | null | undefined, path: Path, otherwise: Position): Node => {
    const at = startOf(node, otherwise)
    if (++total > mostNodes) exceed(path, at)
    if (node == null || exhausted) return { at, value: null }
    if (yaml.isAlias(node)) return readAlias(node, path, at)
    if (node.tag !== undefined) problem(path, at, "a value without a tag", `the tag ${quote(node.tag)}`)
    if (path.length >= deepest && !yaml.isScalar(node)) {
      problem(path, at, `at most ${deepest} levels`, "more")
      return { at, value: null }
    }
    if (node.anchor === undefined) return { at, value: readValue(node, path, at) }
    anchors.set(node.anchor, "unfinished")
    const before = total
    const value = readValue(node, path, at)
    anchors.set(node.anchor, { node: { at, value }, size: total - before, height: heightOf({ at, value }) })
    return { at, value }
  }

  const exceed = (path: Path, at: Position): void => {
    if (!exhausted) problem(path, at, `at most ${mostNodes} values, those of aliases included`, "more")
    exhausted = true
  }

  const readAlias = (alias: Yaml.Alias.Parsed, path: Path, at: Position): Node => {
    const anchored = anchors.get(alias.source)
    if (anchored === undefined || anchored === "unfinished") {
      problem(path, at, "the name of an anchor before it, around which it does not stand", quote(`*${alias.source}`))
      return { at, value: null }
    }
    total += anchored.size
    if (total > mostNodes) exceed(path, at)
    else if (path.length + anchored.height > deepest) problem(path, at, `at most ${deepest} levels`, "more")
    else return { at, value: anchored.node.value }
    return { at, value: null }
  }

  const readValue = (
    node: Yaml.Scalar.Parsed | Yaml.YAMLMap.Parsed | Yaml.YAMLSeq.Parsed,
    path: Path,
    at: Position
  ): Node["value"] => {
    // what a tag makes of it is unknown
    if (node.tag !== undefined) return null
    // The guards forget that all of this was parsed, and so has ranges: hence the casts.
    if (yaml.isSeq(node)) return node.items.map((item, index) => read(item as Yaml.ParsedNode, [...path, index], at))
    if (yaml.isMap(node)) return readMap(node as Yaml.YAMLMap.Parsed, path, at)
    const { value } = node as Yaml.Scalar.Parsed
    if (typeof value === "string") return restore(value)
    if (typeof value === "boolean" || value === null) return value
    if (typeof value === "number" && Number.isFinite(value)) return value
    problem(path, at, "text, a number, true, false or null", quote(String(value)))
    return null
  }

  const readMap = (map: Yaml.YAMLMap.Parsed, path: Path, at: Position): ReadonlyMap<string, Entry> => {
    const entries = new Map<string, Entry>()
    const merged: Array<Node> = []
    for (const { key, value } of map.items) {
      const keyAt = startOf(key, at)
      if (!yaml.isScalar(key) || typeof key.value !== "string") {
        problem(path, keyAt, "keys that are text", "another key")
        continue
      }
      const name = restore(key.value)
      if (key.tag !== undefined) problem([...path, name], keyAt, "a key without a tag", `the tag ${quote(key.tag)}`)
      const node = read(value, [...path, name], keyAt)
      if (name === "<<" && key.type === "PLAIN") merged.push(node)
      else addEntry(entries, name, { keyAt, node }, path, problems)
    }
    for (const node of merged) merge(entries, node, path)
    return entries
  }

  /** As https://yaml.org/type/merge.html: what is there stays, and earlier maps come before later ones. */
  const merge = (entries: Map<string, Entry>, { at, value }: Node, path: Path): void => {
    for (const source of isList(value) ? value : [{ at, value }]) {
      if (!isMap(source.value)) {
        problem([...path, "<<"], source.at, "a map, or a list of maps, to merge", "something else")
        continue
      }
      for (const [key, entry] of source.value) {
        if (!entries.has(key)) entries.set(key, entry)
      }
    }
  }

  const root = read(contents, [], { line: 1, column: 1 })
  return { root: exhausted ? undefined : root, problems }
}

type Anchored = "unfinished" | { readonly node: Node; readonly size: number; readonly height: number }

const heightOf = ({ value }: Node): number => {
  if (isList(value)) return 1 + value.reduce((most, node) => Math.max(most, heightOf(node)), 0)
  return isMap(value) ? 1 + [...value.values()].reduce((most, { node }) => Math.max(most, heightOf(node)), 0) : 0
}
