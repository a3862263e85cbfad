/** Tests what is known of an alerter before it is built: variables, places, stores and descriptions. */
import { Effect, Redacted, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterSpec } from "../../src/config/internal/schema/alerter.ts"
import { storesOf, targetsOf } from "../../src/config/internal/schema/alerterParts.ts"
import { makeIt } from "../support/it.ts"
import { decode } from "./alerterSupport.ts"

const it = makeIt(test)

it.effect("a variable may stand for any text, number, duration or word", () =>
  Effect.gen(function*() {
    const v = Redacted.make<string>
    const spec = yield* decode({
      email: {
        host: v("h"),
        port: v("25"),
        from: v("a@example.com"),
        to: [v("b@example.com")],
        tls: v("none"),
        rejectUnauthorized: v("false")
      },
      minSeverity: v("success"),
      dedupe: v("10 minutes"),
      throttle: { limit: v(" 5 "), window: v("1.5"), timeZone: v("Europe/Berlin") },
      quietHours: { from: v("22:00"), to: v("7:00"), days: [v("monday")] }
    })
    assert.ok(typeof spec !== "string" && spec.email !== true)
    assert.deepEqual([spec.email?.port, spec.email?.tls, spec.email?.rejectUnauthorized], [25, "none", false])
    assert.equal(spec.minSeverity, "success")
    assert.equal(spec.throttle?.limit, 5)
    assert.equal(String(spec.throttle?.window), "1500 millis")
    assert.equal(String(spec.throttle?.timeZone), "TimeZone.Named(Europe/Berlin)")
  }))

it.effect("the places that alerts go to, and the stores, are known with their paths", () =>
  Effect.gen(function*() {
    const spec = yield* decode({
      store: "a",
      dedupe: "1 hour",
      route: [{ when: { tag: "x" }, to: { fanOut: ["slack", "./a.ts#layer", { pagerDuty: true }] } }],
      otherwise: { fallback: [{ use: "pkg/b#layer" }, { console: { colors: "never" }, store: "b", digest: "1 hour" }] }
    })
    const fanOut = ["route", 0, "to", "fanOut"]
    const fallback = ["otherwise", "fallback"]
    assert.deepEqual(targetsOf(spec), [
      { path: [...fanOut, 0], channel: "slack", options: true },
      { path: [...fanOut, 1], reference: "./a.ts#layer" },
      { path: [...fanOut, 2, "pagerDuty"], channel: "pagerDuty", options: true },
      { path: [...fallback, 0, "use"], reference: "pkg/b#layer" },
      { path: [...fallback, 1, "console"], channel: "console", options: { colors: "never" } }
    ])
    assert.deepEqual(storesOf(spec), [{ path: ["store"], folder: "a" }, {
      path: [...fallback, 1, "store"],
      folder: "b"
    }])
  }))

it.effect("every key of an alerter has a description in the JSON Schema", () =>
  Effect.sync(() => {
    const { definitions, schema } = Schema.toJsonSchemaDocument(AlerterSpec, { onExcessProperty: "error" })
    const alerter = definitions["Alerter"]
    assert.deepEqual(schema, { $ref: "#/$defs/AnyAlerter" })
    assert.deepEqual(Object.keys(definitions).toSorted(), ["Alerter", "AnyAlerter"])
    assert.equal(alerter?.["additionalProperties"], false)
    const undescribed: Array<string> = []
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== "object" || node === null) return
      if ("properties" in node && typeof node.properties === "object" && node.properties !== null) {
        for (const [key, value] of Object.entries(node.properties)) {
          if (!JSON.stringify(value).includes("\"description\"")) undescribed.push(`${path}.${key}`)
        }
      }
      for (const [key, value] of Object.entries(node)) visit(value, `${path}.${key}`)
    }
    visit(alerter, "")
    assert.deepEqual(undescribed, [])
  }))
