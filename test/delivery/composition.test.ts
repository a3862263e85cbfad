/** Policies that wrap other policies. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import {
  afterConsecutive,
  dedupe,
  digest,
  fallback,
  fanOut,
  minSeverity,
  quietHours,
  recovered,
  remind,
  route,
  type Store,
  throttle
} from "../../src/delivery/index.ts"
import { Alert, Alerter, type AlertInput } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { failure, field, memoryStore, selective } from "../support/policies.ts"
import { forAll } from "../support/property.ts"
import { open, type Policy, titlesOf, utc } from "./support.ts"

const it = makeIt(test)

const broken = (title: string) => Alert.make({ title, severity: "error", dedupeKey: "k" })

it.effect("counts of throttle in an alert that dedupe holds back are reported by the next alert", () =>
  Effect.gen(function*() {
    const { post, sent } = yield* open((self) =>
      self.pipe(dedupe({ window: "1 hour" }), throttle({ limit: 2, window: "10 minutes" }))
    )
    yield* post(broken("a"))
    yield* TestClock.adjust("5 minutes")
    yield* post(broken("b"))
    yield* post(broken("c"))
    yield* TestClock.adjust("5 minutes")
    // passes throttle with its report, then dedupe holds it back
    yield* post(broken("d"))
    yield* TestClock.adjust("1 hour")
    yield* post(broken("e"))
    assert.deepEqual(titlesOf(yield* sent), ["a", "e"])
    assert.match(field((yield* sent)[1], "held back")!, /^3 more/)
  }))

const keyed = (idempotencyKey: string, more: Partial<AlertInput> = {}) =>
  Alert.make({ title: idempotencyKey, severity: "error", idempotencyKey, ...more })

const keysOf = (alerts: ReadonlyArray<Alert>) => alerts.map(({ idempotencyKey }) => idempotencyKey)

it.effect("an alert to which a policy adds a field keeps its idempotencyKey", () =>
  Effect.gen(function*() {
    const later = "5 minutes"
    const throttled = yield* open(throttle({ limit: 1, window: later }))
    const duplicate = yield* open(dedupe({ window: later, by: () => "x" }))
    const inARow = yield* open(afterConsecutive(1))
    const after = yield* open(recovered())
    for (const { post } of [throttled, duplicate, inARow, after]) {
      yield* post(keyed("a", { dedupeKey: "d" }))
      yield* post(keyed("b", { dedupeKey: "d" }))
    }
    // throttle has posted no summary yet
    yield* TestClock.adjust("299 seconds")
    assert.deepEqual(keysOf(yield* throttled.sent), ["a"])
    yield* TestClock.adjust("1 second")
    yield* duplicate.post(keyed("c"))
    yield* after.post(keyed("c", { severity: "success", dedupeKey: "d" }))
    assert.deepEqual(keysOf(yield* duplicate.sent), ["a", "c"])
    assert.match(field((yield* duplicate.sent)[1], "held back")!, /^1 more/)
    assert.deepEqual(keysOf(yield* inARow.sent), ["a", "b"])
    assert.match(field((yield* inARow.sent)[1], "in a row")!, /^2 /)
    assert.deepEqual(keysOf(yield* after.sent), ["a", "b", "c"])
    assert.equal(field((yield* after.sent)[2], "failures"), "2")
    // a summary is not a repeat of any of the alerts that it counts
    const [, summary] = yield* throttled.sent
    assert.equal(summary!.title, "1 alert held back: 1 failed")
    assert.equal(summary!.idempotencyKey, undefined)
    const { layer, list } = selective(() => true)
    const second = yield* open((self) => self.pipe(fallback(layer)), TestAlerter.layerFailing())
    yield* second.post(keyed("a"))
    assert.deepEqual(keysOf(list), ["a"])
    assert.ok(field(list[0], "not delivered by"))
  }))

const collecting: Record<string, Policy<never>> = {
  "1 h": digest({ window: "1 hour" }),
  "quiet hours": quietHours({ from: "00:00", to: "01:00", timeZone: utc })
}

for (const [time, policy] of Object.entries(collecting)) {
  it.effect(`in ${time}: a combined alert has no idempotencyKey, and a single one keeps its own`, () =>
    Effect.gen(function*() {
      const { post, sent } = yield* open(policy)
      yield* post(keyed("a"))
      yield* post(keyed("a"))
      yield* TestClock.setTime(3_600_000)
      assert.deepEqual((yield* sent).map(({ title }) => title), ["a"], "the repeat is not held twice")
      assert.deepEqual(keysOf(yield* sent), ["a"])
      yield* TestClock.setTime(24 * 3_600_000)
      for (const key of ["a", "b", "b"]) yield* post(keyed(key))
      yield* TestClock.adjust("10 minutes")
      for (const key of ["a", "b"]) yield* post(keyed(key))
      yield* TestClock.adjust("50 minutes")
      const [, several] = yield* sent
      assert.equal(several!.title, `2 alerts in ${time}: 2 failed`)
      assert.equal(several!.idempotencyKey, undefined)
    }))
}

it.effect("with a store, a repeat of a held post is recognised by the process after a crash", () =>
  Effect.gen(function*() {
    const { layer } = yield* memoryStore
    const policy = (self: Layer.Layer<Alerter>) =>
      digest(self, { window: "1 hour", persist: "x" }).pipe(Layer.provide(layer))
    // a killed process: its scope is never closed
    const killed = yield* open(policy)
    yield* killed.post(keyed("a\ud800"))
    const { post, sent } = yield* open(policy)
    for (const key of ["a\ud800", "a\udc00", "", ""]) yield* post(keyed(key))
    yield* TestClock.adjust("1 hour")
    const [digested, ...others] = [...(yield* killed.sent), ...(yield* sent)]
    assert.match(digested!.title, /^4 alerts in 1 h/)
    assert.deepEqual(others, [])
  }))

it.effect("a digest lists the field `held back` of its alerts", () =>
  Effect.gen(function*() {
    const { post, sent } = yield* open((self) =>
      self.pipe(digest({ window: "1 hour", timeZone: utc }), dedupe({ window: "10 minutes", timeZone: utc }))
    )
    for (const title of ["a", "b", "c"]) yield* post(broken(title))
    yield* TestClock.adjust("10 minutes")
    yield* post(broken("d"))
    yield* TestClock.adjust("1 hour")
    assert.equal(
      (yield* sent)[0]?.detail,
      "1970-01-01 00:00:00 ✗ a\n1970-01-01 00:10:00 ✗ d – held back: 2 more like it since 1970-01-01 00:00:00 UTC"
    )
  }))

it.effect("quietHours around quietHours lists the titles of both", () =>
  Effect.gen(function*() {
    // a Sunday
    yield* TestClock.setTime(Date.parse("2026-11-22T12:00:00Z"))
    const { post, sent } = yield* open((self) =>
      self.pipe(
        quietHours({ from: "22:00", to: "07:00", timeZone: utc }),
        quietHours({ from: "00:00", to: "24:00", days: ["sunday"], except: "error", timeZone: utc })
      )
    )
    yield* post("a")
    yield* post("b")
    yield* TestClock.adjust("11 hours")
    yield* post(broken("c"))
    yield* TestClock.adjust("8 hours")
    assert.deepEqual(titlesOf(yield* sent), ["2 alerts in quiet hours: 1 failed, 1 info"])
    assert.equal(
      (yield* sent)[0]?.detail,
      [
        "2026-11-22 23:00:00 ✗ c",
        "2026-11-23 00:00:00 i 2 alerts in quiet hours: 2 info",
        "  2026-11-22 12:00:00 i a",
        "  2026-11-22 12:00:00 i b"
      ].join("\n")
    )
  }))

it.effect("two digests about the same step are no duplicates", () =>
  Effect.gen(function*() {
    const { post, sent } = yield* open((self) =>
      self.pipe(dedupe({ window: "1 day" }), digest({ window: "10 minutes", timeZone: utc }))
    )
    const source = { pipeline: "etl", runId: "r1", runName: "etl", stepPath: ["load"] }
    for (const title of ["a", "b", "c", "d"]) {
      yield* post(Alert.make({ title, source }))
      yield* TestClock.adjust("5 minutes")
    }
    yield* TestClock.adjust("10 minutes")
    assert.equal((yield* sent).length, 2)
  }))

it.effect("of more than 500 held alerts only what a digest shows is stored", () =>
  Effect.gen(function*() {
    const kept = yield* memoryStore
    const layer = (self: Layer.Layer<Alerter>) =>
      quietHours(self, { from: "22:00", to: "07:00", timeZone: utc, persist: "x" }).pipe(Layer.provide(kept.layer))
    yield* TestClock.setTime(Date.parse("2026-11-22T23:00:00Z"))
    const { post, sent } = yield* open(layer)
    for (let i = 0; i < 510; i++) {
      yield* post(Alert.make({ title: `t${i}`, body: `b${i}\n`, detail: "x".repeat(100), fields: { a: 1 } }))
    }
    const text = (yield* kept.store.get("effect-epilogue/quietHours/x"))!
    assert.equal(text.match(/x{100}/g)?.length, 500)
    yield* TestClock.adjust("8 hours")
    assert.match((yield* sent)[0]!.detail!, /t0 – b0$/m)
    assert.match((yield* sent)[0]!.title, /^510 alerts/)
  }))

it.effect("a post that never ends and ignores interruption does not block later alerts", () =>
  Effect.gen(function*() {
    const sent: Array<string> = []
    let attempts = 0
    const inner = Alerter.layer(({ title }) =>
      ++attempts === 1 ? Effect.uninterruptible(Effect.never) : Effect.sync(() => sent.push(title))
    )
    const { close, post } = yield* open((self) => digest(Layer.provide(inner, self), { window: "1 minute" }))
    yield* post("a")
    yield* TestClock.adjust("2 minutes")
    yield* post("b")
    yield* TestClock.adjust("5 minutes")
    assert.deepEqual(sent, ["2 alerts in 6 min: 2 info"])
    yield* close
    assert.equal(attempts, 2)
  }).pipe(Effect.provide(logs().layer)))

type Wrap = (self: Layer.Layer<Alerter>, persist: string | undefined) => Layer.Layer<Alerter>

/** Returns policies that deliver alerts of every severity sooner or later, or count them. */
const policies = (kept: Layer.Layer<Store>, second: () => Layer.Layer<Alerter>) => {
  const stored = (layer: Layer.Layer<Alerter, never, Store>) => Layer.provide(layer, kept)
  const night = { from: "22:00", to: "07:00", timeZone: utc, except: "critical" } as const
  return {
    dedupe: (self, persist) => stored(dedupe(self, { window: "30 minutes", persist })),
    digest: (self, persist) => stored(digest(self, { window: "20 minutes", max: 4, persist, timeZone: utc })),
    recovered: (self, persist) => stored(recovered(self, { persist })),
    quietHours: (self, persist) => stored(quietHours(self, { ...night, persist })),
    throttle: (self, persist) =>
      stored(throttle(self, { limit: 3, window: "15 minutes", perKey: { limit: 2, window: "1 hour" }, persist })),
    minSeverity: (self) => minSeverity(self, "success"),
    fallback: (self) => fallback(self, second()),
    fanOut: (self) => fanOut([self, second()], { succeeds: "any" }),
    route: (self) => route([{ when: { atLeast: "critical" }, to: self }], { otherwise: self })
  } satisfies Record<string, Wrap>
}

const Stack = Schema.Array(
  Schema.Literals([
    "dedupe",
    "digest",
    "recovered",
    "quietHours",
    "throttle",
    "minSeverity",
    "fallback",
    "fanOut",
    "route"
  ])
).check(
  Schema.isMaxLength(5),
  // documented: digest and quietHours must be piped before throttle, and its summaries must not be throttled again
  Schema.makeFilter((stack) =>
    !stack.includes("throttle") ||
    (stack.indexOf("throttle") === stack.lastIndexOf("throttle") &&
      stack.indexOf("throttle") > Math.max(stack.lastIndexOf("digest"), stack.lastIndexOf("quietHours")))
  )
)

const Action = Schema.Union([
  Schema.Struct({
    post: Schema.Literals(["success", "error", "critical"]),
    about: Schema.Literals(["a", "b"])
  }),
  Schema.Struct({ minutes: Schema.Literals([1, 10, 45, 600]) }),
  Schema.Struct({ down: Schema.Boolean }),
  Schema.Struct({ restart: Schema.Literal(true) })
])

const Scenario = Schema.Struct({
  stack: Stack,
  persist: Schema.Boolean,
  actions: Schema.Array(Action).check(Schema.isMaxLength(25))
})

test("in any stack of policies every alert is delivered once, refused with an error, or counted", () =>
  Effect.runPromise(forAll(Scenario, ({ actions, persist, stack }) =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.parse("2026-11-23T12:00:00Z"))
      const kept = yield* memoryStore
      let down = false
      const channel = () => {
        const sent: Array<Alert> = []
        const layer = Alerter.layer((alert) =>
          Effect.suspend(() => down ? Effect.fail(failure("test")) : Effect.sync(() => sent.push(alert)))
        )
        return { sent, layer }
      }
      const first = channel()
      const channels = [first]
      const wraps: Record<string, Wrap> = policies(kept.layer, () => {
        const another = channel()
        channels.push(another)
        return another.layer
      })
      const start = open((self) =>
        stack.reduce(
          (layer, name, index) => wraps[name]!(layer, persist ? `${index}` : undefined),
          Layer.provide(first.layer, self)
        )
      )
      let run = yield* start
      const accepted: Array<string> = []
      let count = 0
      const post = (severity: "success" | "error" | "critical", about: string) =>
        Effect.gen(function*() {
          const title = `t${count++}`
          const exit = yield* Effect.exit(run.post(Alert.make({ title, severity, dedupeKey: about })))
          if (exit._tag === "Success") accepted.push(title)
          else assert.ok(down, "refused by a channel that works")
          yield* TestClock.adjust("0 millis")
        })
      for (const action of actions) {
        if ("post" in action) yield* post(action.post, action.about)
        else if ("minutes" in action) yield* TestClock.adjust(`${action.minutes} minutes`)
        else if ("down" in action) down = action.down
        else {
          down = false
          yield* run.close
          run = yield* start
        }
      }
      down = false
      yield* TestClock.adjust("2 days")
      // alerts that report what dedupe has counted
      for (const about of ["a", "b"]) {
        for (const severity of ["error", "critical", "success"] as const) {
          yield* TestClock.adjust("1 day")
          yield* post(severity, about)
        }
      }
      yield* TestClock.adjust("2 days")
      yield* run.close
      const texts = (alerts: ReadonlyArray<Alert>) =>
        alerts.map((alert) =>
          [
            alert.title,
            alert.detail,
            `held back: ${field(alert, "held back")}`,
            ...alert.fields.flatMap(({ name, value }) => name === "failures" ? [`failures: ${value}`] : [])
          ].join("\n")
        )
      const recoveredFrom = (text: string) => [...text.matchAll(/^failures: (\d+)$/gm)].map(([, n]) => Number(n))
      for (const { sent } of channels) {
        const titles = texts(sent).flatMap((text) => text.match(/\bt\d+\b/g) ?? [])
        assert.deepEqual(titles, [...new Set(titles)], "delivered twice")
      }
      const all = texts(channels.flatMap(({ sent }) => sent))
      const delivered = new Set(all.flatMap((text) => text.match(/\bt\d+\b/g) ?? []))
      const lost = accepted.filter((title) => !delivered.has(title)).length
      const reported = all.flatMap((
        text
      ) => [...text.matchAll(/held back: (\d+) (?:more|alert)|(\d+) (?:alert|repeat)s? held back/g)])
        .reduce((sum, [, a, b]) => sum + Number(a ?? b), 0)
      // a recovery counts all failures that it ends, and at least one of them was delivered
      const recoveries = all.reduce((sum, text) => sum + Math.max(0, ...recoveredFrom(text).map((n) => n - 1)), 0)
      assert.ok(lost <= reported + recoveries, `${lost} lost, ${reported} reported, ${recoveries} in recoveries`)
      if (!stack.includes("fanOut")) assert.ok(reported <= lost, `${lost} lost, ${reported} reported`)
    }).pipe(Effect.scoped, Effect.provide([TestClock.layer(), logs().layer])), 300)))

it.effect("a question is posted at once by every policy, each time, and counts for no failure", () =>
  Effect.gen(function*() {
    const alerter = yield* open((self) =>
      self.pipe(
        quietHours({ from: "00:00", to: "12:00", timeZone: utc }),
        digest({ window: "1 hour" }),
        remind({ every: "10 minutes" }),
        dedupe({ window: "1 day" }),
        recovered(),
        throttle({ limit: 1, window: "1 day" }),
        afterConsecutive(2)
      )
    )
    const question = Alert.make({ title: "Deploy?", severity: "warning", tags: ["question"] })
    yield* alerter.post(question)
    yield* alerter.post(question)
    yield* TestClock.adjust("3 hours")
    yield* alerter.post(Alert.make({ title: "Deploy?", severity: "success", resolves: true }))
    yield* TestClock.adjust("2 days")
    assert.deepEqual((yield* alerter.sent).map(({ title }) => title).slice(0, 2), ["Deploy?", "Deploy?"])
    assert.deepEqual((yield* alerter.sent).filter(({ title }) => /recovered|Reminder|held/.test(title)), [])
  }))
