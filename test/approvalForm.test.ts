/** Forms of approvals: how people fill in fields as text. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Params } from "../src/index.ts"
import { expectedOf, fieldsOf, filledIn, mistakeText, readTexts } from "../src/internal/approvals/form.ts"
import { makeIt } from "./support/it.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

const fields = {
  text: Schema.NonEmptyString.check(Schema.isPattern(/\S/)),
  whole: Schema.Int.check(Schema.isBetween({ minimum: -5, maximum: 5 })),
  number: Schema.Finite,
  flag: Schema.Boolean,
  choice: Schema.Literals(["eu", "us"]),
  list: Schema.Array(Schema.Int),
  inner: Schema.optionalKey(Schema.Struct({ at: Schema.DateTimeUtcFromString })),
  secret: Schema.Redacted(Schema.String)
}

const form = Params.form(fields)

test("the fields of a form have labels, kinds and bounds", () => {
  const annotated = Params.form({
    a: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).annotate({ title: "How many", description: "of all" }),
    b: Schema.optionalKey(Schema.Redacted(Schema.String))
  })
  assert.deepEqual(fieldsOf(annotated), [
    { name: "a", label: "How many", description: "of all", kind: "whole", minimum: 1, required: true, secret: false },
    { name: "b", label: "b", kind: "text", required: false, secret: true }
  ])
  assert.deepEqual(fieldsOf(form).map((field) => [field.name, expectedOf(field), field.secret]), [
    ["text", "a text", false],
    ["whole", "a whole number from -5 to 5", false],
    ["number", "a number", false],
    ["flag", "yes or no", false],
    ["choice", "one of eu, us", false],
    ["list", "JSON", false],
    ["inner", "JSON", false],
    ["secret", "a text", true]
  ])
})

test("a union has the input of the part that people fill in", () => {
  const kinds = fieldsOf(Params.form({
    optional: Schema.optional(Schema.Int),
    number: Schema.Number,
    enum: Schema.Enum({ Europe: "eu", States: "us" } as const),
    literals: Schema.Union([Schema.Literal("a"), Schema.Literals(["b", "c"])]),
    nullable: Schema.NullOr(Schema.Int),
    either: Schema.Union([Schema.Int, Schema.String])
  })).map((field) => [field.name, field.kind, field.choices])
  assert.deepEqual(kinds, [
    ["optional", "whole", undefined],
    ["number", "number", undefined],
    ["enum", "choice", ["eu", "us"]],
    ["literals", "choice", ["a", "b", "c"]],
    ["nullable", "json", undefined],
    ["either", "json", undefined]
  ])
})

const { secret: _, ...shown } = fields

it.effect("property: what people write for values is read as these values", () => {
  const whole = Schema.Struct(shown)
  const ofShown = Params.form(shown)
  return forAll(whole, (values) =>
    Effect.gen(function*() {
      const json = yield* Schema.encodeEffect(Schema.toCodecJson(whole))(values)
      const texts = Object.fromEntries(
        // the cast: an encoded struct is an object
        Object.entries(json as object).map(([name, value]) => [
          name,
          typeof value === "string"
            ? value
            : typeof value === "boolean"
            ? (value ? "yes" : "No")
            : JSON.stringify(value)
        ])
      )
      if (Object.values(texts).some((text) => text.length > 4_000)) return
      assert.deepEqual((yield* filledIn(ofShown, texts)).values, JSON.parse(JSON.stringify(json)))
    }))
})

it.effect("property: any texts are values that decode, or mistakes of their fields", () =>
  forAll(
    Schema.Record(Schema.Literals([...Object.keys(fields), "other"]), Schema.optionalKey(Schema.String)),
    (texts) =>
      Effect.gen(function*() {
        const read = yield* filledIn(form, texts)
        if (read.values !== undefined) return void (yield* form.decode(read.values))
        assert.ok(read.mistakes.length > 0)
        for (const { expected, field } of read.mistakes) {
          assert.ok(expected !== "")
          assert.ok(field === undefined || field === "other" || Object.hasOwn(fields, field), field)
        }
      })
  ))

test("values are bounded, one by one and all together, and unknown fields are mistakes", () => {
  const long = {
    list: `[${"1,".repeat(1_998)}1]`,
    text: "x".repeat(3_999),
    number: "1",
    flag: "y",
    choice: "eu",
    whole: "0"
  }
  const tooLong = readTexts(fieldsOf(form), { ...long, text: "x".repeat(4_001), secret: "s", other: "1" })
  assert.deepEqual(tooLong.mistakes?.map(mistakeText), [
    "text: expected at most 4,000 characters",
    "other: expected one of the fields text, whole, number, flag, choice, list, inner, secret"
  ])
  const many = Params.form(Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, Schema.String])))
  const texts = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, "x".repeat(4_000)]))
  assert.deepEqual(readTexts(fieldsOf(many), texts).mistakes?.map(mistakeText), [
    "expected at most 16,000 characters in all"
  ])
})
