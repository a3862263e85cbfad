import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { dedupe, fanOut } from "../../src/delivery/index.ts"
import { Alert } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { bare, brokenStore, build, failure, field, inner, memoryStore, selective } from "../support/policies.ts"
import { forAll } from "../support/property.ts"
import { utc } from "./support.ts"

const it = makeIt(test)

const load = Alert.make({ title: "load failed", severity: "error", dedupeKey: "load" })
const hourly = dedupe({ window: "1 hour", timeZone: utc })

it.effect("duplicates are held back for the window, and the next alert reports their number", () =>
  Effect.gen(function*() {
    const { sent, layer } = yield* inner()
    const post = yield* build(hourly(layer))
    yield* TestClock.setTime(Date.UTC(2026, 10, 23))
    yield* post(load)
    for (let i = 0; i < 12; i++) yield* post(load)
    yield* TestClock.adjust("3599999 millis")
    yield* post(load)
    assert.equal((yield* sent).length, 1)
    yield* TestClock.adjust("1 millis")
    yield* post(load.with({ fields: { rows: 1 } }))
    yield* TestClock.adjust("1 hour")
    yield* post(load)
    const [first, second, third] = yield* sent
    assert.deepEqual(first?.fields, [])
    assert.deepEqual(second?.fields, [
      { name: "rows", value: "1" },
      { name: "held back", value: "13 more like it since 2026-11-23 00:00:00 UTC" }
    ])
    assert.deepEqual(third?.fields, [])
  }))

it.effect("alerts with another severity or another key are no duplicates", () =>
  Effect.gen(function*() {
    const { attempts, layer } = yield* inner()
    const post = yield* build(dedupe(layer, { window: "1 hour" }))
    for (const severity of ["info", "success", "warning", "error", "critical"] as const) {
      yield* post(load.with({ severity }))
      yield* post(load.with({ severity, dedupeKey: "save" }))
    }
    assert.equal(yield* attempts, 10)
  }))

it.effect("without a dedupeKey alerts with the same step, tags and first line are duplicates", () =>
  Effect.gen(function*() {
    const { layer, titles } = yield* inner()
    const post = yield* build(hourly(layer))
    const source = { pipeline: "nightly", runId: "1", runName: "a", stepPath: ["load"] }
    const alert = Alert.make({ title: "1", body: "NoSuchBucket\nat 10:00", tags: ["Aws"], source })
    yield* post(alert)
    yield* post(alert.with({ title: "2", body: "NoSuchBucket\nat 11:00", source: { ...source, runId: "2" } }))
    yield* post(alert.with({ title: "3", body: "AccessDenied" }))
    yield* post(alert.with({ title: "4", tags: [] }))
    yield* post(alert.with({ title: "5", source: { ...source, stepPath: ["save"] } }))
    yield* post("6")
    yield* post("6")
    const long = "x".repeat(5_000_000)
    yield* post(alert.with({ title: "7", body: long }))
    assert.deepEqual(yield* titles, ["1", "3", "4", "5", "6", "7"])
  }))

it.effect("`by` sets the key, and the default applies if it returns undefined or no text, or throws", () =>
  Effect.gen(function*() {
    const { layer, titles } = yield* inner()
    const logged = logs()
    const by = (alert: Alert) => {
      if (alert.title === "bad") throw new Error("bug")
      // as code without types may
      if (alert.title === "number") return 7 as unknown as string
      return alert.title.startsWith("a") ? "a" : undefined
    }
    const post = yield* build(dedupe(layer, { window: "1 hour", by }))
    yield* post("a1")
    yield* post("a2")
    yield* post(load.with({ title: "b1" }))
    yield* post(load.with({ title: "b2" }))
    yield* Effect.provide(Effect.andThen(post("bad"), post("bad")), logged.layer)
    yield* Effect.provide(post("number"), logged.layer)
    assert.deepEqual(yield* titles, ["a1", "b1", "bad", "number"])
    assert.match(logged.list[0]!.message, /dedupe.*bug/)
    assert.match(logged.list.at(-1)!.message, /dedupe failed .*expected a string, and it returned: number/)
  }))

it.effect("an alert whose delivery failed holds nothing back", () =>
  Effect.gen(function*() {
    const { attempts, layer, titles } = yield* inner(TestAlerter.layerFailing({ times: 2 }))
    const post = yield* build(hourly(layer))
    assert.equal((yield* Effect.flip(post(load))).message, "test: could not be reached")
    yield* Effect.flip(post(load))
    yield* post(load)
    yield* post(load)
    assert.equal(yield* attempts, 3)
    assert.deepEqual(yield* titles, ["load failed"])
    const dying = yield* build(hourly(bare(() => Effect.die("bug"))))
    for (const _ of [1, 2]) assert.equal((yield* Effect.exit(dying(load)))._tag, "Failure")
  }))

it.effect("the number of held back alerts is kept when the delivery that reports it fails", () =>
  Effect.gen(function*() {
    let works = true
    const { layer, list } = selective(() => works)
    const post = yield* build(hourly(layer))
    yield* post(load)
    yield* post(load)
    yield* TestClock.adjust("1 hour")
    works = false
    yield* Effect.flip(post(load))
    works = true
    yield* post(load)
    assert.match(field(list[1], "held back")!, /^1 more/)
  }))

for (const outcome of ["succeeds", "fails", "is interrupted"] as const) {
  it.effect(`the second of two concurrent duplicates waits for the first, which ${outcome}`, () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void, ReturnType<typeof failure>>()
      let attempts = 0
      const layer = bare(() => Effect.suspend(() => ++attempts === 1 ? Deferred.await(gate) : Effect.void))
      const post = yield* build(hourly(layer))
      const first = yield* Effect.forkChild(Effect.exit(post(load)), { startImmediately: true })
      const second = yield* Effect.forkChild(post(load), { startImmediately: true })
      yield* post(load.with({ dedupeKey: "other" }))
      assert.equal(attempts, 2)
      assert.equal(second.pollUnsafe(), undefined)
      if (outcome === "succeeds") yield* Deferred.succeed(gate, undefined)
      if (outcome === "fails") yield* Deferred.fail(gate, failure("a"))
      if (outcome === "is interrupted") yield* Fiber.interrupt(first)
      yield* Fiber.join(second)
      assert.equal(attempts, outcome === "succeeds" ? 2 : 3)
    }))
}

it.effect("when the first of three concurrent duplicates fails, the third waits for the second", () =>
  Effect.gen(function*() {
    const gate = Deferred.make<void, ReturnType<typeof failure>>()
    const gates = [yield* gate, yield* gate]
    let attempts = 0
    const post = yield* build(hourly(bare(() => Effect.suspend(() => Deferred.await(gates[attempts++]!)))))
    const start = () => Effect.forkChild(Effect.exit(post(load)), { startImmediately: true })
    const early = [yield* start(), yield* start()]
    yield* Deferred.fail(gates[0]!, failure("a"))
    yield* Fiber.join(early[0]!)
    const third = yield* start()
    yield* TestClock.adjust("0 millis")
    assert.equal(attempts, 2)
    yield* Deferred.succeed(gates[1]!, undefined)
    assert.equal((yield* Fiber.join(third))._tag, "Success")
    assert.equal(attempts, 2)
  }))

it.effect("the window begins when the delivery ends", () =>
  Effect.gen(function*() {
    let attempts = 0
    const post = yield* build(
      hourly(bare(() => Effect.andThen(Effect.sync(() => attempts++), Effect.sleep("30 minutes"))))
    )
    const fiber = yield* Effect.forkChild(post(load), { startImmediately: true })
    yield* TestClock.adjust("30 minutes")
    yield* Fiber.join(fiber)
    yield* TestClock.adjust("59 minutes")
    yield* post(load)
    assert.equal(attempts, 1)
    // the summary, as the scope closes
    yield* Effect.forkDetach(TestClock.adjust("1 hour"))
  }))

it.effect("a success after a delivered failure is delivered within the window, and so is a failure after a success", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const post = yield* build(hourly(layer))
    const success = load.with({ severity: "success" })
    for (const alert of [success, success, load, success, success, load, success]) yield* post(alert)
    const severities = (yield* sent).map(({ severity }) => severity)
    assert.deepEqual(severities, ["success", "error", "success", "error", "success"])
    assert.match(field((yield* sent)[2], "held back")!, /^1 more/)
  }))

it.effect("with a store, duplicates are recognised in the next process", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const store = yield* memoryStore
    const nightly = Layer.provide(dedupe(layer, { window: "1 hour", persist: "nightly" }), store.layer)
    const other = Layer.provide(dedupe(layer, { window: "1 hour", persist: "other" }), store.layer)
    yield* Effect.scoped(Effect.flatMap(build(nightly), (post) => post(load)))
    yield* Effect.scoped(Effect.flatMap(build(nightly), (post) => post(load)))
    assert.equal((yield* sent).length, 1)
    yield* Effect.scoped(Effect.flatMap(build(other), (post) => post(load)))
    assert.equal((yield* sent).length, 2)
    yield* TestClock.adjust("1 hour")
    yield* Effect.scoped(Effect.flatMap(build(nightly), (post) => post(load)))
    assert.match(field((yield* sent)[2], "held back")!, /^1 more/)
    // entries whose window has ended are removed from the store
    const post = yield* build(nightly)
    yield* TestClock.adjust("1 hour")
    yield* post(load.with({ dedupeKey: "save" }))
    const stored = (yield* store.store.get("effect-epilogue/dedupe/nightly"))!
    assert.match(stored, /save/)
    assert.doesNotMatch(stored, /load/)
  }))

it.effect("with a broken store the policy warns and delivers all the same", () =>
  Effect.gen(function*() {
    const stores = [brokenStore(), brokenStore(Effect.die(new Error("disk full")))]
    for (const store of stores) {
      const logged = logs()
      const { layer, sent } = yield* inner()
      const post = yield* build(Layer.provide(dedupe(layer, { window: "1 hour", persist: "nightly" }), store))
      yield* Effect.provide(Effect.andThen(post(load), post(load)), logged.layer)
      assert.equal((yield* sent).length, 1)
      assert.ok(logged.list.every(({ level }) => level === "Warn"))
      assert.match(logged.list[0]!.message, /nightly.*disk full/)
    }
  }))

it.effect("a store that never answers delays a post by a few seconds at most", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const broken = Layer.provide(dedupe(layer, { window: "1 hour", persist: "a" }), brokenStore(Effect.never))
    const fiber = yield* Effect.forkChild(
      Effect.scoped(Effect.flatMap(build(broken), (post) => Effect.uninterruptible(post(load))))
    )
    for (let i = 0; i < 3; i++) yield* TestClock.adjust("5 seconds")
    assert.equal((yield* sent).length, 1)
    // the scope closes
    for (let i = 0; i < 3; i++) yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(fiber)
    assert.equal((yield* sent).length, 1)
  }).pipe(Effect.provide(logs().layer)))

it.effect("an invalid entry, or one with a time in the future, holds nothing back", () =>
  Effect.gen(function*() {
    const store = yield* memoryStore
    const { attempts, layer } = yield* inner()
    const key = "effect-epilogue/dedupe/nightly"
    for (
      const text of [
        "{",
        "{\"seen\":[],\"entries\":[[\"error load\",{\"at\":1e300,\"over\":false}]]}",
        "{\"seen\":[],\"entries\":[[\"error load\",{\"at\":99999999999999,\"over\":false}]]}"
      ]
    ) {
      yield* store.store.set(key, text)
      const before = yield* attempts
      const nightly = Layer.provide(dedupe(layer, { window: "1 hour", persist: "nightly" }), store.layer)
      const fiber = yield* Effect.forkChild(
        Effect.scoped(Effect.flatMap(build(nightly), (post) => Effect.andThen(post(load), post(load)))).pipe(
          Effect.provide(logs().layer)
        )
      )
      // an invalid text is read again after some time, since another process may be writing it
      for (let i = 0; i < 5; i++) yield* TestClock.adjust("250 millis")
      yield* Fiber.join(fiber)
      assert.equal(yield* attempts, before + 1, text)
    }
  }))

it.effect("beyond 10,000 keys the oldest is forgotten", () =>
  Effect.gen(function*() {
    const { attempts, layer } = yield* inner()
    const post = yield* build(hourly(layer))
    for (let i = 0; i <= 10_000; i++) yield* post(`${i}`)
    yield* post("1")
    assert.equal(yield* attempts, 10_001)
    yield* post("0")
    assert.equal(yield* attempts, 10_002)
  }))

it.effect("when the scope closes, a summary counts the alerts held back by kind, and has their highest severity", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    yield* Effect.scoped(Effect.gen(function*() {
      const post = yield* build(hourly(layer))
      for (const _ of [1, 2, 3]) yield* post(load)
      yield* post(load.with({ title: "load failed twice", body: "another error", severity: "critical" }))
      for (const _ of [1, 2]) yield* post(load.with({ title: "load succeeded", severity: "success" }))
      yield* TestClock.adjust("10 minutes")
    }))
    const summary = (yield* sent).at(-1)!
    assert.equal(summary.title, "3 repeats held back: 2 failed, 1 succeeded")
    assert.equal(summary.body, "Since 1970-01-01 00:00:00 UTC, in 10 min.")
    assert.deepEqual(summary.fields, [
      { name: "load failed", value: "2 failed" },
      { name: "load succeeded", value: "1 succeeded" }
    ])
    assert.equal(summary.severity, "error")
    assert.deepEqual(summary.tags, ["digest", "held back"])
    assert.equal((yield* sent).length, 4)
    yield* Effect.scoped(Effect.flatMap(build(hourly(layer)), (post) => post(load)))
    assert.equal((yield* sent).length, 5, "nothing was held back")
  }))

it.effect("duplicates that no later one reports are summed up a window after their own has ended, or after a success", () =>
  Effect.gen(function*() {
    const { layer, titles } = yield* inner()
    const post = yield* build(hourly(layer))
    for (const _ of [1, 2]) yield* post(load)
    yield* TestClock.adjust("119 minutes")
    assert.deepEqual(yield* titles, ["load failed"])
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(yield* titles, ["load failed", "1 repeat held back: 1 failed"])
    for (const _ of [1, 2]) yield* post(load)
    yield* post(load.with({ title: "load succeeded", severity: "success" }))
    yield* TestClock.adjust("1 hour")
    assert.deepEqual((yield* titles).slice(2), ["load failed", "load succeeded", "1 repeat held back: 1 failed"])
  }))

it.effect("with a store, an open window goes on in the next process, and one that has ended is summed up by this one", () =>
  Effect.gen(function*() {
    const { layer, titles } = yield* inner()
    const { layer: store } = yield* memoryStore
    const nightly = dedupe(layer, { window: "3 days", persist: "nightly" }).pipe(Layer.provide(store))
    const night = (alert: Alert) =>
      Effect.andThen(Effect.scoped(Effect.flatMap(build(nightly), (post) => post(alert))), TestClock.adjust("1 day"))
    for (const alert of [load, load, load]) yield* night(alert)
    assert.deepEqual(yield* titles, ["load failed"])
    yield* night(load.with({ title: "load succeeded", severity: "success" }))
    assert.deepEqual(yield* titles, ["load failed", "load succeeded", "2 repeats held back: 2 failed"])
  }))

it.effect("a summary that has reached one alerter of a fanOut is posted again to the other alone", () =>
  Effect.gen(function*() {
    let works = true
    const [chat, mail] = [yield* inner(), selective(() => works)]
    const post = yield* build(hourly(fanOut([chat.layer, mail.layer])))
    for (const _ of [1, 2]) yield* post(load)
    works = false
    yield* TestClock.adjust("2 hours")
    works = true
    yield* TestClock.adjust("1 hour")
    const all = ["load failed", "1 repeat held back: 1 failed"]
    assert.deepEqual([yield* chat.titles, mail.list.map(({ title }) => title)], [all, all])
  }).pipe(Effect.provide(logs().layer)))

const Event = Schema.Struct({
  key: Schema.Literals(["a", "b", "c"]),
  severity: Schema.Literals(["info", "error", "success"]),
  /** Minutes since the previous event. */
  after: Schema.Literals([0, 1, 7, 10, 25]),
  works: Schema.Boolean
})

it.effect("for any sequence of alerts the deliveries equal those of a reference model", () =>
  forAll(Schema.Array(Event).check(Schema.isMaxLength(40)), (events) =>
    Effect.scoped(Effect.gen(function*() {
      let works = true
      const { layer, list } = selective(() => works)
      const post = yield* build(dedupe(layer, { window: "10 minutes" }))
      // The model keeps the whole history and searches it for each alert.
      type Past = { readonly time: number; readonly id: string; readonly outcome: "delivered" | "held" | "failed" }
      const past: Array<Past> = []
      const expected: Array<string> = []
      let time = 0
      for (const [i, event] of events.entries()) {
        time += event.after
        works = event.works
        yield* TestClock.adjust(`${event.after} minutes`)
        const id = `${event.severity} ${event.key}`
        const last = past.findLastIndex((entry) => entry.id === id && entry.outcome === "delivered")
        const since = past.slice(last + 1)
        const opposite = { success: "error", error: "success", info: "none" }[event.severity]
        const changed = since.some((entry) => entry.outcome === "delivered" && entry.id === `${opposite} ${event.key}`)
        const held = last >= 0 && time - past[last]!.time < 10 && !changed
        const outcome = held ? "held" : event.works ? "delivered" : "failed"
        if (outcome === "delivered") expected.push(`${i}`)
        past.push({ time, id, outcome })
        const exit = yield* Effect.exit(
          post(Alert.make({ title: `${i}`, severity: event.severity, dedupeKey: event.key }))
        )
        assert.equal(exit._tag, outcome === "failed" ? "Failure" : "Success")
      }
      works = true
      yield* TestClock.adjust("1 hour")
      const isSummary = ({ tags }: Alert) => tags.includes("digest")
      const got = list.filter((alert) => !isSummary(alert)).map(({ title }) => title)
      const counted = list.reduce(
        (sum, alert) => sum + parseInt(isSummary(alert) ? alert.title : field(alert, "held back") ?? "0", 10),
        0
      )
      assert.equal(counted, past.filter(({ outcome }) => outcome === "held").length)
      assert.deepEqual(got, expected)
    })).pipe(Effect.provide(TestClock.layer()))))
