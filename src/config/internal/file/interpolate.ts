/** Expands variables in texts: `${NAME}` and `${NAME:-default}`. `$${` stands for a literal `${`. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { publicLabel } from "../../../alerters/internal/channel/schema/leaf.ts"
import {
  type Entry,
  isList,
  isMap,
  type Leaf,
  type Node,
  type Path,
  type Position,
  type Problem,
  quote
} from "./positions.ts"

/** The expanded tree and all variables that could not be expanded. */
export interface Interpolated {
  readonly root: Node
  readonly problems: ReadonlyArray<Problem>
  /** The values that stand in the tree for variables that are not public. */
  readonly secrets: ReadonlyArray<Secret>
}

/** The text that stands for a variable. */
export interface Secret {
  readonly name: string
  readonly value: string
  /** Whether the file itself has the value, as the default. */
  readonly isDefault: boolean
  readonly path: Path
  readonly position: Position | undefined
}

const variables = /\$\$\{|\$\{([^}]*)(\}?)/g

const shape = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/

const forms = "${NAME} or ${NAME:-default} (write $${ for a literal ${)"

/** Returns the tree with variables expanded from the `ConfigProvider`. A text with a variable becomes a `Redacted`. */
export const interpolate = (root: Node): Effect.Effect<Interpolated> =>
  Effect.gen(function*() {
    const provider = yield* ConfigProvider.ConfigProvider
    const problems: Array<Problem> = []
    const secrets: Array<Secret> = []
    const publicNames = publicIn(root)
    const values = yield* lookUp(provider, namesIn(root))
    // Aliases share the value of their anchor, so each value is expanded once.
    const done = new Map<Node["value"], Node["value"]>()

    const expand = (text: string, node: Node, path: Path): Leaf => {
      let isVariable = false
      let isSecret = false
      const expanded = text.replace(variables, (whole, body: string | undefined, end: string | undefined) => {
        if (body === undefined) return "${"
        isVariable = true
        const problem = (expected: string, found: string): string => {
          problems.push({ path, position: node.at, expected, found })
          return ""
        }
        const [, name, fallback] = end === "" ? [] : shape.exec(body) ?? []
        if (name === undefined) return problem(forms, shownAs(whole))
        if (fallback?.includes("${") === true) return problem("a default without a variable in it", shownAs(whole))
        const given = values.get(name)
        if (typeof given === "object") return problem(`a readable variable ${name}`, given.message)
        // as in a shell: an empty variable takes the default too
        const value = given === "" ? fallback ?? given : given ?? fallback
        if (value === undefined) {
          return problem(`the variable ${name} to be set, or \${${name}:-default}`, "no such variable, or an empty one")
        }
        if (!publicNames.has(name) && !isPublicPlace(path)) {
          isSecret = true
          secrets.push({ name, value, isDefault: value !== given, path, position: node.at })
        }
        return value
      })
      if (!isVariable) return expanded
      return isSecret ? Redacted.make(expanded) : Redacted.make(expanded, { label: publicLabel })
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

    const nodeOf = (node: Node, path: Path): Node => ({ ...node, value: valueOf(node, path) })

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

    return { root: nodeOf(root, []), problems, secrets }
  })

/** Returns the names that the file lists under `public`. What else stands there is an issue of the Schema. */
const publicIn = ({ value }: Node): ReadonlySet<string> => {
  const listed = isMap(value) ? value.get("public")?.node : undefined
  const nodes = listed === undefined ? [] : isList(listed.value) ? listed.value : [listed]
  return new Set(nodes.flatMap(({ value }) => typeof value === "string" ? [value.trim()] : []))
}

/** Whether a value is shown to all who use it: the topic of ntfy, as a name or a channel's, and the server's address. */
const isPublicPlace = (path: Path): boolean =>
  path[0] === "alerter" && path.at(-2) === "ntfy" && (path.at(-1) === "topic" || path.at(-1) === "server")

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
