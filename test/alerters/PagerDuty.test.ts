import { Config, ConfigProvider, DateTime, Effect, Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import { PagerDuty } from "../../src/alerters/index.ts"
import { Alert, Alerter, type AlertInput } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { status: 202, body: { status: "success", message: "Event processed", dedup_key: "x" } }

channelContract(test, {
  channel: "pagerduty",
  layer: (url, options) =>
    PagerDuty.layer({ ...options, routingKey: Redacted.make(`${canary}0123456789abcdef0123456789`), baseUrl: url }),
  accepted,
  readsBody: false
})

const routingKey = "0123456789abcdef0123456789abcdef"
const at = DateTime.makeUnsafe("2026-11-23T12:40:12.345Z")

const started = (options: Partial<PagerDuty.PagerDutyOptions> = {}, reply: Reply = accepted) =>
  Effect.gen(function*() {
    const server = yield* channelServer(reply)
    return yield* postingTo(
      server,
      PagerDuty.layer({
        routingKey: Redacted.make(routingKey),
        baseUrl: `${server.url}/`,
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        pace: [],
        ...options
      })
    )
  })

/** Asserts that no text contains control characters or lone surrogates. */
const assertPlain = (json: string) =>
  JSON.parse(json, (key, value) => {
    for (const text of [key, value]) {
      if (typeof text === "string") assert.ok(text.isWellFormed() && !/\p{Cc}/u.test(text.replace(/[\n\t]/g, "")), text)
    }
    return value
  })

const keyOf = (dedupeKey: string) =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const key: string = (yield* sent(sample.with({ dedupeKey }))).json.dedup_key
    return key
  })

it.live("an alert about a failure triggers an incident", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ group: "nightly-jobs" })
    const { headers, json, method, path } = yield* sent(sample.with({ at }))
    assert.equal(`${method} ${path}`, "POST /v2/enqueue")
    assert.equal(headers["content-type"], "application/json")
    assert.deepEqual(json, {
      routing_key: routingKey,
      event_action: "trigger",
      dedup_key: "nightly/load",
      payload: {
        summary: "nightly › load failed",
        source: "nightly",
        timestamp: "2026-11-23T12:40:12.345Z",
        severity: "error",
        component: "load",
        group: "nightly-jobs",
        class: "NoSuchBucket",
        custom_details: {
          body: "Error: no such bucket",
          fields: { pipeline: "nightly", step: "load", rows: "1461" },
          detail: "Error: no such bucket\n    at load (etl.ts:12:3)",
          pipeline: "nightly",
          run: "nightly-2026-11-23 (7f6c2b9e-3c55-4a4e-9d6b-0b6a3c1d2e4f)",
          step: "load",
          attempt: 1,
          tags: ["NoSuchBucket"],
          time: "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"
        }
      }
    })
  }))

it.live("severities decide whether an alert triggers, resolves or becomes a change event", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const outcome = (severity: Alert["severity"], dedupeKey: string | undefined) =>
      Effect.map(
        sent(sample.with({ severity, dedupeKey })),
        ({ json, path }) => [path, json.event_action, json.payload.severity, json.dedup_key]
      )
    for (const severity of ["warning", "error", "critical"] as const) {
      assert.deepEqual(yield* outcome(severity, "k"), ["/v2/enqueue", "trigger", severity, "k"])
      assert.deepEqual(yield* outcome(severity, undefined), ["/v2/enqueue", "trigger", severity, undefined])
    }
    assert.deepEqual(yield* outcome("success", "k"), ["/v2/enqueue", "resolve", "info", "k"])
    const note = ["/v2/change/enqueue", undefined, undefined, undefined]
    assert.deepEqual(yield* outcome("success", undefined), note)
    assert.deepEqual(yield* outcome("success", ""), note)
    assert.deepEqual(yield* outcome("info", "k"), note)
    assert.deepEqual(yield* outcome("info", undefined), note)
  }))

it.live("who has acknowledged an alert acknowledges its incident, with the same key", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const alert = sample.with({ severity: "info", tags: ["acknowledged"], dedupeKey: "k" })
    const { json, path } = yield* sent(alert)
    assert.deepEqual([path, json.event_action, json.dedup_key], ["/v2/enqueue", "acknowledge", "k"])
    assert.equal((yield* sent(alert.with({ dedupeKey: undefined }))).path, "/v2/change/enqueue")
    assert.equal((yield* sent(alert.with({ severity: "error" }))).json.event_action, "trigger")
  }))

it.live("an alert that pages without a dedupeKey uses its idempotencyKey, and no other does", () =>
  Effect.gen(function*() {
    const keyOf = (changes: Partial<AlertInput>) =>
      Effect.gen(function*() {
        const { sent } = yield* started()
        const { json } = yield* sent(sample.with({ dedupeKey: undefined, idempotencyKey: "run-1/load", ...changes }))
        const key: string | undefined = json.dedup_key
        return key
      })
    assert.deepEqual([yield* keyOf({}), yield* keyOf({})], ["run-1/load", "run-1/load"])
    assert.equal(yield* keyOf({ dedupeKey: "" }), "run-1/load")
    assert.equal(yield* keyOf({ idempotencyKey: "run-2/load" }), "run-2/load")
    assert.match(String(yield* keyOf({ idempotencyKey: "k".repeat(256) })), /^k{189}…?k?#[0-9a-f]{64}$/)
    assert.equal(yield* keyOf({ idempotencyKey: "" }), undefined)
    // the dedupeKey takes precedence
    assert.equal(yield* keyOf({ dedupeKey: "nightly/load" }), "nightly/load")
    assert.equal(yield* keyOf({ dedupeKey: "nightly/load", severity: "success" }), "nightly/load")
    assert.equal(yield* keyOf({ severity: "success" }), undefined)
    assert.equal(yield* keyOf({ severity: "info" }), undefined)
  }))

it.live("a change event has the details too, and changeEvents: false drops it", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { json } = yield* sent(Alert.make({ title: "loaded", fields: { rows: 3 }, at }))
    assert.equal(json.routing_key, routingKey)
    assert.equal(json.payload.summary, "loaded")
    assert.equal(json.payload.timestamp, "2026-11-23T12:40:12.345Z")
    assert.deepEqual(json.payload.custom_details.fields, { rows: "3" })

    const { post, requests } = yield* started({ changeEvents: false })
    yield* post(Alert.make("loaded"))
    yield* post(sample.with({ severity: "success", dedupeKey: undefined }))
    assert.equal(requests.length, 0)
    yield* post(sample.with({ severity: "success" }))
    yield* post(sample)
    assert.deepEqual(requests.map(({ json }) => json.event_action), ["resolve", "trigger"])
  }))

it.live("without a pipeline, the source of an event is the option, or the name of the machine", () =>
  Effect.gen(function*() {
    const alert = Alert.make({ title: "t", severity: "error" })
    const named = yield* started({ source: "etl-1", component: "disk" })
    const { payload } = (yield* named.sent(alert)).json
    assert.deepEqual([payload.source, payload.component], ["etl-1", "disk"])
    const unnamed = yield* started()
    const { json } = yield* unnamed.sent(alert)
    assert.equal(json.payload.source, (yield* Effect.promise(() => import("node:os"))).hostname())
    assert.equal("component" in json.payload, false)
    assert.equal("dedup_key" in json, false)
  }))

it.live("fields of the same name are numbered", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const fields = ["a", "a", "a (2)", "a", "__proto__"].map((name, i) => ({ name, value: `${i}` }))
    const { custom_details } = (yield* sent(sample.with({ fields }))).json.payload
    assert.deepEqual(Object.entries(custom_details.fields), [
      ["a", "0"],
      ["a (2)", "1"],
      ["a (2) (2)", "2"],
      ["a (3)", "3"],
      ["__proto__", "4"]
    ])
  }))

it.live("valid keys are unchanged, and other keys become distinct valid ones", () =>
  Effect.gen(function*() {
    assert.equal(yield* keyOf("k".repeat(255)), "k".repeat(255))
    const long = "🔥".repeat(200)
    const shortened = yield* keyOf(long)
    assert.equal(shortened, yield* keyOf(long), "stable")
    assert.ok(shortened.length <= 255 && shortened.isWellFormed() && shortened.startsWith("🔥🔥"), shortened)
    assert.ok(shortened.endsWith(`#${createHash("sha256").update(JSON.stringify(long)).digest("hex")}`))
    const others = yield* Effect.forEach([`${long}!`, `!${long}`, "a\nb", "a b\u0000", "\ud800", "\udc00"], keyOf)
    assert.equal(new Set([shortened, "a b", ...others]).size, 8)
    for (const key of others) assert.ok(key.length <= 255 && key.isWellFormed() && /#[0-9a-f]{64}$/.test(key), key)
  }))

it.live("a detail of 5 MB is cut in its middle to fit 512 KB, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { body, json } = yield* sent(sample.with({ detail: hugeDetail(), title: "🔥".repeat(2000) }))
    const size = Buffer.byteLength(body)
    assert.ok(size <= 512_000 && size > 511_000, `${size}`)
    const { custom_details, summary } = json.payload
    assert.match(custom_details.detail, /^Error: BEGINNING\n[\s\S]*… \d{7} characters left out …[\s\S]*at END$/)
    assert.equal(custom_details.body, sample.body)
    assert.ok(summary.length <= 1024 && summary.length > 1020 && summary.isWellFormed() && summary.endsWith("🔥…"))
  }))

it.live("if all texts are huge, the event still fits 512 KB, and the detail is cut first", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const huge = "\"é\"".repeat(200_000)
    const fields = Array.from({ length: 20_000 }, (_, i) => ({ name: `f${i}`, value: "v".repeat(100) }))
    const { body, json } = yield* sent(sample.with({
      title: huge,
      body: huge,
      detail: huge,
      fields,
      tags: [huge, huge],
      source: { pipeline: huge, runId: huge, runName: huge, stepPath: [huge, huge] }
    }))
    assert.ok(Buffer.byteLength(body) <= 512_000)
    const { custom_details, source } = json.payload
    assert.ok(source.length <= 255 && custom_details.detail.length < 300)
    assert.match(custom_details.detail, /characters left out/)
    assert.match(custom_details.body, /characters left out/)
    assert.match(custom_details.fields["…"], /^and [\d,]+ more$/)
    assert.match(custom_details.fields.f0, /^v+\n… \d+ characters left out …\nv+$/)
  }))

it.live("any alert becomes an event within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), ({ body, json: { payload } }) => {
        assert.ok(Buffer.byteLength(body) <= 512_000)
        assert.ok(payload.summary.length > 0 && payload.summary.length <= 1024)
        assertPlain(body)
        assert.equal(payload.timestamp, "2026-11-23T12:40:12.000Z")
      }), 60)
  }))

it.live("a refusal's detail is PagerDuty's error message", () =>
  Effect.gen(function*() {
    const refusal = (reply: Reply) =>
      Effect.gen(function*() {
        const { post } = yield* started({ retries: 0 }, reply)
        return { ...(yield* Effect.flip(post(sample))).reason }
      })
    const invalid = {
      status: "invalid event",
      message: "Event object is invalid",
      errors: ["Length of 'routing_key' is incorrect (should be 32 characters)"]
    }
    assert.deepEqual(yield* refusal({ status: 400, body: invalid }), {
      _tag: "Rejected",
      status: 400,
      detail: "Event object is invalid: Length of 'routing_key' is incorrect (should be 32 characters)"
    })
    assert.deepEqual(yield* refusal({ status: 400, body: { errors: null, message: 1 } }), {
      _tag: "Rejected",
      status: 400,
      detail: "{\"errors\":null,\"message\":1}"
    })
    assert.deepEqual(yield* refusal({ status: 403, body: { message: "Forbidden" } }), {
      _tag: "Unauthorized",
      detail: "Forbidden"
    })
    assert.equal((yield* refusal({ status: 429 }))._tag, "RateLimited")
  }))

it.live("layerConfig reads the key from PAGERDUTY_ROUTING_KEY, or from a config", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const provider = (env: Record<string, string>) => ConfigProvider.layer(ConfigProvider.fromEnv({ env }))
    const post = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(sample)).pipe(
        Effect.provide(Layer.provide(layer, provider(env)))
      )
    const given = PagerDuty.layerConfig({ routingKey: Config.Redacted("KEY"), baseUrl: Config.succeed(server.url) })
    yield* post(given, { KEY: routingKey })
    assert.equal(server.requests[0]!.json.routing_key, routingKey)
    const missing = yield* Effect.flip(post(PagerDuty.layerConfig(), {}))
    assert.match(String(missing), /PAGERDUTY_ROUTING_KEY/)
  }))
