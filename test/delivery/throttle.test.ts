import { DateTime, Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { recovered, throttle } from "../../src/delivery/index.ts"
import { Alert, Alerter, type Severity } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { memoryStore } from "../support/policies.ts"
import { forAll } from "../support/property.ts"
import { open, readOnly, utc } from "./support.ts"

const it = makeIt(test)

const about = (dedupeKey: string, severity: Severity = "error") =>
  Alert.make({ title: `${dedupeKey} failed`, dedupeKey, severity })

const heldBack = ({ fields }: Alert): string | undefined => fields.find(({ name }) => name === "held back")?.value

const isSummary = ({ title }: Alert): boolean => /^\d+ alerts? held back: /.test(title)

/** Returns how many held back alerts an alert reports. */
const reported = (alert: Alert): number => parseInt((isSummary(alert) ? alert.title : heldBack(alert)) ?? "0", 10)

it.effect("alerts beyond the limit are counted, and the next delivered alert reports them", () =>
  Effect.gen(function*() {
    const { close, post, sent } = yield* open(throttle({ limit: 2, window: "10 minutes", timeZone: utc }))
    yield* post(about("a"))
    yield* TestClock.adjust("5 minutes")
    yield* post(about("b"))
    yield* post(about("a", "critical"))
    yield* TestClock.adjust("1 minute")
    yield* post(about("c"))
    yield* post(about("a"))
    yield* TestClock.adjust("239 seconds")
    yield* post(about("b"))
    assert.deepEqual((yield* sent).map(heldBack), [undefined, undefined])
    // the first has left the window
    yield* TestClock.adjust("1 second")
    yield* post(about("d"))
    const [, , passed] = yield* sent
    assert.equal(passed!.title, "d failed")
    assert.equal(passed!.severity, "error")
    assert.deepEqual(passed!.fields, [
      {
        name: "held back",
        value: "4 alerts since 1970-01-01 00:05:00 UTC: a (1 critical, 1 failed), b (1 failed), c (1 failed)"
      }
    ])
    yield* close
    assert.equal((yield* sent).length, 3)
  }))

it.effect("if no alert passes by the end of the window, a summary is posted", () =>
  Effect.gen(function*() {
    const { close, post, sent } = yield* open((self) =>
      throttle(self, { limit: 1, window: "10 minutes", timeZone: utc })
    )
    yield* post(about("a"))
    yield* TestClock.adjust("1 minute")
    yield* Effect.forEach(["b", "b", "c"], (key) => post(about(key, "warning")))
    yield* post(Alert.make({ title: "first\nsecond", severity: "success" }))
    yield* TestClock.adjust("599 seconds")
    assert.equal((yield* sent).length, 1)
    yield* TestClock.adjust("1 second")
    const [, summary] = yield* sent
    assert.deepEqual(
      summary,
      Alert.make({
        title: "4 alerts held back: 3 warnings, 1 succeeded",
        body: "Since 1970-01-01 00:01:00 UTC, in 10 min.",
        severity: "warning",
        fields: { b: "2 warnings", c: "1 warning", "first second": "1 succeeded" },
        tags: ["digest"],
        at: DateTime.makeUnsafe(11 * 60_000)
      })
    )
    // the summary has taken the only slot
    yield* post(about("d"))
    assert.equal((yield* sent).length, 2)
    yield* close
    assert.equal((yield* sent)[2]!.title, "1 alert held back: 1 failed")
  }))

it.effect("a success beyond the limit that a policy within tells as a recovery is not reported as held back", () =>
  Effect.gen(function*() {
    const { close, post, sent } = yield* open((self) =>
      recovered(self).pipe(throttle({ limit: 1, window: "10 minutes", timeZone: utc }))
    )
    yield* post(about("a"))
    yield* post(about("a", "success"))
    yield* post(about("b", "success"))
    yield* close
    assert.deepEqual((yield* sent).map(({ quiet, title }) => [title, quiet]), [
      ["a failed", false],
      ["Recovered: a failed", false],
      ["1 alert held back: 1 succeeded", false]
    ])
  }))

it.effect("the limit of a key leaves slots for others, and the next alert with the key reports", () =>
  Effect.gen(function*() {
    const { close, post, sent } = yield* open(
      throttle({ limit: 10, window: "1 hour", perKey: { limit: 1, window: "10 minutes" }, timeZone: utc })
    )
    yield* post(about("a"))
    yield* post(about("a"))
    yield* post(about("b"))
    assert.deepEqual((yield* sent).map((alert) => [alert.dedupeKey, heldBack(alert)]), [
      ["a", undefined],
      ["b", undefined]
    ])
    yield* TestClock.adjust("9 minutes")
    yield* post(about("a"))
    yield* post(about("c"))
    yield* TestClock.adjust("1 minute")
    // the summary comes at the end of the window of the key, not of the overall one
    assert.deepEqual((yield* sent).slice(2).map(({ title }) => title), [
      "c failed",
      "2 alerts held back: 2 failed"
    ])
    yield* post(about("a"))
    yield* post(about("a"))
    yield* TestClock.adjust("599 seconds")
    assert.equal((yield* sent).length, 5)
    yield* close
    assert.deepEqual((yield* sent).slice(4).map((alert) => [alert.title, reported(alert)]), [
      ["a failed", 0],
      ["1 alert held back: 1 failed", 1]
    ])
  }))

it.effect("alerts of the `always` severity take no slot", () =>
  Effect.gen(function*() {
    const { post, sent } = yield* open(throttle({ limit: 1, window: "1 hour", always: "critical" }))
    yield* Effect.forEach([1, 2, 3], () => post(about("fire", "critical")))
    yield* post(about("a"))
    yield* post(about("a"))
    yield* post(about("fire", "critical"))
    assert.deepEqual((yield* sent).map((alert) => [alert.dedupeKey, reported(alert)]), [
      ["fire", 0],
      ["fire", 0],
      ["fire", 0],
      ["a", 0],
      ["fire", 1]
    ])
  }))

it.effect("the limit holds for concurrent posts, and a slow delivery counts from its arrival", () =>
  Effect.gen(function*() {
    const arrived: Array<number> = []
    const inner = Alerter.layer(() =>
      Effect.clockWith((clock) =>
        Effect.delay(Effect.sync(() => arrived.push(clock.currentTimeMillisUnsafe() / 1_000)), "50 seconds")
      )
    )
    const { close, post } = yield* open((self) =>
      throttle(Layer.provide(inner, self), { limit: 3, window: "1 minute" })
    )
    const posts = yield* Effect.forkChild(
      Effect.forEach(Array.from({ length: 40 }, (_, i) => i), (i) => post(about(`${i}`)), { concurrency: "unbounded" })
    )
    yield* TestClock.adjust("50 seconds")
    yield* Fiber.join(posts)
    assert.deepEqual(arrived, [50, 50, 50])
    // a minute after the posts, but not yet after the arrivals
    yield* TestClock.adjust("30 seconds")
    yield* post(about("x"))
    yield* TestClock.adjust("79 seconds")
    assert.equal(arrived.length, 3)
    yield* TestClock.adjust("1 second")
    assert.deepEqual(arrived, [50, 50, 50, 160])
    yield* close
    assert.equal(arrived.length, 4)
  }))

it.effect("a delivery that fails or is interrupted frees its slot, and its report is kept", () =>
  Effect.gen(function*() {
    let answer: Effect.Effect<void, string> = Effect.void
    const sent: Array<Alert> = []
    const inner = Alerter.layer((alert) => Effect.andThen(answer, Effect.sync(() => sent.push(alert))))
    const { close, post } = yield* open((self) =>
      throttle(Layer.provide(inner, self), { limit: 1, window: "1 minute" })
    )
    yield* post(about("a"))
    yield* post(about("b"))
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(sent.map(reported), [0, 1])
    yield* post(about("c"))
    yield* TestClock.adjust("59 seconds")
    // The slot is free at the moment when the summary is due. Whichever comes first reports.
    answer = Effect.fail("down")
    yield* TestClock.adjust("1 second").pipe(Effect.provide(logs().layer))
    assert.equal((yield* Effect.flip(post(about("d")))).reason._tag, "Rejected")
    answer = Effect.never
    const hanging = yield* Effect.forkChild(post(about("e")), { startImmediately: true })
    yield* post(about("f"))
    yield* Fiber.interrupt(hanging)
    answer = Effect.void
    yield* post(about("g"))
    assert.deepEqual(sent.map((alert) => [alert.dedupeKey, reported(alert)]), [["a", 0], [undefined, 1], ["g", 2]])
    yield* close
    assert.equal(sent.length, 3)
  }))

it.effect("a failed summary is posted again a window later, and after the scope has closed alerts pass", () =>
  Effect.gen(function*() {
    let attempts = 0
    let works = true
    const inner = Alerter.layer(() => {
      attempts++
      return works ? Effect.void : Effect.fail("down")
    })
    // an alerter that still works after the scope has closed
    const policy = (self: Layer.Layer<Alerter>) =>
      throttle(Layer.provide(inner, self), { limit: 1, window: "1 minute" })
    const { close, post } = yield* open(policy)
    yield* post(about("a"))
    yield* post(about("b"))
    works = false
    yield* TestClock.adjust("119 seconds")
    assert.equal(attempts, 2)
    works = true
    yield* TestClock.adjust("1 second")
    assert.equal(attempts, 3)
    yield* close
    yield* post(about("c"))
    yield* post(about("d"))
    assert.equal(attempts, 5)
  }).pipe(Effect.provide(logs().layer)))

it.effect("counts that can't be posted as the scope closes are logged", () =>
  Effect.gen(function*() {
    const log = logs()
    yield* Effect.gen(function*() {
      let hangs = false
      const inner = Alerter.layer(() => hangs ? Effect.never : Effect.void)
      const { close, post } = yield* open((self) =>
        throttle(Layer.provide(inner, self), { limit: 1, window: "1 hour" })
      )
      yield* post(about("a"))
      yield* Effect.forEach(["a", "b", "a"], (key) => post(about(key)))
      hangs = true
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(closing)
    }).pipe(Effect.provide(log.layer))
    assert.deepEqual(log.list.filter(({ level }) => level === "Error").map(({ message }) => message), [
      "effect-epilogue: throttle: 3 alerts held back, never reported a: 2 failed\n  b: 1 failed"
    ])
  }))

it.effect("with a store, limits and counts hold across processes", () =>
  Effect.gen(function*() {
    const kept = yield* memoryStore
    const layer = (self: Layer.Layer<Alerter>) =>
      throttle(self, { limit: 1, window: "7 days", persist: "nightly" }).pipe(Layer.provide(kept.layer))
    for (const night of [1, 2, 3]) {
      const run = yield* open(layer)
      yield* run.post(about("a"))
      yield* run.close
      assert.equal(yield* run.attempts, night === 1 ? 1 : 0)
      yield* TestClock.adjust("1 day")
    }
    yield* TestClock.adjust("4 days")
    const fourth = yield* open(layer)
    yield* fourth.post(about("a"))
    assert.deepEqual((yield* fourth.sent).map(reported), [2])
    yield* fourth.post(about("a"))
    yield* fourth.close
    yield* TestClock.adjust("8 days")
    const last = yield* open(layer)
    yield* TestClock.adjust("0 millis")
    assert.deepEqual((yield* last.sent).map(({ title }) => title), ["1 alert held back: 1 failed"])
  }))

it.effect("a process that ends at once posts the summary that was due", () =>
  Effect.gen(function*() {
    const kept = yield* memoryStore
    const layer = (self: Layer.Layer<Alerter>) =>
      throttle(self, { limit: 1, window: "7 days", persist: "nightly" }).pipe(Layer.provide(kept.layer))
    const first = yield* open(layer)
    yield* first.post(about("a"))
    yield* first.post(about("a"))
    yield* first.close
    yield* TestClock.adjust("7 days")
    const second = yield* open(layer)
    yield* second.close
    assert.deepEqual((yield* second.sent).map(({ title }) => title), ["1 alert held back: 1 failed"])
  }))

it.effect("an alert that passed while the clock was wrong takes no slot later", () =>
  Effect.gen(function*() {
    const { post, titles } = yield* open(throttle({ limit: 1, window: "1 hour" }))
    yield* TestClock.setTime(Date.parse("2099-01-01"))
    yield* post("a")
    yield* TestClock.setTime(Date.parse("2026-01-01"))
    yield* post("b")
    assert.deepEqual(yield* titles, ["a", "b"])
  }))

it.effect("when the store can't be written, the summary is posted as the scope closes", () =>
  Effect.gen(function*() {
    const { close, post, titles } = yield* open((self) =>
      throttle(self, { limit: 1, window: "1 hour", persist: "x" }).pipe(Layer.provide(readOnly))
    )
    yield* Effect.all([post("a"), post("b"), close]).pipe(Effect.provide(logs().layer))
    assert.deepEqual(yield* titles, ["a", "1 alert held back: 1 info"])
  }))

it.effect("with thousands of subjects the summary stays short", () =>
  Effect.gen(function*() {
    const { close, post, sent } = yield* open(throttle({ limit: 1, window: "1 hour" }))
    yield* Effect.forEach(Array.from({ length: 2_001 }, (_, i) => i), (i) => post(about(`${i}${"x".repeat(500)}`)))
    yield* close
    const summary = (yield* sent)[1]!
    assert.equal(summary.title, "2,000 alerts held back: 2,000 failed")
    assert.equal(summary.fields.length, 21)
    assert.deepEqual(summary.fields[0], { name: "others", value: "1,900 failed" })
    assert.deepEqual(summary.fields[20], { name: "… and 81 more", value: "81 failed" })
    assert.ok(summary.fields.every(({ name }) => name.length <= 100))
  }))

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Scenario = Schema.Struct({
  actions: Schema.Array(Schema.Union([
    Schema.Struct({ key: Schema.Literals(["a", "b", "c"]), urgent: Schema.Boolean }),
    Schema.Struct({ wait: between(0, 90) })
  ])).check(Schema.isMaxLength(40)),
  limit: between(1, 4),
  window: between(1, 100),
  perKey: Schema.optionalKey(Schema.Struct({ limit: between(1, 3), window: between(1, 200) })),
  failures: between(0, 4),
  persist: Schema.Boolean
})

test("for any sequence of posts the limits hold, no slot stays unused, and each held back alert is reported", () =>
  Effect.runPromise(forAll(Scenario, ({ actions, failures, limit, perKey, persist, window }) =>
    Effect.gen(function*() {
      const kept = yield* memoryStore
      const options = {
        limit,
        window: window * 1_000,
        perKey: perKey && { limit: perKey.limit, window: perKey.window * 1_000 },
        always: "critical"
      } as const
      const layer = (self: Layer.Layer<Alerter>): Layer.Layer<Alerter> =>
        persist
          ? throttle(self, { ...options, persist: "p" }).pipe(Layer.provide(kept.layer))
          : throttle(self, options)
      const { close, post, sent } = yield* open(layer, TestAlerter.layerFailing({ times: failures }))
      const time = ({ at }: Alert) => at!.epochMilliseconds
      const counted = ({ severity }: Alert) => severity !== "critical"
      let posted = 0
      let now = 0
      for (const action of actions) {
        if ("wait" in action) {
          yield* TestClock.adjust(action.wait * 1_000)
          now += action.wait * 1_000
          continue
        }
        const before = yield* sent
        const exit = yield* Effect.exit(post(about(action.key, action.urgent ? "critical" : "error")))
        if (exit._tag === "Success") posted++
        if (exit._tag === "Failure" || (yield* sent).length > before.length) continue
        // the alert was held back, so all slots must be taken
        assert.ok(!action.urgent)
        const recent = before.filter((alert) => counted(alert) && time(alert) > now - window * 1_000)
        const alike = before.filter((alert) =>
          counted(alert) && alert.dedupeKey === action.key && time(alert) > now - (perKey?.window ?? 0) * 1_000
        )
        assert.ok(recent.length >= limit || alike.length >= (perKey?.limit ?? Infinity), "held back without need")
        yield* TestClock.adjust("0 millis")
      }
      const all = (yield* sent).filter(counted)
      for (const first of all) {
        const within = (millis: number) =>
          all.filter((alert) => time(alert) >= time(first) && time(alert) < time(first) + millis)
        assert.ok(within(window * 1_000).length <= limit, "over the limit")
        for (const key of ["a", "b", "c"]) {
          const alike = within((perKey?.window ?? 0) * 1_000).filter(({ dedupeKey }) => dedupeKey === key)
          assert.ok(alike.length <= (perKey?.limit ?? Infinity), "over the limit of a key")
        }
      }
      // each failed summary is tried again a window later
      for (let i = 0; i < 6; i++) yield* TestClock.adjust("200 seconds")
      yield* close
      const delivered = yield* sent
      const count = delivered.reduce(
        (sum, alert) => sum + reported(alert),
        delivered.filter((a) => !isSummary(a)).length
      )
      assert.equal(count, posted)
    }).pipe(Effect.scoped, Effect.provide([TestClock.layer(), logs().layer])), 200)))
