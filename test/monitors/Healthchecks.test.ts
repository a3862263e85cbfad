import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Pipeline, Step } from "../../src/index.ts"
import { Healthchecks, type MonitorOptions } from "../../src/monitors/index.ts"
import { canary } from "../support/canary.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { failing, losses, monitorContract, succeeding } from "../support/monitors.ts"

const it = makeIt(test)

const accepted = { body: "OK", headers: { "ping-body-limit": "100000" } }

monitorContract(test, {
  monitor: "healthchecks",
  layer: (url, options) =>
    Healthchecks.layer({ ...options, url: Redacted.make(`${url}/${canary}-7Jq2xWm4cVt9/nightly`) }),
  accepted,
  pings: 2,
  success: ({ method, path }) => method === "POST" && path.startsWith(`/${canary}-7Jq2xWm4cVt9/nightly?rid=`),
  failure: ({ path }) => path.includes("/nightly/fail?rid=")
})

const fast: MonitorOptions = { timeout: "2 seconds", delay: "1 millis" }

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const ridOf = (path: string) => new URL(path, "http://localhost").searchParams.get("rid") ?? ""

it.live("the pings of a run have its id, and those of another run another", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const url = Redacted.make(`${server.url}/ping/5bf66975?create=1`)
    yield* Effect.andThen(succeeding, Effect.ignore(failing)).pipe(Effect.provide(Healthchecks.layer({ ...fast, url })))
    const paths = server.requests.map(({ path }) => new URL(path, server.url).pathname)
    assert.deepEqual(paths, ["/ping/5bf66975/start", "/ping/5bf66975", "/ping/5bf66975/start", "/ping/5bf66975/fail"])
    const rids = server.requests.map(({ path }) => ridOf(path))
    for (const rid of rids) assert.match(rid, uuid)
    assert.equal(rids[0], rids[1])
    assert.equal(rids[2], rids[3])
    assert.notEqual(rids[0], rids[2])
    // the query that the URL has stays
    assert.ok(server.requests.every(({ path }) => path.includes("create=1&rid=")))
  }))

it.live("a body has as many bytes as the server says that it keeps, and ends with the last lines of the log", () =>
  Effect.gen(function*() {
    const chatty = Pipeline.make(
      "nightly",
      Step.make(
        "load",
        Effect.forEach(Array.from({ length: 200 }, (_, i) => i), (i) => Effect.log(`row ${i} ${"ä".repeat(100)}`))
      )
    )
    for (const limit of [undefined, 1000, 20_000]) {
      const server = yield* channelServer({
        body: "OK",
        headers: limit === undefined ? {} : { "ping-body-limit": `${limit}` }
      })
      const layer = Healthchecks.layer({ ...fast, url: Redacted.make(`${server.url}/5bf66975`), logs: 150 })
      // the first answer comes before the end of the run
      yield* chatty.pipe(Pipeline.onStart(Effect.sleep("200 millis")), Effect.provide(layer))
      const { body } = server.requests.at(-1)!
      const size = Buffer.byteLength(body)
      assert.ok(size <= (limit ?? 10_000) && size > (limit ?? 10_000) - 500, `${size} of ${limit}`)
      assert.match(body, /^nightly succeeded after [^\n]* \(1 step\)\nrun nightly-[^\n]*\n\nLast lines of the log:\n/)
      assert.match(body, /row 199 ä+$/)
      assert.ok(!body.includes("row 0 "))
    }
  }))

it.live("with logs: 0, no line of the log is sent", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const layer = Healthchecks.layer({ ...fast, url: Redacted.make(`${server.url}/5bf66975`), logs: 0 })
    yield* Effect.provide(succeeding, layer)
    assert.ok(!server.requests.at(-1)!.body.includes("1461 rows"))
  }))

it.live("an answer of 200 that says that the check is unknown, or the rate too high, is no success", () =>
  Effect.gen(function*() {
    const unknown = yield* channelServer({ body: "OK (not found)" })
    const { layer, lost } = losses()
    const of = (url: string) => Healthchecks.layer({ ...fast, url: Redacted.make(`${url}/5bf66975`) })
    yield* succeeding.pipe(Effect.provide(of(unknown.url)), Effect.provide(layer))
    assert.equal(lost.length, 2)
    assert.match(lost[0]!, /^nightly started: healthchecks: the ping was rejected: not found$/)
    const limited = yield* channelServer({ body: "OK (rate-limited)" }, accepted)
    yield* succeeding.pipe(Effect.provide(of(limited.url)), Effect.provide(layer))
    assert.equal(lost.length, 2)
    assert.equal(limited.requests.length, 3)
  }))

it.live("the URL comes from HEALTHCHECKS_URL", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const provider = ConfigProvider.fromEnv({ env: { HEALTHCHECKS_URL: `${server.url}/5bf66975` } })
    yield* Effect.provide(succeeding, Layer.provide(Healthchecks.layerConfig(), ConfigProvider.layer(provider)))
    assert.equal(server.requests.length, 2)
    const none = ConfigProvider.layer(ConfigProvider.fromEnv({ env: {} }))
    const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.provide(Healthchecks.layerConfig(), none))))
    assert.equal(error._tag, "ConfigError")
  }))
