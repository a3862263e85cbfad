import { DateTime, Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { digest } from "../../src/delivery/index.ts"
import { Alert, type Alerter } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { memoryStore } from "../support/policies.ts"
import { forAll } from "../support/property.ts"
import { failed, listed, open, titlesOf, utc } from "./support.ts"

const it = makeIt(test)

it.effect("alerts within a window are posted as one at its end", () =>
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
    // the next alert begins another window
    yield* post("again")
    yield* post("and again")
    yield* TestClock.adjust("10 minutes")
    assert.equal((yield* titles)[1], "2 alerts in 10 min: 2 info")
  }))

it.effect("an alert that stays alone in its window is posted unchanged, with its own time", () =>
  Effect.gen(function*() {
    const { post, sent } = yield* open((self) => digest(self, { window: "90 minutes" }))
    const alert = failed("load").with({ detail: "at line 1", fields: { rows: 3 }, dedupeKey: "k" })
    yield* post(alert)
    yield* TestClock.adjust("90 minutes")
    assert.deepEqual(yield* sent, [alert.with({ at: DateTime.makeUnsafe(0) })])
  }))

it.effect("alerts of the `immediate` severity are posted at once, and their failure is returned", () =>
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

it.effect("one alert more than max ends the window early", () =>
  Effect.gen(function*() {
    const { post, titles } = yield* open(digest({ window: "1 hour", max: 3 }))
    yield* Effect.forEach(["a", "b", "c"], post)
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(yield* titles, [])
    yield* post("d")
    yield* TestClock.adjust("0 millis")
    assert.deepEqual(yield* titles, ["4 alerts in 1 min: 4 info"])
  }))

it.effect("of more than 500 alerts the most severe are listed", () =>
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

test("for any sequence of posts, waits and failures each alert is delivered exactly once and in time", () =>
  Effect.runPromise(forAll(Scenario, ({ actions, failures, max, persist }) =>
    Effect.gen(function*() {
      const kept = yield* memoryStore
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
          // lets the flush run that the post may have started in the background
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
      // each failure delays the held alerts by one window at most
      for (let i = 0; i <= failures; i++) yield* TestClock.adjust("10 minutes")
      yield* close
      const all = (yield* sent).flatMap(listed)
      assert.deepEqual(all.toSorted(), accepted.toSorted())
      assert.ok((yield* attempts) <= accepted.length + failures + actions.length)
      assert.ok(titlesOf(yield* sent).length > 0 || accepted.length === 0)
    }).pipe(Effect.scoped, Effect.provide([TestClock.layer(), logs().layer])), 150)))
