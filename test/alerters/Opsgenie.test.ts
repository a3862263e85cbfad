import { Config, ConfigProvider, DateTime, Duration, Effect, Fiber, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Opsgenie } from "../../src/alerters/index.ts"
import { type Alert, Alerter, type AlertInput } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { status: 202, body: { result: "Request will be processed", took: 0.3, requestId: "43a29c5c" } }

channelContract(test, {
  channel: "opsgenie",
  layer: (url, options) => Opsgenie.layer({ ...options, apiKey: Redacted.make(`${canary}0123456789`), baseUrl: url }),
  accepted,
  readsBody: false
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12.345Z")
const alert = sample.with({ at })

const started = (options: Partial<Opsgenie.OpsgenieOptions> = {}, reply: Reply = accepted) =>
  Effect.gen(function*() {
    const server = yield* channelServer(reply)
    return yield* postingTo(
      server,
      Opsgenie.layer({
        apiKey: Redacted.make("eb243592-faa2"),
        baseUrl: `${server.url}/`,
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        pace: [],
        ...options
      })
    )
  })

it.live("an alert about a failure creates an alert whose alias is the dedupeKey", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ teams: ["data", "ops"] })
    const { headers, json, method, path } = yield* sent(alert)
    assert.equal(`${method} ${path}`, "POST /v2/alerts")
    assert.equal(headers["authorization"], "GenieKey eb243592-faa2")
    assert.deepEqual(json, {
      message: "nightly › load failed",
      alias: "nightly/load",
      description: [
        "Error: no such bucket",
        "Error: no such bucket\n    at load (etl.ts:12:3)",
        "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"
      ].join("\n\n"),
      responders: [{ type: "team", name: "data" }, { type: "team", name: "ops" }],
      tags: ["NoSuchBucket"],
      details: {
        pipeline: "nightly",
        step: "load",
        rows: "1461",
        run: "nightly-2026-11-23",
        "run id": "7f6c2b9e-3c55-4a4e-9d6b-0b6a3c1d2e4f"
      },
      entity: "load",
      source: "nightly",
      priority: "P2"
    })
  }))

it.live("a recovery closes the alert of its key, and an acknowledgement acknowledges it", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const dedupeKey = "nightly/load [7]? ü"
    const closed = yield* sent(alert.with({ dedupeKey, severity: "success", title: "nightly › load recovered" }))
    assert.equal(closed.path, `/v2/alerts/${encodeURIComponent(dedupeKey)}/close?identifierType=alias`)
    assert.deepEqual(closed.json, {
      note: "nightly › load recovered\n\nError: no such bucket\n\n2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)",
      source: "nightly"
    })
    const acknowledged = yield* sent(alert.with({ severity: "info", tags: ["acknowledged"] }))
    assert.equal(acknowledged.path, "/v2/alerts/nightly%2Fload/acknowledge?identifierType=alias")
  }))

it.live("severities decide what an alert does, and its priority", () =>
  Effect.gen(function*() {
    const outcome = (
      severity: Alert["severity"],
      changes: Partial<AlertInput> = {},
      options: Partial<Opsgenie.OpsgenieOptions> = {}
    ) =>
      Effect.gen(function*() {
        const { post, requests } = yield* started(options)
        yield* post(alert.with({ severity, ...changes }))
        return requests.map(({ json, path }) => [path.split("?")[0], json.priority, json.alias])[0]
      })
    assert.deepEqual(yield* outcome("critical"), ["/v2/alerts", "P1", "nightly/load"])
    assert.deepEqual(yield* outcome("error"), ["/v2/alerts", "P2", "nightly/load"])
    assert.deepEqual(yield* outcome("warning"), ["/v2/alerts", "P3", "nightly/load"])
    assert.deepEqual(yield* outcome("error", {}, { priorities: { error: "P4" } }), ["/v2/alerts", "P4", "nightly/load"])
    assert.deepEqual(yield* outcome("error", { dedupeKey: undefined, idempotencyKey: "run-1" }), [
      "/v2/alerts",
      "P2",
      "run-1"
    ])
    // no alert of an incident that is open
    assert.deepEqual(yield* outcome("info"), ["/v2/alerts", "P5", undefined])
    assert.deepEqual(yield* outcome("success", { dedupeKey: undefined }), ["/v2/alerts", "P5", undefined])
    assert.equal(yield* outcome("success", { resolves: false }), undefined)
    assert.equal(yield* outcome("info", {}, { notes: false }), undefined)
    assert.ok(yield* outcome("success", {}, { notes: false }))
  }))

it.live("HTML is shown as it was written, and links are lines of the description", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { json } = yield* sent(alert.with({
      title: "a <b>bold</b> title, 1 < 2",
      body: "<script>x()</script>",
      fields: { "<i>": "<img src=x>" },
      url: "https://ci.example/runs/1",
      actions: [{ label: "Runbook", url: "https://wiki.example/load" }]
    }))
    assert.equal(json.message, "a <\u200bb>bold<\u200b/b> title, 1 < 2")
    assert.equal(json.details["<i>"], "<img src=x>")
    assert.match(json.description, /^<\u200bscript>x\(\)<\u200b\/script>\n/)
    assert.match(
      json.description,
      /\n\nOpen: https:\/\/ci\.example\/runs\/1\nRunbook: https:\/\/wiki\.example\/load\n\n/
    )
  }))

const assertWithinLimits = (body: string) => {
  const { alias = "", description, details, entity = "", message, source, tags = [] } = JSON.parse(body)
  assert.ok(message.length > 0 && message.length <= 130, message)
  assert.ok(alias.length <= 512 && description.length <= 15_000 && entity.length <= 512 && source.length <= 100)
  assert.ok(tags.length <= 20 && tags.every((tag: string) => tag.length <= 50))
  const inDetails = Object.entries<string>(details).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  assert.ok(inDetails <= 8_000, `${inDetails} characters of details`)
  for (const text of [message, description, source, entity, ...tags, ...Object.entries(details).flat()]) {
    assert.ok(text.isWellFormed() && !/\p{Cc}/u.test(text.replace(/[\n\t]/g, "")), text)
  }
  for (const text of [message, description]) assert.ok(!/<[a-z!/?]/i.test(text), text)
}

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { body, json } = yield* sent(alert.with({
      detail: hugeDetail(),
      title: "🔥".repeat(2000),
      dedupeKey: "k".repeat(5000),
      tags: Array.from({ length: 30 }, (_, i) => `${i}${"t".repeat(100)}`)
    }))
    assertWithinLimits(body)
    assert.match(json.description, /Error: BEGINNING\n[\s\S]*… \d{7} characters left out …[\s\S]*at END/)
    assert.ok(json.description.startsWith("Error: no such bucket\n") && json.description.length > 10_000)
    assert.match(json.alias, /^k+…#[0-9a-f]{64}$/)
    assert.equal(json.tags.length, 20)
  }))

it.live("any alert becomes a request within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), ({ body, json }) => {
        assertWithinLimits(body)
        assert.ok(json.description.endsWith("2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"))
      }), 60)
  }))

it.effect("the mailbox waits for the bucket that is empty, as headers tell", () =>
  Effect.gen(function*() {
    const times: Array<number> = []
    const answers = [
      new Response("{}", { status: 429, headers: { "x-ratelimit-period-in-sec": "60" } }),
      new Response("{}", {
        status: 202,
        headers: { "x-ratelimit-state": "THROTTLED", "x-ratelimit-period-in-sec": "40" }
      }),
      new Response("{}", { status: 202, headers: { "x-ratelimit-state": "OK", "x-ratelimit-period-in-sec": "60" } }),
      new Response("{}", { status: 202 })
    ]
    const client = HttpClient.make((request) =>
      Effect.clockWith((clock) =>
        Effect.sync(() => {
          times.push(clock.currentTimeMillisUnsafe())
          return HttpClientResponse.fromWeb(request, answers[times.length - 1]!)
        })
      )
    )
    const layer = Layer.provide(
      Opsgenie.layer({ apiKey: Redacted.make("k"), pace: [] }),
      Layer.succeed(HttpClient.HttpClient, client)
    )
    const fiber = yield* Effect.forkChild(
      Effect.provide(
        Effect.flatMap(Alerter, ({ post }) => Effect.forEach([alert, alert, alert], post)),
        layer
      )
    )
    yield* TestClock.adjust("5 minutes")
    yield* Fiber.join(fiber)
    const [first = 0, second = 0, third = 0, fourth = 0] = times
    assert.ok(second - first >= 60_000 && second - first <= 65_000, `${second - first}`)
    assert.equal(third - second, 40_000)
    assert.equal(fourth, third)
  }))

it.live("a refusal's detail is Opsgenie's error message", () =>
  Effect.gen(function*() {
    const refusal = (reply: Reply) =>
      Effect.gen(function*() {
        const { post } = yield* started({ retries: 0 }, reply)
        return { ...(yield* Effect.flip(post(alert))).reason }
      })
    const invalid = {
      message: "Request body is not processable. Please check the errors.",
      errors: { message: "Message can not be empty." },
      took: 0.009
    }
    assert.deepEqual(yield* refusal({ status: 422, body: invalid }), {
      _tag: "Rejected",
      status: 422,
      detail: "Request body is not processable. Please check the errors.; message: Message can not be empty."
    })
    assert.deepEqual(yield* refusal({ status: 401, body: { message: "Could not authenticate" } }), {
      _tag: "Unauthorized",
      detail: "Could not authenticate"
    })
    const limited = yield* refusal({ status: 429, headers: { "retry-after": "7", "x-ratelimit-period-in-sec": "60" } })
    assert.ok(limited._tag === "RateLimited" && Duration.toSeconds(limited.retryAfter!) === 7)
    const { post } = yield* started({ apiKey: Redacted.make(`${canary}\n1`) })
    assert.deepEqual({ ...(yield* Effect.flip(post(alert))).reason }, {
      _tag: "Rejected",
      detail: "its key can't be sent in a header"
    })
  }))

it.live("layerConfig reads the key and the URL from the environment, or from a config", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const post = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
        Effect.provide(Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      )
    yield* post(Opsgenie.layerConfig(), { OPSGENIE_API_KEY: "k1", OPSGENIE_URL: server.url })
    yield* post(
      Opsgenie.layerConfig({ apiKey: Config.Redacted("KEY"), baseUrl: Config.succeed(server.url) }),
      { KEY: "k2" }
    )
    assert.deepEqual(server.requests.map(({ headers }) => headers["authorization"]), ["GenieKey k1", "GenieKey k2"])
    assert.match(String(yield* Effect.flip(post(Opsgenie.layerConfig(), {}))), /OPSGENIE_API_KEY/)
  }))
