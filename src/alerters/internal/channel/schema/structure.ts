/** Schemas of the maps and lists of a config file. Every mistake is reported, each at its place. */
import * as Effect from "effect/Effect"
import { isObject } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import type { Severity } from "../../../../Alert.ts"
import { type FromFile, shownAs } from "./leaf.ts"

/** A mistake in a value: its path within the value, and what was expected there. */
export interface Mistake {
  readonly path: ReadonlyArray<string | number>
  readonly expected: string
}

const issueOf = ({ expected, path }: Mistake): SchemaIssue.Issue => {
  const issue = new SchemaIssue.InvalidValue({ expected })
  return path.length === 0 ? issue : new SchemaIssue.Pointer(path, issue)
}

const issuesOf = (ast: SchemaAST.AST, issues: ReadonlyArray<SchemaIssue.Issue>): SchemaIssue.Issue | undefined => {
  const [first, ...others] = issues
  return first === undefined || others.length === 0 ? first : new SchemaIssue.Composite(ast, [first, ...others])
}

/** Returns what a Schema expects, as far as it says so. */
export const expectedOf = (schema: Schema.Constraint): string | undefined => {
  const expected = schema.ast.annotations?.["expected"]
  return typeof expected === "string" ? expected : undefined
}

/** Returns whether the input is a map. A `Redacted`, the value of a variable, is an object too, but no map. */
export const isMap = (input: unknown): input is Readonly<Record<string, unknown>> =>
  isObject(input) && !Redacted.isRedacted(input)

// -----------------------------------------------------------------------------
// keys
// -----------------------------------------------------------------------------

/** Makes a key that may be missing. */
export const optional = <A>(schema: FromFile<A>, description: string): Schema.optionalKey<FromFile<A>> =>
  Schema.optionalKey(schema).annotateKey({ description })

/** Makes a key that must not be missing. */
export const required = <A>(schema: FromFile<A>, description: string): FromFile<A> =>
  schema.annotateKey({ description, messageMissingKey: `Expected ${expectedOf(schema) ?? description}` })

// -----------------------------------------------------------------------------
// maps
// -----------------------------------------------------------------------------

/** Decodes a map by `schema`. */
export const map = <A>(expected: string, schema: FromFile<A>): FromFile<A> =>
  Schema.declareConstructor<A, unknown>()(
    [schema],
    ([codec]) => {
      const decode = SchemaParser.decodeUnknownEffect(codec)
      return (input, _, parse) => isMap(input) ? decode(input, parse) : Effect.fail(issueOf({ path: [], expected }))
    },
    { expected, toCodecJson: () => shownAs<A>(schema) }
  )

interface ObjectOptions<A> {
  readonly expected?: string
  /** The name of its definition in JSON Schema. */
  readonly identifier?: string
  /** Finds mistakes in which keys are there, whether or not their values are right. */
  readonly keys?: (input: Readonly<Record<string, unknown>>) => ReadonlyArray<Mistake>
  /** Finds mistakes in values that are right each by itself. */
  readonly check?: (value: A) => ReadonlyArray<Mistake>
}

/** Decodes a map with these keys and no other. */
export const object = <const Fields extends Schema.Struct.Fields>(
  fields: Fields,
  options: ObjectOptions<Schema.Struct<Fields>["Type"]> = {}
): FromFile<Schema.Struct<Fields>["Type"]> => {
  type A = Schema.Struct<Fields>["Type"]
  const names = Object.keys(fields).join(", ")
  const expected = options.expected ?? `a map with ${names}`
  // a cast, since TypeScript does not see that structs of what needs no services need none
  const struct = Schema.Struct(fields).annotate({
    messageUnexpectedKey: `Expected one of the keys ${names}`,
    ...(options.identifier === undefined ? {} : { identifier: options.identifier })
  }) as Schema.Constraint as FromFile<A>
  return Schema.declareConstructor<A, unknown>()(
    [struct],
    ([codec]) => {
      const decode = SchemaParser.decodeUnknownEffect(codec)
      return (input, ast, parse) => {
        if (!isMap(input)) return Effect.fail(issueOf({ path: [], expected }))
        const wrong = (options.keys?.(input) ?? []).map(issueOf)
        return Effect.matchEffect(decode(input, parse), {
          onFailure: (issue) => Effect.fail(issuesOf(ast, [...wrong, issue]) ?? issue),
          onSuccess: (value) => {
            const issue = issuesOf(ast, [...wrong, ...(options.check?.(value) ?? []).map(issueOf)])
            return issue === undefined ? Effect.succeed(value) : Effect.fail(issue)
          }
        })
      }
    },
    { expected, toCodecJson: () => shownAs<A>(struct) }
  )
}

/** Decodes a map of severities to what `schema` decodes. `what` begins the description of each. */
export const bySeverity = <A>(
  schema: FromFile<A>,
  what: string
): FromFile<{ readonly [severity in Severity]?: A | undefined }> => {
  const key = (severity: Severity) => optional(schema, `${what} of \`${severity}\` alerts.`)
  return object({
    info: key("info"),
    success: key("success"),
    warning: key("warning"),
    error: key("error"),
    critical: key("critical")
  })
}

/** Decodes a map whose keys `isName` accepts, and whose values `schema` decodes. */
export const record = <A>(
  schema: FromFile<A>,
  isName: (name: string) => boolean,
  aName: string
): FromFile<Readonly<Record<string, A>>> => {
  const values = Schema.Record(Schema.String, schema)
  const expected = "a map"
  return Schema.declareConstructor<Readonly<Record<string, A>>, unknown>()(
    [values],
    ([codec]) => {
      const decode = SchemaParser.decodeUnknownEffect(codec)
      return (input, ast, parse) => {
        if (!isMap(input)) return Effect.fail(issueOf({ path: [], expected }))
        const wrong = Object.keys(input).filter((name) => !isName(name))
        const issue = issuesOf(ast, wrong.map((name) => issueOf({ path: [name], expected: aName })))
        return issue === undefined ? decode(input, parse) : Effect.fail(issue)
      }
    },
    { expected, toCodecJson: () => shownAs<Readonly<Record<string, A>>>(values) }
  )
}

// -----------------------------------------------------------------------------
// lists and short forms
// -----------------------------------------------------------------------------

/** Decodes a list of at least `least` values. */
export const list = <A>(
  schema: FromFile<A>,
  least: number,
  expected = least === 0 ? "a list" : `a list of at least ${least}`
): FromFile<ReadonlyArray<A>> => {
  const array = Schema.Array(schema)
  return Schema.declareConstructor<ReadonlyArray<A>, unknown>()(
    [array],
    ([codec]) => {
      const decode = SchemaParser.decodeUnknownEffect(codec)
      return (input, _, parse) =>
        Array.isArray(input) && input.length >= least
          ? decode(input, parse)
          : Effect.fail(issueOf({ path: [], expected }))
    },
    { expected, toCodecJson: () => shownAs<ReadonlyArray<A>>(array.check(Schema.isMinLength(least))) }
  )
}

/**
 * Decodes the input by `full` if `isFull` accepts it, and otherwise a short form, of which `long` makes the value. Unlike
 * those of a union, the issues are only those of the form that was meant.
 */
export const either = <A, B, C>(
  short: FromFile<A>,
  full: FromFile<B>,
  long: (value: A) => C,
  isFull: (input: unknown) => boolean = isMap,
  identifier?: string
): FromFile<B | C> =>
  Schema.declareConstructor<B | C, unknown>()(
    [short, full],
    ([short, full]) => {
      const decodeShort = SchemaParser.decodeUnknownEffect(short)
      const decodeFull = SchemaParser.decodeUnknownEffect(full)
      return (input, _, parse) => isFull(input) ? decodeFull(input, parse) : Effect.map(decodeShort(input, parse), long)
    },
    {
      expected: expectedOf(short) ?? "a value",
      toCodecJson: () => {
        const json = Schema.Union([short, full])
        return shownAs<B | C>(identifier === undefined ? json : json.annotate({ identifier }))
      }
    }
  )

/** Decodes one value, or a list of values. */
export const oneOrMore = <A>(schema: FromFile<A>, least: 0 | 1 = 1): FromFile<ReadonlyArray<A>> =>
  either(schema, list(schema, least), (one): ReadonlyArray<A> => [one], Array.isArray)

/** Decodes by `schema`, and makes another value of what that decodes. */
export const mapped = <A, B>(schema: FromFile<A>, f: (value: A) => B): FromFile<B> =>
  Schema.declareConstructor<B, unknown>()(
    [schema],
    ([codec]) => {
      const decode = SchemaParser.decodeUnknownEffect(codec)
      return (input, _, parse) => Effect.map(decode(input, parse), f)
    },
    { toCodecJson: () => shownAs<B>(schema) }
  )

// -----------------------------------------------------------------------------
// checks
// -----------------------------------------------------------------------------

/** Adds a check of the value that `schema` decodes. */
export const checked = <A>(schema: FromFile<A>, check: (value: A) => ReadonlyArray<Mistake>): FromFile<A> =>
  Schema.declareConstructor<A, unknown>()(
    [schema],
    ([codec]) => {
      const decode = SchemaParser.decodeUnknownEffect(codec)
      return (input, ast, parse) =>
        Effect.flatMap(decode(input, parse), (value) => {
          const issue = issuesOf(ast, check(value).map(issueOf))
          return issue === undefined ? Effect.succeed(value) : Effect.fail(issue)
        })
    },
    { toCodecJson: () => shownAs<A>(schema) }
  )
