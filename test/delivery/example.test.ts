/** Runs the first example of docs/policies.md as it stands, against servers in place of Slack, PagerDuty and a mail server. */
import { ConfigProvider, DateTime, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { type Alerter, AlerterHooks, Pipeline, type Severity, Step } from "../../src/index.ts"
import { projectFolder } from "../cli/support.ts"
import { channelServer } from "../support/channelServer.ts"
import { root } from "../support/command.ts"
import { makeIt } from "../support/it.ts"
import { titleInSlack } from "../support/slackReceivers.ts"
import { smtpServer } from "../support/smtpServer.ts"

const it = makeIt(test)

const page = readFileSync(join(root, "docs", "policies.md"), "utf8")
const code = /^```ts\n([\s\S]*?)^```/m.exec(page)![1]!

/** Evaluates the example, and returns its alerter. */
const example = Effect.gen(function*() {
  const file = join(yield* projectFolder, "example.ts")
  writeFileSync(file, `${code}\nexport { alerter }\n`)
  const module = yield* Effect.promise(() => import(file))
  return module.alerter as Layer.Layer<Alerter, unknown>
})

const noon = DateTime.toEpochMillis(
  DateTime.makeZonedUnsafe({ year: 2026, month: 11, day: 23, hour: 12 }, {
    timeZone: DateTime.zoneMakeLocal(),
    adjustForTimeZone: true
  })
)

/** The alerter with its services, what has arrived there since the last look, and the answer of Slack. */
const delivery = Effect.gen(function*() {
  yield* TestClock.setTime(noon)
  const arrived: Array<string> = []
  let slackStatus = 200
  const server = yield* channelServer(({ json, path }) => {
    if (path === "/hook") {
      if (slackStatus === 200) arrived.push(`Slack: ${titleInSlack(json)}`)
      return { status: slackStatus, body: "no_service" }
    }
    arrived.push(`PagerDuty: ${json.event_action} ${json.dedup_key}`)
    return { status: 202, body: { status: "success" } }
  })
  const mails = yield* smtpServer()
  const env = {
    SLACK_WEBHOOK_URL: `${server.url}/hook`,
    PAGERDUTY_ROUTING_KEY: "0123456789abcdef0123456789abcdef",
    SMTP_URL: `smtp://127.0.0.1:${mails.port}`,
    ALERT_EMAIL_FROM: "jobs@example.com",
    ALERT_EMAIL_TO: "ops@example.com"
  }
  // a cast, since Bun's `fetch` has another method, which no channel calls
  const toServer = ((input, init) =>
    fetch(String(input).replace("https://events.pagerduty.com", server.url), init)) as typeof fetch
  const services = Layer.merge(
    ConfigProvider.layer(ConfigProvider.fromEnv({ env })),
    Layer.succeed(FetchHttpClient.Fetch, toServer)
  )
  return {
    layer: Layer.provide(yield* example, services),
    refuse: Effect.sync(() => void (slackStatus = 404)),
    mails: Effect.sync(() => mails.received.length),
    arrived: Effect.sync(() => arrived.splice(0).toSorted())
  }
})

const run = (pipeline: string, step: string, ok: boolean, severity: Severity = "critical") =>
  // at the pace of Slack, whose bursts are short
  Effect.andThen(
    TestClock.adjust("1 second"),
    Effect.exit(Pipeline.make(
      pipeline,
      Step.make(step, ok ? Effect.void : Effect.fail("disk full")).pipe(
        Step.hooks(AlerterHooks.failureWith((alert) => alert.with({ severity }))),
        Step.hooks(AlerterHooks.success)
      )
    ))
  )

it.effect("a failure opens one incident, and the recovery resolves it; Slack is told of both, once each", () =>
  Effect.gen(function*() {
    const { arrived, layer } = yield* delivery
    yield* Effect.gen(function*() {
      // an incident that an earlier process opened is resolved, too, and Slack is not told of it
      yield* run("nightly", "load", true)
      assert.deepEqual(yield* arrived, ["PagerDuty: resolve nightly/load"])
      yield* run("nightly", "load", false)
      assert.deepEqual(yield* arrived, ["PagerDuty: trigger nightly/load", "Slack: nightly › load failed"])
      yield* run("nightly", "load", false)
      assert.deepEqual(yield* arrived, [])
      yield* run("nightly", "load", true)
      assert.deepEqual(yield* arrived, ["PagerDuty: resolve nightly/load", "Slack: nightly › load recovered"])
      yield* run("nightly", "load", true)
      assert.deepEqual((yield* arrived).filter((one) => !one.startsWith("PagerDuty: resolve")), [])
    }).pipe(Effect.provide(layer))
  }))

it.effect("alerts that are not critical go to Slack alone, those of the sandbox once a day, and none at night", () =>
  Effect.gen(function*() {
    const { arrived, layer } = yield* delivery
    yield* Effect.gen(function*() {
      yield* run("nightly", "load", false, "error")
      assert.deepEqual(yield* arrived, ["Slack: nightly › load failed"])
      yield* run("sandbox", "try", false, "error")
      assert.deepEqual(yield* arrived, ["Slack: sandbox › try failed"])
      yield* TestClock.adjust("2 hours")
      yield* run("sandbox", "try", false, "error")
      assert.deepEqual(yield* arrived, [])
      // 23:00
      yield* TestClock.adjust("9 hours")
      yield* run("nightly", "count", false, "error")
      assert.deepEqual(yield* arrived, [])
      yield* run("nightly", "store", false, "critical")
      assert.deepEqual(yield* arrived, ["PagerDuty: trigger nightly/store", "Slack: nightly › store failed"])
      yield* TestClock.adjust("8 hours")
    }).pipe(Effect.provide(layer))
    // what was held back at night
    assert.deepEqual(yield* arrived, ["Slack: 1 repeat held back: 1 failed", "Slack: nightly › count failed"])
  }))

it.effect("where Slack refuses an alert, it is sent by mail", () =>
  Effect.gen(function*() {
    const { arrived, layer, mails, refuse } = yield* delivery
    yield* refuse
    yield* Effect.provide(run("nightly", "load", false, "error"), layer)
    assert.equal(yield* mails, 1)
    assert.deepEqual(yield* arrived, [])
  }))
