/** Registers the tests that hold for every channel that posts by HTTP. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import type { ChannelOptions } from "../../src/alerters/index.ts"
import { Alert, Alerter, AlerterError } from "../../src/index.ts"
import { canary, leaks, recorder } from "./canary.ts"
import { type Answer, channelServer, htmlErrorPage, type Reply } from "./channelServer.ts"
import { makeIt, type RegisterTest } from "./it.ts"

export interface Contract {
  /** The channel's name in errors, as in `"slack"`. */
  readonly channel: string
  /** Makes the layer for a server at `url`. Every secret given to it contains {@link canary}. */
  readonly layer: (url: string, options: ChannelOptions) => Layer.Layer<Alerter>
  /** The server's answer to an alert that it accepts. */
  readonly accepted: Answer
  /** Whether the channel reads the answer's body. If not, an answer that breaks off counts as accepted. */
  readonly readsBody: boolean
  /** Reads the body of a request. As JSON unless set. */
  readonly read?: (body: string) => unknown
  /** The alert that is posted. {@link sample} unless set. */
  readonly alert?: Alert
}

/** Names as an attacker would choose them: with characters that reorder text, hide in it or end a line of it. */
const hostile = "a\u202eb\u2066c\u200ed\u061ce\ufefff\u2060g\u001b]0;h\u0007i\u009bj\u0085k\u2028l\ud800m"

// Channels escape mentions by zero-width spaces.
const obeyed =
  // oxlint-disable-next-line no-control-regex -- all but line feeds
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]/u

/** Returns all texts in a value of JSON, keys too. */
const textsIn = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
    ? [...Object.keys(value), ...Object.values(value).flatMap(textsIn)]
    : []

/** An alert with every property but attachments, as the hook of a failed step would post it. */
export const sample = Alert.make({
  title: "nightly › load failed",
  body: "Error: no such bucket",
  severity: "error",
  fields: { pipeline: "nightly", step: "load", rows: 1461 },
  detail: "Error: no such bucket\n    at load (etl.ts:12:3)",
  dedupeKey: "nightly/load",
  tags: ["NoSuchBucket"],
  source: {
    pipeline: "nightly",
    runId: "7f6c2b9e-3c55-4a4e-9d6b-0b6a3c1d2e4f",
    runName: "nightly-2026-11-23",
    stepPath: ["load"],
    attempt: 1
  }
})

/** {@link sample} as JSON, without a time. */
export const sampleJson = {
  title: "nightly › load failed",
  body: "Error: no such bucket",
  severity: "error",
  fields: [
    { name: "pipeline", value: "nightly" },
    { name: "step", value: "load" },
    { name: "rows", value: "1461" }
  ],
  detail: "Error: no such bucket\n    at load (etl.ts:12:3)",
  dedupeKey: "nightly/load",
  tags: ["NoSuchBucket"],
  source: {
    pipeline: "nightly",
    runId: "7f6c2b9e-3c55-4a4e-9d6b-0b6a3c1d2e4f",
    runName: "nightly-2026-11-23",
    stepPath: ["load"],
    attempt: 1
  }
}

export const channelContract = (test: RegisterTest, contract: Contract): void => {
  const it = makeIt(test)
  const { accepted, alert: posted = sample, channel, read = JSON.parse, readsBody } = contract
  // without a pace, by which a channel also spaces the attempts of one alert
  const fast: ChannelOptions = { timeout: "20 seconds", delay: "1 millis", pace: [] }

  const post = (url: string, options: ChannelOptions = fast, alert: Alert = posted) =>
    Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(Effect.provide(contract.layer(url, options)))

  /** Posts an alert to a server with these replies, and returns the error and the number of requests. */
  const against = (replies: ReadonlyArray<Reply>, options: ChannelOptions = fast) =>
    Effect.gen(function*() {
      const server = yield* channelServer(...replies)
      const result = yield* Effect.result(post(server.url, options))
      const error = result._tag === "Failure" ? result.failure : undefined
      return { error, reason: error?.reason, requests: server.requests.length }
    })

  it.live(`${channel}: sends an accepted alert once`, () =>
    Effect.gen(function*() {
      const { error, requests } = yield* against([accepted])
      assert.equal(error, undefined)
      assert.equal(requests, 1)
    }))

  it.live(`${channel}: posts no character that reorders or hides text, and a title of one line`, () =>
    Effect.gen(function*() {
      const server = yield* channelServer(accepted)
      const alert = Alert.make({
        title: `${hostile}\r\nsecond`,
        body: hostile,
        severity: "error",
        fields: { [hostile]: hostile },
        detail: hostile,
        tags: [hostile],
        source: { pipeline: hostile, runId: "1", runName: hostile, stepPath: [hostile], attempt: 1 }
      })
      yield* post(server.url, fast, alert)
      const texts = textsIn(read(server.requests[0]!.body))
      assert.deepEqual(texts.filter((text) => obeyed.test(text)).map((text) => JSON.stringify(text)), [])
      const [titled] = texts.filter((text) => text.includes("second"))
      assert.match(titled ?? "", /m second/)
    }))

  it.live(`${channel}: retries after 429 when the seconds in Retry-After have passed`, () =>
    Effect.gen(function*() {
      const [elapsed, { error, requests }] = yield* Effect.timed(
        against([{ status: 429, headers: { "retry-after": "1" } }, accepted])
      )
      assert.equal(error, undefined)
      assert.equal(requests, 2)
      assert.ok(Duration.toMillis(elapsed) >= 990, Duration.format(elapsed))
    }))

  it.live(`${channel}: retries after 429 at the date in Retry-After`, () =>
    Effect.gen(function*() {
      const at = Math.ceil((Date.now() + 1000) / 1000) * 1000
      const { error, requests } = yield* against([
        { status: 429, headers: { "retry-after": new Date(at).toUTCString() } },
        accepted
      ])
      assert.equal(error, undefined)
      assert.equal(requests, 2)
      assert.ok(Date.now() >= at - 10)
    }))

  it.live(`${channel}: gives up at once when Retry-After is an hour`, () =>
    Effect.gen(function*() {
      const { reason, requests } = yield* against([{ status: 429, headers: { "retry-after": "3600" } }, accepted])
      assert.equal(requests, 1)
      assert.ok(reason?._tag === "RateLimited" && reason.retryAfter !== undefined)
      assert.equal(Duration.toMillis(reason.retryAfter), 3_600_000)
    }))

  it.live(`${channel}: retries after 500, 408 and an HTML error page`, () =>
    Effect.gen(function*() {
      const { error, requests } = yield* against([{ status: 500 }, { status: 408 }, htmlErrorPage, accepted])
      assert.equal(error, undefined)
      assert.equal(requests, 4)
    }))

  it.live(`${channel}: gives up after three retries with the server's answer as detail`, () =>
    Effect.gen(function*() {
      const { reason, requests } = yield* against([htmlErrorPage])
      assert.equal(requests, 4)
      assert.deepEqual({ ...reason }, { _tag: "Rejected", status: 502, detail: "502 Bad Gateway" })
    }))

  it.live(`${channel}: neither retries after other 4xx answers nor follows redirects`, () =>
    Effect.gen(function*() {
      for (const status of [400, 404, 405, 410, 413, 422]) {
        const { reason, requests } = yield* against([{ status, body: "no" }, accepted])
        assert.equal(requests, 1, `${status}`)
        assert.ok(reason?._tag === "Rejected" && reason.status === status, `${status}`)
      }
      for (const status of [401, 403]) {
        const { reason, requests } = yield* against([{ status }, accepted])
        assert.equal(requests, 1, `${status}`)
        assert.equal(reason?._tag, "Unauthorized")
      }
      const moved = yield* against([{ status: 302, headers: { location: "/elsewhere" } }, accepted])
      assert.equal(moved.requests, 1)
      assert.ok(moved.reason?._tag === "Rejected" && moved.reason.status === 302)
    }))

  it.live(`${channel}: retries after a connection reset`, () =>
    Effect.gen(function*() {
      const { error, requests } = yield* against(["reset", accepted])
      assert.equal(error, undefined)
      assert.equal(requests, 2)
      const { reason } = yield* against(["reset"])
      assert.equal(reason?._tag, "Unreachable")
    }))

  it.live(`${channel}: an answer that breaks off is ${readsBody ? "retried" : "accepted, as its body is not read"}`, () =>
    Effect.gen(function*() {
      const { error, requests } = yield* against(["resetMidBody", accepted])
      assert.equal(error, undefined)
      assert.equal(requests, readsBody ? 2 : 1)
    }))

  it.live(`${channel}: retries when the answer takes too long, then fails with TimedOut`, () =>
    Effect.gen(function*() {
      const again = yield* against(["hang", accepted], { ...fast, timeout: "1 second" })
      assert.equal(again.error, undefined)
      assert.equal(again.requests, 2)
      const { reason, requests } = yield* against(["hang"], { ...fast, timeout: "200 millis", retries: 1 })
      assert.equal(requests, 2)
      assert.equal(reason?._tag, "TimedOut")
    }))

  it.live(`${channel}: fails with Unreachable when no server listens`, () =>
    Effect.gen(function*() {
      const { url } = yield* Effect.scoped(channelServer())
      const error = yield* Effect.flip(post(url))
      assert.ok(error instanceof AlerterError)
      assert.equal(error.channel, channel)
      assert.equal(error.reason._tag, "Unreachable")
    }))

  it.live(`${channel}: errors, logs and spans contain no secret, even if the server quotes it`, () =>
    Effect.gen(function*() {
      const recorded = recorder()
      const echo: Reply = ({ body, headers, path }) => ({
        status: 404,
        body: `Cannot POST ${path} ${JSON.stringify(headers)} ${body}`
      })
      for (const reply of [echo, { status: 500 }, { status: 401 }, "reset", "resetMidBody", accepted] as const) {
        const server = yield* channelServer(reply)
        const exit = yield* post(server.url, { ...fast, retries: 1 }).pipe(
          Effect.tapCause((cause) => Effect.logError("not sent", cause)),
          Effect.withSpan("test"),
          Effect.provide(recorded.layer),
          Effect.exit
        )
        recorded.keep("events", exit._tag === "Failure" ? Cause.pretty(exit.cause) : exit)
        // guards the search below: a secret was sent, so it could have leaked
        const { headers, path, body } = server.requests[0]!
        const login = /^Basic (.*)$/.exec(headers.authorization ?? "")?.[1] ?? ""
        const sent = `${path} ${JSON.stringify(headers)} ${atob(login)} ${body}`
        assert.ok(sent.includes(canary), "no secret was sent")
      }
      assert.ok(recorded.counts.spans > 0 && recorded.counts.logs > 0)
      assert.deepEqual(leaks(recorded.outputs), [])
    }))
}
