import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { afterConsecutive, dedupe, recovered, throttle } from "../../src/delivery/index.ts"
import { Alert, Alerter, AlerterHooks, Pipeline, Step } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { bare, brokenStore, build, field, inner, memoryStore, type Post, selective } from "../support/policies.ts"
import { forAll } from "../support/property.ts"
import { utc } from "./support.ts"

const it = makeIt(test)

const failed = Alert.make({ title: "backup failed", severity: "error", dedupeKey: "backup" })
const succeeded = failed.with({ title: "backup succeeded", severity: "success" })

it.effect("only the first success after failures becomes a recovery", () =>
  Effect.gen(function*() {
    const { layer, sent, titles } = yield* inner()
    const post = yield* build(layer.pipe(recovered({ timeZone: utc })))
    yield* TestClock.setTime(Date.UTC(2026, 10, 23))
    yield* post(succeeded)
    yield* post(failed)
    yield* TestClock.adjust("1 hour")
    yield* post(failed.with({ severity: "warning" }))
    yield* post(failed.with({ severity: "info", title: "started" }))
    yield* TestClock.adjust("30 minutes")
    yield* post(succeeded.with({ fields: { rows: 3 }, body: "all of it", tags: ["x"] }))
    yield* post(succeeded)
    assert.deepEqual(yield* titles, [
      "backup succeeded",
      "backup failed",
      "backup failed",
      "started",
      "Recovered: backup succeeded",
      "backup succeeded"
    ])
    const recovery = (yield* sent)[4]!
    assert.deepEqual(recovery.fields, [
      { name: "rows", value: "3" },
      { name: "failures", value: "2" },
      { name: "failing since", value: "2026-11-23 00:00:00 UTC" },
      { name: "for", value: "1 h 30 min" }
    ])
    assert.equal(recovery.severity, "success")
    assert.equal(recovery.dedupeKey, "backup")
    assert.equal(recovery.body, "all of it")
    assert.deepEqual(recovery.tags, ["x", "recovered"])
    assert.deepEqual((yield* sent)[5]?.fields, [])
  }))

it.effect("with successes: drop, other successes are dropped and nothing else", () =>
  Effect.gen(function*() {
    const { layer, titles } = yield* inner()
    const post = yield* build(recovered(layer, { successes: "drop" }))
    for (const alert of [succeeded, failed, succeeded, succeeded]) yield* post(alert)
    yield* post("by hand")
    yield* post(succeeded.with({ dedupeKey: "other" }))
    assert.deepEqual(yield* titles, ["backup failed", "Recovered: backup succeeded", "by hand"])
  }))

it.effect("interruptions and what was overdue are recovered from, and do not count as failures", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const post = yield* build(layer.pipe(recovered({ timeZone: utc })))
    const run = (body: Effect.Effect<void, string>) =>
      Effect.gen(function*() {
        const pipeline = Pipeline.make("nightly", Step.make("load", body)).pipe(
          Pipeline.overdue("10 minutes"),
          Pipeline.hooks(AlerterHooks.all)
        )
        const fiber = yield* Effect.forkChild(Effect.provideService(pipeline, Alerter, { post }), {
          startImmediately: true
        })
        yield* TestClock.adjust("1 hour")
        yield* Fiber.interrupt(fiber)
      })
    const slow = Effect.sleep("30 minutes")
    for (const body of [slow, Effect.sleep("2 hours"), Effect.void]) yield* run(body)
    for (const body of [Effect.sleep("2 hours"), Effect.fail("no"), slow]) yield* run(body)
    const told = (yield* sent).filter(({ quiet }) => !quiet)
      .map((
        { fields, title }
      ) => [title, ...["failures", "for"].map((name) => fields.find((one) => one.name === name)?.value)])
    const nothing = [undefined, undefined]
    assert.deepEqual(told, [
      ["nightly is still running after 10 min", ...nothing],
      ["nightly recovered", ...nothing],
      ["nightly is still running after 10 min", ...nothing],
      ["nightly was interrupted", ...nothing],
      ["nightly recovered", ...nothing],
      ["nightly is still running after 10 min", ...nothing],
      ["nightly was interrupted", ...nothing],
      ["nightly failed", ...nothing],
      ["nightly is still running after 10 min", ...nothing],
      ["nightly recovered", "1", "1 h 30 min"]
    ])
  }))

it.effect("an interruption that is an error, as by one that nothing catches, counts as a failure", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const post = yield* build(layer.pipe(recovered({ timeZone: utc })))
    const [dedupeKey, tags] = ["nightly", ["interrupted"]]
    yield* post(Alert.make({ title: "nightly was interrupted", severity: "error", dedupeKey, tags }))
    yield* post(Alert.make({ title: "nightly succeeded", severity: "success", dedupeKey }))
    assert.equal((yield* sent)[1]!.fields.find(({ name }) => name === "failures")?.value, "1")
  }))

const running = (post: Post) => (name: string, end: Effect.Effect<unknown, string>, title?: string) => {
  const step = Step.make(name, end).pipe(
    Step.hooks(AlerterHooks.failure),
    Step.hooks(AlerterHooks.successWith((alert) => title === undefined ? alert : alert.with({ title })))
  )
  return Pipeline.make("nightly", step).pipe(Effect.provideService(Alerter, { post }), Effect.exit)
}

it.effect("a recovery names the step as the standard hooks do, and keeps a title of the user's own", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const run = running(yield* build(layer.pipe(recovered({ successes: "drop" }))))
    const bad = Effect.fail("no such file")
    yield* run("load", bad)
    yield* run("save", Effect.void)
    yield* run("load", Effect.void)
    yield* run("load", bad)
    yield* run("load", Effect.void, "1461 rows loaded")
    const alerts = (yield* sent).map(({ body, severity, title }) => [title, severity === "success" ? body : undefined])
    assert.deepEqual(alerts, [
      ["nightly › load failed", undefined],
      ["nightly › load recovered", undefined],
      ["nightly › load failed", undefined],
      ["nightly › load recovered", "1461 rows loaded"]
    ])
  }))

it.effect("a recovery is posted though throttle holds the success back", () =>
  Effect.gen(function*() {
    const { layer, titles } = yield* inner()
    const policy = layer.pipe(recovered({ successes: "drop" }), throttle({ limit: 2, window: "1 hour" }))
    const post = yield* build(policy)
    for (const alert of [failed, failed, succeeded]) yield* post(alert)
    assert.deepEqual(yield* titles, ["backup failed", "backup failed", "Recovered: backup succeeded"])
  }))

it.effect("a failure that was not delivered needs no recovery", () =>
  Effect.gen(function*() {
    const { layer, sent, titles } = yield* inner(TestAlerter.layerFailing({ times: 1 }))
    const post = yield* build(layer.pipe(recovered()))
    yield* Effect.flip(post(failed))
    yield* post(succeeded)
    yield* post(failed)
    yield* post(succeeded)
    assert.deepEqual(yield* titles, ["backup succeeded", "backup failed", "Recovered: backup succeeded"])
    assert.equal(field((yield* sent)[2], "failures"), "1")
  }))

it.effect("after a recovery that was not delivered the next success is the recovery", () =>
  Effect.gen(function*() {
    let works = true
    const { layer, list } = selective(() => works)
    const post = yield* build(layer.pipe(recovered({ successes: "drop" })))
    yield* post(failed)
    works = false
    yield* Effect.flip(post(succeeded))
    works = true
    yield* post(succeeded)
    yield* post(succeeded)
    assert.deepEqual(list.map(({ title }) => title), ["backup failed", "Recovered: backup succeeded"])
  }))

it.effect("two concurrent successes make one recovery, after the failure before them was delivered", () =>
  Effect.gen(function*() {
    const gate = yield* Deferred.make<void>()
    const titles: Array<string> = []
    const slow = bare((alert) =>
      Effect.andThen(Deferred.await(gate), Effect.sync(() => void titles.push(Alert.make(alert).title)))
    )
    const post = yield* build(slow.pipe(recovered({ successes: "drop" })))
    const fibers = yield* Effect.forEach(
      [failed, succeeded, succeeded],
      (alert) => Effect.forkChild(post(alert), { startImmediately: true })
    )
    yield* Deferred.succeed(gate, undefined)
    yield* Fiber.joinAll(fibers)
    assert.deepEqual(titles, ["backup failed", "Recovered: backup succeeded"])
  }))

it.effect("an interrupted post of a failure counts as not delivered", () =>
  Effect.gen(function*() {
    const titles: Array<string> = []
    let hangs = true
    const layer = bare((alert) =>
      Effect.suspend(() => hangs ? Effect.never : Effect.sync(() => void titles.push(Alert.make(alert).title)))
    )
    const post = yield* build(layer.pipe(recovered()))
    const fiber = yield* Effect.forkChild(post(failed), { startImmediately: true })
    yield* Fiber.interrupt(fiber)
    hangs = false
    yield* post(succeeded)
    assert.deepEqual(titles, ["backup succeeded"])
  }))

it.effect("with a store, a failure of an earlier process is recovered from", () =>
  Effect.gen(function*() {
    const { layer, sent, titles } = yield* inner()
    const store = yield* memoryStore
    const nightly = layer.pipe(recovered({ persist: "nightly", successes: "drop" }), Layer.provide(store.layer))
    for (const alert of [succeeded, failed, failed, succeeded, succeeded]) {
      yield* Effect.scoped(Effect.flatMap(build(nightly), (post) => post(alert)))
      yield* TestClock.adjust("1 day")
    }
    assert.deepEqual(yield* titles, ["backup failed", "backup failed", "Recovered: backup succeeded"])
    assert.equal(field((yield* sent)[2], "failures"), "2")
    assert.equal(field((yield* sent)[2], "for"), "2 d")
    assert.match((yield* store.store.get("effect-epilogue/recovered/nightly"))!, /"entries":\[\]/)
  }))

it.effect("with a broken store the policy warns and delivers all the same", () =>
  Effect.gen(function*() {
    const logged = logs()
    const { layer, titles } = yield* inner()
    const post = yield* build(layer.pipe(recovered({ persist: "nightly" }), Layer.provide(brokenStore())))
    yield* Effect.provide(Effect.andThen(post(failed), post(succeeded)), logged.layer)
    assert.deepEqual(yield* titles, ["backup failed", "Recovered: backup succeeded"])
    assert.match(logged.list[0]!.message, /nightly.*disk full/)
  }))

it.effect("a failure that afterConsecutive has dropped is not recovered from", () =>
  Effect.gen(function*() {
    const { layer, titles } = yield* inner()
    const post = yield* build(layer.pipe(recovered({ successes: "drop" }), afterConsecutive(2)))
    for (const alert of [failed, succeeded, failed, failed, succeeded]) yield* post(alert)
    assert.deepEqual(yield* titles, ["backup failed", "Recovered: backup succeeded"])
  }))

for (const order of ["dedupe first", "recovered first"] as const) {
  it.effect(`with dedupe (${order}) each delivered failure is recovered from`, () =>
    Effect.gen(function*() {
      const { layer, titles } = yield* inner()
      const [unique, back] = [dedupe({ window: "1 hour" }), recovered({ successes: "drop" })]
      const post = yield* build(order === "dedupe first" ? layer.pipe(back, unique) : layer.pipe(unique, back))
      yield* post(succeeded)
      yield* post(failed)
      yield* post(failed)
      yield* TestClock.adjust("30 minutes")
      yield* post(succeeded)
      yield* TestClock.adjust("30 minutes")
      yield* post(failed)
      yield* post(succeeded)
      assert.deepEqual(yield* titles, [
        "backup failed",
        "Recovered: backup succeeded",
        // the recovery has counted what dedupe held back only if that was delivered in its eyes
        ...(order === "dedupe first" ? ["1 repeat held back: 1 failed"] : []),
        "backup failed",
        "Recovered: backup succeeded"
      ])
    }))
}

const Event = Schema.Struct({
  key: Schema.Literals(["a", "b"]),
  severity: Schema.Literals(["info", "success", "error"]),
  works: Schema.Boolean
})
const Case = Schema.Struct({
  successes: Schema.Literals(["post", "drop"]),
  events: Schema.Array(Event).check(Schema.isMaxLength(40))
})

it.effect("for any sequence of alerts the deliveries equal those of a reference model", () =>
  forAll(Case, ({ events, successes }) =>
    Effect.scoped(Effect.gen(function*() {
      let works = true
      const { layer, list } = selective(() => works)
      const post = yield* build(layer.pipe(recovered({ successes })))
      const expected = events.flatMap(({ key, severity, works }, i) => {
        if (severity !== "success") return works ? [`${i}`] : []
        const mine = events.slice(0, i).filter((event) => event.key === key && event.works)
        const last = mine.findLastIndex((event) => event.severity === "success")
        const failures = mine.slice(last + 1).filter((event) => event.severity === "error").length
        if (!works || (failures === 0 && successes === "drop")) return []
        return [failures === 0 ? `${i}` : `Recovered: ${i} ${failures}`]
      })
      for (const [i, event] of events.entries()) {
        works = event.works
        yield* Effect.exit(post(Alert.make({ title: `${i}`, severity: event.severity, dedupeKey: event.key })))
      }
      const got = list.map((alert) => [alert.title, field(alert, "failures") ?? []].flat().join(" "))
      assert.deepEqual(got, expected)
    }))))

it.effect("a recovery counts the failures in a row that afterConsecutive dropped, as the alert before it did", () =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const post = yield* build(
      layer.pipe(dedupe({ window: "1 day" }), recovered({ timeZone: utc }), afterConsecutive(2, { timeZone: utc }))
    )
    for (const day of [23, 24, 25]) {
      yield* TestClock.setTime(Date.UTC(2026, 10, day))
      yield* post(failed)
    }
    yield* TestClock.setTime(Date.UTC(2026, 10, 26))
    yield* post(succeeded)
    const [alert, recovery] = [(yield* sent)[0]!, (yield* sent).at(-1)!]
    assert.equal(field(alert, "in a row"), "2 failures since 2026-11-23 00:00:00 UTC")
    assert.equal(field(recovery, "failures"), "3")
    assert.equal(field(recovery, "failing since"), "2026-11-23 00:00:00 UTC")
    assert.equal(field(recovery, "for"), "3 d")
  }))
