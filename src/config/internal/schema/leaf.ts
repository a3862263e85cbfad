/**
 * What a file may have at a key. Each says itself what it expects and quotes nothing of what it found, since what
 * stands at a wrong key may well be a secret.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"

/** Decodes what stands in a file, where values of variables are `Redacted`. */
export type FromFile<A> = Schema.Codec<A, unknown>

/** What is wrong, and where within the value. */
export interface Mistake {
  readonly path: ReadonlyArray<string | number>
  readonly expected: string
}

// None of these is ever encoded or decoded: JSON Schema alone looks at what they lead to.
const shownAs = <A>(json: Schema.Constraint): SchemaAST.Link =>
  Schema.link<A>()(json, {
    decode: SchemaGetter.forbidden(() => "it is only described"),
    encode: SchemaGetter.forbidden(() => "it is only described")
  })

/** With a name for its definition in JSON Schema. */
const identified = (schema: Schema.Top, identifier: string | undefined): Schema.Constraint =>
  identifier === undefined ? schema : schema.annotate({ identifier })

const issueOf = ({ expected, path }: Mistake): SchemaIssue.Issue => {
  const issue = new SchemaIssue.InvalidValue({ expected })
  return path.length === 0 ? issue : new SchemaIssue.Pointer(path, issue)
}

const issuesOf = (ast: SchemaAST.AST, issues: ReadonlyArray<SchemaIssue.Issue>): SchemaIssue.Issue | undefined => {
  const [first, ...others] = issues
  return first === undefined || others.length === 0 ? first : new SchemaIssue.Composite(ast, [first, ...others])
}

/** Something with keys, which a `Redacted` is not to be taken for. */
export const isObject = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === "object" && input !== null && !Array.isArray(input) && !Redacted.isRedacted(input)

// -----------------------------------------------------------------------------
// leaves
// -----------------------------------------------------------------------------

interface LeafOptions<A> {
  readonly expected: string
  /** As JSON Schema shows it. */
  readonly json: Schema.Constraint
  /** Undefined where it is none. A variable's value is a string. */
  readonly parse: (input: unknown, ofVariable: boolean) => A | undefined
}

/** @internal */
export const leaf = <A>({ expected, json, parse }: LeafOptions<A>): FromFile<A> =>
  Schema.declareConstructor<A, unknown>()(
    [],
    () => (input) => {
      const ofVariable = Redacted.isRedacted(input)
      const value = parse(ofVariable ? Redacted.value(input) : input, ofVariable)
      return value === undefined ? Effect.fail(issueOf({ path: [], expected })) : Effect.succeed(value)
    },
    { expected, toCodecJson: () => shownAs<A>(json) }
  )

/** What it is, or a string that has a variable in it. */
const orVariable = (json: Schema.Constraint): Schema.Constraint =>
  Schema.Union([json, Schema.String.check(Schema.isPattern(/\$\{/u))])

/** Neither blank nor with what no name, path or address has: halves of characters and control characters. */
const isText = (input: unknown): input is string =>
  typeof input === "string" && input.trim() !== "" && input.isWellFormed() &&
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(input)

/** Text that such a test accepts. */
export const text = (expected: string, accepts: (text: string) => boolean = () => true): FromFile<string> =>
  leaf({
    expected,
    json: Schema.String,
    parse: (input) => isText(input) && accepts(input) ? input : undefined
  })

/** An id: a string, or a number that is exactly what was written. */
export const id = (expected: string): FromFile<string> =>
  leaf({
    expected: `${expected}, in quotes where it is a long number`,
    json: Schema.Union([Schema.String, Schema.Int]),
    parse: (input) =>
      isText(input)
        ? input.trim()
        : Number.isSafeInteger(input)
        ? String(input)
        : undefined
  })

/** A string that nobody may see, whether it stands in the file or in a variable. */
export const secret = (
  expected: string,
  accepts: (text: string) => boolean = () => true
): FromFile<Redacted.Redacted<string>> =>
  leaf({
    expected,
    json: Schema.String,
    parse: (input) => isText(input) && accepts(input) ? Redacted.make(input) : undefined
  })

/** A secret where it comes from a variable, otherwise a string like any other. */
export const maybeSecret = (
  expected: string,
  accepts: (text: string) => boolean
): FromFile<Redacted.Redacted<string> | string> =>
  leaf({
    expected,
    json: Schema.String,
    parse: (input, ofVariable) =>
      typeof input !== "string" || !accepts(input) ? undefined : ofVariable ? Redacted.make(input) : input
  })

/** What a header takes. */
export const isToken = (text: string): boolean => /^[!-~]+$/.test(text)

const numberOf = (input: unknown, ofVariable: boolean): number | undefined =>
  typeof input === "number"
    ? input
    : ofVariable && typeof input === "string" && /^\s*-?\d+(\.\d+)?\s*$/.test(input)
    ? Number(input)
    : undefined

/** A whole number. */
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER): FromFile<number> =>
  leaf({
    expected: most === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${least}`
      : `a whole number from ${least} to ${most}`,
    json: orVariable(Schema.Int.check(Schema.isBetween({ minimum: least, maximum: most }))),
    parse: (input, ofVariable) => {
      const number = numberOf(input, ofVariable)
      return Number.isSafeInteger(number) && number !== undefined && number >= least && number <= most
        ? number
        : undefined
    }
  })

/** True or false. */
export const flag: FromFile<boolean> = leaf({
  expected: "true or false",
  json: orVariable(Schema.Boolean),
  parse: (input, ofVariable) =>
    typeof input === "boolean"
      ? input
      : ofVariable && (input === "true" || input === "false")
      ? input === "true"
      : undefined
})

/** True, where there is nothing else to say. */
export const yes = (expected: string): FromFile<true> =>
  leaf({ expected, json: Schema.Literal(true), parse: (input) => input === true ? input : undefined })

/** One of several words. */
export const oneOf = <const A extends string>(words: ReadonlyArray<A>, note = ""): FromFile<A> =>
  leaf({
    expected: `one of ${words.join(", ")}${note}`,
    json: orVariable(Schema.Literals(words)),
    parse: (input) => words.find((word) => word === input)
  })

interface DurationLimits {
  readonly zero?: boolean
  readonly infinite?: boolean
}

// `Duration.fromInput` takes any input as it may be: a string that is none of its forms is no duration
const durationOf = (input: unknown, ofVariable: boolean): Duration.Duration | undefined => {
  const seconds = numberOf(input, ofVariable)
  if (seconds !== undefined) return Number.isNaN(seconds) ? undefined : Duration.seconds(seconds)
  if (typeof input !== "string") return undefined
  return Option.getOrUndefined(Duration.fromInput(input.trim() as Duration.Input))
}

/** As in `5 seconds`, or a number of seconds. */
export const duration = ({ infinite = false, zero = false }: DurationLimits = {}): FromFile<Duration.Duration> =>
  leaf({
    expected: `a duration${zero ? "" : " above 0"}, as in "5 seconds", or a number of seconds${
      infinite ? ", or Infinity" : ""
    }`,
    json: Schema.Union([
      Schema.String.check(
        Schema.isPattern(/^\s*\d+(\.\d+)?\s+(nano|micro|milli|second|minute|hour|day|week)s?\s*$|^Infinity$|\$\{/u)
      ),
      Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
    ]),
    parse: (input, ofVariable) => {
      const duration = durationOf(input, ofVariable)
      if (duration === undefined) return undefined
      const millis = Duration.toMillis(duration)
      return (zero ? millis >= 0 : millis > 0) && (infinite || millis < Infinity) ? duration : undefined
    }
  })

/** By its name in the IANA database. */
export const timeZone: FromFile<DateTime.TimeZone> = leaf({
  expected: "a time zone of the IANA database, as in Europe/Berlin",
  json: Schema.String,
  parse: (input) => typeof input === "string" ? Option.getOrUndefined(DateTime.zoneMakeNamed(input.trim())) : undefined
})

/** An address of http or https. */
export const isHttp = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== ""
}

/** One without a user and a password, which `fetch` does not take. */
export const isBareHttp = (text: string): boolean => {
  const url = URL.parse(text)
  return isHttp(text) && url?.username === "" && url.password === ""
}

/** The address of a server, to which paths are added. */
export const baseUrl: FromFile<string> = text(
  "an address of http or https without a user, a query and a fragment",
  (text) => isBareHttp(text) && !/[?#]/.test(text)
)

/** The address of a webhook, which whoever knows it can post to. */
export const webhookUrl: FromFile<Redacted.Redacted<string>> = secret(
  "an address of http or https without a user",
  isBareHttp
)

// -----------------------------------------------------------------------------
// what is made of several
// -----------------------------------------------------------------------------

const expectedOf = (schema: Schema.Constraint): string | undefined => {
  const expected = schema.ast.annotations?.["expected"]
  return typeof expected === "string" ? `Expected ${expected}` : undefined
}

/** A key that may be left out. */
export const optional = <A>(schema: FromFile<A>, description: string): Schema.optionalKey<FromFile<A>> =>
  Schema.optionalKey(schema).annotateKey({ description })

/** A key that must be there. */
export const required = <A>(schema: FromFile<A>, description: string): FromFile<A> =>
  schema.annotateKey({ description, messageMissingKey: expectedOf(schema) ?? `Expected ${description}` })

interface ObjectOptions<A> {
  readonly expected?: string
  /** The name of its definition in JSON Schema. */
  readonly identifier?: string
  /** Of what was read, whatever its values are. */
  readonly keys?: (input: Readonly<Record<string, unknown>>) => ReadonlyArray<Mistake>
  /** Of what each key by itself is right in. */
  readonly check?: (value: A) => ReadonlyArray<Mistake>
}

/** These keys and no other. All mistakes are told at once. */
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
        if (!isObject(input)) return Effect.fail(issueOf({ path: [], expected }))
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
    {
      expected,
      toCodecJson: () => shownAs<A>(struct)
    }
  )
}

/** The same with a further look at what was read. */
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

/** What is no object, or no list, is a short form, of which `long` makes the other. */
export const either = <A, B, C>(
  short: FromFile<A>,
  full: FromFile<B>,
  long: (value: A) => C,
  isFull: (input: unknown) => boolean = isObject,
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
      expected: expectedOf(short)?.slice("Expected ".length) ?? "a value",
      toCodecJson: () => shownAs<B | C>(identified(Schema.Union([short, full]), identifier))
    }
  )

/** One, or a list of them. */
export const oneOrMore = <A>(schema: FromFile<A>, least: 0 | 1 = 1): FromFile<ReadonlyArray<A>> =>
  either(
    schema,
    list(schema, least),
    (one): ReadonlyArray<A> => [one],
    Array.isArray
  )

/** So many at least. */
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

/** Any names that are accepted, each with such a value. */
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
        if (!isObject(input)) return Effect.fail(issueOf({ path: [], expected }))
        const wrong = Object.keys(input).filter((name) => !isName(name))
        const issue = issuesOf(ast, wrong.map((name) => issueOf({ path: [name], expected: aName })))
        return issue === undefined ? decode(input, parse) : Effect.fail(issue)
      }
    },
    { expected, toCodecJson: () => shownAs<Readonly<Record<string, A>>>(values) }
  )
}
