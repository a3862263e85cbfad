import { Config, ConfigProvider, DateTime, Effect, Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Apprise } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary, leaks } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { body: { error: null, details: [] } }

channelContract(test, {
  channel: "apprise",
  layer: (url, options) =>
    Apprise.layer({
      ...options,
      url,
      urls: Redacted.make(`json://jobs:${canary}0123@a.test form://b.test/${canary}4567`),
      basicAuth: Redacted.make(`jobs:${canary}89`)
    }),
  accepted,
  readsBody: false
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12.345Z")
const alert = sample.with({ at })

const started = (options: Partial<Apprise.AppriseOptions> = {}, reply: Reply = accepted) =>
  Effect.gen(function*() {
    const server = yield* channelServer(reply)
    return yield* postingTo(
      server,
      Apprise.layer({
        url: `${server.url}/`,
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        ...options
      })
    )
  })

it.live("a server gets an alert as a notification of the services of a key, or of those given", () =>
  Effect.gen(function*() {
    const ofKey = yield* started({ key: Redacted.make("jobs-1"), tag: "ops", basicAuth: Redacted.make("me:pw") })
    const { headers, json, method, path } = yield* ofKey.sent(alert)
    assert.equal(`${method} ${path}`, "POST /notify/jobs-1")
    assert.deepEqual([headers.authorization, headers.accept], [`Basic ${btoa("me:pw")}`, "application/json"])
    assert.deepEqual(json, {
      tag: "ops",
      title: "nightly › load failed",
      body: [
        "Error: no such bucket",
        "pipeline: nightly\nstep: load\nrows: 1461",
        "Error: no such bucket\n    at load (etl.ts:12:3)",
        "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"
      ].join("\n\n"),
      type: "failure",
      format: "text"
    })
    const given = yield* (yield* started({ urls: Redacted.make("json://a.test") })).sent(alert)
    assert.deepEqual([given.path, given.json.urls, given.headers.authorization], [
      "/notify",
      "json://a.test",
      undefined
    ])
    const neither = yield* (yield* started()).sent(alert)
    assert.deepEqual([neither.path, "urls" in neither.json], ["/notify", false])
    const both = yield* started({ key: Redacted.make("k"), urls: Redacted.make("json://a.test") })
    assert.equal("urls" in (yield* both.sent(alert)).json, false)
  }))

it.live("severities set the type, and links are lines of the text", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const types = yield* Effect.forEach(
      ["info", "success", "warning", "error", "critical"] as const,
      (severity) => Effect.map(sent(Alert.make({ title: "t", severity, at })), ({ json }) => json.type)
    )
    assert.deepEqual(types, ["info", "success", "warning", "failure", "failure"])
    const { json } = yield* sent(alert.with({
      url: "https://ci.example/runs/1",
      actions: [{ label: "Runbook", url: "https://wiki.example/load" }]
    }))
    assert.match(json.body, /\n\nOpen: https:\/\/ci\.example\/runs\/1\nRunbook: https:\/\/wiki\.example\/load\n\n/)
  }))

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ maxLength: 5000 })
    const { json } = yield* sent(alert.with({ detail: hugeDetail(), title: "🔥".repeat(2000) }))
    assert.ok(json.body.length <= 5000 && json.body.length > 4000 && json.title.length <= 250, `${json.body.length}`)
    assert.match(
      json.body,
      /^Error: no such bucket\n\npipeline: nightly\nstep: load\nrows: 1461\n\nError: BEGINNING\n[\s\S]*… \d{7} characters left out …[\s\S]*at END\n\n2026/
    )
  }))

it.live("any alert becomes a message within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const brief = yield* started({ maxLength: 100 })
    yield* forAll(AnyAlert, (input) =>
      Effect.gen(function*() {
        const short = (yield* brief.sent(alertOf(input))).json.body
        assert.ok(short.length <= 100 && short.endsWith("Europe/Berlin (UTC+01:00)"), short)
        const { body, title } = (yield* sent(alertOf(input))).json
        assert.ok(body.length <= 1500 && title.length <= 250 && title !== "")
        assert.ok(body.endsWith("2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"))
        for (const text of [body, title]) {
          assert.ok(text.isWellFormed() && !/\p{Cc}/u.test(text.replace(/[\n\t]/g, "")), text)
        }
      }), 60)
  }))

it.live("a server without services, or one that could not notify all, is a failure that is not repeated", () =>
  Effect.gen(function*() {
    const refusal = (reply: Reply) =>
      Effect.gen(function*() {
        const { post, requests } = yield* started({ delay: 0, key: Redacted.make(`k-${canary}`) }, reply)
        const { reason } = yield* Effect.flip(post(alert))
        assert.deepEqual(leaks([reason]), [])
        return [requests.length, { ...reason }]
      })
    assert.deepEqual(yield* refusal({ status: 204 }), [
      1,
      { _tag: "Rejected", status: 204, detail: "the server has no services to notify under this key" }
    ])
    const details = [
      ["INFO", "2026-11-23 12:40:12,345", "Loaded 2 entries"],
      [
        "WARNING",
        "2026-11-23 12:40:12,345",
        `Failed to send to json://a.test/${canary}: unauthorized ${"x".repeat(500)}`
      ]
    ]
    const error = "One or more notification could not be sent"
    const [requests, reason] = yield* refusal({ status: 424, body: { error, details } })
    assert.equal(requests, 1)
    assert.match(JSON.stringify(reason), /could not be sent: Failed to send to <url>.*: unauthorized x+…/)
    assert.deepEqual(yield* refusal({ status: 424, body: error }), [1, {
      _tag: "Rejected",
      status: 424,
      detail: error
    }])
    assert.deepEqual(yield* refusal({ status: 400, body: { error: "Bad Attachment" } }), [
      1,
      { _tag: "Rejected", status: 400, detail: "Bad Attachment" }
    ])
  }))

it.live("layerConfig reads server, key, URLs and tag from the environment, or from a config", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const post = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
        Effect.provide(Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      )
    yield* post(Apprise.layerConfig(), { APPRISE_URL: server.url, APPRISE_KEY: "k1", APPRISE_TAG: "a, b" })
    yield* post(Apprise.layerConfig(), { APPRISE_URL: server.url, APPRISE_URLS: "json://a.test" })
    yield* post(Apprise.layerConfig({ url: Config.succeed(server.url), key: Config.Redacted("KEY") }), { KEY: "k2" })
    assert.deepEqual(server.requests.map(({ json, path }) => [path, json.urls, json.tag]), [
      ["/notify/k1", undefined, "a, b"],
      ["/notify", "json://a.test", undefined],
      ["/notify/k2", undefined, undefined]
    ])
    assert.match(String(yield* Effect.flip(post(Apprise.layerConfig(), {}))), /APPRISE_URL/)
  }))
