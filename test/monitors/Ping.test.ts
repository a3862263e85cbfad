import { Effect, Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Ping } from "../../src/monitors/index.ts"
import { canary } from "../support/canary.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { endless, failing, interrupted, monitorContract, succeeding } from "../support/monitors.ts"

const it = makeIt(test)

monitorContract(test, {
  monitor: "ping",
  layer: (url, { interrupt: _, ...options }) =>
    Ping.layer({
      ...options,
      success: Redacted.make(`${url}/done?key=${canary}Xn3vQ7kTz1`),
      failure: Redacted.make(`${url}/failed?key=${canary}Xn3vQ7kTz1`)
    }),
  accepted: { status: 204 },
  pings: 1,
  success: ({ method, path }) => method === "GET" && path.startsWith("/done?key="),
  failure: ({ path }) => path.startsWith("/failed?key=")
})

it.live("each move has its own address, and an interruption that of a failure unless it has one", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({})
    const at = (path: string) => Redacted.make(`${server.url}/${path}`)
    const paths = (options: Ping.PingOptions) =>
      Effect.gen(function*() {
        const before = server.requests.length
        for (const run of [succeeding, failing, interrupted(endless)]) {
          yield* Effect.exit(Effect.provide(run, Ping.layer(options)))
        }
        return server.requests.slice(before).map(({ path }) => path)
      })
    const all = { start: at("start"), success: at("success"), failure: at("failure"), interrupt: at("interrupt") }
    assert.deepEqual(yield* paths(all), [
      "/start",
      "/success",
      "/start",
      "/failure",
      "/start",
      "/interrupt"
    ])
    assert.deepEqual(yield* paths({ failure: at("failure") }), ["/failure", "/failure"])
    // a switch that only a success resets
    assert.deepEqual(yield* paths({ success: at("success") }), ["/success"])
  }))

it.live("a POST has what happened as its body, and the user of an address in a header", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({})
    const failure = Redacted.make(`${server.url.replace("//", "//ada:s3cret@")}/failed`)
    yield* Effect.exit(Effect.provide(failing, Ping.layer({ failure, method: "POST" })))
    const { body, headers, method } = server.requests[0]!
    assert.equal(method, "POST")
    assert.equal(headers.authorization, `Basic ${btoa("ada:s3cret")}`)
    assert.match(body, /^nightly failed after [^]*load\[eu\] › upload: HttpError: status 503[^]*INFO 1461 rows$/)
  }))

it.effect("no address at all, and heartbeats without one, are mistakes", () =>
  Effect.gen(function*() {
    const { mistakes } = yield* Effect.flip(Effect.scoped(Layer.build(Ping.layer({ every: "1 minute" }))))
    assert.deepEqual(mistakes.map(({ option }) => option), ["success", "every"])
  }))
