/** What every channel that speaks HTTP must do, whatever it says. */
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
  /** As in errors: `"slack"`. */
  readonly channel: string
  /** The layer, sending to this address. Each secret it is given holds {@link canary}. */
  readonly layer: (url: string, options: ChannelOptions) => Layer.Layer<Alerter>
  /** What the channel's server answers when it takes an alert. */
  readonly accepted: Answer
  /** Whether the answer's body is read: if not, an answer that breaks off has been a success. */
  readonly readsBody: boolean
}

/** Every kind of text that an alert has, each with something that a channel might take for its own. */
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

export const channelContract = (test: RegisterTest, contract: Contract): void => {
  const it = makeIt(test)
  const { accepted, channel, readsBody } = contract
  const fast: ChannelOptions = { timeout: "2 seconds", delay: "1 millis" }

  const post = (url: string, options: ChannelOptions = fast, alert: Alert = sample) =>
    Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(Effect.provide(contract.layer(url, options)))

  /** What a post against these replies comes to, and how many requests it took. */
  const against = (replies: ReadonlyArray<Reply>, options: ChannelOptions = fast) =>
    Effect.gen(function*() {
      const server = yield* channelServer(...replies)
      const result = yield* Effect.result(post(server.url, options))
      const error = result._tag === "Failure" ? result.failure : undefined
      return { error, reason: error?.reason, requests: server.requests.length }
    })

  it.live(`${channel}: sends an alert once`, () =>
    Effect.gen(function*() {
      const { error, requests } = yield* against([accepted])
      assert.equal(error, undefined)
      assert.equal(requests, 1)
    }))

  it.live(`${channel}: tries again on 429, as late as Retry-After says in seconds`, () =>
    Effect.gen(function*() {
      const [elapsed, { error, requests }] = yield* Effect.timed(
        against([{ status: 429, headers: { "retry-after": "1" } }, accepted])
      )
      assert.equal(error, undefined)
      assert.equal(requests, 2)
      assert.ok(Duration.toMillis(elapsed) >= 990, Duration.format(elapsed))
    }))

  it.live(`${channel}: tries again on 429, as late as Retry-After says as a date`, () =>
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

  it.live(`${channel}: does not wait longer than its longest delay, nor try before the time`, () =>
    Effect.gen(function*() {
      const { reason, requests } = yield* against([{ status: 429, headers: { "retry-after": "3600" } }, accepted])
      assert.equal(requests, 1)
      assert.ok(reason?._tag === "RateLimited" && reason.retryAfter !== undefined)
      assert.equal(Duration.toMillis(reason.retryAfter), 3_600_000)
    }))

  it.live(`${channel}: tries again on 500, 408 and a page of HTML`, () =>
    Effect.gen(function*() {
      const { error, requests } = yield* against([{ status: 500 }, { status: 408 }, htmlErrorPage, accepted])
      assert.equal(error, undefined)
      assert.equal(requests, 4)
    }))

  it.live(`${channel}: gives up after three retries, and says what the server said`, () =>
    Effect.gen(function*() {
      const { reason, requests } = yield* against([htmlErrorPage])
      assert.equal(requests, 4)
      assert.deepEqual({ ...reason }, { _tag: "Rejected", status: 502, detail: "502 Bad Gateway" })
    }))

  it.live(`${channel}: never tries again on other answers of 4xx, nor follows a redirect`, () =>
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

  it.live(`${channel}: tries again when the connection is reset`, () =>
    Effect.gen(function*() {
      const { error, requests } = yield* against(["reset", accepted])
      assert.equal(error, undefined)
      assert.equal(requests, 2)
      const { reason } = yield* against(["reset"])
      assert.equal(reason?._tag, "Unreachable")
    }))

  it.live(`${channel}: an answer that breaks off`, () =>
    Effect.gen(function*() {
      const { error, requests } = yield* against(["resetMidBody", accepted])
      assert.equal(error, undefined)
      assert.equal(requests, readsBody ? 2 : 1)
    }))

  it.live(`${channel}: no answer in time`, () =>
    Effect.gen(function*() {
      const again = yield* against(["hang", accepted], { ...fast, timeout: "200 millis" })
      assert.equal(again.error, undefined)
      assert.equal(again.requests, 2)
      const { reason, requests } = yield* against(["hang"], { ...fast, timeout: "50 millis", retries: 1 })
      assert.equal(requests, 2)
      assert.equal(reason?._tag, "TimedOut")
    }))

  it.live(`${channel}: nobody listens`, () =>
    Effect.gen(function*() {
      const { url } = yield* Effect.scoped(channelServer())
      const error = yield* Effect.flip(post(url))
      assert.ok(error instanceof AlerterError)
      assert.equal(error.channel, channel)
      assert.equal(error.reason._tag, "Unreachable")
    }))

  it.live(`${channel}: no error, log or span holds a secret, also where the server quotes it`, () =>
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
        // or the search could not fail
        const { headers, path, body } = server.requests[0]!
        assert.ok(`${path} ${JSON.stringify(headers)} ${body}`.includes(canary), "no secret was sent")
      }
      assert.ok(recorded.counts.spans > 0 && recorded.counts.logs > 0)
      assert.deepEqual(leaks(recorded.outputs), [])
    }))
}
