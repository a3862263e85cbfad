import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Alert, type AlertInput } from "../src/index.ts"

const at = DateTime.makeUnsafe(0)

test("Alert.make turns a string into an alert's title", () => {
  assert.deepEqual({ ...Alert.make("hello") }, {
    _tag: "Alert",
    title: "hello",
    body: undefined,
    severity: "info",
    fields: [],
    detail: undefined,
    dedupeKey: undefined,
    idempotencyKey: undefined,
    url: undefined,
    actions: [],
    tags: [],
    source: undefined,
    resolves: false,
    attachments: [],
    at: undefined
  })
})

test("Alert.make keeps every property that it is given", () => {
  const input = {
    title: "etl failed",
    body: "no such file",
    severity: "critical",
    fields: [{ name: "run", value: "etl-1" }],
    detail: "at load",
    dedupeKey: "etl/load",
    idempotencyKey: "etl-1/load",
    url: "https://ci.example/runs/1",
    actions: [{ label: "Runbook", url: "https://wiki.example/load" }],
    tags: ["NotFound"],
    source: { pipeline: "etl", runId: "1", runName: "etl-1", stepPath: ["load"], attempt: 2 },
    resolves: true,
    attachments: [{ name: "a.png", mediaType: "image/png", content: new Uint8Array([1, 2]) }],
    at
  } as const
  assert.deepEqual({ ...Alert.make(input) }, { _tag: "Alert", ...input })
})

/** What a program without types gives, or one with `!` behind a variable that is not set. */
const mistyped = (value: unknown): string => value as string

for (
  const [of, make] of [["Alert.make", Alert.make], ["alert.with", (i: AlertInput) => Alert.make("t").with(i)]] as const
) {
  test(`${of} makes texts of values that are none, so that every channel can send the alert`, () => {
    const alert = make({
      title: mistyped(undefined),
      body: mistyped(3),
      fields: [{ name: "host", value: mistyped(undefined) }, { name: "rows", value: mistyped(7n) }],
      detail: mistyped({ a: 1 }),
      dedupeKey: mistyped(7),
      url: mistyped(new URL("https://ci.example/runs/1")),
      actions: [{ label: mistyped(undefined), url: "https://wiki.example" }, {
        label: "Log",
        url: mistyped(undefined)
      }],
      tags: [mistyped(undefined), mistyped(503), "HttpError"],
      attachments: [{ name: "a.txt", mediaType: "text/plain", content: mistyped("é") as unknown as Uint8Array }]
    })
    assert.deepEqual({ ...alert }, {
      ...Alert.make("undefined"),
      body: "3",
      fields: [{ name: "host", value: "undefined" }, { name: "rows", value: "7" }],
      detail: "{\"a\":1}",
      dedupeKey: "7",
      url: "https://ci.example/runs/1",
      // an action without an address opens nothing
      actions: [{ label: "undefined", url: "https://wiki.example" }],
      tags: ["503", "HttpError"],
      attachments: [{ name: "a.txt", mediaType: "text/plain", content: new Uint8Array([0xc3, 0xa9]) }]
    })
  })
}

test("Alert.make returns an alert unchanged", () => {
  const alert = Alert.make("hello")
  assert.equal(Alert.make(alert), alert)
})

test("alert.with returns a changed copy and leaves the original unchanged", () => {
  const alert = Alert.make({ title: "a", body: "b", fields: { n: 1 }, at })
  const changed = alert.with({ severity: "error", fields: { m: 2 } })
  assert.ok(changed instanceof Alert)
  assert.deepEqual({ ...changed }, { ...alert, severity: "error", fields: [{ name: "m", value: "2" }] })
  assert.equal(alert.severity, "info")
  assert.deepEqual(alert.fields, [{ name: "n", value: "1" }])
  // undefined resets a property to the default of `make`
  assert.equal(changed.with({ body: undefined }).body, undefined)
  assert.equal(changed.with({ severity: undefined }).severity, "info")
  assert.deepEqual(changed.with({ fields: undefined }).fields, [])
  const keyed = alert.with({ idempotencyKey: "k" })
  assert.equal(keyed.with({ title: "b" }).idempotencyKey, "k")
  assert.equal(keyed.with({ idempotencyKey: undefined }).idempotencyKey, undefined)
})

test("fields given as a record keep its order, and each value becomes one line of text", () => {
  const { fields } = Alert.make({
    title: "t",
    fields: {
      text: "plain",
      number: 1461,
      big: 10n,
      yes: true,
      none: null,
      missing: undefined,
      date: new Date(0),
      broken: new Date(NaN),
      utc: at,
      took: Duration.millis(1500),
      error: new TypeError("no"),
      list: [1, "two", [3]],
      set: new Set([1, 2]),
      map: new Map([["k", 1]]),
      nested: { a: { b: [true] } }
    }
  })
  assert.deepEqual(fields.map(({ name, value }) => [name, value]), [
    ["text", "plain"],
    ["number", "1461"],
    ["big", "10"],
    ["yes", "true"],
    ["none", "null"],
    ["missing", "undefined"],
    ["date", "1970-01-01T00:00:00.000Z"],
    ["broken", "Invalid Date"],
    ["utc", "1970-01-01T00:00:00.000Z"],
    ["took", "1.5 s"],
    ["error", "TypeError: no"],
    ["list", `[1,"two",[3]]`],
    ["set", "[1,2]"],
    ["map", `{"k":1}`],
    ["nested", `{"a":{"b":[true]}}`]
  ])
})

test("a Redacted in a field stays redacted at any depth", () => {
  const secret = Redacted.make("canary")
  const { fields } = Alert.make({
    title: "t",
    fields: {
      top: secret,
      labelled: Redacted.make("canary", { label: "token" }),
      nested: { list: [{ secret }] },
      map: new Map([["k", secret]]),
      key: new Map([[secret, "v"]]),
      set: new Set([secret])
    }
  })
  assert.deepEqual(fields.map(({ name, value }) => [name, value]), [
    ["top", "<redacted>"],
    ["labelled", "<redacted:token>"],
    ["nested", `{"list":[{"secret":"<redacted>"}]}`],
    ["map", `{"k":"<redacted>"}`],
    ["key", `{"<redacted>":"v"}`],
    ["set", `["<redacted>"]`]
  ])
})

test("a cyclic value in a field ends in an ellipsis", () => {
  const loop: Record<string, unknown> = {}
  loop["self"] = loop
  assert.match(Alert.make({ title: "t", fields: { loop } }).fields[0]!.value, /^(\{"self":)+"…"\}+$/)
  const map = new Map<unknown, unknown>()
  map.set(map, 1)
  assert.match(Alert.make({ title: "t", fields: { map } }).fields[0]!.value, /…/)
})

test("a field named __proto__ is kept as an ordinary field", () => {
  const fields = JSON.parse(`{ "__proto__": 1, "nested": { "__proto__": { "a": 2 } } }`)
  assert.deepEqual(Alert.make({ title: "t", fields }).fields, [
    { name: "__proto__", value: "1" },
    { name: "nested", value: `{"__proto__":{"a":2}}` }
  ])
})

test("a widely cyclic or endless value in a field is truncated", () => {
  const itself: Record<string, unknown> = {}
  for (let i = 0; i < 12; i++) itself[`me${i}`] = itself
  function* numbers() {
    for (let n = 0;; n++) yield n
  }
  const endless = { [Symbol.iterator]: numbers }
  const [first, second, third] = Alert.make({ title: "t", fields: { itself, endless, map: HashMap.make(["a", 1]) } })
    .fields
  assert.equal(first!.value, JSON.stringify(Object.fromEntries(Object.keys(itself).map((key) => [key, "…"]))))
  assert.ok(second!.value.endsWith("98,99,\"…\"]"))
  assert.equal(third!.value, "[[\"a\",1]]")
})
