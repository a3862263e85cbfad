/** Expands variables in texts: `${NAME}` and `${NAME:-default}`. `$${` stands for a literal `${`. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Entry, isList, isMap, type Leaf, type Node, type Path, type Problem, quote } from "./positions.ts"

/** The expanded tree and all variables that could not be expanded. */
export interface Interpolated {
  readonly root: Node
  readonly problems: ReadonlyArray<Problem>
}

const variables = /\$\$\{|\$\{([^}]*)(\}?)/g

const shape = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/

const forms = "${NAME} or ${NAME:-default} (write $${ for a literal ${)"

/** Returns the tree with variables expanded from the `ConfigProvider`. A text with a variable becomes a `Redacted`. */
export const interpolate = (root: Node): Effect.Effect<Interpolated> =>
  Effect.gen(function*() {
    const provider = yield* ConfigProvider.ConfigProvider
    const problems: Array<Problem> = []
    const values = yield* lookUp(provider, namesIn(root))
    // Aliases share the value of their anchor, so each value is expanded once.
    const done = new Map<Node["value"], Node["value"]>()

    const expand = (text: string, node: Node, path: Path): Leaf => {
      let secret = false
      const expanded = text.replace(variables, (whole, body: string | undefined, end: string | undefined) => {
        if (body === undefined) return "${"
        secret = true
        const problem = (expected: string, found: string): string => {
          problems.push({ path, position: node.at, expected, found })
          return ""
        }
        const [, name, fallback] = end === "" ? [] : shape.exec(body) ?? []
        if (name === undefined || fallback?.includes("${") === true) return problem(forms, shownAs(whole))
        const value = values.get(name)
        if (typeof value === "object") return problem(`a readable variable ${name}`, value.message)
        // as in a shell: an empty variable takes the default too
        if (fallback !== undefined) return value === undefined || value === "" ? fallback : value
        return value ??
          problem(`the variable ${name} to be set, or \${${name}:-default}`, "no such variable, or an empty one")
      })
      return secret ? Redacted.make(expanded) : expanded
    }

    const valueOf = (node: Node, path: Path): Node["value"] => {
      const { value } = node
      if (typeof value === "string") return value.includes("${") ? expand(value, node, path) : value
      if (!isList(value) && !isMap(value)) return value
      const known = done.get(value)
      if (known !== undefined) return known
      const expanded = isList(value)
        ? value.map((item, index) => nodeOf(item, [...path, index]))
        : new Map([...value].map(([key, entry]) => entryOf(key, entry, path)))
      done.set(value, expanded)
      return expanded
    }

    const nodeOf = (node: Node, path: Path): Node => ({ at: node.at, value: valueOf(node, path) })

    const entryOf = (key: string, { keyAt, node }: Entry, path: Path): readonly [string, Entry] => {
      if (/(^|[^$])\$\{/.test(key)) {
        problems.push({
          path: [...path, key],
          position: keyAt,
          found: `the key ${quote(key)}`,
          expected: "a key without variables, which are expanded in values only"
        })
      }
      return [key.replaceAll("$${", "${"), { keyAt, node: nodeOf(node, [...path, key]) }]
    }

    return { root: nodeOf(root, []), problems }
  })

/** Quotes a variable without its default, which may be a secret. */
const shownAs = (variable: string): string => quote(variable.replace(/:-[\s\S]*/, ":-…}"))

/** Returns the names of all variables in values. */
const namesIn = (root: Node): ReadonlySet<string> => {
  const names = new Set<string>()
  const seen = new Set<Node["value"]>()
  const look = ({ value }: Node): void => {
    if (typeof value === "string") {
      for (const [, body] of value.matchAll(variables)) {
        const name = body === undefined ? undefined : shape.exec(body)?.[1]
        if (name !== undefined) names.add(name)
      }
      return
    }
    if (typeof value !== "object" || value === null || seen.has(value)) return
    seen.add(value)
    if (isList(value)) value.forEach(look)
    else if (isMap(value)) { for (const { node } of value.values()) look(node) }
  }
  look(root)
  return names
}

interface Unreadable {
  readonly message: string
}

const lookUp = (
  provider: ConfigProvider.ConfigProvider,
  names: ReadonlySet<string>
): Effect.Effect<ReadonlyMap<string, string | Unreadable | undefined>> =>
  Effect.map(
    Effect.forEach(names, (name) =>
      Effect.match(provider.load([name]), {
        // The message of the source is not shown, since it may contain secrets.
        onFailure: (): readonly [string, Unreadable] => [name, { message: "an error of the ConfigProvider" }],
        onSuccess: (node) => [name, node?.value] as const
      })),
    (entries) => new Map<string, string | Unreadable | undefined>(entries)
  )
