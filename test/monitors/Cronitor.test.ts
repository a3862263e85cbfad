import { Effect, Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Cronitor } from "../../src/monitors/index.ts"
import { canary } from "../support/canary.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { failing, monitorContract, succeeding } from "../support/monitors.ts"

const it = makeIt(test)

const query = (path: string) => new URL(path, "http://localhost").searchParams

monitorContract(test, {
  monitor: "cronitor",
  layer: (url, options) =>
    Cronitor.layer({ ...options, apiKey: Redacted.make(`${canary}0123456789`), monitor: "nightly-job", baseUrl: url }),
  accepted: { body: "" },
  pings: 2,
  success: ({ method, path }) =>
    method === "GET" && path.startsWith(`/p/${canary}0123456789/nightly-job?state=complete&`),
  failure: ({ path }) => query(path).get("state") === "fail"
})

it.live("events have the series, the message, the environment and the metrics", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({})
    const layer = Cronitor.layer({
      apiKey: Redacted.make("8f14e45fceea167a"),
      monitor: "nightly job/1",
      environment: "production",
      host: "etl-1",
      metrics: ["rows", "region", "missing"],
      baseUrl: `${server.url}/`
    })
    yield* Effect.andThen(succeeding, Effect.exit(failing)).pipe(Effect.provide(layer))
    const [began, completed, , failed] = server.requests.map(({ path }) => query(path))
    assert.ok(server.requests.every(({ path }) => path.startsWith("/p/8f14e45fceea167a/nightly%20job%2F1?")))
    assert.equal(began!.get("state"), "run")
    assert.deepEqual(began!.getAll("metric"), [])
    assert.equal(completed!.get("series"), began!.get("series"))
    assert.equal(completed!.get("env"), "production")
    assert.equal(completed!.get("host"), "etl-1")
    const metrics = completed!.getAll("metric")
    assert.deepEqual(metrics.map((metric) => metric.replace(/(?<=duration:)[\d.]+/, "n")), [
      "count:2",
      "error_count:0",
      "duration:n",
      "rows:1461"
    ])
    assert.equal(failed!.get("state"), "fail")
    assert.match(failed!.get("message")!, /^nightly failed after .*; load\[eu\] › upload: HttpError: status 503$/)
    assert.deepEqual(failed!.getAll("metric").slice(0, 2), ["count:3", "error_count:2"])
  }))

it.effect("a key, a monitor and names of metrics that Cronitor would refuse are mistakes", () =>
  Effect.gen(function*() {
    const wrong = Cronitor.layer({
      apiKey: Redacted.make(`${canary}/../x`),
      monitor: " ",
      metrics: ["rows per day"],
      baseUrl: "cronitor.link"
    })
    const { message, mistakes } = yield* Effect.flip(Effect.scoped(Layer.build(wrong)))
    assert.deepEqual(mistakes.map(({ option }) => option), ["apiKey", "monitor", "metrics", "baseUrl"])
    assert.ok(!message.includes(canary))
    assert.match(
      message,
      /^cronitor: apiKey: expected an API key of Cronitor; monitor: expected the key of a monitor; /
    )
  }))
