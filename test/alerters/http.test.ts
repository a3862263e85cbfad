/** Channels that speak HTTP, beyond the contract: malformed answers, invalid options, clients of the user. */
import { DateTime, Duration, Effect, Fiber, Layer, Random, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { type ChannelOptions, Slack } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { large } from "../support/sizes.ts"

const it = makeIt(test)

const webhookUrl = Redacted.make("https://hooks.slack.com/services/T0/B0/x")

const post = (alert: Alert | string = "x") => Effect.flatMap(Alerter, (alerter) => alerter.post(alert))

/** A client that gives these answers in turn, repeats the last, and records the requests with their times. */
const fake = (...answers: ReadonlyArray<() => Response>) => {
  const times: Array<number> = []
  const bodies: Array<string> = []
  const client = HttpClient.make((request) =>
    Effect.clockWith((clock) =>
      Effect.sync(() => {
        times.push(clock.currentTimeMillisUnsafe())
        bodies.push(request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : "")
        return HttpClientResponse.fromWeb(request, answers[Math.min(times.length, answers.length) - 1]!())
      })
    )
  )
  return { times, bodies, client }
}

const ok = () => new Response("ok")
const status = (status: number, headers: Record<string, string> = {}, body = "") => () =>
  new Response(body, { status, headers })

const slackWith = (client: HttpClient.HttpClient, options: Partial<Slack.WebhookOptions> = {}) =>
  Layer.provide(Slack.layer({ webhookUrl, pace: [], ...options }), Layer.succeed(HttpClient.HttpClient, client))

/** Draws the same number each time, so that delays are known. */
const drawing = (number: number): typeof Random.Random.Service => ({
  nextDoubleUnsafe: () => number,
  nextIntUnsafe: () => 0
})

/**
 * Posts an alert while the clock moves. Returns the reason of a failure, and the delays between the attempts. `drawn` is
 * the number by which the random part of a delay is chosen.
 */
const attempts = (answers: ReadonlyArray<() => Response>, options: ChannelOptions = {}, drawn = 0.5) =>
  Effect.gen(function*() {
    const { client, times } = fake(...answers)
    const fiber = yield* Effect.forkChild(
      Effect.result(Effect.provide(post(), slackWith(client, options))).pipe(
        Effect.provideService(Random.Random, drawing(drawn))
      )
    )
    yield* TestClock.adjust("2 hours")
    const result = yield* Fiber.join(fiber)
    const reason = result._tag === "Failure" ? result.failure.reason : undefined
    return { reason, delays: times.slice(1).map((at, i) => at - times[i]!) }
  })

// -----------------------------------------------------------------------------
// delays
// -----------------------------------------------------------------------------

it.effect("Retry-After is honoured with 503 and 408 too, with up to a quarter more", () =>
  Effect.gen(function*() {
    for (const code of [408, 429, 503]) {
      for (const [drawn, delay] of [[0, 7000], [0.5, 7875], [0.999, 8749]] as const) {
        const { delays, reason } = yield* attempts([status(code, { "retry-after": "7" }), ok], {}, drawn)
        assert.deepEqual([reason, delays.map(Math.floor)], [undefined, [delay]], `${code}, ${drawn}`)
      }
    }
    const later = yield* attempts([status(503, { "retry-after": "3600" }), ok])
    assert.deepEqual([{ ...later.reason }, later.delays], [{ _tag: "Rejected", status: 503, detail: "" }, []])
  }))

it.effect("a Retry-After of 0 is honoured once, and then the delay grows", () =>
  Effect.gen(function*() {
    const busy = status(429, { "retry-after": "0" })
    const { delays } = yield* attempts([...Array.from({ length: 5 }, () => busy), ok], {}, 0)
    assert.deepEqual(delays, [0, 500, 1000, 2000, 4000])
  }))

it.effect("an invalid Retry-After leaves the delay unchanged", () =>
  Effect.gen(function*() {
    for (
      const header of [
        "-5",
        "-0.5",
        "NaN",
        "Infinity",
        "0x10",
        "5s",
        "soon",
        "9".repeat(400),
        "",
        "Thu, 01 Jan 1970 00:00:00 GMT"
      ]
    ) {
      yield* TestClock.setTime(Date.UTC(2026, 10, 23))
      const { delays, reason } = yield* attempts([status(429, { "retry-after": header }), ok])
      // half a second, less half of a half of it
      assert.deepEqual([reason, delays], [undefined, [375]], header)
    }
  }))

it.effect("an invalid retry_after in the body leaves the header in effect", () =>
  Effect.gen(function*() {
    for (const body of ["{\"retry_after\":-1}", "{\"retry_after\":\"soon\"}", "{\"parameters\":null}"]) {
      const { delays } = yield* attempts([status(429, { "retry-after": "7" }, body), ok])
      assert.deepEqual(delays, [7875], body)
    }
    const deep = yield* attempts([status(429, { "retry-after": "7" }, "{\"parameters\":".repeat(70_000)), ok])
    assert.deepEqual(deep.delays, [7875])
    const inBody = yield* attempts([status(429, { "retry-after": "7" }, "{\"parameters\":{\"retry_after\":3}}"), ok])
    assert.deepEqual(inBody.delays, [3375])
  }))

it.effect("there may be no retries, or any number of them", () =>
  Effect.gen(function*() {
    const failing = [status(500)]
    const count = (retries: number) => Effect.map(attempts(failing, { retries }), ({ delays }) => delays.length)
    assert.deepEqual(yield* Effect.forEach([0, 2], count), [0, 2])
    const late = Array.from({ length: 1100 }, () => status(500))
    const { delays, reason } = yield* attempts([...late, ok], { retries: Infinity, delay: 0 })
    assert.deepEqual([reason, delays.length], [undefined, 1100])
  }))

// -----------------------------------------------------------------------------
// clients of the user
// -----------------------------------------------------------------------------

it.effect("a client that fails on a status changes nothing", () =>
  Effect.gen(function*() {
    const outcome = (...answers: ReadonlyArray<() => Response>) =>
      Effect.gen(function*() {
        const { client, times } = fake(...answers)
        const layer = slackWith(HttpClient.filterStatusOk(client), { retries: 1, delay: 0 })
        const result = yield* Effect.result(Effect.provide(post(), layer))
        return [result._tag === "Success" ? "sent" : { ...result.failure.reason }, times.length]
      })
    const rejected = { _tag: "Rejected", status: 404, detail: "no_service" }
    assert.deepEqual(yield* outcome(status(404, {}, "no_service"), ok), [rejected, 1])
    assert.deepEqual(yield* outcome(status(403, {}, "no"), ok), [{ _tag: "Unauthorized", detail: "no" }, 1])
    assert.deepEqual(yield* outcome(status(500), ok), ["sent", 2])
    const limited = { _tag: "RateLimited", retryAfter: Duration.hours(1) }
    assert.deepEqual(yield* outcome(status(429, { "retry-after": "3600" })), [limited, 1])
  }))

it.effect("options of fetch stay in effect, and redirects are not followed", () =>
  Effect.gen(function*() {
    const inits: Array<RequestInit | undefined> = []
    const fetch = ((_, init) => {
      inits.push(init)
      return Promise.resolve(new Response("ok"))
    }) as typeof globalThis.fetch
    const ofLayer = Layer.mergeAll(
      Layer.succeed(FetchHttpClient.Fetch, fetch),
      Layer.succeed(FetchHttpClient.RequestInit, { keepalive: true, redirect: "follow" })
    )
    yield* Effect.provide(post(), Layer.provide(Slack.layer({ webhookUrl }), ofLayer))
    const ofCaller = Effect.provideService(post(), FetchHttpClient.RequestInit, { cache: "no-store" })
    yield* Effect.provide(ofCaller, Layer.provide(Slack.layer({ webhookUrl }), ofLayer))
    assert.deepEqual(inits.map((init) => [init?.keepalive, init?.cache, init?.redirect]), [
      [true, undefined, "manual"],
      [true, "no-store", "manual"]
    ])
  }))

it.effect("a server that Deno does not let the program reach is told with the flag that lets it", () =>
  Effect.gen(function*() {
    const error = new Error("Requires net access to \"hooks.example.com:443\", run again with the --allow-net flag")
    const fetch = (() => Promise.reject(error)) as unknown as typeof globalThis.fetch
    const layer = Slack.layer({ webhookUrl, retries: 0 }).pipe(
      Layer.provide(Layer.succeed(FetchHttpClient.Fetch, fetch))
    )
    const { message } = yield* Effect.flip(Effect.provide(post(), layer))
    assert.equal(message, "slack: could not be reached: run again with the --allow-net flag")
  }))

it.effect("TLS that fails is told with its reason, whatever the runtime calls it", () =>
  Effect.gen(function*() {
    const told = (cause: unknown) =>
      Effect.gen(function*() {
        const fetch = (() =>
          Promise.reject(new TypeError("fetch failed", { cause }))) as unknown as typeof globalThis.fetch
        const layer = Slack.layer({ webhookUrl, retries: 0 }).pipe(
          Layer.provide(Layer.succeed(FetchHttpClient.Fetch, fetch))
        )
        return (yield* Effect.flip(Effect.provide(post(), layer))).message
      })
    for (const code of ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE"]) {
      assert.equal(yield* told(Object.assign(new Error("0A0"), { code })), `slack: could not be reached: ${code}`)
    }
    const alert = "received fatal alert: CertificateRequired"
    assert.equal(yield* told(new Error(alert)), `slack: could not be reached: ${alert}`)
  }))

it.effect("a defect of a client becomes an error with one short line", () =>
  Effect.gen(function*() {
    const defect = new Error(`at ${Redacted.value(webhookUrl)}\n/services/T0/B0/x ${"z".repeat(5000)}`)
    const layer = slackWith(HttpClient.make(() => Effect.die(defect)))
    const { reason } = yield* Effect.flip(Effect.provide(post(), layer))
    assert.ok(reason._tag === "Rejected" && reason.detail.length <= 300)
    assert.match(reason.detail, /^at <url> <redacted> z+…$/)
  }))

// -----------------------------------------------------------------------------
// answers
// -----------------------------------------------------------------------------

const said = (answer: string, options: Partial<Slack.WebhookOptions> = {}) =>
  Effect.gen(function*() {
    const layer = slackWith(fake(status(400, {}, answer)).client, options)
    const { reason } = yield* Effect.flip(Effect.provide(post(), layer))
    return reason._tag === "Rejected" ? reason.detail : reason._tag
  })

it.effect("a refusal counts by its status, and is told as far as it was read, though its body breaks off or never ends", () =>
  Effect.gen(function*() {
    const begun = (status: number, end: (body: ReadableStreamDefaultController) => void) => () =>
      new Response(
        new ReadableStream({
          start: (body) => {
            body.enqueue(new TextEncoder().encode("no such hook"))
            end(body)
          }
        }),
        { status }
      )
    const neverEnds = yield* attempts([begun(404, () => {})])
    assert.deepEqual({ ...neverEnds.reason }, { _tag: "Rejected", status: 404, detail: "no such hook" })
    assert.deepEqual(neverEnds.delays, [])
    const breaksOff = yield* attempts([begun(500, (body) => setTimeout(() => body.error(new Error("reset"))))], {
      retries: 0
    })
    assert.deepEqual({ ...breaksOff.reason }, { _tag: "Rejected", status: 500, detail: "no such hook" })
  }))

it.effect("an answer without a text that redirects says that this is not followed", () =>
  Effect.gen(function*() {
    const { delays, reason } = yield* attempts([status(301, { location: "https://elsewhere.example.com" })])
    assert.deepEqual({ ...reason }, { _tag: "Rejected", status: 301, detail: "a redirect is not followed" })
    assert.deepEqual(delays, [])
  }))

it.effect("pages of HTML are reduced to their title or text, in linear time", () =>
  Effect.gen(function*() {
    assert.equal(yield* said("<html><title lang=en> Bad\nGateway </title><p>x"), "Bad Gateway")
    const page = "<!DOCTYPE html><style>p {}</style><body class=a><p>Bad</p> <b>gateway</b><script>a()</script>"
    assert.equal(yield* said(page), "Bad gateway")
    for (const odd of ["<", "<style", "<script>", "<title", "<title ", "\n<", "<title><", " "]) {
      // quadratic time would exceed the test's timeout
      yield* said(`<html>${odd.repeat(1_000_000 / odd.length)}`)
    }
  }))

const address = "https://example.com/flows/ab12/run?api-version=2016-06-01&sig=aB1%2Bc+d/e9Zk-4n&x=1"

it.effect("a secret is removed in its encoded forms too", () =>
  Effect.gen(function*() {
    const quoted = {
      "no handler for \\/flows\\/ab12\\/run": "no handler for <redacted>",
      // the end of a secret path is a part of it, which a server may have cut
      "no flow%2Fab12%2Frun %2Fflows%2Fab12%2Frun": "no flow%2F<redacted> <redacted>",
      "signature aB1%2Bc+d/e9Zk-4n is wrong": "signature <redacted> is wrong",
      "signature aB1+c+d/e9Zk-4n is wrong": "signature <redacted> is wrong",
      "signature aB1+c d/e9Zk-4n is wrong": "signature <redacted> is wrong",
      "no partition 2016-06-01": "no partition 2016-06-01"
    }
    for (const [answer, shown] of Object.entries(quoted)) {
      assert.equal(yield* said(answer, { webhookUrl: Redacted.make(address) }), shown)
    }
    const plain = { webhookUrl: Redacted.make("https://example.com/api/alerts") }
    assert.equal(yield* said("no folder /data/api/alerts", plain), "no folder /data/api/alerts")
    const withPassword = Redacted.make("https://me:pa%C3%9Fw@example.com/a/b")
    assert.equal(yield* said("pa%C3%9Fw or paßw", { webhookUrl: withPassword }), "<redacted> or <redacted>")
  }))

it.effect("the login of a proxy, which the proxy quotes, is removed", () =>
  Effect.gen(function*() {
    const login = Buffer.from("bob:c4n4ry-pa55").toString("base64")
    const quoted = {
      [`{"proxy-authorization":"Basic ${login}","host":"x"}`]: `{"proxy-authorization":"Basic <redacted>","host":"x"}`,
      [`Proxy-Authorization: Basic ${login}`]: "Proxy-Authorization: Basic <redacted>",
      "invalid token Bearer eyJhbGciOi.eyJzdWIi.x-y_z": "invalid token Bearer <redacted>",
      "Basic authentication required": "Basic authentication required",
      "no Bearer token": "no Bearer token"
    }
    for (const [answer, shown] of Object.entries(quoted)) assert.equal(yield* said(answer), shown)
  }))

it.effect("a token with a line end is removed without it too", () =>
  Effect.gen(function*() {
    const { client } = fake(() => Response.json({ ok: false, error: "no xoxb-1-2-abcdefgh here" }))
    const layer = Layer.provide(
      Slack.layerBot({ token: Redacted.make(" xoxb-1-2-abcdefgh\n"), channel: "C1" }),
      Layer.succeed(HttpClient.HttpClient, client)
    )
    const { reason } = yield* Effect.flip(Effect.provide(post(), layer))
    assert.deepEqual({ ...reason }, { _tag: "Rejected", status: 200, detail: "no <redacted> here" })
  }))

// -----------------------------------------------------------------------------
// texts and times
// -----------------------------------------------------------------------------

const blocks = (alert: Alert, options: Partial<Slack.WebhookOptions> = {}) =>
  Effect.gen(function*() {
    const { bodies, client } = fake(ok)
    yield* Effect.provide(post(alert), slackWith(client, options))
    return JSON.parse(bodies[0]!).attachments[0].blocks
  })

it.effect("an unterminated control sequence does not remove the text after it", () =>
  Effect.gen(function*() {
    const body = "a\u001b]0;title\u0007b\u001b]8;;x\u001b\\c\u001b]0;no end\nd\u001b[31me\u001b[9"
    const [section] = yield* blocks(Alert.make({ title: "t", body }))
    assert.equal(section.elements[0].elements[0].text, "abc0;no end\nde9")
  }))

it.effect("very many line ends and thousands of long fields are rendered quickly", () =>
  Effect.gen(function*() {
    // quadratic time would exceed the test's timeout
    const many = large(10_000)
    const lines = "\r".repeat(large(5_000_000))
    yield* blocks(Alert.make({ title: "t", detail: `a${lines}b` }))
    const fields = Array.from({ length: many }, (_, i) => ({ name: `f${i}`, value: "\r\n".repeat(4000) + "x" }))
    const shown = yield* blocks(Alert.make({ title: "t", fields: [{ name: " ", value: "\r\n" }, ...fields] }))
    const texts: ReadonlyArray<string> = shown[0].elements[0].elements.map(({ text }: { text: string }) => text)
    const names = texts.filter((text) => /^f\d+: $/.test(text))
    assert.equal(names[0], "f0: ")
    assert.equal(texts.at(-1), `… and ${(many - names.length).toLocaleString("en")} more`)
  }))

it.effect("times in an unknown zone are shown in UTC, and the last of all dates in its zone", () =>
  Effect.gen(function*() {
    const at = DateTime.makeUnsafe("2026-11-23T12:40:12.345Z")
    const last = DateTime.makeUnsafe(8.64e15)
    const time = (at: DateTime.Utc, timeZone: DateTime.TimeZone) =>
      Effect.map(blocks(Alert.make({ title: "t", at }), { timeZone }), (all) => all.at(-1).elements[0].text)
    assert.equal(yield* time(at, DateTime.zoneMakeOffset(-26 * 3_600_000)), "2026-11-23 12:40:12 UTC")
    assert.equal(yield* time(at, DateTime.zoneMakeOffset(3_600_000)), "2026-11-23 13:40:12 UTC+01:00")
    assert.equal(
      yield* time(last, DateTime.zoneMakeNamedUnsafe("Europe/Berlin")),
      "275760-09-13 02:00:00 Europe/Berlin (UTC+02:00)"
    )
  }))
