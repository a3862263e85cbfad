/**
 * Schemas of the single values of a config file: texts, secrets, numbers, durations, words. The input is what stands
 * in the file, where the value of a variable is a `Redacted`.
 *
 * - White space around a value is ignored, save in free text (names, paths, passwords), where it is part of the text.
 * - A number or a boolean that is written as text (in quotes) is none. What a variable holds is always text, and counts
 *   as a number where YAML would read the same characters as a decimal number: `5`, `+5`, `1e1`, `.5`.
 * - A duration is `5 seconds`, `90s` or `1h30m`, or a number of seconds. `Infinity` is none.
 *
 * An issue says what was expected and never quotes what was found: what stands at a wrong key may well be a secret.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { durationIn, durationText } from "../../../../internal/text/parseDuration.ts"
import { isHttp } from "../isHttp.ts"

/** Decodes a value of a file. It is never encoded: JSON Schema alone looks at how the value is written. */
export type FromFile<A> = Schema.Codec<A, unknown>

/** Describes a declaration in JSON Schema by another Schema. Nothing is ever decoded or encoded by this link. */
export const shownAs = <A>(json: Schema.Constraint): SchemaAST.Link =>
  Schema.link<A>()(json, SchemaTransformation.passthrough({ strict: false }))

interface LeafOptions<A> {
  /** Completes "expected …". */
  readonly expected: string
  /** How JSON Schema shows the value. */
  readonly json: Schema.Constraint
  /**
   * Returns the value, or `undefined` where the input is none. A variable's input is a string, and secret unless the
   * variable is public.
   */
  readonly parse: (input: unknown, ofVariable: boolean, isSecret: boolean) => A | undefined
}

/** The label of the value of a variable that may be shown. It is `Redacted` only until it is decoded. */
export const publicLabel = "public"

/** Whether a value comes from a variable that may not be shown. */
export const isSecret = (input: unknown): boolean => Redacted.isRedacted(input) && input.label !== publicLabel

/** Returns a value with the texts of public variables in place of their `Redacted`. */
export const withPublic = (value: unknown): unknown => {
  if (Redacted.isRedacted(value)) return isSecret(value) ? value : Redacted.value(value)
  if (Array.isArray(value)) return value.map(withPublic)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withPublic(part)]))
}

/** Makes the Schema of a single value. */
export const leaf = <A>({ expected, json, parse }: LeafOptions<A>): FromFile<A> =>
  Schema.declareConstructor<A, unknown>()(
    [],
    () => (input) => {
      const ofVariable = Redacted.isRedacted(input)
      const value = parse(ofVariable ? Redacted.value(input) : input, ofVariable, isSecret(input))
      return value === undefined
        ? Effect.fail(new SchemaIssue.InvalidValue({ expected }))
        : Effect.succeed(value)
    },
    { expected, toCodecJson: () => shownAs<A>(json) }
  )

/** Extends a JSON Schema to texts with a variable. `$${` is no variable: it stands for the characters `${`. */
export const orVariable = (json: Schema.Constraint): Schema.Constraint =>
  Schema.Union([
    json,
    Schema.String.check(Schema.isPattern(/(?:^|[^$])\$\{[A-Za-z_][A-Za-z0-9_]*(?::-(?:[^}$]|\$+[^{}$])*\$*)?\}/u))
  ])

// -----------------------------------------------------------------------------
// texts and secrets
// -----------------------------------------------------------------------------

// Neither blank nor with what no name, path or address has: control characters and lone surrogates. First white space
// other than \v and \f, which are control characters, then one that is neither, then any that is no control character:
// each text matches in one way only, in linear time.
const textPattern =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  /^[^\S\u000b\u000c]*[^\s\u0000-\u0008\u000e-\u001f\u007f\ud800-\udfff][^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ud800-\udfff]*$/u

const Text = Schema.String.check(Schema.isPattern(textPattern))

const isText = (input: unknown): input is string => typeof input === "string" && textPattern.test(input)

type Accepts = (text: string) => boolean

/** Returns free text as it is, and text that `accepts` tests without the white space around it. */
const textOf = (input: unknown, accepts: Accepts | undefined): string | undefined => {
  if (!isText(input)) return undefined
  if (accepts === undefined) return input
  return accepts(input.trim()) ? input.trim() : undefined
}

const textLeaf =
  <A>(wrap: (text: string, isSecret: boolean) => A) => (expected: string, accepts?: Accepts): FromFile<A> =>
    leaf({
      expected,
      json: Text,
      parse: (input, _, isSecret) => {
        const text = textOf(input, accepts)
        return text === undefined ? undefined : wrap(text, isSecret)
      }
    })

/** Decodes free text, or text that `accepts` tests. */
export const text = textLeaf((text) => text)

/** Decodes text as `Redacted`, whether it stands in the file or in a variable. */
export const secret = textLeaf<Redacted.Redacted<string>>((text) => Redacted.make(text))

/** Decodes text, as `Redacted` if it comes from a variable that is not public. */
export const maybeSecret = textLeaf<Redacted.Redacted<string> | string>((text, isSecret) =>
  isSecret ? Redacted.make(text) : text
)

const isToken = (text: string): boolean => /^[!-~]+$/.test(text)

/** Decodes a secret that is sent in a header: printable ASCII without spaces. */
export const token = (expected: string): FromFile<Redacted.Redacted<string>> =>
  secret(`${expected}, without spaces`, isToken)

/** Decodes an id: a text, or a safe integer. A greater number would not be the one that was written. */
export const id = (expected: string): FromFile<string> =>
  leaf({
    expected: `${expected}, in quotes where it is a long number`,
    json: Schema.Union([Text, Schema.Int]),
    parse: (input) => Number.isSafeInteger(input) ? String(input) : textOf(input, () => true)
  })

/** Decodes a reference to an export of a module. Errors show references, so none can come from a variable. */
export const reference: FromFile<string> = leaf({
  expected: "a reference such as ./hooks.ts#name, without variables",
  json: Schema.String.check(Schema.isPattern(/^(?![\s\S]*(?:^|[^$])\$\{)[\s\S]*\S/u)),
  parse: (input, ofVariable) =>
    typeof input === "string" && !ofVariable && input.trim() !== "" ? input.trim() : undefined
})

/** Returns whether a text is a URL of http or https without user and password, which `fetch` refuses. */
const isBareHttp = (text: string): boolean => {
  const url = URL.parse(text)
  return isHttp(text) && url?.username === "" && url.password === ""
}

/** Returns whether a text is the URL of a server, to which paths are appended. */
export const isBaseUrl = (text: string): boolean => isBareHttp(text) && !/[?#]/.test(text)

/** Decodes the URL of a server, to which paths are appended. */
export const baseUrl: FromFile<string> = text(
  "an address of http or https without a user, a query and a fragment",
  isBaseUrl
)

/** Decodes the URL of a webhook, which is a secret: anybody who knows it can post to it. */
export const webhookUrl: FromFile<Redacted.Redacted<string>> = secret(
  "an address of http or https without a user",
  isBareHttp
)

/** Decodes the name of a time zone in the IANA database. */
export const timeZone: FromFile<DateTime.TimeZone> = leaf({
  expected: "a time zone of the IANA database, as in Europe/Berlin",
  json: Text,
  parse: (input) => typeof input === "string" ? Option.getOrUndefined(DateTime.zoneMakeNamed(input.trim())) : undefined
})

// -----------------------------------------------------------------------------
// words
// -----------------------------------------------------------------------------

/** Decodes `true` or `false`. */
export const flag: FromFile<boolean> = leaf({
  expected: "true or false",
  json: orVariable(Schema.Boolean),
  parse: (input, ofVariable) => {
    if (!ofVariable || typeof input !== "string") return typeof input === "boolean" ? input : undefined
    const word = input.trim()
    return word === "true" || word === "false" ? word === "true" : undefined
  }
})

/** Decodes `true`, which stands for the defaults of something. */
export const yes = (expected: string): FromFile<true> =>
  leaf({ expected, json: Schema.Literal(true), parse: (input) => input === true ? input : undefined })

/** Decodes one of some words. */
export const oneOf = <const A extends string>(words: ReadonlyArray<A>): FromFile<A> =>
  leaf<A>({
    expected: alternatives(words.map((word) => JSON.stringify(word))),
    json: orVariable(Schema.Union([
      Schema.Literals(words),
      Schema.String.check(Schema.isPattern(new RegExp(`^\\s*(?:${words.join("|")})\\s*$`, "u")))
    ])),
    parse: (input) => typeof input === "string" ? words.find((word) => word === input.trim()) : undefined
  })

/** Joins words as in `a, b or c`. */
export const alternatives = (words: ReadonlyArray<string>, last: "and" | "or" = "or"): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`

// -----------------------------------------------------------------------------
// numbers and durations
// -----------------------------------------------------------------------------

// decimal numbers of YAML 1.2: https://yaml.org/spec/1.2.2/#1032-tag-resolution
const numeric = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i

/** Reads the number that the text of a variable stands for. */
export const numberIn = (text: string): number | undefined => {
  const number = numeric.test(text.trim()) ? Number(text) : NaN
  return Number.isFinite(number) ? number : undefined
}

const numberOf = (input: unknown, ofVariable: boolean): number | undefined =>
  ofVariable && typeof input === "string"
    ? numberIn(input)
    : typeof input === "number" && Number.isFinite(input)
    ? input
    : undefined

/** Decodes a number of at least `least`. */
export const number = (least: number): FromFile<number> =>
  leaf({
    expected: `a number of at least ${least}`,
    json: orVariable(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(least))),
    parse: (input, ofVariable) => {
      const number = numberOf(input, ofVariable)
      return number !== undefined && number >= least ? number : undefined
    }
  })

/** Decodes a whole number from `least` to `most`. */
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER): FromFile<number> =>
  leaf({
    expected: most === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${least}`
      : `a whole number from ${least} to ${most}`,
    json: orVariable(Schema.Int.check(Schema.isBetween({ minimum: least, maximum: most }))),
    parse: (input, ofVariable) => {
      const number = numberOf(input, ofVariable)
      return number !== undefined && Number.isSafeInteger(number) && number >= least && number <= most
        ? number
        : undefined
    }
  })

const mostSeconds = 999_999_999_999_999

/** Reads a duration in words, or a number of seconds, of at least so many. */
export const durationOf = (
  input: unknown,
  ofVariable: boolean,
  leastSeconds: number
): Duration.Duration | undefined => {
  const millis = typeof input === "string" ? durationIn(input) : undefined
  if (millis !== undefined) {
    const duration = Duration.millis(millis)
    return leastSeconds > 0 && Duration.isZero(duration) ? undefined : duration
  }
  const seconds = numberOf(input, ofVariable)
  return seconds !== undefined && seconds >= leastSeconds && seconds <= mostSeconds
    ? Duration.seconds(seconds)
    : undefined
}

interface DurationOptions {
  /** Whether it may be 0. */
  readonly zero?: boolean
  /** Which durations are right, and how that is said: `of at least 30 seconds`. */
  readonly within?: { readonly expected: string; readonly test: (duration: Duration.Duration) => boolean }
}

/** Decodes a duration. */
export const duration = ({ within, zero = false }: DurationOptions = {}): FromFile<Duration.Duration> => {
  // effect rounds durations below a nanosecond to 0
  const leastSeconds = zero ? 0 : 1e-9
  return leaf({
    expected: `a duration${within === undefined ? zero ? "" : " above 0" : ` ${within.expected},`} such as "${
      within === undefined ? "5 seconds" : "1 minute"
    }", or a number of seconds`,
    json: orVariable(Schema.Union([
      Schema.Finite.check(Schema.isBetween({ minimum: leastSeconds, maximum: mostSeconds })),
      Schema.String.check(Schema.isPattern(durationText), ...(zero ? [] : [Schema.isPattern(/[1-9]/u)]))
    ])),
    parse: (input, ofVariable) => {
      const duration = durationOf(input, ofVariable, leastSeconds)
      return duration === undefined || within === undefined || within.test(duration) ? duration : undefined
    }
  })
}

/** Decodes a whole number of at least 1, or a duration in words. */
export const countOrDuration: FromFile<number | Duration.Duration> = leaf<number | Duration.Duration>({
  expected: "a whole number of at least 1, or a duration such as \"2 days\"",
  json: orVariable(Schema.Union([
    Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
    Schema.String.check(Schema.isPattern(durationText), Schema.isPattern(/[1-9]/u))
  ])),
  parse: (input, ofVariable) => {
    const number = numberOf(input, ofVariable)
    if (number === undefined) return durationOf(input, ofVariable, 1e-9)
    return Number.isSafeInteger(number) && number >= 1 ? number : undefined
  }
})
