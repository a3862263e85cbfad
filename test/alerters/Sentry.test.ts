import { Config, ConfigProvider, DateTime, Duration, Effect, Fiber, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Sentry } from "../../src/alerters/index.ts"
import { type Alert, Alerter, AlerterHooks, type AlertInput, Pipeline, Step } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary, leaks } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { body: { id: "fc6d8c0c43fc4630ad850ee518f1b9d0" } }

/** Reads an envelope with one event. Throws if it is none. */
const eventOf = (envelope: string) => {
  const [head = "", item = "", event = "", ...rest] = envelope.split("\n")
  assert.deepEqual(rest, [""])
  assert.deepEqual(JSON.parse(item), { type: "event" })
  // oxlint-disable-next-line no-explicit-any -- tests access properties of any payload without narrowing
  const parsed: any = JSON.parse(event)
  assert.deepEqual(JSON.parse(head), { event_id: parsed.event_id })
  assert.match(parsed.event_id, /^[0-9a-f]{32}$/)
  return parsed
}

const dsnOf = (url: string, key: string) => Redacted.make(`${url.replace("//", `//${key}@`)}/7`)

channelContract(test, {
  channel: "sentry",
  layer: (url, options) => Sentry.layer({ ...options, dsn: dsnOf(url, `${canary}0123456789`) }),
  accepted,
  readsBody: false,
  read: eventOf
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12.345Z")
const alert = sample.with({ at })

const started = (options: Partial<Sentry.SentryOptions> = {}, reply: Reply = accepted) =>
  Effect.gen(function*() {
    const server = yield* channelServer(reply)
    const { post, requests } = yield* postingTo(
      server,
      Sentry.layer({
        dsn: dsnOf(server.url, "key1"),
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        pace: [],
        ...options
      })
    )
    const sent = (alert: Alert) =>
      Effect.map(post(alert), () => {
        const { body, headers, method, path } = requests.at(-1)!
        return { body, headers, method, path, event: eventOf(body) }
      })
    return { post, requests, sent }
  })

it.live("an alert about a failure is an event with the exception, whose fingerprint is the dedupeKey", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ environment: "staging", release: "jobs@1", tags: { team: "data" } })
    const { event, headers, method, path } = yield* sent(alert)
    assert.equal(`${method} ${path}`, "POST /api/7/envelope/")
    assert.equal(headers["content-type"], "application/x-sentry-envelope")
    assert.equal(headers["x-sentry-auth"], "Sentry sentry_version=7, sentry_client=effect-epilogue, sentry_key=key1")
    assert.deepEqual({ ...event, event_id: "" }, {
      event_id: "",
      timestamp: "2026-11-23T12:40:12.345Z",
      platform: "node",
      level: "error",
      logger: "effect-epilogue",
      transaction: "nightly › load",
      environment: "staging",
      release: "jobs@1",
      fingerprint: ["nightly/load"],
      logentry: { formatted: "nightly › load failed\nError: no such bucket" },
      exception: {
        values: [{
          type: "Error",
          value: "no such bucket",
          mechanism: { type: "generic", handled: true },
          stacktrace: { frames: [{ function: "load", filename: "etl.ts", lineno: 12, colno: 3, in_app: true }] }
        }]
      },
      tags: {
        severity: "error",
        pipeline: "nightly",
        step: "load",
        run: "nightly-2026-11-23",
        tag: "NoSuchBucket",
        team: "data"
      },
      extra: {
        body: "Error: no such bucket",
        detail: "Error: no such bucket\n    at load (etl.ts:12:3)",
        time: "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)",
        "run id": "7f6c2b9e-3c55-4a4e-9d6b-0b6a3c1d2e4f",
        pipeline: "nightly",
        step: "load",
        rows: "1461"
      }
    })
  }))

it.live("severities decide the level, and a recovery sends nothing unless it is asked for", () =>
  Effect.gen(function*() {
    const outcome = (
      severity: Alert["severity"],
      changes: Partial<AlertInput> = {},
      options: Partial<Sentry.SentryOptions> = {}
    ) =>
      Effect.gen(function*() {
        const { post, requests } = yield* started(options)
        yield* post(alert.with({ severity, ...changes }))
        return requests.map(({ body }) => [eventOf(body).level, eventOf(body).fingerprint?.[0]])[0]
      })
    assert.deepEqual(yield* outcome("critical"), ["fatal", "nightly/load"])
    assert.deepEqual(yield* outcome("error", { dedupeKey: undefined }), ["error", undefined])
    assert.deepEqual(yield* outcome("warning"), ["warning", "nightly/load"])
    // an event of the issue would open it again
    assert.deepEqual(yield* outcome("info"), ["info", undefined])
    assert.deepEqual(yield* outcome("success", { dedupeKey: undefined }), ["info", undefined])
    assert.equal(yield* outcome("info", {}, { notes: false }), undefined)
    assert.equal(yield* outcome("success"), undefined)
    assert.equal(yield* outcome("success", { resolves: false }, { recoveries: true }), undefined)
    assert.equal(yield* outcome("info", { tags: ["acknowledged"] }), undefined)
    assert.deepEqual(yield* outcome("success", {}, { recoveries: true }), ["info", "nightly/load"])
    assert.deepEqual(yield* outcome("info", { tags: ["acknowledged"] }, { recoveries: true }), ["info", "nightly/load"])
    assert.equal(yield* outcome("success", { quiet: true }, { recoveries: true }), undefined)
  }))

it.live("the stack of a failed step is the stacktrace, from the oldest call to that which failed", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const load = () => {
      throw new RangeError("index 7\nof 3 rows")
    }
    yield* Pipeline.make("nightly", Step.make("load", Effect.sync(load)).pipe(Step.hooks(AlerterHooks.all))).pipe(
      Effect.provide(Sentry.layer({ dsn: dsnOf(server.url, "key1"), pace: [] })),
      Effect.exit
    )
    const [exception] = eventOf(server.requests[0]!.body).exception.values
    assert.deepEqual([exception.type, exception.value], ["RangeError", "index 7\nof 3 rows"])
    const last = exception.stacktrace.frames.at(-1)
    assert.ok(last.filename.endsWith("Sentry.test.ts") && last.lineno > 100 && last.in_app, JSON.stringify(last))
  }))

it.live("frames of other engines and packages are read, and a text that is no error is no exception", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const exception = (detail: string | undefined) =>
      Effect.map(sent(alert.with({ detail })), ({ event }) => event.exception?.values[0])
    const detail = [
      "TypeError: x",
      "    at async Promise.all (index 0)",
      "    at async C:\\etl\\load.ts:1:2",
      "    at new Loader (file:///etl/node_modules/p/index.js:10)",
      "    … 3 frames of effect",
      "    at node:internal/main:5:6",
      "cause: Error: y",
      "    at no (part:1:1)"
    ].join("\n")
    assert.deepEqual((yield* exception(detail)).stacktrace.frames, [
      { filename: "node:internal/main", lineno: 5, colno: 6, in_app: false },
      { function: "new Loader", filename: "/etl/node_modules/p/index.js", lineno: 10, in_app: false },
      { filename: "C:\\etl\\load.ts", lineno: 1, colno: 2, in_app: true }
    ])
    assert.deepEqual((yield* exception("HttpError\n    at f (a.ts:1:1)")).value, "")
    for (
      const none of [
        undefined,
        "",
        "Error: x",
        "    at f (a.ts:1:1)",
        "two words\n    at f (a.ts:1:1)",
        "Error: x\n    at f"
      ]
    ) {
      assert.equal(yield* exception(none), undefined, none)
    }
  }))

it.live("a repeated post has the same id, another post another one", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const idOf = (idempotencyKey: string | undefined) =>
      Effect.map(sent(alert.with({ idempotencyKey })), ({ event }): string => event.event_id)
    const ids = yield* Effect.forEach(["a", "b", undefined, undefined, ""], idOf)
    assert.equal(new Set(ids).size, 5)
    assert.equal(yield* idOf("a"), ids[0])
    const retried = yield* channelServer({ status: 500 }, accepted)
    yield* Effect.provide(
      Effect.flatMap(Alerter, ({ post }) => post(alert)),
      Sentry.layer({ dsn: dsnOf(retried.url, "k"), delay: 0, pace: [] })
    )
    const [first, second] = retried.requests.map(({ body }) => eventOf(body).event_id)
    assert.equal(first, second)
  }))

const assertWithinLimits = (body: string) => {
  const event = eventOf(body)
  assert.ok(Buffer.byteLength(body) <= 201_000, `${Buffer.byteLength(body)} bytes`)
  assert.ok(event.logentry.formatted !== "" && event.logentry.formatted.length <= 8_000)
  for (const value of Object.values<string>(event.tags)) assert.ok(value.length <= 200 && !value.includes("\n"), value)
  for (const value of Object.values<string>(event.extra)) assert.ok(Buffer.byteLength(value) <= 15_000)
  JSON.parse(body.split("\n")[2]!, (key, value) => {
    for (const text of [key, value]) {
      if (typeof text === "string") assert.ok(text.isWellFormed() && !/\p{Cc}/u.test(text.replace(/[\n\t]/g, "")), text)
    }
    return value
  })
  return event
}

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { body } = yield* sent(alert.with({
      detail: hugeDetail(),
      title: "🔥".repeat(20_000),
      dedupeKey: "k".repeat(5000),
      fields: Array.from({ length: 1000 }, (_, i) => ({ name: `f${i}`, value: "v".repeat(20_000) }))
    }))
    const event = assertWithinLimits(body)
    assert.match(event.extra.detail, /^Error: BEGINNING\n[\s\S]*characters left out …[\s\S]*at END$/)
    assert.equal(event.extra.body, alert.body)
    assert.match(event.fingerprint[0], /^k+…#[0-9a-f]{64}$/)
  }))

it.live("any alert becomes an event within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), ({ body }) => {
        assert.equal(assertWithinLimits(body).timestamp, "2026-11-23T12:40:12.000Z")
      }), 60)
  }))

/** Posts alerts to answers that come in turn, and returns the seconds between the requests. */
const delays = (posts: number, ...answers: ReadonlyArray<() => Response>) =>
  Effect.gen(function*() {
    const times: Array<number> = []
    const client = HttpClient.make((request) =>
      Effect.clockWith((clock) =>
        Effect.sync(() => {
          times.push(clock.currentTimeMillisUnsafe())
          return HttpClientResponse.fromWeb(request, (answers[times.length - 1] ?? (() => Response.json({})))())
        })
      )
    )
    const fiber = yield* Effect.forkChild(
      Effect.flatMap(Alerter, ({ post }) => Effect.forEach(Array.from({ length: posts }, () => alert), post)).pipe(
        Effect.provide(Sentry.layer({ dsn: Redacted.make("https://k@o0.ingest.sentry.io/1"), pace: [] })),
        Effect.provide(Layer.succeed(HttpClient.HttpClient, client))
      )
    )
    yield* TestClock.adjust("20 minutes")
    yield* Fiber.join(fiber)
    return times.slice(1).map((time, i) => (time - times[i]!) / 1000)
  })

const answer = (status: number, limits: string | undefined, retryAfter?: string) => () =>
  new Response("{}", {
    status,
    headers: {
      ...(limits === undefined ? {} : { "x-sentry-rate-limits": limits }),
      ...(retryAfter === undefined ? {} : { "retry-after": retryAfter })
    }
  })

it.effect("the mailbox waits as long as limits on errors say, after any answer", () =>
  Effect.gen(function*() {
    const after = (limits: string | undefined, retryAfter?: string) =>
      Effect.map(delays(1, answer(429, limits, retryAfter)), ([delay = NaN]) => delay)
    const about = (delay: number, seconds: number) => assert.ok(delay >= seconds && delay <= seconds + 5, `${delay}`)
    about(yield* after("100::organization", "10"), 100)
    about(yield* after("7:transaction:key, 100:default;error;security:organization:quota:x, 50:error", "10"), 100)
    about(yield* after("100:transaction:key", "30"), 30)
    about(yield* after("x:error, :, -5::", "30"), 30)
    about(yield* after(undefined), 60)
    assert.deepEqual(yield* delays(2, answer(200, "100:error:key")), [100])
    assert.deepEqual(yield* delays(2, answer(200, "100:transaction:key")), [0])
  }))

it.live("a refusal's detail is Sentry's error message, and a DSN that is none is told without it", () =>
  Effect.gen(function*() {
    const refusal = (reply: Reply, options: Partial<Sentry.SentryOptions> = {}) =>
      Effect.gen(function*() {
        const { post } = yield* started({ retries: 0, ...options }, reply)
        return { ...(yield* Effect.flip(post(alert))).reason }
      })
    const causes = ["invalid event envelope", "missing newline"]
    assert.deepEqual(yield* refusal({ status: 400, body: { detail: "failed", causes } }), {
      _tag: "Rejected",
      status: 400,
      detail: "failed: invalid event envelope: missing newline"
    })
    assert.deepEqual(yield* refusal({ status: 403, body: { detail: "bad sentry DSN public key" } }), {
      _tag: "Unauthorized",
      detail: "bad sentry DSN public key"
    })
    const limited = yield* refusal({ status: 429, headers: { "x-sentry-rate-limits": "2700:error:key" } })
    assert.ok(limited._tag === "RateLimited" && Duration.toSeconds(limited.retryAfter!) === 2700)
    for (const dsn of [`https://a.test/${canary}`, canary, `https://${canary}@a.test/x`]) {
      const reason = yield* refusal(accepted, { dsn: Redacted.make(dsn) })
      assert.deepEqual(reason, { _tag: "Rejected", detail: "its DSN is none" })
    }
  }))

it.live("layerConfig reads DSN, environment and release from the environment, or from a config", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const post = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
        Effect.provide(Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      )
    const dsn = Redacted.value(dsnOf(server.url, "key1"))
    yield* post(Sentry.layerConfig(), { SENTRY_DSN: dsn, SENTRY_ENVIRONMENT: "qa", SENTRY_RELEASE: "1" })
    yield* post(Sentry.layerConfig({ dsn: Config.Redacted("DSN") }), { DSN: dsn })
    assert.deepEqual(server.requests.map(({ body }) => [eventOf(body).environment, eventOf(body).release]), [
      ["qa", "1"],
      [undefined, undefined]
    ])
    assert.match(String(yield* Effect.flip(post(Sentry.layerConfig(), {}))), /SENTRY_DSN/)
    const wrong = yield* Effect.flip(post(Sentry.layerConfig(), { SENTRY_DSN: `https://a.test/${canary}` }))
    assert.match(String(wrong), /Expected a DSN such as .*\n.*SENTRY_DSN/)
    assert.deepEqual(leaks([wrong]), [])
  }))
