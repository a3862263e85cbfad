/** Decodes the parameters that a file and flags set, and provides them as services. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type * as Scope from "effect/Scope"
import { isSecret, numberIn } from "../../../alerters/internal/channel/schema/leaf.ts"
import { didYouMean, listed, suggestion } from "../../../internal/text/closest.ts"
import { type ParamsClass, ParamsError, type ParamsIssue } from "../../../Params.ts"
import { expectedOf, withHint } from "../file/describe.ts"
import { type Path, quote } from "../file/positions.ts"
import type { Report } from "../loading.ts"
import type { Refusal } from "../modules/refusal.ts"
import type { ParamsByService } from "../schema/types.ts"
import type { Provided } from "./overrides.ts"

type AnyParams = ParamsClass<unknown, string, {}>

const isParams = (value: unknown): value is AnyParams =>
  typeof value === "function" && hasProperty(value, "layerUnknown") && hasProperty(value, "describe") &&
  hasProperty(value, "key") && typeof value.key === "string"

/** Returns the `Params` services that a module exports, by their keys. */
export const servicesOf = (module: Readonly<Record<string, unknown>>): ReadonlyMap<string, AnyParams> =>
  new Map(Object.values(module).filter(isParams).map((service) => [service.key, service]))

/** Parameters from one place. */
interface Given {
  readonly values: ParamsByService
  readonly place: Path
  readonly by: "file" | "flag"
}

/** Merges and decodes parameters. Of several values of a field the last wins. Reports those that are invalid. */
export const provide = (
  services: ReadonlyMap<string, AnyParams>,
  given: ReadonlyArray<Given>,
  report: Report
): Effect.Effect<Provided | undefined> =>
  Effect.gen(function*() {
    let context = Context.empty()
    const hidden = new Map<string, ReadonlySet<string>>()
    const keys = new Set(given.flatMap(({ values }) => Object.keys(values)))
    for (const key of keys) {
      const own = given.filter(({ values }) => Object.hasOwn(values, key))
      const service = services.get(key)
      if (service === undefined) {
        for (const { by, place } of own) report([...place, key], unknown(key, services), by)
        continue
      }
      // without a prototype, so that a flag for the field __proto__ is one like any other
      const values: Fields = Object.assign(Object.create(null), ...own.map(({ values }) => values[key]))
      const decoded = yield* decode(service, values)
      if (Exit.isFailure(decoded)) {
        for (const { path, refusal } of refusalsOf(service, issuesOf(decoded.cause), values)) {
          const field = path[0]
          const { by, place } = own.findLast(({ values }) =>
            field !== undefined && Object.hasOwn(values[key] ?? {}, field)
          ) ??
            own[0]!
          report([...place, key, ...path], refusal, by)
        }
        continue
      }
      context = Context.merge(context, decoded.value)
      const secret = Object.keys(values).filter((name) => holds(isSecret, values[name]))
      if (secret.length > 0) hidden.set(key, new Set(secret))
    }
    return keys.size === 0 ? undefined : { services: context, hidden }
  })

const fieldsOf = (service: AnyParams): Readonly<Record<string, Schema.Constraint>> => service.schema.fields

/** Returns what is wrong with fields. A field is not also missing where another one beside it is said to mean it. */
const refusalsOf = (service: AnyParams, issues: ReadonlyArray<ParamsIssue>, values: Fields) => {
  const refusals = issues.map(({ message, path }) => ({
    path,
    isMissing: message === missing,
    refusal: refusalOf(service, path, message, values)
  }))
  return refusals.filter(({ isMissing, path }) =>
    !isMissing ||
    !refusals.some((other) =>
      !other.isMissing && isBeside(path, other.path) && other.refusal.found.endsWith(suggestion(String(path.at(-1))))
    )
  )
}

const isBeside = (a: ParamsIssue["path"], b: ParamsIssue["path"]): boolean =>
  a.length === b.length && a.slice(0, -1).every((key, i) => key === b[i])

const missing = "Missing key"

/** Returns what is wrong with a field. */
const refusalOf = (service: AnyParams, path: ParamsIssue["path"], message: string, values: Fields): Refusal => {
  const fields = fieldsOf(service)
  const [field] = path
  const ast = typeof field === "string" ? fields[field]?.ast : undefined
  const last = path.at(-1)
  const names = path.length === 1 ? Object.keys(fields) : ast && namesIn(ast, path.slice(1, -1))
  if (typeof last === "string" && (path.length === 1 ? ast === undefined : message === "Expected no excess property")) {
    return {
      found: `the field ${JSON.stringify(last)}${didYouMean(last, names ?? [])}`,
      expected: names === undefined ? "no such field" : `one of the fields ${listed(names)}`
    }
  }
  if (message === missing) return { found: "none", expected: "a value" }
  const value = valueAt(values, path)
  const shown = found(value, ast !== undefined && isPlain(ast))
  // of the types of a union, the message names only those that are like the value
  if (path.length === 1 && ast?._tag === "Union" && ast.encoding === undefined && ast.types.every(isWord)) {
    return { found: shown, expected: withHint(expectedOf(ast), value) }
  }
  const expected = message.replace(/^Expected /, "").replace(nonFinite, "")
  return { found: shown, expected: inWords.get(expected) ?? expected }
}

/** Returns the names of the fields of a part of a type, where these are known. */
const namesIn = (ast: SchemaAST.AST, path: ParamsIssue["path"]): ReadonlyArray<string> | undefined => {
  const [key, ...rest] = path
  if (ast._tag === "Arrays" && typeof key === "number") {
    const item = ast.elements[key] ?? ast.rest[0]
    return item && namesIn(item, rest)
  }
  if (ast._tag !== "Objects" || ast.propertySignatures.length === 0) return undefined
  if (path.length === 0) return ast.propertySignatures.map(({ name }) => String(name))
  const type = ast.propertySignatures.find(({ name }) => name === key)?.type
  return type && namesIn(type, rest)
}

/** Whether a type has a name of one word, or is a word itself. */
const isWord = (ast: SchemaAST.AST): boolean =>
  ast.encoding === undefined &&
  (ast._tag === "String" || ast._tag === "Number" || ast._tag === "Boolean" || ast._tag === "Literal")

// how JSON writes numbers that no file may hold, and which effect names as if they were all that is expected
const nonFinite = /(?: \| )?"Infinity" \| "-Infinity" \| "NaN"/

const inWords: ReadonlyMap<string, string> = new Map([
  ["", "a number"],
  ["number", "a number"],
  ["string", "text"],
  ["boolean", "true or false"],
  ["array", "a list"],
  ["object", "a map"],
  ["integer", "a whole number"],
  ["an integer", "a whole number"]
])

const valueAt = (value: unknown, path: ParamsIssue["path"]): unknown =>
  path.reduce((part: unknown, key) => hasProperty(part, key) ? part[key] : undefined, value)

/**
 * Describes a value. One of a variable that is not public is not shown, and neither is one of a field that may be a
 * secret.
 */
const found = (value: unknown, mayShow: boolean): string => {
  if (holds(isSecret, value)) return "<redacted>"
  if (Redacted.isRedacted(value)) return found(String(Redacted.value(value)), mayShow)
  if (value === null || value === undefined) return "nothing"
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`
  if (typeof value === "object") return "a map"
  if (!mayShow) return "an invalid value"
  return typeof value === "string" ? quote(value) : String(value)
}

/** Whether all values of a type are texts, numbers, words, or lists and maps of these, none of which is `Redacted`. */
const isPlain = (ast: SchemaAST.AST): boolean => {
  switch (ast._tag) {
    case "String":
    case "Number":
    case "Boolean":
    case "Literal":
    case "TemplateLiteral":
    case "Null":
    case "Undefined":
      return true
    case "Union":
      return ast.types.every(isPlain)
    case "Arrays":
      return [...ast.elements, ...ast.rest].every(isPlain)
    case "Objects":
      return ast.propertySignatures.every(({ type }) => isPlain(type))
    default:
      return false
  }
}

const unknown = (key: string, services: ReadonlyMap<string, unknown>): Refusal => ({
  found: `${JSON.stringify(key)}${didYouMean(key, services.keys())}`,
  expected: services.size === 0
    ? "the key of a Params service, of which the pipeline's module exports none"
    : `the key of a Params service that the pipeline's module exports: ${listed([...services.keys()])}`
})

type Fields = Readonly<Record<string, unknown>>

const decode = (service: AnyParams, values: Fields): Effect.Effect<Exit.Exit<Context.Context<never>, ParamsError>> =>
  Effect.gen(function*() {
    const first = yield* build(service, withoutNonFinite(service, revealed(values, String)))
    if (Exit.isSuccess(first)) return first
    // The value of a variable is text. Where the field expects a number or a boolean, it is read as one.
    const invalid = issuesOf(first.cause).map(({ path }) => path[0])
      .filter((name) => holds(Redacted.isRedacted, values[name ?? ""]))
    if (invalid.length === 0) return first
    const texts = Object.entries(values).map((
      [name, value]
    ) => [name, revealed(value, invalid.includes(name) ? scalar : String)])
    return yield* build(service, withoutNonFinite(service, Object.fromEntries(texts)))
  })

/**
 * Returns the fields with a text that no number is written as in place of `"NaN"` and `"Infinity"` where a number is
 * expected: JSON of effect has these texts for numbers, but in a config file a text is no number.
 */
const withoutNonFinite = (service: AnyParams, values: unknown): unknown =>
  typeof values !== "object" || values === null
    ? values
    : Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        isNonFinite(value) && fieldsOf(service)[name]?.ast._tag === "Number" ? `${value} as text` : value
      ])
    )

const isNonFinite = (value: unknown): value is string =>
  typeof value === "string" && /^[+-]?(?:Infinity|NaN)$/.test(value)

const build = (service: AnyParams, input: unknown) =>
  Effect.exit(Effect.scoped(
    // a cast, since the type of the layer's output, one of the services that a step requires, is not known here
    Layer.build(service.layerUnknown(input)) as Effect.Effect<Context.Context<never>, ParamsError, Scope.Scope>
  ))

const issuesOf = (cause: Cause.Cause<unknown>): ReadonlyArray<ParamsIssue> => {
  const error = Cause.squash(cause)
  if (!(error instanceof ParamsError)) throw error
  return error.issues
}

/** Reads the boolean or number in the text of a variable, as at any other key of the file. */
const scalar = (text: string): unknown => {
  const word = text.trim()
  return word === "true" || word === "false" ? word === "true" : numberIn(text) ?? text
}

/** Returns a value with the texts of variables revealed and read. */
const revealed = (value: unknown, read: (text: string) => unknown): unknown => {
  if (Redacted.isRedacted(value)) return read(String(Redacted.value(value)))
  if (Array.isArray(value)) return value.map((part) => revealed(part, read))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, revealed(part, read)]))
}

/** Whether a value, or a part of it, is the value of a variable. */
const holds = (isVariable: (value: unknown) => boolean, value: unknown): boolean =>
  isVariable(value) ||
  (typeof value === "object" && value !== null && Object.values(value).some((part) => holds(isVariable, part)))
