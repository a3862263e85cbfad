/** Reading text that others wrote takes time in proportion to its length, which is up to a million characters. */
import { Effect, Schema } from "effect"
import { test } from "node:test"
import { effectIsLinear } from "./support/growth.ts"
import { makeIt } from "./support/it.ts"
import { forAll } from "./support/property.ts"
import { type Reader, readers } from "./support/readers.ts"

const it = makeIt(test)

const longest = 1_000_000

/** Reads texts of growing length, so that superlinear time fails before the longest of them takes hours. */
const readsInLinearTime = (reader: Reader, ofLength: (length: number) => string, most = longest) =>
  Effect.gen(function*() {
    const what = JSON.stringify(ofLength(60).slice(0, 60))
    for (let length = most / 64; length <= most; length *= 4) {
      yield* effectIsLinear(what, length, (length) => reader.read(ofLength(length)))
    }
  })

const repeated = (unit: string) => (length: number) => unit.repeat(Math.ceil(length / unit.length))

/** Beginnings without an end, ends without a beginning, and whatever once took long. */
const worst: Readonly<Record<string, ReadonlyArray<readonly [before: string, unit: string, after: string]>>> = {
  sql: [["", "-", "\nSELECT 1"], ["", "--\n", "SELECT 1"], ["", "/*", ""], ["", "/**/", "x"], ["SELECT 1", "; ", "x"]],
  yaml: [
    ["runName: \"", "${A:-", "\"\n"],
    ["x: [", "${A:-", "]\n"],
    ["runName: \"", "${A}", "\"\n"],
    ["", "[", ""],
    ["", "- ", ""],
    ["a: b", " ", "c"],
    ["", "key: {a: 1}\n", ""],
    ["a: &a [1, 2]\nb: [", "*a, ", "]\n"],
    ["a: \"", "\\", ""],
    ["a: |\n", "  x\n", ""]
  ],
  json: [["{\"runName\":\"", "\\n", "\"}"], ["{\"runName\":\"", "${A:-", "\"}"], ["{", " ", "}"], ["", "[", ""], [
    "1",
    "1",
    "x"
  ]],
  duration: [["", "1", " seconds"], ["5", " ", "seconds"], ["", " ", "5 seconds"], ["1.", "0", "x"]],
  reference: [["", "/", "x"], ["", "a.", ""], ["@", "a/", "#"], ["", "@a>", ""], ["a,", " ", "b"], [
    "https://a",
    "/",
    "?"
  ]],
  token: [["", "A", ""], ["", "=", "A"], ["", " ", "A"]],
  record: [
    ["", "{", ""],
    ["", "\n", ""],
    ["{\"_tag\":\"", "a", "\"}\n"],
    ["", "{\"_tag\":\"StepStarted\",\"at\":0,\"stepName\":\"a\",\"stepPath\":[\"a\"],\"index\":0}\n", ""],
    ["", "{\"_tag\":\"Record\",\"version\":2}\n", ""]
  ]
}

for (const format of Object.keys(worst)) {
  it.live(`reading ${format} takes linear time in the worst known cases`, () =>
    Effect.gen(function*() {
      const reader = (yield* readers)[format]!
      for (const [before, unit, after] of worst[format]!) {
        yield* readsInLinearTime(reader, (length) => before + repeated(unit)(length) + after)
      }
    }))

  it.live(`reading ${format} takes linear time where any pieces of it are repeated`, () =>
    Effect.gen(function*() {
      const reader = (yield* readers)[format]!
      const Few = Schema.Array(Schema.Literals(reader.pieces)).check(Schema.isMaxLength(3))
      yield* forAll(
        Schema.Struct({ before: Few, unit: Schema.NonEmptyArray(Schema.Literals(reader.pieces)), after: Few }),
        ({ after, before, unit }) =>
          readsInLinearTime(
            reader,
            (length) => before.join("") + repeated(unit.slice(0, 3).join(""))(length) + after.join(""),
            100_000
          ),
        20
      )
    }))
}
