/** Options that make no sense are told of when the layer is built, not by alerts that fail or flood. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import * as Delivery from "../../src/delivery/index.ts"
import { Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const none = Alerter.layerNone
// what a caller without types may give
const untyped = Delivery as unknown as Record<string, (...args: ReadonlyArray<unknown>) => Layer.Layer<Alerter>>

const wrong: Record<string, () => Layer.Layer<Alerter>> = {
  "dedupe: window is no positive duration": () => Delivery.dedupe(none, { window: 0 }),
  "dedupe: window is no positive duration ": () => untyped["dedupe"]!(none, { window: "an hour" }),
  "digest: window is no positive, finite duration": () => Delivery.digest(none, { window: Infinity }),
  "digest: max is no whole number of at least 1": () => Delivery.digest(none, { window: "1 hour", max: 0.5 }),
  "throttle: limit is no whole number of at least 1": () => Delivery.throttle(none, { limit: 0, window: "1 hour" }),
  "throttle: perKey.window is no positive, finite duration": () =>
    Delivery.throttle(none, { limit: 1, window: "1 hour", perKey: { limit: 1, window: -1 } }),
  "afterConsecutive: n is no whole number of at least 1": () => Delivery.afterConsecutive(none, NaN),
  "fallback: after is no positive duration": () => Delivery.fallback(none, none, { after: 0 }),
  "fallback: cooldown is no positive duration": () => Delivery.fallback(none, none, { cooldown: -5 }),
  "fanOut: no alerters are given": () => untyped["fanOut"]!([]),
  "\"fatal\" is not a severity, use one of info, success, warning, error, critical": () =>
    untyped["minSeverity"]!(none, "fatal"),
  "\"fatal\" is not a severity, use one of info, success, warning, error, critical ": () =>
    untyped["throttle"]!(none, { limit: 1, window: "1 hour", always: "fatal" })
}

for (const [message, make] of Object.entries(wrong)) {
  it.effect(`is a defect: ${message}`, () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Layer.build(make()))
      assert.ok(exit._tag === "Failure")
      assert.deepEqual(exit.cause.reasons.map((reason) => reason._tag === "Die" && String(reason.defect)), [
        `Error: ${message.trim()}`
      ])
    }))
}

it.effect("what has no end, or takes no time, makes sense where it may", () =>
  Effect.gen(function*() {
    yield* Layer.build(Delivery.dedupe(none, { window: Infinity }))
    yield* Layer.build(Delivery.fallback(none, none, { after: Infinity, cooldown: 0 }))
  }))
