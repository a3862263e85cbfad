/** Finds dollar signs and templates that look as if they were meant for variables, and are plain text. */
import type * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { isList, isMap, type Node, type Path, type Problem } from "./positions.ts"

const doubled = /\$\$[A-Z_][A-Z0-9_]+/

const unbraced = /(?<!\$)\$([A-Z_][A-Z0-9_]+)/g

/** The templates of Jinja and Helm, of shells, and of ERB. */
const ofOthers: ReadonlyArray<readonly [pattern: RegExp, shown: string]> = [
  [/\{\{[^{}]*\}\}/, "{{ }}"],
  [/\$\([^()]*\)/, "$( )"],
  [/<%[^%]*%>/, "<% %>"]
]

/** A text with dollar signs or brackets, and where it stands. */
interface Text {
  readonly text: string
  readonly node: Node
  readonly path: Path
}

const textsIn = (root: Node): ReadonlyArray<Text> => {
  const texts: Array<Text> = []
  const seen = new Set<Node["value"]>()
  const look = (node: Node, path: Path): void => {
    const { value } = node
    if (typeof value === "string") {
      if (/\$|\{\{|<%/.test(value)) texts.push({ text: value, node, path })
      return
    }
    if (typeof value !== "object" || value === null || seen.has(value)) return
    seen.add(value)
    if (isList(value)) value.forEach((item, index) => look(item, [...path, index]))
    else if (isMap(value)) { for (const [key, { node }] of value) look(node, [...path, key]) }
  }
  look(root, [])
  return texts
}

/**
 * Returns a warning for each text with `$$NAME`, as files of Docker Compose write `$NAME`, for each with the `$NAME` of a
 * variable that is set, and for each with a template of another tool. The texts are not shown: they may be secrets.
 */
export const doubtfulIn = (
  root: Node,
  provider: ConfigProvider.ConfigProvider
): Effect.Effect<ReadonlyArray<Problem>> =>
  Effect.gen(function*() {
    const found: Array<Problem> = []
    const known = new Map<string, boolean>()
    for (const { node, path, text } of textsIn(root)) {
      const at = { path, position: node.at }
      if (doubled.test(text)) {
        found.push({
          ...at,
          found: "$$ before a name, which stays as it is",
          expected: "$NAME for that text, since only ${NAME} is a variable, or ${NAME} for the variable"
        })
      }
      const other = ofOthers.find(([pattern]) => pattern.test(text))
      if (other !== undefined) {
        found.push({
          ...at,
          found: `${other[1]}, which stays as it is`,
          expected: path[0] === "alerts" ? "{step} in single braces" : "${NAME} for a variable"
        })
      }
      for (const name of new Set([...text.matchAll(unbraced)].map(([, name]) => name!))) {
        const isSet = known.get(name) ?? (yield* isSetIn(provider, name))
        known.set(name, isSet)
        if (isSet) {
          found.push({
            ...at,
            found: `$${name}, which stays as it is`,
            expected: `\${${name}} for the variable that is set`
          })
        }
      }
    }
    return found
  })

const isSetIn = (provider: ConfigProvider.ConfigProvider, name: string): Effect.Effect<boolean> =>
  Effect.match(provider.load([name]), {
    // of a source that can't be read, the variables that it has are not known
    onFailure: () => false,
    onSuccess: (node) => node?.value !== undefined && node.value !== ""
  })
