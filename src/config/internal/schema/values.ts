/** The values of a file, in which a variable may stand for whatever its text says. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"

/** A value of a file, which is decoded only: the JSON Schema alone looks at how it is written. */
export type FromFile<A> = Schema.Codec<A, unknown>

/** Text with a variable in it, as it is written. After `$${` come the characters themselves. */
const Variable = Schema.String.check(
  Schema.isPattern(/(?:^|[^$])\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}]*)?\}/u)
)

interface Options<A> {
  /** In people's words. */
  readonly expected: string
  /** What may be written. */
  readonly written: Schema.Constraint
  /** The value, or `undefined` where it is none. Text is a variable's, or stands there itself. */
  readonly read: (value: unknown, ofVariable: boolean) => A | undefined
}

const describedBy = <A>(written: Schema.Constraint) =>
  Schema.link<A>()(written, {
    decode: SchemaGetter.forbidden(() => "it is only described"),
    encode: SchemaGetter.forbidden(() => "it is only described")
  })

const leaf = <A>({ expected, read, written }: Options<A>): FromFile<A> =>
  Schema.declareConstructor<A, unknown>()(
    [],
    () => (input, ast, options) => {
      const ofVariable = Redacted.isRedacted(input)
      const value = read(ofVariable ? Redacted.value(input) : input, ofVariable)
      return value === undefined ? Effect.fail(new SchemaIssue.InvalidType(ast, input, options)) : Effect.succeed(value)
    },
    {
      expected,
      toCodecJson: () => describedBy<A>(written)
    }
  )

/** Something with keys. A `Redacted` is an object too, and would pass for one without any. */
export const map = <A>(expected: string, schema: FromFile<A>): FromFile<A> =>
  Schema.declareConstructor<A, unknown>()(
    [schema],
    ([codec]) => {
      const decode = SchemaParser.decodeUnknownEffect(codec)
      return (input, ast, options) =>
        typeof input === "object" && input !== null && !Array.isArray(input) && !Redacted.isRedacted(input)
          ? decode(input, options)
          : Effect.fail(new SchemaIssue.InvalidType(ast, input, options))
    },
    { expected, toCodecJson: () => describedBy<A>(schema) }
  )

/** Text, secret where it comes from a variable. */
export const text = (expected: string): FromFile<string | Redacted.Redacted> =>
  leaf<string | Redacted.Redacted>({
    expected,
    written: Schema.String.check(Schema.isMinLength(1)),
    read: (value, ofVariable) =>
      typeof value !== "string" || value === "" ? undefined : ofVariable ? Redacted.make(value) : value
  })

const numeric = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i

/** Text is a number only where it comes from a variable. */
const numberOf = (value: unknown, ofVariable: boolean): number | undefined => {
  const number = ofVariable && typeof value === "string" && numeric.test(value.trim()) ? Number(value) : value
  return typeof number === "number" && Number.isFinite(number) ? number : undefined
}

/** A number, 1 or more. */
export const number = (options: { readonly whole: boolean }): FromFile<number> =>
  leaf({
    expected: options.whole ? "a whole number, 1 or more" : "a number, 1 or more",
    written: Schema.Union([
      (options.whole ? Schema.Int : Schema.Finite).check(Schema.isGreaterThanOrEqualTo(1)),
      Variable
    ]),
    read: (value, ofVariable) => {
      const number = numberOf(value, ofVariable)
      return number === undefined || number < 1 || options.whole && !Number.isSafeInteger(number) ? undefined : number
    }
  })

/** `true` or `false`. */
export const boolean: FromFile<boolean> = leaf({
  expected: "true or false",
  written: Schema.Union([Schema.Boolean, Variable]),
  read: (value, ofVariable) => {
    if (typeof value === "boolean") return value
    return !ofVariable ? undefined : value === "true" ? true : value === "false" ? false : undefined
  }
})

// as Duration.Input, but for what is negative or endless
const durationText = /^\d{1,15}(?:\.\d{1,15})?\s+(?:nanos?|micros?|millis?|seconds?|minutes?|hours?|days?|weeks?)$/u

const isDurationText = (value: string): value is `${number} seconds` => durationText.test(value)

const durationOf = (value: unknown, ofVariable: boolean): Duration.Duration | undefined => {
  if (typeof value === "string" && isDurationText(value)) return Duration.fromInputUnsafe(value)
  const seconds = numberOf(value, ofVariable)
  return seconds === undefined || seconds < 0 ? undefined : Duration.seconds(seconds)
}

/** A duration: `"5 seconds"`, or a number of seconds. */
export const duration: FromFile<Duration.Duration> = leaf({
  expected: "a duration such as \"5 seconds\", or a number of seconds",
  written: Schema.Union([
    Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)),
    Schema.String.check(Schema.isPattern(durationText)),
    Variable
  ]),
  read: durationOf
})

/** A duration that is not nothing. */
export const positiveDuration: FromFile<Duration.Duration> = leaf({
  expected: "a duration such as \"5 seconds\", or a number of seconds, more than 0",
  written: Schema.Union([
    Schema.Finite.check(Schema.isGreaterThan(0)),
    Schema.String.check(Schema.isPattern(durationText), Schema.isPattern(/[1-9]/u)),
    Variable
  ]),
  read: (value, ofVariable) => {
    // by what is written, since less than a nanosecond is none
    const some = typeof value === "string" ? /[1-9]/.test(value) : value !== 0
    return some ? durationOf(value, ofVariable) : undefined
  }
})

/** One of some words. */
export const word = <const A extends string>(words: readonly [A, ...ReadonlyArray<A>]): FromFile<A> =>
  leaf<A>({
    expected: alternatives(words.map((word) => JSON.stringify(word))),
    written: Schema.Union([Schema.Literals(words), Variable]),
    read: (value) => words.find((word) => word === value)
  })

/** `a, b or c`. */
export const alternatives = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`

const aReference = "a reference such as ./hooks.ts#name, without variables"

/** A reference is no secret: errors show it. So it is read as it is written. */
export const reference: FromFile<string> = leaf({
  expected: aReference,
  written: Schema.String.check(Schema.isPattern(/^(?![\s\S]*(?:^|[^$])\$\{)[\s\S]*\S/u)),
  read: (value, ofVariable) => typeof value === "string" && !ofVariable && value.trim() !== "" ? value : undefined
})
