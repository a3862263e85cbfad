/** Tests that any value at any key of an alerter is read, or is an issue at its place. */
import { Cause, Effect, Layer, Redacted, Schema, SchemaIssue } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import { decode, folder, issues, layerOf, smtp } from "./alerterSupport.ts"

const it = makeIt(test)

const valid = {
  fanOut: [{
    email: {
      host: "h",
      ...smtp,
      ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
      timeout: "1 second",
      retries: 1
    },
    throttle: { limit: 1, window: 5, perKey: { limit: 1, window: 5 } },
    quietHours: [{ from: "22:00", to: "07:00", days: ["monday"] }],
    digest: { window: "1 hour", max: 5 }
  }, { webhook: { url: "https://a.test", headers: { "x-team": "data" }, delay: 0 } }],
  succeeds: "any",
  dedupe: { window: "1 hour", persist: "x" },
  store: "state"
}

const places = (
  node: unknown,
  path: ReadonlyArray<string | number> = []
): ReadonlyArray<ReadonlyArray<string | number>> => [
  path,
  ...(Array.isArray(node)
    ? node.flatMap((item, i) => places(item, [...path, i]))
    : typeof node === "object" && node !== null
    ? Object.entries(node).flatMap(([key, item]) => places(item, [...path, key]))
    : [])
]

const withAt = (node: unknown, [key, ...rest]: ReadonlyArray<string | number>, value: unknown): unknown => {
  if (key === undefined) return value
  if (Array.isArray(node)) return node.map((item, i) => i === key ? withAt(item, rest, value) : item)
  const object = node as Readonly<Record<string, unknown>>
  return { ...object, [key]: withAt(object[key], rest, value) }
}

const all = places(valid)

it.effect("any value at any key is read and built, or is an issue at its place", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* issues(valid), [])
    const root = yield* folder
    const Some = Schema.Literals([
      0,
      1,
      0.5,
      -1,
      true,
      "1 hour",
      "22:00",
      "24:00",
      "error",
      "any",
      "console",
      "x",
      "\u0000"
    ])
    const Leaf = Schema.Union([Some, Schema.Json, Schema.String, Schema.Number])
    yield* forAll(
      Schema.Struct({
        at: Schema.Literals(all.map((_, i) => i)),
        value: Schema.Union([Leaf, Schema.Record(Schema.Literals(["slack", "use", "window", "from"]), Leaf)]),
        hidden: Schema.Boolean
      }),
      ({ at, hidden, value }) =>
        Effect.gen(function*() {
          const place = all[at] ?? []
          const leaf = hidden && typeof value === "string" ? Redacted.make(value) : value
          const input = withAt(valid, place, leaf)
          const result = yield* Effect.result(decode(input))
          if (result._tag === "Success") {
            const built = yield* Effect.exit(
              Effect.scoped(Effect.flatMap(layerOf(input, {}, { folder: root }), Layer.build))
            )
            assert.ok(built._tag === "Success" || !Cause.hasDies(built.cause), JSON.stringify(input))
            return
          }
          for (const { path = [] } of SchemaIssue.makeFormatterStandardSchemaV1()(result.failure.issue).issues) {
            const shown = path.map(String)
            const shared = Math.min(shown.length, place.length)
            // the value may have replaced a base or a store that the alerter around it needs
            const related = place.slice(0, shared).map(String).join() === shown.slice(0, shared).join() ||
              shown.at(-1) === "persist" || shown.at(-1) === "store"
            assert.ok(related, `${shown.join(".")} for a value at ${place.join(".")}`)
          }
        }),
      250
    )
  }))
