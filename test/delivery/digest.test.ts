import { DateTime, Deferred, Effect, Fiber, Layer, Schema } from "effect"
import type { KeyValueStore } from "effect/persistence"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { digest } from "../../src/delivery/index.ts"
import { Alert, Alerter, AlerterErrorReason } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { forAll } from "../support/property.ts"
import { listed, open, readOnly, store, titlesOf, utc } from "./heldSupport.ts"

const it = makeIt(test)

const failed = (title: string) => Alert.make({ title, severity: "error", body: `${title} broke\nlater` })

it.effect("a window's alerts are posted as one at its end", () =>
  Effect.gen(function*() {
    const { post, sent, titles } = yield* open(digest({ window: "10 minutes", timeZone: utc }))
    yield* TestClock.adjust("1 hour")
    const source = { pipeline: "etl", runId: "r1", runName: "etl", stepPath: ["load", "rows"] }
    yield* post(failed("load").with({ tags: ["db"], source }))
    yield* TestClock.adjust("4 minutes")
    yield* post(Alert.make({ title: "save", severity: "success", tags: ["db", "s3"], source }))
    yield* post(
      Alert.make({ title: "check\nrows", severity: "warning", source: { ...source, stepPath: ["load", "x"] } })
    )
    yield* TestClock.adjust("359 seconds")
    assert.deepEqual(yield* titles, [])
    yield* TestClock.adjust("1 second")
    const [alert, ...others] = yield* sent
    assert.deepEqual(others, [])
    assert.ok(alert !== undefined)
    assert.deepEqual({ ...alert, at: DateTime.formatIso(alert.at!) }, {
      ...Alert.make({
        title: "3 alerts in 10 min: 1 failed, 1 warning, 1 succeeded",
        severity: "error",
        fields: { first: "1970-01-01 01:00:00 UTC", last: "1970-01-01 01:04:00 UTC" },
        detail: [
          "1970-01-01 01:00:00 ✗ load – load broke",
          "1970-01-01 01:04:00 ✓ save",
          "1970-01-01 01:04:00 ! check rows"
        ].join("\n"),
        tags: ["digest", "db", "s3"],
        source: { ...source, stepPath: ["load"] }
      }),
      at: "1970-01-01T01:10:00.000Z"
    })
    // the next alert opens another window
    yield* post("again")
    yield* post("and again")
    yield* TestClock.adjust("10 minutes")
    assert.equal((yield* titles)[1], "2 alerts in 10 min: 2 info")
  }))

it.effect("one that remains alone is posted as it is, with its own time", () =>
  Effect.gen(function*() {
    const { post, sent } = yield* open((self) => digest(self, { window: "90 minutes" }))
    const alert = failed("load").with({ detail: "at line 1", fields: { rows: 3 }, dedupeKey: "k" })
    yield* post(alert)
    yield* TestClock.adjust("90 minutes")
    assert.deepEqual(yield* sent, [alert.with({ at: DateTime.makeUnsafe(0) })])
  }))

it.effect("urgent ones pass at once, with what comes of them", () =>
  Effect.gen(function*() {
    const { post, titles } = yield* open(digest({ window: "1 hour" }), TestAlerter.layerFailing({ times: 1 }))
    const critical = Alert.make({ title: "fire", severity: "critical" })
    assert.equal((yield* Effect.flip(post(critical))).reason._tag, "Unreachable")
    yield* post(critical)
    assert.deepEqual(yield* titles, ["fire"])
    const errors = yield* open(digest({ window: "1 hour", immediate: "warning" }))
    yield* errors.post(failed("load"))
    yield* errors.post(Alert.make({ title: "hm", severity: "success" }))
    assert.deepEqual(yield* errors.titles, ["load"])
  }))

it.effect("more than max do not wait", () =>
  Effect.gen(function*() {
    const { post, titles } = yield* open(digest({ window: "1 hour", max: 3 }))
    yield* Effect.forEach(["a", "b", "c"], post)
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(yield* titles, [])
    yield* post("d")
    yield* TestClock.adjust("0 millis")
    assert.deepEqual(yield* titles, ["4 alerts in 1 min: 4 info"])
  }))

it.effect("lists the worst where there are too many to list", () =>
  Effect.gen(function*() {
    const { close, post, sent } = yield* open(digest({ window: "1 hour", max: 2_000 }))
    yield* Effect.forEach(Array.from({ length: 700 }, (_, i) => i), (i) =>
      post(Alert.make({ title: `t${i} ${"🙂".repeat(9_999)}`, severity: i === 650 ? "error" : "info" })))
    yield* close
    const [alert] = yield* sent
    const lines = alert!.detail!.split("\n")
    assert.equal(lines.length, 501)
    assert.match(lines[499]!, /✗ t650 🙂/)
    assert.ok(lines.every((line) =>
      line.length < 300 && line.isWellFormed()
    ))
    assert.equal(lines[500], "… and 200 more, none of them worse")
  }))

it.effect("a digest that is not delivered is tried with the next", () =>
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
      // what was tried does not make others urgent
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
    assert.match(log.list[0]!.message, /digest: 3 alerts could not be posted, and kept test: no answer in time/)
  }))

it.effect("an alerter that never answers is given up, and what it had is posted later", () =>
  Effect.gen(function*() {
    const sent: Array<string> = []
    let hangs = true
    const inner = Alerter.layer(({ title }) => hangs ? Effect.never : Effect.sync(() => sent.push(title)))
    const { close, post } = yield* open((self) => digest(Layer.provide(inner, self), { window: "1 minute" }))
    yield* post("a")
    yield* TestClock.adjust("1 minute")
    hangs = false
    // a post has five minutes, and is tried again a window later
    yield* TestClock.adjust("359 seconds").pipe(Effect.provide(logs().layer))
    assert.deepEqual(sent, [])
    yield* TestClock.adjust("1 second")
    assert.deepEqual(sent, ["a"])
    yield* close
    assert.deepEqual(sent, ["a"])
  }))

it.effect("the closing scope posts what is held, and later alerts are not held", () =>
  Effect.gen(function*() {
    const { close, post, titles } = yield* open(digest({ window: "1 hour" }))
    yield* post(failed("a"))
    yield* TestClock.adjust("90 seconds")
    yield* post("b")
    yield* close
    assert.deepEqual(yield* titles, ["2 alerts in 1 min 30 s: 1 failed, 1 info"])
    assert.match(String(yield* Effect.exit(post("late"))), /posted too late/)
  }))

it.effect("the closing scope posts also when it is closed by an interruption", () =>
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

it.effect("a flush under way is waited for when the scope closes, and tried again if it fails", () =>
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

it.effect("what hangs when the scope has closed is interrupted", () =>
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

const hangs = { "": Effect.never, " and can't be interrupted": Effect.uninterruptible(Effect.never) }

for (const [how, hang] of Object.entries(hangs)) {
  it.effect(`an alerter that hangs${how} holds the scope for 30 seconds, and what is lost is logged`, () =>
    Effect.gen(function*() {
      const log = logs()
      yield* Effect.gen(function*() {
        const inner = Alerter.layer(() => hang)
        const { close, post } = yield* open((self) => digest(Layer.provide(inner, self), { window: "1 minute" }))
        yield* post("a")
        // hangs already when the scope closes
        yield* TestClock.adjust("1 minute")
        yield* post("b")
        const closing = yield* Effect.forkChild(close)
        yield* TestClock.adjust("29 seconds")
        assert.equal(closing.pollUnsafe(), undefined)
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(closing)
      }).pipe(Effect.provide(log.layer))
      const errors = log.list.filter(({ level }) => level === "Error").map(({ message }) => message)
      assert.deepEqual(errors, ["effect-epilogue: digest: 2 alerts lost, never posted a\nb"])
    }))
}

it.effect("an alerter that dies loses nothing silently", () =>
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
    assert.match(last!.message, /25 alerts lost, never posted t0\nt1\n.*\nt19\n… and 5 more$/s)
  }))

it.effect("with a store what is held outlives the process, until its window has passed", () =>
  Effect.gen(function*() {
    const kept = yield* store
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

it.effect("a run that is over at once still posts what was due", () =>
  Effect.gen(function*() {
    const kept = yield* store
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

it.effect("what was held while the clock was wrong waits no longer than a window", () =>
  Effect.gen(function*() {
    const kept = yield* store
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

it.effect("of two that share a store one posts", () =>
  Effect.gen(function*() {
    const kept = yield* store
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

it.effect("a store that can't be written is made up for by a post at the close", () =>
  Effect.gen(function*() {
    const { close, post, titles } = yield* open((self) =>
      digest(self, { window: "1 hour", persist: "x" }).pipe(Layer.provide(readOnly))
    )
    yield* post("a").pipe(Effect.provide(logs().layer))
    yield* close.pipe(Effect.provide(logs().layer))
    assert.deepEqual(yield* titles, ["a"])
  }))

const wrong = [{ window: "0 seconds" }, { window: Infinity }, { window: "1 hour", max: 0 }, {
  window: "1 hour",
  max: NaN
}] as const

for (const options of wrong) {
  it.effect(`is a defect: ${JSON.stringify(options)}`, () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(open(digest(options)))
      assert.match(String(exit), /Die.*digest: (window|max) is no/s)
    }))
}

const Action = Schema.Union([
  Schema.Struct({ post: Schema.Literals(["info", "success", "warning", "error", "critical"]) }),
  Schema.Struct({ wait: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_500 })) })
])

const Scenario = Schema.Struct({
  actions: Schema.Array(Action).check(Schema.isMaxLength(30)),
  max: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 })),
  failures: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 })),
  persist: Schema.Boolean
})

test("every alert is delivered exactly once, whatever happens, and none late", () =>
  Effect.runPromise(forAll(Scenario, ({ actions, failures, max, persist }) =>
    Effect.gen(function*() {
      const kept = yield* store
      const options = { window: "10 minutes", max, immediate: "critical" } as const
      const layer = (self: Layer.Layer<Alerter>): Layer.Layer<Alerter> =>
        persist
          ? digest(self, { ...options, persist: "p" }).pipe(Layer.provide(kept.layer))
          : digest(self, options)
      const { attempts, close, post, sent } = yield* open(layer, TestAlerter.layerFailing({ times: failures }))
      const accepted: Array<string> = []
      const times = new Map<string, number>()
      let now = 0
      for (const [i, action] of actions.entries()) {
        if ("wait" in action) {
          yield* TestClock.adjust(action.wait * 1_000)
          now += action.wait * 1_000
        } else {
          const title = `t${i}`
          const exit = yield* Effect.exit(post(Alert.make({ title, severity: action.post })))
          // what that has set off in the background
          yield* TestClock.adjust("0 millis")
          assert.ok(exit._tag === "Success" || action.post === "critical")
          if (exit._tag === "Success") accepted.push(title)
          times.set(title, now)
        }
      }
      const before = yield* sent
      const late = (failures + 1) * 600_000
      for (const alert of before) {
        for (const title of listed(alert)) {
          assert.ok(alert.at!.epochMilliseconds - times.get(title)! <= late, `${title} late`)
        }
      }
      // recovers: at most as many windows as there are failures
      for (let i = 0; i <= failures; i++) yield* TestClock.adjust("10 minutes")
      yield* close
      const all = (yield* sent).flatMap(listed)
      assert.deepEqual(all.toSorted(), accepted.toSorted())
      assert.ok((yield* attempts) <= accepted.length + failures + actions.length)
      assert.ok(titlesOf(yield* sent).length > 0 || accepted.length === 0)
    }).pipe(Effect.scoped, Effect.provide([TestClock.layer(), logs().layer])), 150)))

// the store is asked for only where it is named
const _memory: Layer.Layer<Alerter> = TestAlerter.layer.pipe(digest({ window: "1 hour" }))
const _stored: Layer.Layer<Alerter, never, KeyValueStore.KeyValueStore> = TestAlerter.layer.pipe(
  digest({ window: "1 hour", persist: "x" })
)
// @ts-expect-error the store is missing
const _missing: Layer.Layer<Alerter> = TestAlerter.layer.pipe(digest({ window: "1 hour", persist: "x" }))
