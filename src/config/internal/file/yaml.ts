/** Parses the part of YAML 1.2 that JSON can express into a tree with positions: no tags, one document, no cycles. */
import type * as Yaml from "yaml"
import {
  type Entry,
  isList,
  isMap,
  mayBeSecret,
  type Node,
  type Path,
  type Position,
  type Problem,
  quote,
  shownNumber,
  writtenFor
} from "./positions.ts"
import { addEntry, deepest, mostNodes, type Parsed, unreadable } from "./tree.ts"

/** More tokens than {@link mostNodes} values can have. */
const mostTokens = 8 * mostNodes

const scalarFollows = "\u001f"

/**
 * Returns the offset at which a text exceeds the limits of depth or size, before it is parsed: beyond them the parser
 * would exhaust the stack or the memory.
 *
 * The depth of flow collections is counted by brackets. The depth of block collections is counted by the columns at
 * which something begins, where a list and a map may begin at the same column.
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
    if (flow > deepest || columns.length > deepest) return { offset, expected: `at most ${deepest} levels of nesting` }
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

// In flow collections braces, brackets and commas end a text. Those of a variable are replaced by Unicode noncharacters
// while the text is parsed, one for one, so that positions stay the same.
const special = "{}[],"
const firstStandIn = 0xfdd0

// the five characters from `firstStandIn` on
const standIns = /[\ufdd0-\ufdd4]/g

// of `${NAME:-default}` and, in a shell, of `${NAME-default}`, `${NAME:?why}`, `${NAME:+other}`, `${NAME:=default}`
const operator = /:?[-?+=]/y

const variableName = /[A-Za-z_][A-Za-z0-9_]*/y

/**
 * Replaces the special characters of `${NAME}` and `${NAME:-default}`, which end on the line where they begin, and of the
 * other forms of a shell, which are refused when variables are expanded.
 *
 * By hand, since a pattern would look for the end of each variable anew: with many beginnings and no end on a line, that
 * takes quadratic time.
 */
const hide = (text: string): string => {
  let shown = ""
  let copied = 0
  // the next `}`, line feed and carriage return: each is looked for again only once it is passed
  const [brace, feed, carriageReturn] = [nextOf(text, "}"), nextOf(text, "\n"), nextOf(text, "\r")]
  for (let at = text.indexOf("${"); at >= 0; at = text.indexOf("${", at)) {
    variableName.lastIndex = at + 2
    const found = variableName.exec(text)
    const begin = at
    at += 2
    if (found === null) continue
    const after = at + found[0].length
    operator.lastIndex = after
    const hasDefault = operator.test(text)
    const end = hasDefault ? brace(after) : after
    if (text[end] !== "}" || (hasDefault && end > Math.min(feed(after), carriageReturn(after)))) continue
    shown += text.slice(copied, begin) + text.slice(begin, end + 1).replace(/[{}[\],]/g, standInOf)
    copied = at = end + 1
  }
  return shown + text.slice(copied)
}

const standInOf = (character: string): string => String.fromCharCode(firstStandIn + special.indexOf(character))

/** Returns a function that finds a character at or after an offset that never decreases, in linear time for all calls. */
const nextOf = (text: string, character: string): (from: number) => number => {
  let found = -1
  return (from) => {
    if (found < from) {
      found = text.indexOf(character, from)
      if (found < 0) found = text.length
    }
    return found
  }
}

const restore = (text: string): string =>
  text.replace(standIns, (character) => special[character.charCodeAt(0) - firstStandIn]!)

// -----------------------------------------------------------------------------
// the tree
// -----------------------------------------------------------------------------

/** Returns the tree of a YAML text, or the problems that made it unreadable. */
export const parseYaml = (yaml: typeof Yaml, text: string, place: (offset: number) => Position): Parsed => {
  const shown = hide(text)
  const tooMuch = excess(new yaml.Lexer(), shown)
  if (tooMuch !== undefined) return unreadable(place(tooMuch.offset), tooMuch.expected, "more")
  // `uniqueKeys: false`: duplicate keys are found below, with their paths, and without quadratic time.
  const options = { prettyErrors: false, stringKeys: true, uniqueKeys: false, merge: false, schema: "core" } as const
  const [document, another] = [
    ...new yaml.Composer(options).compose(new yaml.Parser().parse(shown), true, shown.length)
  ]
  if (document === undefined) return unreadable({ line: 1, column: 1 }, "YAML", "nothing")
  const problems = syntaxProblems(document.errors, place)
  if (problems.length > 0) {
    const nested = /\$\{[A-Za-z_]\w*:-[^}\n]*\$\{/.exec(text)
    return nested === null
      ? { root: undefined, problems }
      : unreadable(place(nested.index), "a default without a variable in it", "${NAME:-…${")
  }
  if (another !== undefined) {
    return unreadable(place(another.range[0]), "one document in the file", "another after ---")
  }
  const { explicit, version } = document.directives.yaml
  if (explicit === true && version !== "1.2") return unreadable({ line: 1, column: 1 }, "YAML 1.2", `YAML ${version}`)
  return convert(yaml, document.contents, place)
}

const syntaxProblems = (
  errors: ReadonlyArray<Yaml.YAMLParseError>,
  place: (offset: number) => Position
): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  for (const { code, message, pos } of errors) {
    const position = place(pos[0])
    // what follows from an error before it, so that it stands out
    const follows = code === "UNEXPECTED_TOKEN" || problems.at(-1)?.position?.line === position.line
    if (problems.length > 0 && follows) continue
    problems.push({
      path: [],
      position,
      found: message.startsWith("With stringKeys")
        ? "braces around a text, which make a map: put the whole in quotes"
        : restore(message).replace(fileText, "").slice(0, 200).replace(/\s+/g, " ").trim(),
      expected: "valid YAML"
    })
  }
  return problems
}

// Some messages end with a text of the file, which may be a secret.
const fileText = /(?:: "|(?<=extra characters): |(?<=Not a YAML token): ).*$/s

type NonAlias = Yaml.Scalar.Parsed | Yaml.YAMLMap.Parsed | Yaml.YAMLSeq.Parsed

const convert = (
  yaml: typeof Yaml,
  contents: Yaml.ParsedNode | null,
  place: (offset: number) => Position
): Parsed => {
  const problems: Array<Problem> = []
  const anchors = new Map<string, Anchored>()
  let total = 0
  let exhausted = false

  const startOf = (node: Yaml.ParsedNode | null | undefined, otherwise: Position): Position =>
    // An empty value has no place of its own, so it gets that of its key.
    node?.range == null || node.range[0] === node.range[1] ? otherwise : place(node.range[0])

  const problem = (path: Path, position: Position, expected: string, found: string): void =>
    void problems.push({ path, position, expected, found })

  const read = (node: Yaml.ParsedNode | null | undefined, path: Path, otherwise: Position): Node => {
    const at = startOf(node, otherwise)
    if (++total > mostNodes) exceed(path, at)
    if (node == null || exhausted) return { at, value: null }
    if (yaml.isAlias(node)) return readAlias(node, path, at)
    if (node.tag !== undefined) {
      problem(
        path,
        at,
        "a value without a tag, or quotes around a text that begins with !",
        mayBeSecret(path) ? "a tag" : shownTag(node.tag)
      )
    }
    if (path.length >= deepest && !yaml.isScalar(node)) {
      problem(path, at, `at most ${deepest} levels of nesting`, "more")
      return { at, value: null }
    }
    if (node.anchor === undefined) return valued(node, path, at)
    anchors.set(node.anchor, "unfinished")
    const before = total
    const anchored = valued(node, path, at)
    anchors.set(node.anchor, { node: anchored, size: total - before, height: heightOf(anchored) })
    return anchored
  }

  const valued = (node: NonAlias, path: Path, at: Position): Node => {
    const value = readValue(node, path, at)
    return { at, value, written: writtenFor(value, yaml.isScalar(node) ? node.source : undefined) }
  }

  const exceed = (path: Path, at: Position): void => {
    if (!exhausted) problem(path, at, `at most ${mostNodes} values, those of aliases included`, "more")
    exhausted = true
  }

  const readAlias = (alias: Yaml.Alias.Parsed, path: Path, at: Position): Node => {
    const anchored = anchors.get(alias.source)
    if (anchored === undefined || anchored === "unfinished") {
      problem(
        path,
        at,
        "the name of an anchor that ends before the alias, or quotes around a text that begins with *",
        mayBeSecret(path) ? "no such anchor" : quote(`*${alias.source}`)
      )
      return { at, value: null }
    }
    total += anchored.size
    if (total > mostNodes) exceed(path, at)
    else if (path.length + anchored.height > deepest) problem(path, at, `at most ${deepest} levels of nesting`, "more")
    else return { ...anchored.node, at }
    return { at, value: null }
  }

  const readValue = (node: NonAlias, path: Path, at: Position): Node["value"] => {
    // The meaning of a tagged value is unknown.
    if (node.tag !== undefined) return null
    // The guards of `yaml` narrow to types without ranges, although every parsed node has one: hence the casts.
    if (yaml.isSeq(node)) return node.items.map((item, index) => read(item as Yaml.ParsedNode, [...path, index], at))
    if (yaml.isMap(node)) return readMap(node as Yaml.YAMLMap.Parsed, path, at)
    const { source, value } = node as Yaml.Scalar.Parsed
    if (typeof value === "string") return restore(value)
    if (typeof value === "boolean" || value === null) return value
    if (typeof value === "number" && Number.isFinite(value)) return value
    problem(path, at, "text, a finite number, true, false or null", shownNumber(path, source, `${value}`))
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
      if (key.tag !== undefined) problem([...path, name], keyAt, "a key without a tag", shownTag(key.tag))
      const node = read(value, [...path, name], keyAt)
      if (name === "<<" && key.type === "PLAIN") merged.push(node)
      else addEntry(entries, name, { keyAt, node }, path, problems)
    }
    for (const node of merged) merge(entries, node, path)
    return entries
  }

  /** Merges maps as in https://yaml.org/type/merge.html: own keys win, then those of earlier maps. */
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

const shownTag = (tag: string): string => `the tag ${quote(tag.replace(/^tag:yaml\.org,2002:/, "!!"))}`

type Anchored = "unfinished" | { readonly node: Node; readonly size: number; readonly height: number }

const heightOf = ({ value }: Node): number => {
  if (isList(value)) return 1 + value.reduce((most, node) => Math.max(most, heightOf(node)), 0)
  return isMap(value) ? 1 + [...value.values()].reduce((most, { node }) => Math.max(most, heightOf(node)), 0) : 0
}
