/** Invalid options are a defect when the layer is built, rather than alerts that fail or flood later. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import * as Delivery from "../../src/delivery/index.ts"
import { Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const none = Alerter.layerNone
// what a caller without types may pass
const untyped = Delivery as unknown as Record<string, (...args: ReadonlyArray<unknown>) => Layer.Layer<Alerter>>

const duration = "must be a positive duration"
const finite = "must be a positive, finite duration"
const count = "must be a whole number of at least 1"
const severity = "\"fatal\" is not a severity, use one of info, success, warning, error, critical"

const invalid: ReadonlyArray<readonly [options: string, make: () => Layer.Layer<Alerter>, message: string]> = [
  ["dedupe with a window of 0", () => Delivery.dedupe(none, { window: 0 }), `dedupe: window ${duration}`],
  [
    "dedupe with a window that is not a duration",
    () => untyped["dedupe"]!(none, { window: "an hour" }),
    `dedupe: window ${duration}`
  ],
  ["digest with a window of 0", () => Delivery.digest(none, { window: "0 seconds" }), `digest: window ${finite}`],
  ["digest with an infinite window", () => Delivery.digest(none, { window: Infinity }), `digest: window ${finite}`],
  ["digest with a max of 0", () => Delivery.digest(none, { window: "1 hour", max: 0 }), `digest: max ${count}`],
  ["digest with a max of 0.5", () => Delivery.digest(none, { window: "1 hour", max: 0.5 }), `digest: max ${count}`],
  ["digest with a max of NaN", () => Delivery.digest(none, { window: "1 hour", max: NaN }), `digest: max ${count}`],
  [
    "throttle with a limit of 0",
    () => Delivery.throttle(none, { limit: 0, window: "1 hour" }),
    `throttle: limit ${count}`
  ],
  [
    "throttle with a limit of 1.5",
    () => Delivery.throttle(none, { limit: 1.5, window: "1 hour" }),
    `throttle: limit ${count}`
  ],
  [
    "throttle with a window of 0",
    () => Delivery.throttle(none, { limit: 1, window: "0 seconds" }),
    `throttle: window ${finite}`
  ],
  [
    "throttle with a negative limit for each key",
    () => Delivery.throttle(none, { limit: 1, window: "1 hour", perKey: { limit: -1, window: "1 hour" } }),
    `throttle: perKey.limit ${count}`
  ],
  [
    "throttle with a negative window for each key",
    () => Delivery.throttle(none, { limit: 1, window: "1 hour", perKey: { limit: 1, window: -1 } }),
    `throttle: perKey.window ${finite}`
  ],
  ["afterConsecutive of NaN", () => Delivery.afterConsecutive(none, NaN), `afterConsecutive: n ${count}`],
  ["fallback after 0", () => Delivery.fallback(none, none, { after: 0 }), `fallback: after ${duration}`],
  [
    "fallback with a negative cooldown",
    () => Delivery.fallback(none, none, { cooldown: -5 }),
    `fallback: cooldown ${duration}, or zero`
  ],
  ["remind every 0", () => Delivery.remind(none, { every: 0 }), `remind: every ${finite}`],
  ["remind for ever apart", () => Delivery.remind(none, { every: Infinity }), `remind: every ${finite}`],
  ["remind until half a time", () => Delivery.remind(none, { every: "1 hour", until: 0.5 }), `remind: until ${count}`],
  [
    "remind until before the first reminder",
    () => Delivery.remind(none, { every: "1 hour", until: "59 minutes" }),
    "remind: until must not be less than every"
  ],
  [
    "remind until what is no duration",
    () => untyped["remind"]!(none, { every: "1 hour", until: "noon" }),
    `remind: until ${duration}`
  ],
  ["escalate after 0", () => Delivery.escalate(none, { after: 0, to: none }), `escalate: after ${finite}`],
  ["fanOut of no alerters", () => untyped["fanOut"]!([]), "fanOut: the list of alerters must not be empty"],
  ["minSeverity of an unknown severity", () => untyped["minSeverity"]!(none, "fatal"), severity],
  [
    "throttle that always lets an unknown severity pass",
    () => untyped["throttle"]!(none, { limit: 1, window: "1 hour", always: "fatal" }),
    severity
  ]
]

for (const [options, make, message] of invalid) {
  it.effect(`${options} is a defect when the layer is built`, () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Layer.build(make()))
      assert.ok(exit._tag === "Failure")
      assert.deepEqual(exit.cause.reasons.map((reason) => reason._tag === "Die" && String(reason.defect)), [
        `Error: ${message}`
      ])
    }))
}

it.effect("dedupe and fallback accept infinite durations, and fallback a cooldown of zero", () =>
  Effect.gen(function*() {
    yield* Layer.build(Delivery.dedupe(none, { window: Infinity }))
    yield* Layer.build(Delivery.fallback(none, none, { after: Infinity, cooldown: 0 }))
  }))
