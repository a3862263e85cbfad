import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Alert } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { bare, failure, inner } from "../support/policies.ts"
import { all, broken, fine, layerOf, open, opened } from "./alerterSupport.ts"

const it = makeIt(test)

// -----------------------------------------------------------------------------
// targets
// -----------------------------------------------------------------------------

it.effect("an alerter may be a Layer of a module, as a text or under use", () =>
  Effect.gen(function*() {
    const channel = yield* inner()
    for (const spec of ["#in", { use: "#in" }]) yield* all(yield* open(spec, { in: channel.layer }), "a")
    assert.deepEqual(yield* channel.titles, ["a", "a"])
    const missing = yield* Effect.flip(layerOf({ fanOut: ["#x", "#y", "#in"] }, { in: channel.layer }))
    assert.deepEqual(missing, [
      { path: ["fanOut", 0], problem: "no #x" },
      { path: ["fanOut", 1], problem: "no #y" }
    ])
  }))

it.effect("fanOut posts to all alerters, and succeeds: any needs one of them", () =>
  Effect.gen(function*() {
    const [a, b] = [yield* inner(), yield* inner()]
    const down = bare(() => Effect.fail(failure("down")))
    yield* all(yield* open({ fanOut: ["#a", { use: "#b" }] }, { a: a.layer, b: b.layer }), "x")
    assert.deepEqual([yield* a.titles, yield* b.titles], [["x"], ["x"]])
    const spec = { fanOut: ["#a", "#down"] }
    yield* Effect.flip(all(yield* open(spec, { a: a.layer, down }), "y"))
    yield* all(yield* open({ ...spec, succeeds: "any" }, { a: a.layer, down }), "z")
    assert.deepEqual(yield* a.titles, ["x", "y", "z"])
  }).pipe(Effect.provide(logs().layer)))

it.effect("fallback is a chain with the time limit after and the pause cooldown", () =>
  Effect.gen(function*() {
    const tried: Array<string> = []
    const hanging = (name: string) => bare(() => Effect.andThen(Effect.sync(() => tried.push(name)), Effect.never))
    const last = yield* inner()
    const layers = { a: hanging("a"), b: hanging("b"), last: last.layer }
    const post = yield* open({ fallback: ["#a", "#b", "#last"], after: "5 seconds", cooldown: "1 minute" }, layers)
    const fiber = yield* Effect.forkChild(post("x"))
    yield* TestClock.adjust("9 seconds")
    assert.deepEqual([tried, yield* last.titles], [["a", "b"], []])
    yield* TestClock.adjust("1 second")
    assert.deepEqual(yield* last.titles, ["x"])
    yield* Fiber.join(fiber)
    yield* post("y")
    assert.deepEqual([tried, yield* last.titles], [["a", "b"], ["x", "y"]])
  }))

const criteria: ReadonlyArray<readonly [when: Readonly<Record<string, unknown>>, taken: Alert, not: Alert]> = [
  [{ severity: "error" }, broken("a"), fine("a")],
  [{ severity: ["error", "info"] }, broken("a"), fine("a")],
  [{ atLeast: Redacted.make("warning") }, broken("a"), fine("a")],
  [{ tag: "HttpError" }, broken("a"), fine("a")],
  [{ tag: ["Other", "HttpError"] }, broken("a"), fine("a")],
  [{ pipeline: "nightly" }, broken("a"), Alert.make("a")],
  [{ step: "load" }, broken("a"), broken("a", "extract")]
]

it.effect("route selects by each criterion, and by otherwise", () =>
  Effect.gen(function*() {
    for (const [when, taken, not] of criteria) {
      const [to, otherwise] = [yield* inner(), yield* inner()]
      const post = yield* open(
        { route: [{ when, to: "#to" }], otherwise: { use: "#otherwise" } },
        { to: to.layer, otherwise: otherwise.layer }
      )
      yield* all(post, taken, not)
      assert.deepEqual([yield* to.sent, yield* otherwise.sent].map((sent) => sent.map(({ severity }) => severity)), [
        [taken.severity],
        [not.severity]
      ], JSON.stringify(when))
    }
  }))

// -----------------------------------------------------------------------------
// keys of the policies
// -----------------------------------------------------------------------------

it.effect("afterConsecutive takes n, as a number or as a key", () =>
  Effect.gen(function*() {
    for (const afterConsecutive of [2, { n: Redacted.make("2") }]) {
      const { post, titles } = yield* opened({ afterConsecutive })
      yield* all(post, broken("a"), broken("b"))
      assert.deepEqual(yield* titles, ["b"])
    }
  }))

it.effect("dedupe, recovered and afterConsecutive show times in their timeZone", () =>
  Effect.gen(function*() {
    const timeZone = "Asia/Tokyo"
    for (
      const policy of [
        { dedupe: { window: "1 second", timeZone } },
        { recovered: { timeZone } },
        { afterConsecutive: { n: 1, timeZone } }
      ]
    ) {
      const { post, sent } = yield* opened(policy)
      yield* all(post, broken("a"), broken("a"))
      yield* TestClock.adjust("1 second")
      yield* all(post, broken("a"), fine("a").with({ resolves: true }))
      const values = (yield* sent).flatMap(({ fields }) => fields.map(({ value }) => value))
      assert.match(
        values.join(),
        /since 1970-01-01 09:00:00 Asia\/Tokyo|1970-01-01 09:00:0\d Asia/,
        JSON.stringify(policy)
      )
    }
  }))

it.effect("runUrl gives alerts an address, also where it stands inside of other policies", () =>
  Effect.gen(function*() {
    const { post, sent } = yield* opened({ runUrl: "https://logs.example/{runId}", minSeverity: "error" })
    yield* all(post, broken("a"), fine("b"), "c")
    assert.deepEqual((yield* sent).map(({ url }) => url), ["https://logs.example/r"])
  }))

it.effect("minSeverity drops alerts below the severity", () =>
  Effect.gen(function*() {
    const { post, titles } = yield* opened({ minSeverity: "error" })
    yield* all(post, "a", broken("b"))
    assert.deepEqual(yield* titles, ["b"])
  }))

it.effect("throttle takes limit, window, perKey, always and timeZone", () =>
  Effect.gen(function*() {
    const { post, sent, titles } = yield* opened({
      throttle: {
        limit: 2,
        window: "10 minutes",
        perKey: { limit: 1, window: 60 },
        always: "critical",
        timeZone: "Asia/Tokyo"
      }
    })
    yield* all(post, "a", "a", "b", "c", Alert.make({ title: "d", severity: "critical" }))
    assert.deepEqual(yield* titles, ["a", "b", "d"])
    yield* TestClock.adjust("9 minutes")
    assert.equal((yield* titles).length, 3)
    yield* TestClock.adjust("2 minutes")
    assert.match((yield* sent)[3]?.body ?? "", /1970-01-01 09:00:00 Asia\/Tokyo/)
  }))

it.effect("recovered may be true, or take successes", () =>
  Effect.gen(function*() {
    for (const [recovered, expected] of [[true, 3], [{ successes: "drop" }, 2], [{ successes: "post" }, 3]] as const) {
      const { post, sent } = yield* opened({ recovered })
      yield* all(post, fine("a"), broken("b"), fine("c"))
      assert.equal((yield* sent).length, expected)
      assert.ok((yield* sent).at(-1)?.tags.includes("recovered"))
    }
  }))

it.effect("dedupe takes window, as a duration or as a key", () =>
  Effect.gen(function*() {
    for (const dedupe of ["10 minutes", 600, { window: Redacted.make("10 minutes") }]) {
      const { post, titles } = yield* opened({ dedupe })
      yield* all(post, broken("a"), broken("b"))
      yield* TestClock.adjust("11 minutes")
      yield* post(broken("c"))
      assert.deepEqual(yield* titles, ["a", "c"])
    }
  }))

it.effect("digest takes window, as a duration or as a key, max, immediate and timeZone", () =>
  Effect.gen(function*() {
    const short = yield* opened({ digest: "10 minutes" })
    yield* all(short.post, "a", "b")
    yield* TestClock.adjust("10 minutes")
    assert.deepEqual(yield* short.titles, ["2 alerts in 10 min: 2 info"])
    const long = yield* opened({ digest: { window: 600, max: 2, immediate: "error", timeZone: "Asia/Tokyo" } })
    yield* all(long.post, "a", broken("b"), "c")
    assert.deepEqual(yield* long.titles, ["b"])
    yield* long.post("d")
    yield* TestClock.adjust("1 millis")
    assert.match((yield* long.sent)[1]?.detail ?? "", /^1970-01-01 09:10:00 i a/)
  }))

it.effect("quietHours takes from, to, timeZone, days and except, once or as a list", () =>
  Effect.gen(function*() {
    // a Sunday, 21:00 in Berlin
    yield* TestClock.setTime(Date.parse("2026-11-22T20:00:00Z"))
    const night = { from: "22:00", to: "07:00", timeZone: "Europe/Berlin", except: "error" }
    const one = yield* opened({ quietHours: night })
    const several = yield* opened({
      quietHours: [night, { from: "00:00", to: "24:00", days: ["saturday", "sunday"], timeZone: "Europe/Berlin" }]
    })
    const monday = yield* opened({ quietHours: { from: "00:00", to: "23:59", days: "monday", timeZone: "UTC" } })
    yield* Effect.forEach([one, several, monday], ({ post }) => post("a"))
    assert.deepEqual([yield* one.titles, yield* several.titles, yield* monday.titles], [["a"], [], ["a"]])
    yield* TestClock.adjust("1 hour")
    yield* all(one.post, "b", broken("c"))
    assert.deepEqual(yield* one.titles, ["a", "c"])
    yield* TestClock.adjust("9 hours")
    assert.deepEqual([yield* one.titles, yield* several.titles], [["a", "c", "b"], ["a"]])
    yield* monday.post("d")
    assert.deepEqual(yield* monday.titles, ["a"])
  }))
