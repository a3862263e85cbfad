/** Tests the metrics of alerts: those that channels delivered or failed to, and those that policies held back. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterErrorReason } from "../../src/Alerter.ts"
import { Slack } from "../../src/alerters/index.ts"
import * as Delivery from "../../src/delivery/index.ts"
import { Alert, Alerter, AlerterError, Hook, Step } from "../../src/index.ts"
import { canary } from "../support/canary.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { alone, counts } from "../support/metrics.ts"

const it = makeIt(test)

const alerts = Effect.map(counts, (counts) =>
  Object.fromEntries(
    Object.entries(counts).filter(([name]) => name.startsWith("alerts_"))
      .map(([name, count]) => [name.slice("alerts_".length), count])
  ))

const works = (channel: string) => Alerter.layer(() => Effect.void, { channel })
const fails = (channel: string, reason: AlerterErrorReason = AlerterErrorReason.Unreachable({})) =>
  Alerter.layer(() => Effect.fail(new AlerterError({ channel, reason })), { channel })

const post = (...inputs: ReadonlyArray<Alert | string>) =>
  Effect.flatMap(
    Alerter,
    (alerter) => Effect.forEach(inputs, (input) => Effect.ignore(alerter.post(input)), { discard: true })
  )

it.effect("without layerMetrics, delivered and failed alerts are counted by channel and reason", () =>
  alone(Effect.gen(function*() {
    yield* post("a", "b").pipe(Effect.provide(works("pigeon")))
    yield* post("a").pipe(Effect.provide(fails("pigeon")))
    yield* post("a").pipe(Effect.provide(fails("owl", AlerterErrorReason.RateLimited({}))))
    yield* post("a").pipe(Effect.provide(Alerter.layer(() => Effect.die(new Error("secret")))))
    yield* post("a").pipe(Effect.provide(Alerter.layerConsole))
    yield* post("a").pipe(Effect.provide(Alerter.layerNone))
    assert.deepEqual(yield* alerts, {
      "delivered_total{channel=\"pigeon\"}": 2,
      "delivered_total{channel=\"console\"}": 1,
      "failed_total{channel=\"pigeon\",reason=\"Unreachable\"}": 1,
      "failed_total{channel=\"owl\",reason=\"RateLimited\"}": 1,
      "failed_total{channel=\"custom\",reason=\"Rejected\"}": 1
    })
  })))

it.live("a channel counts a post once, however many attempts it takes, and no label has a secret", () =>
  alone(Effect.gen(function*() {
    const server = yield* channelServer({ status: 500 }, { status: 500 }, { body: "ok" }, { status: 403, body: canary })
    const slack = Slack.layer({ webhookUrl: Redacted.make(`${server.url}/${canary}`), delay: "1 millis" })
    yield* post("a", "b").pipe(Effect.provide(slack))
    assert.deepEqual(yield* alerts, {
      "delivered_total{channel=\"slack\"}": 1,
      "failed_total{channel=\"slack\",reason=\"Unauthorized\"}": 1,
      "waiting{channel=\"slack\"}": 0
    })
  })))

it.effect("an alert is counted once in each channel, however many policies are around it", () =>
  alone(Effect.gen(function*() {
    const everywhere = Delivery.fanOut([
      works("a").pipe(Delivery.dedupe({ window: "1 hour" })),
      fails("b").pipe(Delivery.fallback(works("c")))
    ]).pipe(Delivery.recovered(), Delivery.throttle({ limit: 10, window: "1 hour" }))
    const within = Alerter.layer((alert) => Effect.flatMap(Alerter, ({ post }) => post(alert))).pipe(
      Layer.provide(everywhere)
    )
    yield* post(Alert.make({ title: "no", severity: "error" })).pipe(Effect.provide(within))
    assert.deepEqual(yield* alerts, {
      "delivered_total{channel=\"a\"}": 1,
      "delivered_total{channel=\"c\"}": 1,
      "failed_total{channel=\"b\",reason=\"Unreachable\"}": 1
    })
  })))

it.effect("a post that a fallback or a hook's time limit gives up counts as failed", () =>
  alone(Effect.gen(function*() {
    const slow = Alerter.layer(() => Effect.never, { channel: "slow" })
    const posting = (alerter: Layer.Layer<Alerter>) =>
      Effect.forkChild(post("a").pipe(Effect.provide(alerter)), { startImmediately: true })
    yield* posting(slow.pipe(Delivery.fallback(works("quick"), { after: "5 seconds" })))
    const hook = Hook.onSuccess(() => Effect.flatMap(Alerter, ({ post }) => post("done")))
    yield* Effect.forkChild(
      Step.make("s", Effect.void).pipe(Step.hooks(hook), Effect.provide(slow)),
      { startImmediately: true }
    )
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(yield* alerts, {
      "failed_total{channel=\"slow\",reason=\"Interrupted\"}": 2,
      "delivered_total{channel=\"quick\"}": 1
    })
  })))

it.effect("each policy counts the alerts that it holds or drops", () =>
  alone(Effect.gen(function*() {
    const [failure, success] = (["error", "success"] as const).map((severity) => Alert.make({ title: "x", severity }))
    const through = (alerter: Layer.Layer<Alerter>, ...inputs: ReadonlyArray<Alert>) =>
      post(...inputs).pipe(Effect.provide(alerter))
    const channel = works("c")
    yield* through(channel.pipe(Delivery.minSeverity("error")), failure!, success!)
    yield* through(channel.pipe(Delivery.dedupe({ window: "1 hour" })), failure!, failure!, failure!)
    yield* through(channel.pipe(Delivery.afterConsecutive(3)), failure!, failure!, failure!)
    yield* through(channel.pipe(Delivery.recovered({ successes: "drop" })), success!)
    yield* through(
      channel.pipe(Delivery.throttle({ limit: 1, window: "1 hour", always: "critical" })),
      failure!,
      failure!
    )
    // the digest holds both, and posts one alert when its scope closes
    yield* through(channel.pipe(Delivery.digest({ window: "1 hour" })), failure!, failure!)
    assert.deepEqual(yield* alerts, {
      // among them the summaries of dedupe and throttle, and the digest
      "delivered_total{channel=\"c\"}": 7,
      "held_back_total{policy=\"minSeverity\"}": 1,
      "held_back_total{policy=\"dedupe\"}": 2,
      "held_back_total{policy=\"afterConsecutive\"}": 2,
      "held_back_total{policy=\"recovered\"}": 1,
      "held_back_total{policy=\"throttle\"}": 1,
      "held_back_total{policy=\"digest\"}": 2
    })
  })))
