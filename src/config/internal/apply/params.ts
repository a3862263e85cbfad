/** Decodes the parameters that a file and flags set, and provides them as services. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { isSecret, numberIn } from "../../../alerters/internal/channel/schema/leaf.ts"
import { didYouMean, listed } from "../../../internal/text/closest.ts"
import { type ParamsClass, ParamsError, type ParamsIssue } from "../../../Params.ts"
import type { Path } from "../file/positions.ts"
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
      const values: Fields = Object.assign({}, ...own.map(({ values }) => values[key]))
      const decoded = yield* decode(service, values)
      if (Exit.isFailure(decoded)) {
        for (const { message, path } of issuesOf(decoded.cause)) {
          const field = path[0]
          const { by, place } = own.findLast(({ values }) =>
            field !== undefined && Object.hasOwn(values[key] ?? {}, field)
          ) ??
            own[0]!
          report([...place, key, ...path], refusalOf(service, path, message), by)
        }
        continue
      }
      context = Context.merge(context, decoded.value)
      const secret = Object.keys(values).filter((name) => holds(isSecret, values[name]))
      if (secret.length > 0) hidden.set(key, new Set(secret))
    }
    return keys.size === 0 ? undefined : { services: context, hidden }
  })

/** Returns what is wrong with a field, without its value, which may be secret. */
const refusalOf = (service: AnyParams, path: ParamsIssue["path"], message: string): Refusal => {
  const names = Object.keys(service.schema.fields)
  const [field] = path
  if (path.length === 1 && typeof field === "string" && !names.includes(field)) {
    return {
      found: `the field ${JSON.stringify(field)}${didYouMean(field, names)}`,
      expected: `one of the fields ${listed(names)}`
    }
  }
  const expected = message.replace(/^Expected /, "")
  return message === "Missing key"
    ? { found: "none", expected: "a value" }
    : { found: "an invalid value", expected: inWords.get(expected) ?? expected }
}

const inWords: ReadonlyMap<string, string> = new Map([
  ["number", "a number"],
  ["string", "text"],
  ["boolean", "true or false"]
])

const unknown = (key: string, services: ReadonlyMap<string, unknown>): Refusal => ({
  found: `${JSON.stringify(key)}${didYouMean(key, services.keys())}`,
  expected: services.size === 0
    ? "the key of a Params service, of which the pipeline's module exports none"
    : `the key of a Params service that the pipeline's module exports: ${listed([...services.keys()])}`
})

type Fields = Readonly<Record<string, unknown>>

const decode = (service: AnyParams, values: Fields): Effect.Effect<Exit.Exit<Context.Context<never>, ParamsError>> =>
  Effect.gen(function*() {
    const first = yield* build(service, revealed(values, String))
    if (Exit.isSuccess(first)) return first
    // The value of a variable is text. Where the field expects a number or a boolean, it is read as one.
    const invalid = issuesOf(first.cause).map(({ path }) => path[0])
      .filter((name) => holds(Redacted.isRedacted, values[name ?? ""]))
    if (invalid.length === 0) return first
    const texts = Object.entries(values).map((
      [name, value]
    ) => [name, revealed(value, invalid.includes(name) ? scalar : String)])
    return yield* build(service, Object.fromEntries(texts))
  })

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
