/** Translates the issues of a Schema into expected and found values with their places in the file. */
import * as Redacted from "effect/Redacted"
import type * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { alternatives, isSecret } from "../../../alerters/internal/channel/schema/leaf.ts"
import { didYouMean, suggestion } from "../../../internal/text/closest.ts"
import {
  find,
  mayBeSecret,
  type Node,
  type Path,
  type PathSegment,
  positionOf,
  type Problem,
  quote
} from "./positions.ts"

/** An issue before its place is looked up. `isKey` marks an issue with the key, not with its value. */
interface Mismatch {
  readonly path: Path
  readonly expected: string
  readonly isKey: boolean
}

/** Returns every issue with its place: the key, if that is unexpected, otherwise the value. */
export const describe = (issue: SchemaIssue.Issue, root: Node): ReadonlyArray<Problem> =>
  walk(issue, [], undefined, root).map(({ expected, isKey, path }) => {
    const entry = find(root, path)
    return isKey && entry !== undefined
      ? { path, expected, position: entry.keyAt, found: `the key ${quote(String(path.at(-1)))}` }
      : { path, expected, position: positionOf(root, path), found: foundAt(entry?.node, path) }
  })

const walk = (
  issue: SchemaIssue.Issue,
  path: Path,
  parent: SchemaAST.AST | undefined,
  root: Node
): ReadonlyArray<Mismatch> => {
  const wrong = (expected: string): ReadonlyArray<Mismatch> => [{ path, expected, isKey: false }]
  switch (issue._tag) {
    case "Pointer":
      return walk(issue.issue, [...path, ...issue.path.map(toSegment)], parent, root)
    case "Encoding":
      return walk(issue.issue, path, parent, root)
    case "Filter":
      return issue.issue._tag === "InvalidValue" && annotated(issue.issue.annotations) === undefined
        ? wrong(annotated(issue.filter.annotations) ?? "another value")
        : walk(issue.issue, path, parent, root)
    case "Composite":
      return withoutMeant(issue.issues.flatMap((one) => walk(one, path, issue.ast, root)), path, root)
    case "AnyOf": {
      const { value } = find(root, path)?.node ?? { value: null }
      const branches = typeof value === "object" && value !== null && !Redacted.isRedacted(value)
        ? issue.issues.map(unwrapped).filter((branch) =>
          branch._tag !== "InvalidType" && branch._tag !== "InvalidValue"
        )
        : []
      const [first, ...others] = branches
      if (first === undefined) return wrong(withHint(expectedOf(issue.ast), value))
      const best = others.reduce((best, branch) => misfits(branch) < misfits(best) ? branch : best, first)
      return walk(best, path, parent, root)
    }
    case "MissingKey":
      return wrong(expectedAt(parent, path.at(-1)))
    case "UnexpectedKey": {
      const keys = keysOf(issue.ast)
      const name = String(path.at(-1))
      const advice = path.length === 1 ? adviceOn(name) : undefined
      return [{ path, expected: advice ?? `${oneOf(keys)}${didYouMean(name, keys)}`, isKey: true }]
    }
    case "InvalidType": {
      return wrong(withHint(expectedOf(issue.ast), find(root, path)?.node.value))
    }
    case "InvalidValue":
    case "Forbidden":
      return wrong(withHint(annotated(issue.annotations) ?? "another value", find(root, path)?.node.value))
    case "OneOf":
      return wrong(expectedOf(issue.ast))
  }
}

/** Leaves out that a key is missing where another one beside it is said to mean it: that is one mistake. */
const withoutMeant = (mismatches: ReadonlyArray<Mismatch>, path: Path, root: Node): ReadonlyArray<Mismatch> =>
  mismatches.filter((one) => {
    if (one.isKey || one.path.length !== path.length + 1 || find(root, one.path) !== undefined) return true
    const meant = suggestion(String(one.path.at(-1)))
    return !mismatches.some((key) => key.isKey && key.path.length === one.path.length && key.expected.endsWith(meant))
  })

/** Returns what to do instead of a key that files of other tools have at their top. */
const adviceOn = (name: string): string | undefined => {
  if (/^x-/i.test(name)) {
    return "an anchor at the first of the values that share it, as in load: &shared and train: *shared, since each key sets something"
  }
  return sharing.has(name.toLowerCase())
    ? "the settings that several files share in an epilogue.yaml without a pipeline, in this folder or one above it"
    : undefined
}

const sharing: ReadonlySet<string> = new Set(["extends", "include", "includes", "import", "imports"])

const toSegment = (key: PropertyKey): PathSegment => typeof key === "number" ? key : String(key)

const unwrapped = (issue: SchemaIssue.Issue): SchemaIssue.Issue =>
  issue._tag === "Encoding" ? unwrapped(issue.issue) : issue

/**
 * Returns how many keys of a map do not fit a branch of a union. The branch with the fewest is the one that was meant.
 */
const misfits = (issue: SchemaIssue.Issue): number => {
  if (issue._tag !== "Composite") return 1
  const misfitting = issue.issues.filter((one) =>
    one._tag === "Pointer" && (one.issue._tag === "UnexpectedKey" || one.issue._tag === "MissingKey")
  )
  return misfitting.length
}

// -----------------------------------------------------------------------------
// expected values
// -----------------------------------------------------------------------------

type Annotations = { readonly expected?: unknown; readonly message?: unknown } | undefined

const annotated = (annotations: Annotations): string | undefined => {
  const text = annotations?.message ?? annotations?.expected
  return typeof text === "string" ? text : undefined
}

/** Returns what a type expects, in words. */
export const expectedOf = (ast: SchemaAST.AST): string => {
  const text = annotated(ast.checks?.findLast((check) => annotated(check.annotations) !== undefined)?.annotations)
    ?? annotated(ast.annotations)
  if (text !== undefined) return text
  switch (ast._tag) {
    case "String":
      return "text"
    case "Number":
      return "a number"
    case "Boolean":
      return "true or false"
    case "Null":
      return "nothing"
    case "Literal":
      return JSON.stringify(ast.literal) ?? String(ast.literal)
    case "Arrays":
      return "a list"
    case "Objects":
      return "a map"
    case "Union":
      return alternatives([...new Set(ast.types.map(expectedOf))])
    case "Suspend":
      return expectedOf(ast.thunk())
    default:
      return "another value"
  }
}

const expectedAt = (ast: SchemaAST.AST | undefined, key: PathSegment | undefined): string => {
  const signature = ast?._tag === "Objects" ? ast.propertySignatures.find(({ name }) => name === key) : undefined
  return signature === undefined ? "a value" : expectedOf(signature.type)
}

const keysOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  ast._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []

const oneOf = (keys: ReadonlyArray<string>): string => {
  if (keys.length === 0) return "no such key"
  return keys.length === 1 ? `the key ${keys[0]}` : `one of the keys ${keys.join(", ")}`
}

/** Adds the word that was probably meant, if the text is close to one that is expected in quotes or in a list. */
export const withHint = (expected: string, found: unknown): string =>
  typeof found === "string"
    ? `${expected}${didYouMean(found, wordsIn(expected))}`
    : expected

const wordsIn = (expected: string): ReadonlyArray<string> => {
  const [, listed] = /^one of ((?:\w+, )+\w+)/.exec(expected) ?? []
  return listed?.split(", ") ?? [...expected.matchAll(/"([a-z]+)"/g)].map(([, word]) => word!)
}

// -----------------------------------------------------------------------------
// found values
// -----------------------------------------------------------------------------

const foundAt = (node: Node | undefined, path: Path): string => {
  if (node === undefined || node.value === null) return "nothing"
  const { value } = node
  // an empty text hides nothing
  if (isSecret(value) && !(Redacted.isRedacted(value) && Redacted.value(value) === "")) return "<redacted>"
  if (Redacted.isRedacted(value)) return foundAt({ ...node, value: String(Redacted.value(value)) }, path)
  if (value === "") return "an empty text"
  if (typeof value === "string") {
    return mayBeSecret(path)
      ? `a text of ${counted(value.length, "character")}`
      : quote(value)
  }
  if (typeof value !== "object") return mayBeSecret(path) ? `a ${typeof value}` : node.written ?? String(value)
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`
  return "a map"
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`
