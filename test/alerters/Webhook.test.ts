import { Config, ConfigProvider, DateTime, Duration, Effect, Fiber, Layer, Queue, Redacted } from "effect"
import { HttpClient, type HttpClientRequest, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { test } from "node:test"
import { Webhook } from "../../src/alerters/index.ts"
import { Alerter } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample, sampleJson } from "../support/channelContract.ts"
import { channelServer, type Received, type Reply } from "../support/channelServer.ts"
import { nextTurn } from "../support/eventLoop.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

channelContract(test, {
  channel: "webhook",
  layer: (url, options) =>
    Webhook.layer({
      ...options,
      url: Redacted.make(`${url}/hooks/${canary}0123456789`),
      secret: Redacted.make(`secret ${canary}`),
      headers: { authorization: Redacted.make(`Bearer ${canary}`) }
    }),
  accepted: { status: 204 },
  readsBody: false
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12.345Z")

const started = (options: Partial<Webhook.WebhookOptions> = {}, ...replies: ReadonlyArray<Reply>) =>
  Effect.gen(function*() {
    const server = yield* channelServer(...replies)
    return yield* postingTo(
      server,
      Webhook.layer({ url: Redacted.make(`${server.url}/hooks/1`), delay: "1 millis", ...options })
    )
  })

/** Signs with another implementation. */
const signature = (key: string | Buffer, id: string, timestamp: string, body: string): string =>
  `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`

const signatureOf = ({ body, headers }: Received, key: string | Buffer): string =>
  signature(key, String(headers["webhook-id"]), String(headers["webhook-timestamp"]), body)

it.live("Webhook posts an alert as JSON", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ headers: { "x-team": "data", authorization: Redacted.make("Bearer 1") } })
    const { body, headers, json, method, path } = yield* sent(sample.with({ at }))
    assert.equal(`${method} ${path}`, "POST /hooks/1")
    assert.equal(headers["content-type"], "application/json")
    assert.deepEqual([headers["x-team"], headers.authorization], ["data", "Bearer 1"])
    assert.equal(headers["webhook-signature"], undefined)
    assert.equal(Number(headers["content-length"]), Buffer.byteLength(body))
    assert.deepEqual(json, { ...sampleJson, at: "2026-11-23T12:40:12.345Z" })
  }))

it.live("a request is signed with a secret of either form", () =>
  Effect.gen(function*() {
    const alert = sample.with({ title: "🔥 بيانات" })
    for (
      const [secret, key] of [
        ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", Buffer.from("C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "base64")],
        ["geheim 🔑", "geheim 🔑"]
      ] as const
    ) {
      const { sent } = yield* started({ secret: Redacted.make(secret) })
      const request = yield* sent(alert)
      const { headers } = request
      assert.equal(headers["webhook-signature"], signatureOf(request, key))
      assert.match(String(headers["webhook-id"]), /^msg_[0-9a-f-]{36}$/)
      assert.ok(Math.abs(Number(headers["webhook-timestamp"]) - Date.now() / 1000) < 60)
      yield* Webhook.verify({ secret: Redacted.make(secret), headers, body: request.body })
    }
  }))

it.live("all attempts at a post have the same id, and each post has its own", () =>
  Effect.gen(function*() {
    const { post, requests } = yield* started({ secret: Redacted.make("s") }, { status: 500 }, "reset", { status: 204 })
    yield* post(sample)
    assert.equal(requests.length, 3)
    yield* post(sample)
    const ids = requests.map(({ headers }) => headers["webhook-id"])
    assert.deepEqual(requests.map(({ headers }) => headers["idempotency-key"]), ids)
    assert.equal(new Set(ids.slice(0, 3)).size, 1)
    assert.notEqual(ids[3], ids[0])
  }))

it.effect("each attempt has its own timestamp and signature, and uses the provided client", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(1_700_000_000_000)
    const attempts = yield* Queue.unbounded<HttpClientRequest.HttpClientRequest>()
    const client = HttpClient.make((request) =>
      Effect.map(
        Queue.offer(attempts, request),
        () => HttpClientResponse.fromWeb(request, new Response(null, { status: count++ === 0 ? 503 : 204 }))
      )
    )
    let count = 0
    const layer = Webhook.layer({
      url: Redacted.make("https://example.com"),
      secret: Redacted.make("s"),
      timeout: "1 day",
      delay: "20 minutes",
      maxDelay: "1 hour"
    })
    const fiber = yield* Effect.flatMap(Alerter, (alerter) => alerter.post(sample)).pipe(
      Effect.provide(Layer.provide(layer, Layer.succeed(HttpClient.HttpClient, client))),
      Effect.forkScoped
    )
    const timeOf = (request: HttpClientRequest.HttpClientRequest) => {
      const { body, headers } = request
      const [id, timestamp] = [headers["webhook-id"]!, headers["webhook-timestamp"]!]
      assert.ok(body._tag === "Uint8Array")
      assert.equal(headers["webhook-signature"], signature("s", id, timestamp, Buffer.from(body.body).toString()))
      return Number(timestamp)
    }
    assert.equal(timeOf(yield* Queue.take(attempts)), 1_700_000_000)
    // WebCrypto works outside of the test clock, so each step yields to it
    while ((yield* Queue.size(attempts)) === 0) {
      yield* TestClock.adjust("1 minute")
      yield* nextTurn
    }
    const later = timeOf(yield* Queue.take(attempts)) - 1_700_000_000
    assert.ok(later >= 600, `${later} s`)
    yield* Fiber.join(fiber)
  }))

it.live("render replaces the JSON, and a value that JSON can't hold is an error", () =>
  Effect.gen(function*() {
    const slackLike = yield* started({ render: ({ severity, title }) => ({ text: `${severity}: ${title}` }) })
    assert.deepEqual((yield* slackLike.sent(sample)).json, { text: "error: nightly › load failed" })
    const twice = yield* started({ render: ({ detail }) => ({ a: detail, b: [detail] }), maxBytes: 5000 })
    const { body, json } = yield* twice.sent(sample.with({ detail: hugeDetail() }))
    assert.ok(Buffer.byteLength(body) <= 5000 && Buffer.byteLength(body) > 4500, `${Buffer.byteLength(body)}`)
    assert.match(json.b[0], /^Error: BEGINNING\n[\s\S]*… \d{7} characters left out …[\s\S]*at END$/)
    for (
      const render of [
        () => ({ n: 1n }),
        () => {
          throw new Error("see https://example.com/secret")
        }
      ]
    ) {
      const { post, requests } = yield* started({ render })
      const { reason } = yield* Effect.flip(post(sample))
      assert.ok(reason._tag === "InvalidAlert" && reason.detail.startsWith("no JSON could be made of it: "))
      assert.ok(!reason.detail.includes("secret"), reason.detail)
      assert.equal(requests.length, 0)
    }
    const fixed = yield* started({ render: () => "x".repeat(200_000) })
    const { reason } = yield* Effect.flip(fixed.post(sample))
    assert.deepEqual({ ...reason }, { _tag: "InvalidAlert", detail: "it has more than 100000 bytes" })
    const nothing = yield* started({ render: () => undefined })
    assert.equal((yield* nothing.sent(sample)).body, "null")
  }))

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { body, json } = yield* sent(sample.with({ detail: hugeDetail() }))
    assert.ok(Buffer.byteLength(body) <= 100_000 && Buffer.byteLength(body) > 99_000, `${Buffer.byteLength(body)}`)
    assert.match(json.detail, /^Error: BEGINNING\n[\s\S]*… \d{7} characters left out …[\s\S]*at END$/)
    assert.equal(json.body, sample.body)
    assert.equal(json.fields.length, 3)
  }))

it.live("any alert becomes signed JSON within maxBytes", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ secret: Redacted.make("s"), maxBytes: 3000 })
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), (request) => {
        assert.ok(Buffer.byteLength(request.body) <= 3000)
        assert.equal(request.json.severity, input.severity)
        assert.equal(request.headers["webhook-signature"], signatureOf(request, "s"))
        JSON.parse(request.body, (_, value) => {
          assert.ok(typeof value !== "string" || !/\p{Cc}|\p{Cs}/u.test(value.replace(/[\n\t]/g, "")), value)
          return value
        })
      }), 40)
  }))

it.live("wrong options are errors that do not quote the secret", () =>
  Effect.gen(function*() {
    const failure = (options: Partial<Webhook.WebhookOptions>) =>
      Effect.gen(function*() {
        const { post, requests } = yield* started(options)
        const { reason } = yield* Effect.flip(post(sample))
        assert.equal(requests.length, 0)
        return { ...reason }
      })
    const invalid = { _tag: "Rejected", detail: "its secret is empty, or no base64 after whsec_" }
    assert.deepEqual(yield* failure({ secret: Redacted.make("whsec_%%%") }), invalid)
    assert.deepEqual(yield* failure({ secret: Redacted.make("whsec_") }), invalid)
    assert.deepEqual(yield* failure({ headers: { authorization: Redacted.make("Bearer\n1") } }), {
      _tag: "Rejected",
      detail: "a header of its own can't be sent"
    })
    for (const url of ["ftp://example.com/1", "example.com/1"]) {
      assert.deepEqual(yield* failure({ url: Redacted.make(url) }), {
        _tag: "Rejected",
        detail: "its address is no valid URL of http or https"
      })
    }
  }))

it.live("a user and a password in the URL are sent as a header, which fetch does not do", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 204 })
    const url = Redacted.make(server.url.replace("//", `//j%C3%B6rg:p%40ss%20${canary}@`))
    const sent = (headers: Record<string, string>, detail: string) =>
      Effect.map(
        Effect.flatMap(Alerter, (alerter) => alerter.post(sample.with({ detail }))).pipe(
          Effect.provide(Webhook.layer({ url, headers }))
        ),
        () => server.requests.at(-1)!
      )
    const login = Buffer.from(`jörg:p@ss ${canary}`).toString("base64")
    const { body, headers, path } = yield* sent({}, `no ${login}, nor p@ss ${canary}, nor p%40ss%20${canary}`)
    assert.deepEqual([path, headers.authorization], ["/", `Basic ${login}`])
    assert.ok(!body.includes(canary) && !body.includes(login), body)
    const own = yield* sent({ Authorization: "Bearer 1" }, "")
    assert.equal(own.headers.authorization, "Bearer 1")
    // some servers take a token as the user, without a password
    const layer = Webhook.layer({ url: Redacted.make(server.url.replace("//", `//t%40${canary}@`)) })
    yield* Effect.provide(
      Effect.flatMap(Alerter, (alerter) => alerter.post(`t@${canary}, t%40${canary}`)),
      layer
    )
    assert.equal(server.requests.at(-1)!.json.title, "<redacted>, <redacted>")
  }))

it.live("secrets of the options are removed from alerts", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({
      secret: Redacted.make("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
      headers: { authorization: Redacted.make(`Basic ${btoa(`ann:${canary}`)}`) }
    })
    const { json } = yield* sent(sample.with({ detail: `ann:${canary}, ${canary}, C2FVsBQIhrscChlQIMV+b5sSYspob7oD` }))
    assert.equal(json.detail, "<redacted>, <redacted>, <redacted>")
  }))

it.live("layerConfig reads URL and secret from the environment", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 204 })
    const post = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(sample)).pipe(
        Effect.provide(Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      )
    yield* post(Webhook.layerConfig(), { ALERT_WEBHOOK_URL: server.url })
    yield* post(Webhook.layerConfig(), { ALERT_WEBHOOK_URL: server.url, ALERT_WEBHOOK_SECRET: "s" })
    yield* post(Webhook.layerConfig({ url: Config.Redacted("URL"), headers: { "x-a": Config.String("A") } }), {
      URL: server.url,
      A: "1"
    })
    const [plain, signed, given] = server.requests
    assert.equal(plain!.headers["webhook-signature"], undefined)
    assert.equal(signed!.headers["webhook-signature"], signatureOf(signed!, "s"))
    assert.equal(given!.headers["x-a"], "1")
    assert.match(String(yield* Effect.flip(post(Webhook.layerConfig(), {}))), /ALERT_WEBHOOK_URL/)
  }))

// -----------------------------------------------------------------------------
// receiving
// -----------------------------------------------------------------------------

// The example of https://github.com/standard-webhooks/standard-webhooks
const known = {
  secret: Redacted.make("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
  headers: {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
  },
  body: "{\"test\": 2432232314}"
}

const setTime = TestClock.setTime(1_614_265_330_000)

const outcome = (changes: Partial<Webhook.VerifyOptions>) =>
  Effect.match(Webhook.verify({ ...known, ...changes }), {
    onSuccess: () => "accepted",
    onFailure: ({ _tag, message, reason }) => {
      assert.equal(_tag, "InvalidSignature")
      assert.ok(message.endsWith(reason))
      return reason
    }
  })

it.effect("verify accepts requests that other implementations have signed", () =>
  Effect.gen(function*() {
    yield* setTime
    const { body, headers } = known
    assert.equal(yield* outcome({}), "accepted")
    assert.equal(yield* outcome({ body: new TextEncoder().encode(body) }), "accepted")
    assert.equal(yield* outcome({ headers: new Headers(headers) }), "accepted")
    const list = Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]])
    assert.equal(yield* outcome({ headers: Object.fromEntries(list) }), "accepted")
    const lines = { ...headers, "webhook-signature": ["v1,AAAA", headers["webhook-signature"]] }
    assert.equal(yield* outcome({ headers: lines }), "accepted")
    const joined = { ...headers, "webhook-signature": `v1,AAAA, ${headers["webhook-signature"]}` }
    assert.equal(yield* outcome({ headers: joined }), "accepted")
    const rotated = `v1,AAAA v1a,${"A".repeat(88)} v2,x v1,%% ${headers["webhook-signature"]}`
    assert.equal(yield* outcome({ headers: { ...headers, "webhook-signature": rotated } }), "accepted")
  }))

it.effect("verify refuses requests that were changed, or signed with another secret", () =>
  Effect.gen(function*() {
    yield* setTime
    const { body, headers } = known
    const changed = (header: string, value: string) => outcome({ headers: { ...headers, [header]: value } })
    const right = headers["webhook-signature"]
    assert.equal(yield* outcome({ body: `${body} ` }), "Mismatch")
    assert.equal(yield* outcome({ secret: Redacted.make("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx") }), "Mismatch")
    assert.equal(yield* outcome({ secret: Redacted.make("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") }), "Mismatch")
    assert.equal(yield* changed("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJel"), "Mismatch")
    assert.equal(yield* changed("webhook-timestamp", "1614265331"), "Mismatch")
    for (
      const wrong of [right.replace("g0hM", "g0hN"), right.replace("v1,", "v2,"), right.slice(0, -5), "v1,", "v1", "x"]
    ) {
      assert.equal(yield* changed("webhook-signature", wrong), "Mismatch", wrong)
    }
    for (const wrong of ["1614265330.5", "-1", "0x10", "now", "9".repeat(400)]) {
      assert.equal(yield* changed("webhook-timestamp", wrong), "InvalidTimestamp", wrong)
    }
    for (const header of Object.keys(headers)) assert.equal(yield* changed(header, ""), "MissingHeader")
    assert.equal(yield* outcome({ headers: {} }), "MissingHeader")
    assert.equal(yield* outcome({ headers: new Headers() }), "MissingHeader")
    assert.equal(yield* outcome({ secret: Redacted.make("whsec_%") }), "InvalidSecret")
    assert.equal(yield* outcome({ secret: Redacted.make("") }), "InvalidSecret")
  }))

it.effect("verify computes one signature, however many the request has", () =>
  Effect.gen(function*() {
    yield* setTime
    const headers = { ...known.headers, "webhook-signature": `v1,${"A".repeat(43)}= `.repeat(2000) }
    const { subtle } = globalThis.crypto
    let signatures = 0
    const sign = (...call: Parameters<SubtleCrypto["sign"]>) => {
      signatures++
      return SubtleCrypto.prototype.sign.apply(subtle, call)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => Object.defineProperty(subtle, "sign", { configurable: true, value: sign })),
      () => Effect.sync(() => Reflect.deleteProperty(subtle, "sign"))
    )
    assert.equal(yield* outcome({ headers, body: new Uint8Array(5_000_000) }), "Mismatch")
    assert.equal(signatures, 1)
  }))

it.effect("verify refuses requests that are older or newer than the tolerance", () =>
  Effect.gen(function*() {
    const after = (offset: Duration.Input, tolerance?: Duration.Input) =>
      Effect.andThen(
        TestClock.setTime(1_614_265_330_000 + Duration.toMillis(offset)),
        outcome({ tolerance })
      )
    assert.equal(yield* after("5 minutes"), "accepted")
    assert.equal(yield* after(Duration.millis(300_001)), "TooOld")
    assert.equal(yield* after(Duration.millis(-300_000)), "accepted")
    assert.equal(yield* after(Duration.millis(-300_001)), "TooNew")
    assert.equal(yield* after("1 hour", "2 hours"), "accepted")
    assert.equal(yield* after("2 seconds", "1 second"), "TooOld")
  }))
