/** How alerts are held until they are due. Tested through `digest`, which holds them as `quietHours` does. */
import { Deferred, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { digest } from "../../src/delivery/index.ts"
import { Alerter, AlerterErrorReason } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { memoryStore } from "../support/policies.ts"
import { failed, listed, open, readOnly, utc } from "./support.ts"

const it = makeIt(test)

it.effect("a digest whose delivery fails is posted again together with later alerts", () =>
  Effect.gen(function*() {
    const log = logs()
    yield* Effect.gen(function*() {
      const { attempts, close, post, sent } = yield* open(
        digest({ window: "10 minutes", max: 2 }),
        TestAlerter.layerFailing({ times: 2, reason: AlerterErrorReason.TimedOut({}) })
      )
      yield* Effect.forEach(["a", "b", "c"], post)
      yield* TestClock.adjust("0 millis")
      assert.equal(yield* attempts, 1)
      // alerts that were tried already do not count towards max
      yield* post("d")
      yield* TestClock.adjust("599 seconds")
      assert.equal(yield* attempts, 1)
      yield* TestClock.adjust("1 second")
      assert.equal(yield* attempts, 2)
      yield* TestClock.adjust("10 minutes")
      assert.equal(yield* attempts, 3)
      assert.deepEqual((yield* sent).map(listed), [["a", "b", "c", "d"]])
      yield* close
      assert.equal(yield* attempts, 3)
    }).pipe(Effect.provide(log.layer))
    assert.deepEqual(log.list.map(({ level }) => level), ["Warn", "Warn"])
    assert.match(
      log.list[0]!.message,
      /digest: 3 alerts could not be posted, will be tried again test: no answer in time/
    )
  }))

it.effect("a post that never ends is interrupted after five minutes, and tried again a window later", () =>
  Effect.gen(function*() {
    const sent: Array<string> = []
    let hangs = true
    const inner = Alerter.layer(({ title }) => hangs ? Effect.never : Effect.sync(() => sent.push(title)))
    const { close, post } = yield* open((self) => digest(Layer.provide(inner, self), { window: "1 minute" }))
    yield* post("a")
    yield* TestClock.adjust("1 minute")
    hangs = false
    yield* TestClock.adjust("359 seconds").pipe(Effect.provide(logs().layer))
    assert.deepEqual(sent, [])
    yield* TestClock.adjust("1 second")
    assert.deepEqual(sent, ["a"])
    yield* close
    assert.deepEqual(sent, ["a"])
  }))

it.effect("when the scope closes, held alerts are posted, and later ones pass through", () =>
  Effect.gen(function*() {
    const { close, post, titles } = yield* open(digest({ window: "1 hour" }))
    yield* post(failed("a"))
    yield* TestClock.adjust("90 seconds")
    yield* post("b")
    yield* close
    assert.deepEqual(yield* titles, ["2 alerts in 1 min 30 s: 1 failed, 1 info"])
    assert.match(String(yield* Effect.exit(post("late"))), /posted too late/)
  }))

it.effect("held alerts are posted when the scope is closed by an interruption", () =>
  Effect.gen(function*() {
    const sent: Array<string> = []
    const posted = yield* Deferred.make<void>()
    const inner = Alerter.layer(({ title }) => Effect.delay(Effect.sync(() => sent.push(title)), "5 seconds"))
    const fiber = yield* Effect.gen(function*() {
      yield* (yield* Alerter).post("a")
      yield* Deferred.succeed(posted, undefined)
      return yield* Effect.never
    }).pipe(Effect.provide(digest(inner, { window: "1 hour" })), Effect.forkChild)
    yield* Deferred.await(posted)
    const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
    yield* TestClock.adjust("4 seconds")
    assert.equal(interrupting.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(interrupting)
    assert.deepEqual(sent, ["a"])
  }))

it.effect("the scope waits for a flush in progress, and tries again if it fails", () =>
  Effect.gen(function*() {
    const sent: Array<string> = []
    let fails = true
    const inner = Alerter.layer(({ title }) =>
      Effect.delay(Effect.suspend(() => fails ? Effect.fail("down") : Effect.sync(() => sent.push(title))), "5 seconds")
    )
    const { close, post } = yield* open((self) => digest(Layer.provide(inner, self), { window: "1 minute" }))
    yield* post("a")
    yield* TestClock.adjust("61 seconds")
    yield* post("b")
    const closing = yield* Effect.forkChild(close)
    yield* TestClock.adjust("4 seconds")
    fails = false
    yield* TestClock.adjust("4 seconds")
    assert.deepEqual(sent, [])
    assert.equal(closing.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(closing)
    assert.deepEqual(sent, ["2 alerts in 1 min 5 s: 2 info"])
  }).pipe(Effect.provide(logs().layer)))

it.effect("a post that hangs while the scope closes is interrupted", () =>
  Effect.gen(function*() {
    const interrupted: Array<string> = []
    const inner = Alerter.layer(({ title }) =>
      Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted.push(title)))
    )
    const { close, post } = yield* open((self) => digest(Layer.provide(inner, self), { window: "1 minute" }))
    yield* post("a")
    yield* TestClock.adjust("1 minute")
    const closing = yield* Effect.forkChild(close)
    yield* TestClock.adjust("30 seconds")
    yield* Fiber.join(closing)
    assert.deepEqual(interrupted, ["a"])
  }).pipe(Effect.provide(logs().layer)))

const hangs = { hangs: Effect.never, "ignores interruption": Effect.uninterruptible(Effect.never) }

for (const [how, hang] of Object.entries(hangs)) {
  it.effect(`an alerter that ${how} delays the scope by 30 seconds, and lost alerts are logged`, () =>
    Effect.gen(function*() {
      const log = logs()
      yield* Effect.gen(function*() {
        const inner = Alerter.layer(() => hang)
        const { close, post } = yield* open((self) => digest(Layer.provide(inner, self), { window: "1 minute" }))
        yield* post("a")
        // the first post hangs before the scope closes
        yield* TestClock.adjust("1 minute")
        yield* post("b")
        const closing = yield* Effect.forkChild(close)
        yield* TestClock.adjust("29 seconds")
        assert.equal(closing.pollUnsafe(), undefined)
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(closing)
      }).pipe(Effect.provide(log.layer))
      const errors = log.list.filter(({ level }) => level === "Error").map(({ message }) => message)
      assert.deepEqual(errors, ["effect-epilogue: digest: 2 alerts lost, never posted a\n  b"])
    }))
}

it.effect("an alerter that dies is logged without its URLs, and so are the lost alerts", () =>
  Effect.gen(function*() {
    const log = logs()
    yield* Effect.gen(function*() {
      const inner = Layer.succeed(
        Alerter,
        Alerter.of({ post: () => Effect.die(new Error("see https://x.test/secret")) })
      )
      const { close, post } = yield* open((self) => digest(Layer.provide(inner, self), { window: "1 minute" }))
      yield* Effect.forEach(Array.from({ length: 25 }, (_, i) => `t${i}`), post)
      yield* TestClock.adjust("1 minute")
      yield* close
    }).pipe(Effect.provide(log.layer))
    const [first, second, last] = log.list
    assert.equal(log.list.length, 3)
    assert.ok(!first!.message.includes("secret") && !second!.message.includes("secret"))
    assert.equal(last!.level, "Error")
    assert.match(last!.message, /25 alerts lost, never posted t0\n  t1\n.*\n  t19\n  … and 5 more$/s)
  }))

it.effect("with a store, alerts are held across processes until their window ends", () =>
  Effect.gen(function*() {
    const kept = yield* memoryStore
    const weekly = digest({ window: "7 days", persist: "weekly", timeZone: utc })
    const layer = (self: Layer.Layer<Alerter>): Layer.Layer<Alerter> => Layer.provide(weekly(self), kept.layer)
    for (const night of [1, 2, 3]) {
      const run = yield* open(layer)
      yield* run.post(failed(`night ${night}`))
      yield* run.close
      assert.equal(yield* run.attempts, 0)
      yield* TestClock.adjust("1 day")
    }
    yield* TestClock.adjust("4 days")
    // the channel is down in the first run after the week
    const down = yield* open(layer, TestAlerter.layerFailing())
    yield* TestClock.adjust("0 millis")
    yield* down.post("in the meantime")
    yield* down.close
    assert.equal(yield* down.attempts, 1)
    yield* TestClock.adjust("7 days")
    const up = yield* open(layer)
    yield* TestClock.adjust("0 millis")
    assert.deepEqual((yield* up.sent).map(listed), [["night 1", "night 2", "night 3", "in the meantime"]])
    yield* up.close
    const after = yield* open(layer)
    yield* TestClock.adjust("30 days")
    assert.equal(yield* after.attempts, 0)
  }))

it.effect("a process that ends at once posts the alerts that were due", () =>
  Effect.gen(function*() {
    const kept = yield* memoryStore
    const layer = (self: Layer.Layer<Alerter>) =>
      digest(self, { window: "7 days", persist: "weekly" }).pipe(Layer.provide(kept.layer))
    const first = yield* open(layer)
    yield* first.post("a")
    yield* first.close
    yield* TestClock.adjust("7 days")
    const second = yield* open(layer)
    yield* second.close
    assert.deepEqual(yield* second.titles, ["a"])
  }))

it.effect("an alert that was held while the clock was wrong waits for one window at most", () =>
  Effect.gen(function*() {
    const kept = yield* memoryStore
    const layer = (self: Layer.Layer<Alerter>) =>
      digest(self, { window: "1 hour", persist: "x" }).pipe(Layer.provide(kept.layer))
    yield* TestClock.setTime(Date.parse("2099-01-01"))
    const wrong = yield* open(layer)
    yield* wrong.post("a")
    yield* wrong.close
    yield* TestClock.setTime(Date.parse("2026-01-01"))
    const right = yield* open(layer)
    yield* TestClock.adjust("1 hour")
    assert.deepEqual(yield* right.titles, ["a"])
  }))

it.effect("of two processes that share a store one posts the digest", () =>
  Effect.gen(function*() {
    const kept = yield* memoryStore
    const layer = (self: Layer.Layer<Alerter>) =>
      digest(self, { window: "1 minute", persist: "shared" }).pipe(Layer.provide(kept.layer))
    const one = yield* open(layer)
    const other = yield* open(layer)
    yield* one.post("a")
    yield* other.post("b")
    yield* TestClock.adjust("10 minutes")
    const all = [...yield* one.sent, ...yield* other.sent]
    assert.deepEqual(all.map(listed), [["a", "b"]])
  }))

it.effect("when the store can't be written, held alerts are posted as the scope closes", () =>
  Effect.gen(function*() {
    const { close, post, titles } = yield* open((self) =>
      digest(self, { window: "1 hour", persist: "x" }).pipe(Layer.provide(readOnly))
    )
    yield* post("a").pipe(Effect.provide(logs().layer))
    yield* close.pipe(Effect.provide(logs().layer))
    assert.deepEqual(yield* titles, ["a"])
  }))
