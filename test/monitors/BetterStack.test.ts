import { Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { BetterStack } from "../../src/monitors/index.ts"
import { canary } from "../support/canary.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { failing, monitorContract } from "../support/monitors.ts"

const it = makeIt(test)

monitorContract(test, {
  monitor: "betterStack",
  layer: (url, options) =>
    BetterStack.layer({ ...options, url: Redacted.make(`${url}/api/v1/heartbeat/${canary}Xn3vQ7kTz1`) }),
  accepted: {},
  pings: 1,
  success: ({ method, path }) => method === "POST" && path.endsWith("/Xn3vQ7kTz1".replace("/", `/${canary}`)),
  failure: ({ path }) => path.endsWith("/fail")
})

it.live("the body of a failure names the step that failed, and shows the error and the log", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({})
    const url = Redacted.make(`${server.url}/api/v1/heartbeat/Xn3vQ7kTz1`)
    yield* Effect.exit(Effect.provide(failing, BetterStack.layer({ url })))
    const [{ body, path } = assert.fail()] = server.requests
    assert.equal(path, "/api/v1/heartbeat/Xn3vQ7kTz1/fail")
    const lines = body.split("\n")
    assert.match(lines[0]!, /^nightly failed after .* \(2 of 3 steps failed\)$/)
    assert.equal(lines[1], "load[eu] › upload: HttpError: status 503")
    assert.equal(lines[2], "run nightly-2026-11-29")
    assert.match(body, /\n\nLast lines of the log:\n\d\d:\d\d:\d\dZ INFO 1461 rows$/)
  }))
