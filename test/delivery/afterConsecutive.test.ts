import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { afterConsecutive } from "../../src/delivery/index.ts"
import { Alert, Alerter, AlerterHooks, Hooks, Pipeline, Step } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { brokenStore, build, field, inner, memoryStore } from "../support/policies.ts"
import { forAll } from "../support/property.ts"
import { utc } from "./support.ts"

const it = makeIt(test)

const load = Alert.make({ title: "load", severity: "error", dedupeKey: "load" })

it.effect("failures before the nth in a row are dropped, and later ones report their number", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const post = yield* build(layer.pipe(afterConsecutive(3, { timeZone: utc })))
    yield* TestClock.setTime(Date.UTC(2026, 10, 23))
    yield* post(load)
    yield* TestClock.adjust("1 minute")
    yield* post(load.with({ severity: "warning" }))
    assert.deepEqual(yield* sent, [])
    yield* post(load.with({ severity: "critical", fields: { rows: 1 } }))
    yield* post(load)
    const [third, fourth] = yield* sent
    assert.deepEqual(third?.fields, [
      { name: "rows", value: "1" },
      { name: "in a row", value: "3 failures since 2026-11-23 00:00:00 UTC" }
    ])
    assert.match(field(fourth, "in a row")!, /^4 failures/)
  }))

it.effect("a success ends the row, an info does not, and both are delivered", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const post = yield* build(afterConsecutive(layer, 2))
    const [info, success] = [load.with({ severity: "info" }), load.with({ severity: "success" })]
    for (const alert of [load, success, load, info, load]) yield* post(alert)
    assert.deepEqual((yield* sent).map(({ severity }) => severity), ["success", "info", "error"])
    assert.match(field((yield* sent)[2], "in a row")!, /^2 failures/)
  }))

it.effect("a run that is overdue and then fails counts once, and one that stays overdue counts each time", () =>
  Effect.gen(function*() {
    const { layer, titles } = yield* inner()
    const nights = (...hours: ReadonlyArray<number>) =>
      Effect.gen(function*() {
        const post = yield* build(afterConsecutive(layer, 2))
        const before = (yield* titles).length
        for (const [i, length] of hours.entries()) {
          const body = Effect.andThen(Effect.sleep(`${length} hours`), Effect.fail("no"))
          const pipeline = Pipeline.make(`night ${i + 1}`, body).pipe(
            Pipeline.overdue("10 minutes", { every: "2 hours" }),
            Pipeline.hooks(Hooks.make(AlerterHooks.failureWith(about), AlerterHooks.overdueWith(about)))
          )
          const fiber = yield* Effect.forkChild(Effect.exit(Effect.provideService(pipeline, Alerter, { post })))
          yield* TestClock.adjust("8 hours")
          yield* Fiber.await(fiber)
        }
        return (yield* titles).slice(before)
      })
    const about = (alert: Alert) => alert.with({ dedupeKey: "nightly" })
    assert.deepEqual(yield* nights(1, 1), ["night 2 is still running after 10 min", "night 2 failed"])
    assert.deepEqual(yield* nights(3), ["night 1 is still running after 2 h 10 min", "night 1 failed"])
  }))

it.effect("with n = 1 every failure is delivered unchanged", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const post = yield* build(layer.pipe(afterConsecutive(1)))
    yield* post(load)
    assert.deepEqual((yield* sent)[0]?.fields, [])
  }))

it.effect("a failure is counted even if its delivery fails", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner(TestAlerter.layerFailing({ times: 1 }))
    const post = yield* build(layer.pipe(afterConsecutive(2)))
    yield* post(load)
    assert.equal((yield* Effect.flip(post(load))).message, "test: could not be reached")
    yield* post(load)
    assert.match(field((yield* sent)[0], "in a row")!, /^3 failures/)
  }))

it.effect("alerts of the standard hooks count the failed runs of a step", () =>
  Effect.gen(function*() {
    const { layer, titles } = yield* inner()
    const alerter = yield* build(layer.pipe(afterConsecutive(2)))
    const run = (end: Effect.Effect<void, string>) =>
      Step.make("load", end).pipe(
        Step.hooks(AlerterHooks.all),
        Effect.provideService(Alerter, { post: alerter }),
        Effect.exit
      )
    const [bad, good] = [run(Effect.fail("no such file")), run(Effect.void)]
    for (const effect of [bad, good, bad, bad]) yield* effect
    assert.deepEqual(yield* titles, ["load succeeded", "load failed"])
  }))

it.effect("with a store the count goes on in the next process", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const store = yield* memoryStore
    const policy = layer.pipe(afterConsecutive(3, { persist: "nightly" }), Layer.provide(store.layer))
    for (let i = 0; i < 3; i++) yield* Effect.scoped(Effect.flatMap(build(policy), (post) => post(load)))
    assert.equal((yield* sent).length, 1)
    assert.match(field((yield* sent)[0], "in a row")!, /^3 failures/)
  }))

it.effect("beyond 10,000 subjects the one whose last failure is oldest is forgotten", () =>
  Effect.gen(function*() {
    const { layer, titles } = yield* inner()
    const post = yield* build(layer.pipe(afterConsecutive(3, { timeZone: utc })))
    const fail = (key: number) => post(Alert.make({ title: `${key}`, severity: "error" }))
    for (let i = 0; i < 10_000; i++) yield* fail(i)
    yield* fail(0)
    yield* fail(1)
    yield* fail(10_000)
    yield* fail(2)
    for (const key of [0, 1, 2]) yield* fail(key)
    assert.deepEqual(yield* titles, ["0", "1"])
  }))

it.effect("with a broken store the policy warns and counts in memory", () =>
  Effect.gen(function*() {
    const logged = logs()
    const { layer, sent } = yield* inner()
    const post = yield* build(
      layer.pipe(afterConsecutive(2, { persist: "nightly" }), Layer.provide(brokenStore()))
    )
    yield* Effect.provide(Effect.andThen(post(load), post(load)), logged.layer)
    assert.equal((yield* sent).length, 1)
    assert.match(logged.list[0]!.message, /nightly.*disk full/)
  }))

const Event = Schema.Struct({
  key: Schema.Literals(["a", "b"]),
  severity: Schema.Literals(["info", "success", "warning", "error", "critical"])
})
const Case = Schema.Struct({
  n: Schema.Literals([1, 2, 3, 5]),
  events: Schema.Array(Event).check(Schema.isMaxLength(40))
})

it.effect("for any sequence of alerts the deliveries equal those of a reference model", () =>
  forAll(Case, ({ events, n }) =>
    Effect.scoped(Effect.gen(function*() {
      const { layer, sent } = yield* inner()
      const post = yield* build(layer.pipe(afterConsecutive(n)))
      for (const [i, { key, severity }] of events.entries()) {
        yield* post(Alert.make({ title: `${i}`, severity, dedupeKey: key }))
      }
      const expected = events.flatMap(({ key, severity }, i) => {
        if (severity === "info" || severity === "success") return [`${i}`]
        const before = events.slice(0, i + 1).filter((event) => event.key === key)
        const row = before.slice(before.findLastIndex((event) => event.severity === "success") + 1)
        const count = row.filter((event) => event.severity !== "info").length
        return count < n ? [] : [count === 1 ? `${i}` : `${i} ${count}`]
      })
      const got = (yield* sent).map((alert) =>
        [alert.title, ...(field(alert, "in a row")?.match(/^\d+/) ?? [])].join(" ")
      )
      assert.deepEqual(got, expected)
    }))))

it.effect("the success of a step without a key ends the row at the end of its run, over a channel that keeps nothing, too", () =>
  Effect.gen(function*() {
    const titles: Array<string> = []
    const channel = Alerter.layer(({ title }) => Effect.sync(() => void titles.push(title)))
    const night = (end: Effect.Effect<void, string>) =>
      Effect.exit(Pipeline.make("nightly", Step.make("load", end)).pipe(Pipeline.stepHooks(AlerterHooks.all)))
    const [bad, good] = [night(Effect.fail("no such file")), night(Effect.void)]
    yield* Effect.provide(Effect.all([bad, good, bad, bad]), afterConsecutive(channel, 2))
    assert.deepEqual(titles, ["nightly › load succeeded", "nightly › load failed"])
  }))
