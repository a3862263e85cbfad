/** The JSON Schema of config files: it takes the documents that the Schema takes. */
import { Ajv2020 } from "ajv/dist/2020.js"
import { Effect, Redacted, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { stringify } from "yaml"
import { jsonSchema } from "../../src/config/Document.ts"
import { documentOf, read } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const validate = new Ajv2020({ strict: false, allErrors: true }).compile(jsonSchema())

/** Returns whether a value is valid for the Schema, and for the JSON Schema that editors use. */
const verdicts = (value: unknown): Effect.Effect<readonly [boolean, boolean]> =>
  Effect.map(
    Effect.result(read(JSON.stringify(value), { file: "nightly.json", env: { A: "3" } })),
    ({ _tag }) => [_tag === "Success", validate(value)]
  )

it.effect("every key of the JSON Schema has a description, and no map allows other keys", () =>
  Effect.sync(() => {
    const schema = jsonSchema()
    assert.equal(schema["$id"], "urn:effect-epilogue:config")
    assert.equal(schema["additionalProperties"], false)
    const undescribed: Array<string> = []
    const open: Array<string> = []
    // oxlint-disable-next-line no-explicit-any -- parts of a JSON Schema are of any type
    const look = (value: any, path: string): void => {
      if (typeof value !== "object" || value === null) return
      if (value.properties !== undefined && value.type === "object" && value.additionalProperties !== false) {
        open.push(path)
      }
      for (const [key, part] of Object.entries(value)) look(part, `${path}/${key}`)
    }
    look(schema, "")
    // oxlint-disable-next-line no-explicit-any -- parts of a JSON Schema are of any type
    const parts = schema as any
    for (const [name, of] of Object.entries({ top: parts, ...parts.$defs })) {
      if (name.startsWith("Alerter") || name === "Inherit") continue
      // oxlint-disable-next-line no-explicit-any -- parts of a JSON Schema are of any type
      for (const [key, property] of Object.entries((of as any).properties ?? {})) {
        if (typeof (property as { description?: unknown }).description !== "string") undescribed.push(`${name}.${key}`)
      }
    }
    assert.deepEqual(undescribed, [])
    assert.deepEqual(open, [])
  }))

const Any = Schema.Union([
  Schema.Json,
  Schema.Literals(["${A}", "$${A}", "x ${A:-b}", "off", "5 seconds", "", " ", 0, 1, 1.5, -1])
])

const Maybe = <S extends Schema.Constraint>(right: S) => Schema.optionalKey(Schema.Union([right, right, right, Any]))

const DurationText = Schema.Literals([
  1,
  0.5,
  "5 seconds",
  "1 minute",
  "0 seconds",
  "1 x",
  "1h30m",
  "PT0S",
  "${A}",
  "1.5  hours"
])

const Retry = Schema.Union([
  Schema.Literals([3, false, "${A}"]),
  Schema.Struct({
    times: Maybe(Schema.Literals([1, 3, "${A}"])),
    delay: Maybe(DurationText),
    backoff: Maybe(Schema.Literals(["constant", "linear", "exponential", "${B:-linear}"])),
    factor: Maybe(Schema.Literals([2])),
    maxDelay: Maybe(DurationText),
    jitter: Maybe(Schema.Boolean)
  })
])

const Hook = Schema.Union([
  Schema.Literals(["./hooks.ts#a", "epilogue#alerterFailure", "${A}", "$${A}"]),
  Schema.Struct({
    use: Maybe(Schema.Literals(["./hooks.ts#a"])),
    name: Maybe(Schema.Literals(["a", "${A}"])),
    timeout: Maybe(DurationText),
    retry: Maybe(Retry),
    when: Maybe(Schema.Struct({ tag: Maybe(Schema.Union([Schema.String, Schema.Array(Schema.String)])) })),
    background: Maybe(Schema.Boolean),
    required: Maybe(Schema.Boolean)
  })
])

const Hooks = Schema.Struct({
  start: Maybe(Hook),
  failure: Maybe(Schema.Array(Hook)),
  exit: Maybe(Hook),
  other: Schema.optionalKey(Schema.Literals([1, 2]))
})

const OverdueText = Schema.Union([
  DurationText,
  Schema.Literals([false]),
  Schema.Struct({ after: Maybe(DurationText), every: Maybe(DurationText) })
])

const DeadlineText = Schema.Union([
  Schema.Literals(["06:00", false, true, 6]),
  Schema.Struct({
    at: Maybe(Schema.Literals(["06:00", 6])),
    // no other text: only the Schema knows which zones there are
    timeZone: Schema.optionalKey(Schema.Literals(["Europe/Berlin", 1, -1])),
    every: Maybe(DurationText)
  })
])

const AnyDocument = Schema.Union([
  Any,
  Schema.Struct({
    defaults: Schema.Struct({ retry: Maybe(Retry), timeout: Maybe(DurationText), overdue: Maybe(OverdueText) })
  }),
  Schema.Struct({ overdue: Maybe(OverdueText), deadline: Maybe(DeadlineText) }),
  Schema.Struct({
    hooks: Maybe(Hooks),
    inherit: Maybe(Schema.Struct({ failure: Maybe(Schema.Literals(["append"])) }))
  }),
  Schema.Struct({
    steps: Maybe(Schema.Struct({ a: Maybe(Schema.Struct({ retry: Maybe(Retry), params: Maybe(Any) })) }))
  }),
  Schema.Struct({ pipeline: Maybe(Schema.String), runName: Maybe(Schema.String), params: Maybe(Any) })
])

// Values that the JSON Schema can't judge: forbidden keys, malformed or unset variables, and variables in keys.
const isBeyond = (text: string): boolean =>
  /__proto__|constructor|prototype/.test(text) || /\$\{(?!A\}|A:-b\}|B:-linear\})/.test(text) ||
  /"[^"]*\$\{[^"]*":/.test(text)

it.live("the JSON Schema and the Schema accept the same documents", () => {
  const seen = { valid: 0, invalid: 0 }
  return forAll(AnyDocument, (value) => {
    const text = JSON.stringify(value)
    // only the Schema knows the value of a variable
    if (isBeyond(text) || /\$\{/.test(text)) return Effect.void
    return Effect.map(verdicts(value), ([ours, editors]) => {
      seen[ours ? "valid" : "invalid"]++
      assert.equal(editors, ours, text)
    })
  }, 1500).pipe(
    Effect.andThen(Effect.sync(() => assert.ok(seen.valid > 50 && seen.invalid > 50, JSON.stringify(seen))))
  )
})

it.effect("the JSON Schema and the Schema accept the same documents with variables", () =>
  Effect.gen(function*() {
    for (
      const [value, valid] of [
        [{ defaults: { retry: "${A}" } }, true],
        [{ defaults: { retry: "$${A}" } }, false],
        [{ defaults: { retry: "3" } }, false],
        [{ defaults: { timeout: "${A}" } }, true],
        [{ runName: "a ${A:-b}" }, true],
        [{ pipeline: "./${A}#b" }, false],
        [{ pipeline: "./$${A}#b" }, true],
        [{ hooks: { failure: [{ use: "a", required: "${B:-true}", when: { tag: ["${A}"] } }] } }, true],
        [{ defaults: { retry: { times: 1, delay: 1, backoff: "${B:-exponential}", factor: "${A}" } } }, true],
        [{ params: { A: { b: ["${A}"] } }, annotations: { a: "${A}" } }, true],
        [{ alerter: { slack: { webhookUrl: "${B:-https://hooks.slack.com/services/T0/B0/x}" } } }, true],
        [{ alerter: { slack: { webhookurl: "https://hooks.slack.com/services/T0/B0/x" } } }, false],
        [{ alerter: "console" }, true],
        [{ alerter: 3 }, false]
      ] as const
    ) assert.deepEqual(yield* verdicts(value), [valid, valid], JSON.stringify(value))
  }))

it.effect("the same document in YAML and JSON is decoded alike", () =>
  Effect.gen(function*() {
    const value = {
      params: { A: { text: "${A}, {x}", on: "yes", n: "1" } },
      steps: { "a: b": { timeout: "1 minute" } }
    }
    const env = { A: "3" }
    const ofYaml = yield* documentOf(stringify(value), { env })
    const ofFlow = yield* documentOf(stringify(value, { collectionStyle: "flow" }), { env })
    const ofJson = yield* documentOf(JSON.stringify(value), { env, file: "a.json" })
    const shown = (document: unknown) =>
      JSON.stringify(document, (_, part) => Redacted.isRedacted(part) ? Redacted.value(part) : part)
    assert.equal(shown(ofYaml), shown(ofJson))
    assert.equal(shown(ofFlow), shown(ofJson))
  }))
