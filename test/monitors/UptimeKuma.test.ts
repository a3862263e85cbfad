import { Effect, Redacted } from "effect"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Pipeline, Step } from "../../src/index.ts"
import { UptimeKuma } from "../../src/monitors/index.ts"
import { canary } from "../support/canary.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { failing, losses, monitorContract, succeeding } from "../support/monitors.ts"

const it = makeIt(test)

const accepted = { body: { ok: true } }

const queryOf = (path: string) => Object.fromEntries(new URL(path, "http://localhost").searchParams)

monitorContract(test, {
  monitor: "uptimeKuma",
  layer: (url, options) =>
    UptimeKuma.layer({ ...options, url: Redacted.make(`${url}/api/push/${canary}MHZ6P?status=up&msg=OK&ping=`) }),
  accepted,
  pings: 1,
  success: ({ path }) => queryOf(path)["status"] === "up",
  failure: ({ path }) => queryOf(path)["status"] === "down"
})

it.live("a push has the message and the duration in place of those of the URL", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const url = Redacted.make(`${server.url}/api/push/4Gdp9cHeNu7MHZ6P?status=up&msg=OK&ping=`)
    yield* Effect.exit(Effect.provide(failing, UptimeKuma.layer({ url })))
    const { method, path } = server.requests[0]!
    assert.equal(method, "GET")
    const { msg, ping, status } = queryOf(path)
    assert.equal(status, "down")
    assert.match(msg!, /^nightly failed after .*; load\[eu\] › upload: HttpError: status 503$/)
    assert.match(ping!, /^\d+$/)
  }))

it.live("an answer that says that the push was refused is no success, whatever its status", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ body: { ok: false, msg: "Monitor not found or not active." } })
    const { layer, lost } = losses()
    const url = Redacted.make(`${server.url}/api/push/4Gdp9cHeNu7MHZ6P`)
    yield* succeeding.pipe(Effect.provide(UptimeKuma.layer({ url })), Effect.provide(layer))
    assert.match(lost[0]!, /: uptimeKuma: the ping was rejected: Monitor not found or not active\.$/)
  }))

it.effect("a run of more than a day has no ping, which the server would refuse", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const url = Redacted.make(`${server.url}/api/push/4Gdp9cHeNu7MHZ6P`)
    const long = Pipeline.make("nightly", Step.make("train", TestClock.adjust("2 days")))
    yield* Effect.provide(long, UptimeKuma.layer({ url }))
    assert.equal(queryOf(server.requests[0]!.path)["ping"], "")
    assert.match(queryOf(server.requests[0]!.path)["msg"]!, /^nightly succeeded after 2 d/)
  }))

it.live("a long message is cut to what fits into an address", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const url = Redacted.make(`${server.url}/api/push/4Gdp9cHeNu7MHZ6P`)
    for (const text of ["x".repeat(5_000), "ä€🦀".repeat(2_000), "\u0000\ud800".repeat(2_000)]) {
      yield* Effect.exit(
        Effect.provide(
          Pipeline.make(
            "nightly",
            Effect.forEach([1, 2, 3, 4, 5], (i) => Effect.exit(Step.make(`s${i}`, Effect.fail(text))))
          ),
          UptimeKuma.layer({ url })
        )
      )
      const { path } = server.requests.at(-1)!
      assert.ok(path.length < 5_000, `${path.length}`)
      assert.ok(queryOf(path)["msg"]!.length <= 1_000)
    }
  }))
