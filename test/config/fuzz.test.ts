import { Effect, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { parse, stringify } from "yaml"
import { readArbitrary } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const valid = `# every night
pipeline: ./nightly-etl.ts#pipeline
runName: nightly \${STAGE:-dev}
params: { TrainParams: { epochs: 3, key: "\${KEY:-x}" } }
hooks: { start: ./hooks.ts#begin }
stepHooks:
  failure: [ ./hooks.ts#pageOnCall, { use: epilogue#alerterFailure, timeout: 5 seconds, when: { tag: HttpError } } ]
  exit:
    - use: a#b
      retry: &retry { times: 3, delay: 1 second, backoff: exponential, factor: 2, maxDelay: 1 minute, jitter: true }
inherit: { failure: append }
defaults: { retry: 2, timeout: 90 }
steps:
  validate:
    inherit: append
    hooks: { success: [ ./hooks.ts#celebrate ] }
    retry: *retry
    timeout: 2 minutes
    annotations:
      owner: 'ann'
      text: |
        some "text"
        of two lines
  load: { retry: false, timeout: false }
alerter:
  fanOut: [ { slack: { webhookUrl: "https://hooks.slack.com/services/T0/B0/x" } }, { console: true } ]
  minSeverity: warning
`

const Words = Schema.Literals([
  "__proto__",
  "constructor",
  "toString",
  "use",
  "times",
  "off",
  "5 seconds",
  "${A}",
  "${A:-b}",
  "$${",
  "${",
  "~",
  "\u0000",
  "\ud83d",
  "🔥",
  "\u202e"
])

const Value = Schema.Union([Schema.Json, Words, Schema.Record(Words, Schema.Json), Schema.Array(Words)])

/** Sets, adds or renames one entry, somewhere in a value. */
const changed = (root: unknown, picks: ReadonlyArray<number>, how: number, value: unknown, key: string): unknown => {
  const [pick, ...others] = picks
  if (pick === undefined || typeof root !== "object" || root === null) return value
  if (Array.isArray(root)) {
    const index = pick % (root.length + 1)
    return root.toSpliced(index, 1, changed(root[index], others, how, value, key))
  }
  const entries = Object.entries(root)
  const index = pick % (entries.length + 1)
  const [name, at] = entries[index] ?? [key, undefined]
  const entry = how === 0 && others.length === 0
    ? [key, at] as const
    : [name, changed(at, others, how, value, key)] as const
  return Object.fromEntries(entries.toSpliced(index, 1, [...entry]))
}

const small = Schema.Literals(Array.from({ length: 12 }, (_, i) => i))

it.live("any value or key at any place is read or is an issue, in JSON and in both styles of YAML", () => {
  const seen = { fine: 0, wrong: 0 }
  const base: unknown = parse(valid)
  const Change = Schema.Struct({ picks: Schema.Array(small), how: Schema.Literals([0, 1]), value: Value, key: Words })
  return forAll(Schema.Array(Change), (changes) => {
    const value = changes.reduce<unknown>(
      (value, { how, key, picks, value: with_ }) => changed(value, picks.slice(0, 6), how, with_, key),
      base
    )
    return Effect.gen(function*() {
      for (
        const [file, text] of [
          ["a.json", JSON.stringify(value)],
          ["a.json", JSON.stringify(value, null, 2)],
          ["a.yaml", stringify(value)],
          ["a.yaml", stringify(value, { collectionStyle: "flow" })]
        ] as const
      ) seen[(yield* readArbitrary(text, { file })) === undefined ? "wrong" : "fine"]++
    })
  }, 120).pipe(Effect.andThen(Effect.sync(() => assert.ok(seen.fine > 5 && seen.wrong > 100, JSON.stringify(seen)))))
})

const pieces = [
  "[]{},:?-#&*!|>'\"%@`\\~a \n\t\r".split(""),
  "steps use null true .inf 0x1F 1e999 __proto__ &a *a !!str !<x> ${A} ${A:- $${ ${ ü 🔥".split(" "),
  [": ", "- ", "? ", "\n  ", "\n    ", "\r\n", " #", "|2-\n", "<<: ", "---\n", "...\n", "%YAML 1.1\n"],
  ["\u0000", "\ufeff", "\u2028", "\u0085", "\ud83d", "\ufdd0", "\ue000"]
].flat()

const Piece = Schema.Literals(pieces)

const Text = Schema.Array(Schema.Union([Piece, Piece, Piece, Schema.String]))

it.live("any text is read or is an issue", () =>
  forAll(Text, (pieces) =>
    Effect.gen(function*() {
      for (const file of ["a.yaml", "a.json"]) {
        yield* readArbitrary(pieces.join(""), { file })
        yield* readArbitrary(pieces.join("").repeat(30), { file })
      }
    }), 400))

it.live("a valid file with text inserted, replaced or removed is read or is an issue", () => {
  const Edit = Schema.Struct({
    at: Schema.Array(small),
    remove: Schema.Literals([0, 1, 2, 7, 40]),
    insert: Schema.Union([Piece, Schema.Literals([""])])
  })
  const texts = [["a.yaml", valid], ["a.json", JSON.stringify(parse(valid), null, 2)]] as const
  let wrong = 0
  return forAll(Schema.Array(Edit), (edits) =>
    Effect.gen(function*() {
      for (const [file, text] of texts) {
        const edited = edits.reduce((text, { at, insert, remove }) => {
          const start = at.reduce((sum, digit) => sum * 12 + digit, 0) % (text.length + 1)
          return text.slice(0, start) + insert + text.slice(start + remove)
        }, text)
        if ((yield* readArbitrary(edited, { file })) === undefined) wrong++
        if ((yield* readArbitrary(edited.replaceAll("\n", "\r\n"), { file })) === undefined) wrong++
      }
    }), 150).pipe(Effect.andThen(Effect.sync(() => assert.ok(wrong > 50, String(wrong)))))
})

it.live("the file that these tests change is valid", () =>
  Effect.gen(function*() {
    assert.ok((yield* readArbitrary(valid)) !== undefined)
    assert.ok((yield* readArbitrary(JSON.stringify(parse(valid)), { file: "a.json" })) !== undefined)
  }))
