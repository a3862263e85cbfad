import { DateTime, Effect, Fiber, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Slack } from "../../src/alerters/index.ts"
import { dedupe, digest, fallback, fanOut, mailbox, onLost, quietHours, throttle } from "../../src/delivery/index.ts"
import { Alert, Alerter, AlerterError, AlerterErrorReason, AlerterHooks, Hook, Step } from "../../src/index.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { memoryStore } from "../support/policies.ts"

const it = makeIt(test)

const down = (channel: string) =>
  Alerter.layer(() => Effect.fail(new AlerterError({ channel, reason: AlerterErrorReason.Unreachable({}) })), {
    channel
  })
const up = Alerter.layer(() => Effect.void)

/** Runs an effect, and returns the titles and errors of the alerts that it has lost once the alerter has closed. */
const lostIn = <E>(body: Effect.Effect<unknown, E, Alerter>, alerter: Layer.Layer<Alerter, unknown>) =>
  Effect.gen(function*() {
    const lost: Array<string> = []
    const watched = onLost(
      alerter,
      ({ title }, { message }) => Effect.sync(() => void lost.push(`${title}: ${message}`))
    )
    yield* Effect.exit(Effect.provide(body, watched))
    return lost
  })

const failing = Step.make("load", Effect.fail("no file")).pipe(Step.hooks(AlerterHooks.failure))
const posting = Alerter.use((alerter) => alerter.post("hello"))

it.live("an alert that its channel refuses is lost once, whether a hook or a body posts it", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* lostIn(failing, down("slack")), ["load failed: slack: could not be reached"])
    assert.deepEqual(yield* lostIn(posting, down("slack")), ["hello: slack: could not be reached"])
    assert.deepEqual(yield* lostIn(posting, up), [])
  }))

it.live("an alert that a second channel takes is not lost", () =>
  Effect.gen(function*() {
    const both = fallback(down("slack"), up, { after: "1 second" })
    assert.deepEqual(yield* lostIn(posting, both), [])
    const neither = fallback(down("slack"), down("email"), { after: "1 second" })
    assert.equal((yield* lostIn(posting, neither)).length, 1)
    assert.equal((yield* lostIn(posting, fanOut([up, down("email")]))).length, 1)
  }))

it.live("an alert whose hook runs out of time is lost, and the channel is named", () =>
  Effect.gen(function*() {
    const hanging = Alerter.layer(() => Effect.never, { channel: "slack" })
    const step = Step.make("load", Effect.fail("no file")).pipe(
      Step.hooks(Hook.timeout(AlerterHooks.failure, "20 millis"))
    )
    assert.deepEqual(yield* lostIn(step, hanging), ["load failed: slack: no answer in time"])
  }))

it.effect("alerts that are held are lost once nothing will post them any more, each by its title", () =>
  Effect.gen(function*() {
    const three = Effect.forEach(["a", "b", "c"], (title) => Alerter.use((alerter) => alerter.post(title)))
    const held = (alerter: Layer.Layer<Alerter>) => digest(alerter, { window: "1 hour" })
    const lost = ["a", "b", "c"].map((title) => `${title}: slack: could not be reached`)
    assert.deepEqual(yield* lostIn(three, held(down("slack"))), lost)
    assert.deepEqual(yield* lostIn(three, held(up)), [])
    const days = { from: "22:00", to: "07:00", timeZone: DateTime.zoneMakeNamedUnsafe("UTC") } as const
    assert.deepEqual(yield* lostIn(three, quietHours(down("slack"), days)), lost)
  }))

it.effect("an alert that a digest tries again is not lost", () =>
  Effect.gen(function*() {
    let posts = 0
    const flaky = Alerter.layer(() => Effect.suspend(() => posts++ === 0 ? Effect.fail("busy") : Effect.void))
    const waits = Effect.andThen(posting, TestClock.adjust("3 minutes"))
    assert.deepEqual(yield* lostIn(waits, digest(flaky, { window: "1 minute" })), [])
    assert.equal(posts, 2)
  }))

it.effect("alerts that a store keeps for the next process are not lost", () =>
  Effect.gen(function*() {
    const kept = digest(down("slack"), { window: "1 hour", persist: "test" }).pipe(
      Layer.provide((yield* memoryStore).layer)
    )
    assert.deepEqual(yield* lostIn(posting, kept), [])
  }))

it.live("an alert that its channel gives up after the hook's time was up is lost, once", () =>
  Effect.gen(function*() {
    const server = yield* channelServer("hang")
    const hanging = Slack.layer({ webhookUrl: Redacted.make(server.url), drain: "200 millis" })
    const step = Step.make("load", Effect.fail("no file")).pipe(
      Step.hooks(Hook.timeout(AlerterHooks.failure, "50 millis"))
    )
    const lost = yield* lostIn(step, hanging)
    assert.equal(lost.length, 1, lost.join("\n"))
    assert.match(lost[0] ?? "", /^load failed: slack: no answer/)
  }))

it.live("an alert that the first channel gives up after the second has delivered it is not lost", () =>
  Effect.gen(function*() {
    const server = yield* channelServer("hang")
    const hanging = Slack.layer({ webhookUrl: Redacted.make(server.url), drain: "200 millis" })
    const slow = Alerter.layer(() => Effect.sleep("20 millis"))
    for (const second of [up, slow, digest(up, { window: "1 hour" })]) {
      assert.deepEqual(yield* lostIn(posting, fallback(hanging, second, { after: "50 millis" })), [])
    }
  }))

it.live("an alert that both channels of a fallback give up is lost once, whether the hook still waits or not", () =>
  Effect.gen(function*() {
    const server = yield* channelServer("hang")
    const hanging = Slack.layer({ webhookUrl: Redacted.make(server.url), drain: "200 millis" })
    const gone = [
      "hello: fallback: the alert was rejected: the first channel: no answer within 50 ms; email: could not be reached"
    ]
    assert.deepEqual(yield* lostIn(posting, fallback(hanging, down("email"), { after: "50 millis" })), gone)
    const held = fallback(hanging, digest(down("email"), { window: "1 hour" }), { after: "50 millis" })
    assert.equal((yield* lostIn(posting, held)).length, 1)
    assert.equal((yield* lostIn(posting, fallback(digest(down("slack"), { window: "1 hour" }), up))).length, 1)
  }))

it.live("an alert that one channel of a fanOut refuses is lost, though another still has it when the hook's time is up", () =>
  Effect.gen(function*() {
    const late = mailbox(Alerter.layer(() => Effect.sleep("60 millis")))
    const impatient = Effect.timeoutOption(posting, "20 millis")
    const lost = ["hello: slack: could not be reached"]
    assert.deepEqual(yield* lostIn(impatient, fanOut([down("slack"), late])), lost)
    assert.deepEqual(yield* lostIn(impatient, fanOut([down("slack"), late], { succeeds: "any" })), [])
  }))

it.effect("counts that can't be posted when the scope closes are lost as one alert with their number", () =>
  Effect.gen(function*() {
    const once = () => {
      let posts = 0
      return Alerter.layer(() => posts++ === 0 ? Effect.void : Effect.fail("busy"), { channel: "slack" })
    }
    const four = Effect.forEach(
      [1, 2, 3, 4],
      () => Alerter.use((alerter) => alerter.post(Alert.make({ title: "load failed", severity: "error" })))
    )
    const lost = (held: string) => [`${held} held back: 3 failed: slack: the alert was rejected: busy`]
    assert.deepEqual(yield* lostIn(four, dedupe(once(), { window: "1 hour" })), lost("3 repeats"))
    assert.deepEqual(yield* lostIn(four, throttle(once(), { limit: 1, window: "1 hour" })), lost("3 alerts"))
    assert.deepEqual(yield* lostIn(four, dedupe(up, { window: "1 hour" })), [])
  }))

it.effect("the closing layer waits for the effects of onLost, and those that fail are logged", () =>
  Effect.gen(function*() {
    const told: Array<string> = []
    const slow = onLost(
      down("slack"),
      ({ title }) => Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => void told.push(title)))
    )
    const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(posting, slow)))
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(fiber)
    assert.deepEqual(told, ["hello"])
    const { layer, list } = logs()
    const failing = onLost(down("slack"), () => Effect.fail("disk full"))
    yield* Effect.exit(Effect.provide(posting, failing)).pipe(Effect.provide(layer))
    assert.deepEqual(list.map(({ message }) => message), ["effect-epilogue: onLost failed disk full"])
  }))

it.effect("of any number of alerts that are folded into one and lost, it is told how many there were", () =>
  Effect.gen(function*() {
    const hanging = mailbox(Alerter.layer(() => Effect.never), { capacity: 10, drain: "1 second" })
    const all = 2_500
    const leaving = Effect.gen(function*() {
      const { post } = yield* Alerter
      for (let n = 0; n < all; n++) {
        const fiber = yield* Effect.forkDetach(
          post(Alert.make({ title: `load ${n}`, severity: "error", dedupeKey: "a" })),
          {
            startImmediately: true
          }
        )
        fiber.interruptUnsafe()
      }
    })
    const lost = yield* Effect.forkChild(lostIn(leaving, hanging), { startImmediately: true })
    yield* TestClock.adjust("10 seconds")
    const titles = (yield* Fiber.join(lost)).map((line) => line.slice(0, line.indexOf(":")))
    const sizes = titles.map((title) => Number(/, and ([\d,]+) more/.exec(title)?.[1]?.replace(",", "") ?? 0) + 1)
    assert.equal(sizes.reduce((sum, size) => sum + size), all)
    assert.ok(titles.some((title) => /^load \d+, and [\d,]+ more like it$/.test(title)), titles.at(-1))
  }))
