/** Failures that people are reminded of until they recover or somebody acknowledges them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import * as D from "../../src/delivery/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { failure, field, memoryStore } from "../support/policies.ts"
import { open, utc } from "./support.ts"

const it = makeIt(test)

const about = (title: string, severity: "error" | "success" | "warning", more: Partial<Alert> = {}) =>
  Alert.make({ title, severity, dedupeKey: "load", ...more })

const night = TestClock.setTime(Date.parse("2026-11-23T22:00:00Z"))

it.effect("a failure is posted again each hour, with since when, how often told, and which reminder it is", () =>
  Effect.gen(function*() {
    yield* night
    const run = yield* open(D.remind({ every: "1 hour", until: 3, timeZone: utc }))
    yield* run.post(about("load failed", "error", { fields: [{ name: "rows", value: "7" }], tags: ["NoFile"] }))
    yield* TestClock.adjust("59 minutes")
    assert.deepEqual(yield* run.titles, ["load failed"])
    yield* TestClock.adjust("1 day")
    assert.deepEqual(yield* run.titles, [
      "load failed",
      "Reminder 1: load failed",
      "Reminder 2: load failed",
      "Reminder 3: load failed"
    ])
    const sent = yield* run.sent
    assert.deepEqual(sent[1]?.fields, [
      { name: "rows", value: "7" },
      { name: "open since", value: "2026-11-23 22:00:00 UTC" },
      { name: "for", value: "1 h" },
      { name: "told", value: "1 time" },
      { name: "reminder", value: "1 of 3" }
    ])
    assert.equal(field(sent[2], "told"), "2 times")
    assert.equal(field(sent[3], "reminder"), "3 of 3, the last")
    assert.equal(field(sent[3], "for"), "3 h")
    for (const reminder of sent.slice(1)) {
      assert.deepEqual(reminder.tags, ["NoFile", "reminder"])
      assert.equal(reminder.severity, "error")
      assert.equal(reminder.dedupeKey, "load")
    }
    assert.equal(new Set(sent.map(({ idempotencyKey }) => idempotencyKey)).size, 4)
    yield* run.close
  }))

it.effect("reminders end after a duration, and the last one says so", () =>
  Effect.gen(function*() {
    const run = yield* open(D.remind({ every: "1 hour", until: "150 minutes", timeZone: utc }))
    yield* run.post(about("load failed", "error"))
    yield* TestClock.adjust("1 day")
    const sent = yield* run.sent
    assert.deepEqual(sent.map((alert) => field(alert, "reminder")), [undefined, "1", "2, the last"])
    yield* run.close
  }).pipe(Effect.provide(logs().layer)))

it.effect("a recovery ends reminders, loud or quiet, and the next failure begins anew", () =>
  Effect.gen(function*() {
    const run = yield* open(D.remind({ every: "1 hour" }))
    for (const quiet of [false, true]) {
      yield* run.post(about("load failed", "error"))
      yield* TestClock.adjust("90 minutes")
      yield* run.post(about("load succeeded", "success", { quiet, resolves: true }))
      yield* TestClock.adjust("1 day")
    }
    assert.deepEqual(yield* run.titles, [
      "load failed",
      "Reminder 1: load failed",
      "load succeeded",
      "load failed",
      "Reminder 1: load failed"
    ])
    assert.equal(field((yield* run.sent)[4], "told"), "1 time")
  }))

it.effect("a success that may be one of several evaluations ends nothing", () =>
  Effect.gen(function*() {
    const run = yield* open(D.remind({ every: "1 hour", until: 1 }))
    yield* run.post(about("load failed", "error"))
    yield* run.post(about("load succeeded", "success", { resolves: false }))
    yield* TestClock.adjust("1 hour")
    assert.deepEqual(yield* run.titles, ["load failed", "load succeeded", "Reminder 1: load failed"])
    yield* run.close
  }))

it.effect("a failure that is reported again puts the next reminder off, and is the one that is reminded of", () =>
  Effect.gen(function*() {
    const run = yield* open(D.remind({ every: "1 hour" }))
    yield* run.post(about("first", "error"))
    yield* TestClock.adjust("50 minutes")
    yield* run.post(about("second", "error"))
    yield* TestClock.adjust("59 minutes")
    assert.deepEqual(yield* run.titles, ["first", "second"])
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(yield* run.titles, ["first", "second", "Reminder 1: second"])
    const reminder = (yield* run.sent)[2]
    assert.equal(field(reminder, "for"), "1 h 50 min")
    assert.equal(field(reminder, "told"), "2 times")
    yield* run.close
  }).pipe(Effect.provide(logs().layer)))

it.effect("repeats that dedupe only counts put no reminder off, wherever dedupe is", () =>
  Effect.gen(function*() {
    const window = "3 hours"
    const outside = (self: Layer.Layer<Alerter>) => self.pipe(D.remind({ every: "1 hour" }), D.dedupe({ window }))
    const inside = (self: Layer.Layer<Alerter>) => self.pipe(D.dedupe({ window }), D.remind({ every: "1 hour" }))
    for (const policy of [outside, inside]) {
      const run = yield* open(policy)
      for (let i = 0; i < 4; i++) {
        yield* run.post(about("failed", "error"))
        yield* TestClock.adjust("40 minutes")
      }
      assert.deepEqual(yield* run.titles, ["failed", "Reminder 1: failed", "Reminder 2: failed"])
      yield* run.post(about("succeeded", "success"))
      yield* run.close
    }
  }))

it.effect("a failure that was not delivered is not reminded of", () =>
  Effect.gen(function*() {
    const run = yield* open(
      (self) => self.pipe(D.minSeverity("critical"), D.remind({ every: "1 hour" }))
    )
    yield* run.post(about("failed", "error"))
    yield* TestClock.adjust("1 day")
    assert.deepEqual(yield* run.titles, [])
    const down = yield* open(D.remind({ every: "1 hour" }), TestAlerter.layerFailing(failure("chat")))
    assert.equal((yield* Effect.exit(down.post(about("failed", "error"))))._tag, "Failure")
    yield* TestClock.adjust("1 day")
    assert.equal(yield* down.attempts, 1)
  }))

it.effect("a reminder that could not be posted is tried again", () =>
  Effect.gen(function*() {
    let isDown = false
    const titles: Array<string> = []
    const channel = Alerter.layer(({ title }) =>
      Effect.suspend(() => isDown ? Effect.fail(failure("chat")) : Effect.sync(() => titles.push(title)))
    )
    const { post } = Context.get(yield* Layer.build(D.remind(channel, { every: "1 hour" })), Alerter)
    yield* post(about("failed", "error"))
    isDown = true
    yield* TestClock.adjust("65 minutes")
    assert.deepEqual(titles, ["failed"])
    isDown = false
    yield* TestClock.adjust("5 minutes")
    assert.deepEqual(titles, ["failed", "Reminder 1: failed"])
    yield* TestClock.adjust("1 hour")
    assert.deepEqual(titles, ["failed", "Reminder 1: failed", "Reminder 2: failed"])
  }).pipe(Effect.provide(logs().layer)))

it.effect("an acknowledged failure is quiet until it has recovered, and the channel is told once who it was", () =>
  Effect.gen(function*() {
    yield* night
    const services = yield* Layer.build(D.Acknowledgements.layerMemory)
    const run = yield* open(
      (self) => self.pipe(D.remind({ every: "1 hour", timeZone: utc }), Layer.provide(Layer.succeedContext(services)))
    )
    const acknowledgements = Context.get(services, D.Acknowledgements)
    yield* run.post(about("load failed", "error"))
    yield* TestClock.adjust("1 hour")
    const [listed, ...others] = yield* acknowledgements.list
    assert.deepEqual(others, [])
    assert.deepEqual({ ...listed, since: undefined }, {
      key: "load",
      id: listed?.id,
      title: "load failed",
      severity: "error",
      since: undefined,
      failures: 1,
      told: 2,
      acknowledged: undefined
    })
    const given = yield* acknowledgements.acknowledge(listed?.id ?? "", { by: "Ada", comment: "on it" })
    assert.equal(given.acknowledged?.by, "Ada")
    assert.equal((yield* acknowledgements.acknowledge("load", { by: "Bob" })).acknowledged?.by, "Ada")
    yield* TestClock.adjust("1 minute")
    yield* run.post(about("load failed again", "error"))
    yield* TestClock.adjust("1 day")
    assert.deepEqual(yield* run.titles, [
      "load failed",
      "Reminder 1: load failed",
      "Acknowledged by Ada: load failed",
      "load failed again"
    ])
    const [, , told] = yield* run.sent
    assert.deepEqual([told?.severity, told?.body, told?.tags], ["info", "on it", ["acknowledged"]])
    yield* run.post(about("load succeeded", "success"))
    assert.deepEqual(yield* acknowledgements.list, [])
    yield* run.post(about("load failed once more", "error"))
    yield* TestClock.adjust("1 hour")
    assert.equal((yield* run.titles).at(-1), "Reminder 1: load failed once more")
  }))

it.effect("announce: false tells nobody who has acknowledged a failure", () =>
  Effect.gen(function*() {
    const services = yield* Layer.build(D.Acknowledgements.layerMemory)
    const run = yield* open((self) =>
      self.pipe(D.remind({ every: "1 hour", announce: false }), Layer.provide(Layer.succeedContext(services)))
    )
    yield* run.post(about("failed", "error"))
    yield* Context.get(services, D.Acknowledgements).acknowledge("load", { by: "Ada" })
    yield* TestClock.adjust("1 day")
    assert.deepEqual(yield* run.titles, ["failed"])
  }))

it.effect("an acknowledgement of what is not open says what is", () =>
  Effect.gen(function*() {
    const services = yield* Layer.build(D.Acknowledgements.layerMemory)
    const { acknowledge } = Context.get(services, D.Acknowledgements)
    const none = yield* Effect.flip(acknowledge("load", { by: "Ada" }))
    assert.equal(none.message, "no open alert has the key \"load\"; nothing is open")
    const run = yield* open((self) =>
      self.pipe(D.remind({ every: "1 hour" }), Layer.provide(Layer.succeedContext(services)))
    )
    yield* run.post(about("failed", "error"))
    const other = yield* Effect.flip(acknowledge("lod", { by: "Ada" }))
    assert.equal(other.message, "no open alert has the key \"lod\"; open: load")
  }))

it.effect("with persist, the next process posts one reminder of those that were due, and knows who has acknowledged", () =>
  Effect.gen(function*() {
    yield* night
    const { layer } = yield* memoryStore
    const process = open((self) =>
      self.pipe(D.remind({ every: "1 hour", persist: "nightly", timeZone: utc }), Layer.provide(layer))
    )
    const first = yield* process
    yield* first.post(about("load failed", "error"))
    yield* first.close
    yield* TestClock.adjust("5 hours")
    // as short as `epilogue alert --flush`
    const second = yield* process
    yield* second.close
    const [reminder, ...others] = yield* second.sent
    assert.deepEqual(others, [])
    assert.deepEqual([reminder?.title, field(reminder, "for")], ["Reminder 1: load failed", "5 h"])
    assert.match(field(reminder, "to acknowledge") ?? "", /^epilogue ack [0-9a-z]{7}$/)

    // somebody acknowledges it in a process without an alerter
    yield* Effect.scoped(Effect.gen(function*() {
      const services = yield* Layer.build(Layer.provide(D.Acknowledgements.layer, layer))
      yield* Context.get(services, D.Acknowledgements).acknowledge("load", { by: "Ada" })
    }))
    yield* TestClock.adjust("5 hours")
    const third = yield* process
    yield* third.close
    assert.deepEqual(yield* third.titles, ["Acknowledged by Ada: load failed"])
    const fourth = yield* process
    yield* fourth.post(about("load succeeded", "success"))
    yield* fourth.close
    assert.deepEqual(yield* fourth.titles, ["load succeeded"])
    const last = yield* process
    yield* TestClock.adjust("1 day")
    yield* last.close
    assert.deepEqual(yield* last.titles, [])
  }))

it.effect("without persist, the log says that open failures are forgotten", () =>
  Effect.gen(function*() {
    const log = logs()
    const run = yield* Effect.provide(open(D.remind({ every: "1 hour" })), log.layer)
    yield* run.post(about("failed", "error"))
    yield* Effect.provide(run.close, log.layer)
    assert.match(JSON.stringify(log.list), /remind: 1 open failure forgotten, since no store keeps them/)
  }))

it.effect("a failure in a digest is reminded of, unless a later part of it is its recovery", () =>
  Effect.gen(function*() {
    const run = yield* open((self) =>
      self.pipe(D.remind({ every: "1 hour", until: 1 }), D.digest({ window: "10 minutes" }))
    )
    yield* run.post(about("a failed", "error", { dedupeKey: "a" }))
    yield* run.post(about("b failed", "error", { dedupeKey: "b" }))
    yield* run.post(about("a succeeded", "success", { dedupeKey: "a" }))
    yield* TestClock.adjust("1 day")
    assert.deepEqual((yield* run.titles).slice(1), ["Reminder 1: b failed"])
    yield* run.close
  }))

it.effect("digest and quietHours hold one reminder of a failure, the latest, and none beside the failure itself", () =>
  Effect.gen(function*() {
    yield* night
    const hours = { from: "22:30", to: "07:00", timeZone: utc } as const
    const run = yield* open((self) => self.pipe(D.quietHours(hours), D.remind({ every: "1 hour", timeZone: utc })))
    yield* run.post(about("a failed", "error", { dedupeKey: "a" }))
    yield* TestClock.adjust("45 minutes")
    yield* run.post(about("b failed", "error", { dedupeKey: "b" }))
    yield* TestClock.adjust("9 hours")
    const [first, digest, ...others] = yield* run.sent
    assert.equal(first?.title, "a failed")
    assert.equal(digest?.title, "2 alerts in quiet hours: 2 failed")
    assert.match(digest?.detail ?? "", /^.* ✗ b failed\n.* ✗ Reminder 8: a failed$/)
    assert.deepEqual(others.map(({ title }) => title), ["Reminder 9: a failed", "Reminder 9: b failed"])
    yield* run.close
  }).pipe(Effect.provide(logs().layer)))

it.effect("a summary in which a success was the latest begins no failure", () =>
  Effect.gen(function*() {
    const run = yield* open((self) =>
      self.pipe(D.remind({ every: "1 hour", until: 1 }), D.throttle({ limit: 1, window: "10 minutes" }))
    )
    yield* run.post(about("other", "error", { dedupeKey: "other" }))
    yield* run.post(about("failed", "error"))
    yield* run.post(about("succeeded", "success"))
    yield* run.post(about("b failed", "error", { dedupeKey: "b" }))
    yield* TestClock.adjust("1 day")
    const reminders = (yield* run.titles).filter((title) => title.startsWith("Reminder"))
    assert.deepEqual(reminders, ["Reminder 1: other", "Reminder 1: b failed"])
    yield* run.close
  }).pipe(Effect.provide(logs().layer)))

it.effect("however many reminders are due when a process ends, all are posted", () =>
  Effect.gen(function*() {
    const { layer } = yield* memoryStore
    const process = open((self) => self.pipe(D.remind({ every: "1 hour", persist: "nightly" }), Layer.provide(layer)))
    const first = yield* process
    for (let i = 0; i < 35; i++) yield* first.post(about(`step ${i} failed`, "error", { dedupeKey: `step ${i}` }))
    yield* first.close
    yield* TestClock.adjust("1 hour")
    const second = yield* process
    yield* second.close
    const titles = yield* second.titles
    assert.deepEqual([titles.length, new Set(titles).size], [35, 35])
  }))
