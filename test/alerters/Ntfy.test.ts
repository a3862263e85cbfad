import { Config, ConfigProvider, DateTime, Effect, Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Ntfy } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { body: { id: "xE73Iyuabi", event: "message" } }

channelContract(test, {
  channel: "ntfy",
  layer: (url, options) =>
    Ntfy.layer({
      ...options,
      topic: Redacted.make(`etl-${canary}`),
      token: Redacted.make(`tk_${canary}0123456789`),
      server: url
    }),
  accepted,
  readsBody: false
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")

const started = (options: Partial<Ntfy.NtfyOptions> = {}, reply: Reply = accepted) =>
  Effect.gen(function*() {
    const server = yield* channelServer(reply)
    return yield* postingTo(
      server,
      Ntfy.layer({
        topic: Redacted.make("etl-7Jq2xWm4cVt9"),
        server: server.url,
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        pace: [],
        ...options
      })
    )
  })

/** Asserts that a server accepts the message, and makes no attachment of it. */
const assertWithinLimits = (body: string) => {
  const { message, tags, title } = JSON.parse(body)
  assert.ok(Buffer.byteLength(message) < 4096, `${Buffer.byteLength(message)} bytes of message`)
  assert.ok(Buffer.byteLength(body) < 8192, `${Buffer.byteLength(body)} bytes of JSON`)
  assert.ok(Buffer.byteLength(title) <= 1024 && Buffer.byteLength(tags.join(",")) <= 512)
  assert.ok(message !== "")
  for (const text of [title, message, ...tags]) {
    assert.ok(text.isWellFormed() && !/\p{Cc}/u.test(text.replace(/[\n\t]/g, "")), text)
  }
}

it.live("a token that can't be sent in a header is an error that does not quote it", () =>
  Effect.gen(function*() {
    for (const token of [`tk_${canary}\n1`, `tk_${canary}€`]) {
      const { post } = yield* started({ token: Redacted.make(token) })
      const { reason } = yield* Effect.flip(post(sample))
      assert.deepEqual({ ...reason }, { _tag: "Rejected", detail: "its token can't be sent in a header" })
    }
  }))

it.live("ntfy gets an alert as a message", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ token: Redacted.make("tk_1") })
    const { headers, json, method, path } = yield* sent(sample.with({ at }))
    assert.equal(`${method} ${path}`, "POST /")
    assert.equal(headers.authorization, "Bearer tk_1")
    assert.deepEqual(json, {
      topic: "etl-7Jq2xWm4cVt9",
      title: "nightly › load failed",
      message: [
        "Error: no such bucket",
        "",
        "pipeline: nightly",
        "step: load",
        "rows: 1461",
        "",
        "Error: no such bucket",
        "    at load (etl.ts:12:3)",
        "",
        "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"
      ].join("\n"),
      priority: 4,
      tags: ["x", "NoSuchBucket"],
      markdown: false
    })
  }))

it.live("a repeated post has the same sequence id, another post another one, or none", () =>
  Effect.gen(function*() {
    const sequenceOf = (idempotencyKey: string) =>
      Effect.gen(function*() {
        const { sent } = yield* started()
        const sequence: string | undefined = (yield* sent(sample.with({ idempotencyKey }))).json.sequence_id
        return sequence
      })
    const keys = ["k", "nightly/load.1", "🔥\n", "\ud800", "\udc00", "x".repeat(1000)]
    const ids = yield* Effect.forEach(keys, sequenceOf)
    assert.deepEqual(yield* Effect.forEach(keys, sequenceOf), ids)
    assert.equal(new Set(ids).size, keys.length)
    for (const id of ids) assert.match(String(id), /^[-_A-Za-z0-9]{1,64}$/)
    assert.equal(yield* sequenceOf(""), undefined)
  }))

it.live("severities set the priority, and the emoji before the title", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const outcomes = yield* Effect.forEach(["info", "success", "warning", "error", "critical"] as const, (severity) =>
      Effect.map(sent(Alert.make({ title: "t", severity, at })), ({ headers, json }) => {
        assert.equal(headers.authorization, undefined)
        assert.equal(json.message, "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)")
        return [json.priority, ...json.tags]
      }))
    assert.deepEqual(outcomes, [
      [2, "information_source"],
      [3, "white_check_mark"],
      [3, "warning"],
      [4, "x"],
      [5, "rotating_light"]
    ])
  }))

it.live("titles and tags are shown literally", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { json } = yield* sent(sample.with({
      title: "a\r\nX-Tags: b =?UTF-8?B?aGFjaw==?=",
      body: "**bold** [x](http://x.test)",
      tags: ["a,b", "", "=?UTF-8?B?aGFjaw==?=", "x", "c\nd"]
    }))
    assert.equal(json.title, `=?UTF-8?B?${btoa("a X-Tags: b =?UTF-8?B?aGFjaw==?=")}?=`)
    assert.equal(json.message.split("\n")[0], "**bold** [x](http://x.test)")
    assert.deepEqual(json.tags, ["x", "a b", `=?UTF-8?B?${btoa("=?UTF-8?B?aGFjaw==?=")}?=`, "c d"])
  }))

it.live("tags beyond the limit of servers are left out", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { body, json } = yield* sent(sample.with({ tags: Array.from({ length: 90 }, (_, i) => `🔥${i}`.repeat(30)) }))
    assertWithinLimits(body)
    assert.ok(json.tags.length > 4 && json.tags[1].startsWith("🔥0🔥0") && json.tags[1].endsWith("…"))
  }))

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { body, json } = yield* sent(sample.with({ detail: hugeDetail(), title: "\"🔥".repeat(2000), at }))
    assertWithinLimits(body)
    assert.ok(Buffer.byteLength(JSON.stringify(json.message)) > 4050, "as much as fits")
    assert.match(json.title, /^"🔥"🔥.*…$/)
    assert.match(
      json.message,
      /^Error: no such bucket\n\npipeline: nightly\nstep: load\nrows: 1461\n\nError: BEGINNING\n[\s\S]*… \d{7} characters left out …[\s\S]*at END\n\n2026-11-23 13:40:12 Europe\/Berlin \(UTC\+01:00\)$/
    )
  }))

it.live("the detail is cut first, then the body, then values of fields, then their number", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const message = (alert: Partial<Alert>) =>
      Effect.map(sent(sample.with({ ...alert, at })), ({ body, json }) => {
        assertWithinLimits(body)
        const text: string = json.message
        return text
      })
    const huge = (letter: string) => letter.repeat(10_000)
    const count = (text: string, letter: string) => text.split(letter).length - 1
    const both = yield* message({ body: huge("é"), detail: huge("ü"), fields: [] })
    assert.ok(count(both, "ü") > 50 && count(both, "ü") < 150 && count(both, "é") > 1700, both)
    const values = yield* message({
      body: huge("é"),
      detail: huge("ü"),
      fields: [{ name: "short", value: "1" }, { name: "m", value: huge("ø") }, { name: "n", value: huge("ø") }]
    })
    assert.ok(count(values, "ø") > 1400 && count(values, "é") > 50 && count(values, "é") < 150, values)
    assert.ok(values.includes("short: 1\n"), values)
    const many = yield* message({
      body: huge("é"),
      detail: huge("ü"),
      fields: Array.from({ length: 1000 }, (_, i) => ({ name: `f${i}`, value: huge("ø") }))
    })
    const shown = many.match(/^f\d+: ø+$/gm)?.length ?? many.match(/^f\d+: /gm)?.length ?? 0
    assert.ok(shown > 20 && many.includes(`\n…: and ${1000 - shown} more\n`), many)
  }))

it.live("any alert becomes a message within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), ({ body, json }) => {
        assertWithinLimits(body)
        assert.ok(json.message.endsWith("2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"))
        assert.equal(json.topic, "etl-7Jq2xWm4cVt9")
      }), 60)
  }))

it.live("a Redacted topic is removed from texts, a plain one is not", () =>
  Effect.gen(function*() {
    const alert = sample.with({ body: "no one reads nightly-topic" })
    const secret = yield* started({ topic: Redacted.make("nightly-topic") })
    const { body, json } = yield* secret.sent(alert)
    assert.equal(json.topic, "nightly-topic")
    assert.equal(body.split("nightly-topic").length, 2)
    const name = yield* started({ topic: "nightly-topic" })
    assert.ok((yield* name.sent(alert)).json.message.startsWith("no one reads nightly-topic\n"))
  }))

it.live("a refusal's detail is the server's error message", () =>
  Effect.gen(function*() {
    const refusal = (status: number, body: unknown) =>
      Effect.gen(function*() {
        const { post } = yield* started({ retries: 0 }, { status, body })
        return { ...(yield* Effect.flip(post(sample))).reason }
      })
    const invalid = { code: 40009, http: 400, error: "invalid request: topic invalid", link: "https://ntfy.sh/docs" }
    assert.deepEqual(yield* refusal(400, invalid), {
      _tag: "Rejected",
      status: 400,
      detail: "invalid request: topic invalid"
    })
    assert.deepEqual(yield* refusal(403, { code: 40301, http: 403, error: "forbidden" }), {
      _tag: "Unauthorized",
      detail: "forbidden"
    })
    assert.deepEqual(yield* refusal(400, { error: 1 }), { _tag: "Rejected", status: 400, detail: "{\"error\":1}" })
  }))

it.live("layerConfig reads topic, server and token from the environment", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const post = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(sample)).pipe(
        Effect.provide(Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      )
    yield* post(Ntfy.layerConfig(), { NTFY_TOPIC: "etl-1", NTFY_SERVER: server.url, NTFY_TOKEN: "tk_2" })
    yield* post(Ntfy.layerConfig(), { NTFY_TOPIC: "etl-2", NTFY_SERVER: server.url })
    yield* post(Ntfy.layerConfig({ topic: Config.Redacted("TOPIC"), server: Config.succeed(`${server.url}/`) }), {
      TOPIC: "etl-3"
    })
    assert.deepEqual(server.requests.map(({ headers, json, path }) => [path, json.topic, headers.authorization]), [
      ["/", "etl-1", "Bearer tk_2"],
      ["/", "etl-2", undefined],
      ["/", "etl-3", undefined]
    ])
    assert.match(String(yield* Effect.flip(post(Ntfy.layerConfig(), {}))), /NTFY_TOPIC/)
  }))
