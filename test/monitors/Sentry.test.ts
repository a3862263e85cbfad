import { DateTime, Effect, Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { parseDsn } from "../../src/alerters/internal/sentry/dsn.ts"
import { Sentry } from "../../src/monitors/index.ts"
import { slugOf } from "../../src/monitors/internal/sentry.ts"
import { canary } from "../support/canary.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { failing, monitorContract, succeeding } from "../support/monitors.ts"

const it = makeIt(test)

const accepted = { status: 202 }

const dsnAt = (url: string, key = "b7645b8eb47d4398") => Redacted.make(`${url.replace("//", `//${key}@`)}/42`)

monitorContract(test, {
  monitor: "sentry",
  layer: (url, options) => Sentry.layer({ ...options, dsn: dsnAt(url, `${canary}b7645b8e`) }),
  accepted,
  pings: 2,
  success: ({ json, method, path }) =>
    method === "POST" && path === `/api/42/cron/nightly/${canary}b7645b8e/` && json.status === "ok",
  failure: ({ json }) => json.status === "error"
})

it.live("check-ins of a run have its id, and the end its duration", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const layer = Sentry.layer({ dsn: dsnAt(server.url), slug: "night-run", environment: "staging" })
    yield* Effect.exit(Effect.provide(failing, layer))
    const [began, ended] = server.requests
    assert.equal(began!.path, "/api/42/cron/night-run/b7645b8eb47d4398/")
    assert.equal(began!.headers["content-type"], "application/json")
    assert.match(began!.json.check_in_id, /^[0-9a-f]{32}$/)
    assert.deepEqual(began!.json, {
      check_in_id: began!.json.check_in_id,
      status: "in_progress",
      environment: "staging"
    })
    assert.ok(ended!.json.duration >= 0)
    assert.deepEqual(ended!.json, {
      check_in_id: began!.json.check_in_id,
      status: "error",
      environment: "staging",
      duration: ended!.json.duration
    })
  }))

it.live("with a schedule, check-ins create or update the monitor", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const layer = Sentry.layer({
      dsn: dsnAt(server.url),
      schedule: " 0 3 * * * ",
      timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
      checkInMargin: "90 seconds",
      maxRuntime: "2 hours",
      failureThreshold: 2,
      recoveryThreshold: 1
    })
    yield* Effect.provide(succeeding, layer)
    assert.deepEqual(server.requests[0]!.json.monitor_config, {
      schedule: { type: "crontab", value: "0 3 * * *" },
      checkin_margin: 2,
      max_runtime: 120,
      timezone: "Europe/Berlin",
      failure_issue_threshold: 2,
      recovery_threshold: 1
    })
    yield* Effect.provide(succeeding, Sentry.layer({ dsn: dsnAt(server.url), schedule: { value: 2, unit: "hour" } }))
    assert.deepEqual(server.requests.at(-1)!.json.monitor_config, {
      schedule: { type: "interval", value: 2, unit: "hour" }
    })
  }))

it.effect("all that is wrong with the options is one error", () =>
  Effect.gen(function*() {
    const wrong = Sentry.layer({
      dsn: Redacted.make(`https://o0.ingest.sentry.io/${canary}`),
      slug: "Nightly ETL",
      environment: "a b",
      schedule: "at night",
      timeZone: DateTime.zoneMakeOffset(3_600_000),
      checkInMargin: 0,
      maxRuntime: -1,
      failureThreshold: 0,
      recoveryThreshold: 1.5
    })
    const error = yield* Effect.flip(Effect.scoped(Layer.build(wrong)))
    assert.deepEqual(error.mistakes.map(({ option }) => option), [
      "dsn",
      "slug",
      "environment",
      "schedule",
      "timeZone",
      "checkInMargin",
      "maxRuntime",
      "failureThreshold",
      "recoveryThreshold"
    ])
    assert.ok(!error.message.includes(canary))
    const idle = Sentry.layer({ dsn: dsnAt("https://o0.ingest.sentry.io"), maxRuntime: "1 hour" })
    const { message } = yield* Effect.flip(Effect.scoped(Layer.build(idle)))
    assert.equal(message, "sentry: maxRuntime: expected schedule beside it, without which it has no effect")
  }))

test("a DSN is parsed as Sentry documents it", () => {
  const parsed = (dsn: string) => parseDsn(dsn)
  assert.deepEqual(parsed("https://abc@o0.ingest.sentry.io/42"), {
    api: "https://o0.ingest.sentry.io/api/42",
    publicKey: "abc"
  })
  // a secret key, a port and a path, as of older servers and those of one's own
  assert.deepEqual(parsed(" http://abc:secret@sentry.example.com:9000/errors/eu/7 "), {
    api: "http://sentry.example.com:9000/errors/eu/api/7",
    publicKey: "abc"
  })
  for (
    const wrong of [
      "",
      "https://o0.ingest.sentry.io/42",
      "https://abc@o0.ingest.sentry.io/",
      "https://abc@o0.ingest.sentry.io/x",
      "https://abc@o0.ingest.sentry.io/42?a=1",
      "ftp://abc@o0.ingest.sentry.io/42",
      "abc@o0.ingest.sentry.io/42"
    ]
  ) assert.equal(parsed(wrong), undefined, wrong)
})

test("a slug is made of the name of any pipeline", () => {
  assert.equal(slugOf("nightly"), "nightly")
  assert.equal(slugOf("Nightly ETL (EU) › über"), "nightly-etl-eu-u-ber")
  assert.equal(slugOf("2026"), "job-2026")
  assert.equal(slugOf("日本"), "job-")
  assert.equal(slugOf("x".repeat(80)), "x".repeat(50))
})
