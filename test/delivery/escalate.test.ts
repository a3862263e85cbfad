/** Failures that go to a second alerter if nobody reacts. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import * as D from "../../src/delivery/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { failure, field, memoryStore } from "../support/policies.ts"
import { utc } from "./support.ts"

const it = makeIt(test)

type Name = "chat" | "onCall" | "boss" | "mail"

const about = (title: string, severity: "error" | "success", more: Partial<Alert> = {}) =>
  Alert.make({ title, severity, dedupeKey: "load", ...more })

/** Channels that record what they are sent, and may be down. */
const channels = () => {
  const got: Record<Name, Array<Alert>> = { chat: [], onCall: [], boss: [], mail: [] }
  const down = new Set<Name>()
  const channel = (name: Name) =>
    Alerter.layer((alert) =>
      Effect.suspend(() => down.has(name) ? Effect.fail(failure(name)) : Effect.sync(() => got[name].push(alert)))
    )
  const titles = (name: Name) => got[name].map(({ title }) => title)
  return { got, down, channel, titles }
}

const build = <E>(layer: Layer.Layer<Alerter, E>) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(Layer.fresh(layer), scope)
    return { post: Context.get(context, Alerter).post, close: Scope.close(scope, Exit.void) }
  })

it.effect("a failure that nobody reacts to goes to the second alerter, once, and its recovery goes to both", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-11-23T22:00:00Z"))
    const { channel, got, titles } = channels()
    const { post } = yield* build(
      channel("chat").pipe(D.escalate({ after: "30 minutes", to: channel("onCall"), timeZone: utc }))
    )
    yield* post(about("load failed", "error"))
    yield* TestClock.adjust("29 minutes")
    yield* post(about("load failed again", "error"))
    assert.deepEqual(titles("onCall"), [])
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(titles("onCall"), ["Escalated: load failed again"])
    assert.deepEqual(got.onCall[0]?.fields, [
      { name: "open since", value: "2026-11-23 22:00:00 UTC" },
      { name: "for", value: "30 min" },
      { name: "told", value: "2 times" }
    ])
    yield* post(about("load failed a third time", "error"))
    yield* TestClock.adjust("1 day")
    assert.equal(got.onCall.length, 1)
    yield* post(about("load succeeded", "success"))
    assert.deepEqual(titles("chat"), ["load failed", "load failed again", "load failed a third time", "load succeeded"])
    assert.deepEqual(titles("onCall"), ["Escalated: load failed again", "Recovered: load succeeded"])
    assert.equal(field(got.onCall[1], "failures"), "3")
    // a new failure is escalated again
    yield* post(about("load failed anew", "error"))
    yield* TestClock.adjust("30 minutes")
    assert.deepEqual(titles("onCall").slice(2), ["Escalated: load failed anew"])
    yield* post(about("load succeeded", "success"))
  }))

it.effect("what recovers in time tells the second alerter nothing, and neither does what was acknowledged", () =>
  Effect.gen(function*() {
    const { channel, titles } = channels()
    const services = yield* Layer.build(D.Acknowledgements.layerMemory)
    const { post } = yield* build(
      channel("chat").pipe(
        D.escalate({ after: "30 minutes", to: channel("onCall") }),
        Layer.provide(Layer.succeedContext(services))
      )
    )
    yield* post(about("failed", "error"))
    yield* TestClock.adjust("20 minutes")
    yield* post(about("succeeded", "success"))
    yield* TestClock.adjust("1 day")
    yield* post(about("failed", "error"))
    yield* Context.get(services, D.Acknowledgements).acknowledge("load", { by: "Ada" })
    yield* TestClock.adjust("1 day")
    yield* post(about("failed", "error"))
    yield* TestClock.adjust("1 day")
    yield* post(about("succeeded", "success"))
    assert.deepEqual(titles("chat"), [
      "failed",
      "succeeded",
      "failed",
      "Acknowledged by Ada: failed",
      "failed",
      "succeeded"
    ])
    assert.deepEqual(titles("onCall"), [])
  }))

it.effect("levels are nested: each tells the next, and all learn who acknowledged and that it is over", () =>
  Effect.gen(function*() {
    const { channel, got, titles } = channels()
    const services = yield* Layer.build(D.Acknowledgements.layerMemory)
    const onCall = channel("onCall").pipe(D.escalate({ after: "1 hour", to: channel("boss") }))
    const { post } = yield* build(
      channel("chat").pipe(
        D.remind({ every: "50 minutes" }),
        D.escalate({ after: "30 minutes", to: onCall }),
        Layer.provide(Layer.succeedContext(services))
      )
    )
    yield* post(about("failed", "error"))
    yield* TestClock.adjust("95 minutes")
    assert.deepEqual(titles("chat"), ["failed", "Reminder 1: failed"])
    assert.deepEqual(titles("onCall"), ["Escalated: failed"])
    assert.deepEqual(titles("boss"), ["Escalated: failed"])
    assert.equal(field(got.boss[0], "for"), "1 h 30 min")
    assert.equal(got.boss[0]?.fields.length, 3)
    const acknowledgements = Context.get(services, D.Acknowledgements)
    assert.deepEqual((yield* acknowledgements.list).map(({ failures, told }) => ({ failures, told })), [
      { failures: 1, told: 4 }
    ])
    yield* acknowledgements.acknowledge("load", { by: "Ada" })
    yield* TestClock.adjust("1 day")
    yield* post(about("succeeded", "success"))
    const rest = ["Acknowledged by Ada: failed"]
    assert.deepEqual(titles("chat").slice(2), [...rest, "succeeded"])
    for (const name of ["onCall", "boss"] as const) {
      assert.equal(titles(name).filter((title) => title.startsWith("Acknowledged by Ada")).length, 1, name)
      assert.match(titles(name).at(-1) ?? "", /^Recovered: /, name)
      assert.equal(titles(name).length, 3, name)
    }
  }))

it.effect("reminders that are piped after it go to both alerters once it has escalated", () =>
  Effect.gen(function*() {
    const { channel, titles } = channels()
    const { post } = yield* build(
      channel("chat").pipe(
        D.escalate({ after: "90 minutes", to: channel("onCall") }),
        D.remind({ every: "1 hour", until: 2 })
      )
    )
    yield* post(about("failed", "error"))
    yield* TestClock.adjust("1 day")
    assert.deepEqual(titles("chat"), ["failed", "Reminder 1: failed", "Reminder 2: failed"])
    assert.deepEqual(titles("onCall"), ["Escalated: failed", "Reminder 2: failed"])
    yield* post(about("succeeded", "success"))
  }))

it.effect("a recovery that people are not shown is shown to the second alerter", () =>
  Effect.gen(function*() {
    const { channel, titles } = channels()
    const { post } = yield* build(channel("chat").pipe(D.escalate({ after: "30 minutes", to: channel("onCall") })))
    yield* post(about("failed", "error"))
    yield* TestClock.adjust("1 hour")
    yield* post(about("succeeded", "success", { quiet: true, resolves: true }))
    assert.deepEqual(titles("chat"), ["failed"])
    assert.deepEqual(titles("onCall"), ["Escalated: failed", "Recovered: succeeded"])
  }))

it.effect("a recovery that the second alerter did not get is told by the next success", () =>
  Effect.gen(function*() {
    const { channel, down, titles } = channels()
    const { post } = yield* build(channel("chat").pipe(D.escalate({ after: "30 minutes", to: channel("onCall") })))
    yield* post(about("failed", "error"))
    yield* TestClock.adjust("1 hour")
    down.add("onCall")
    assert.equal((yield* Effect.exit(post(about("succeeded 1", "success"))))._tag, "Failure")
    down.delete("onCall")
    yield* TestClock.adjust("1 day")
    yield* post(about("succeeded 2", "success"))
    yield* post(about("succeeded 3", "success"))
    assert.deepEqual(titles("onCall"), ["Escalated: failed", "Recovered: succeeded 2"])
  }))

it.effect("an escalation that could not be posted is tried again, where it has not arrived", () =>
  Effect.gen(function*() {
    const { channel, down, titles } = channels()
    const to = D.fanOut([channel("onCall"), channel("boss")])
    const { post } = yield* build(channel("chat").pipe(D.escalate({ after: "30 minutes", to })))
    yield* post(about("failed", "error"))
    down.add("boss")
    yield* TestClock.adjust("35 minutes")
    assert.deepEqual([titles("onCall"), titles("boss")], [["Escalated: failed"], []])
    down.delete("boss")
    yield* TestClock.adjust("10 minutes")
    assert.deepEqual([titles("onCall"), titles("boss")], [["Escalated: failed"], ["Escalated: failed"]])
    yield* post(about("succeeded", "success"))
    assert.deepEqual([titles("onCall").length, titles("boss").length], [2, 2])
  }).pipe(Effect.provide(logs().layer)))

it.effect("who acknowledged goes where the failure went, whatever a route looks at", () =>
  Effect.gen(function*() {
    const { channel, titles } = channels()
    const services = yield* Layer.build(D.Acknowledgements.layerMemory)
    const routes = D.route([{ when: { atLeast: "error" }, to: channel("chat") }], { otherwise: channel("mail") })
    const { post } = yield* build(
      routes.pipe(
        D.minSeverity("warning"),
        D.escalate({ after: "30 minutes", to: channel("onCall") }),
        Layer.provide(Layer.succeedContext(services))
      )
    )
    yield* post(about("failed", "error"))
    yield* TestClock.adjust("30 minutes")
    yield* Context.get(services, D.Acknowledgements).acknowledge("load", { by: "Ada" })
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(titles("chat"), ["failed", "Acknowledged by Ada: failed"])
    assert.deepEqual(titles("onCall"), ["Escalated: failed", "Acknowledged by Ada: failed"])
    assert.deepEqual(titles("mail"), [])
  }))

it.effect("with persist, the next process escalates what is due, and tells of the recovery", () =>
  Effect.gen(function*() {
    const { channel, titles } = channels()
    const { layer } = yield* memoryStore
    const process = build(
      channel("chat").pipe(
        D.escalate({ after: "30 minutes", to: channel("onCall"), persist: "nightly" }),
        Layer.provide(layer)
      )
    )
    const first = yield* process
    yield* first.post(about("failed", "error"))
    yield* first.close
    assert.deepEqual(titles("onCall"), [])
    yield* TestClock.adjust("1 day")
    const second = yield* process
    yield* second.close
    assert.deepEqual(titles("onCall"), ["Escalated: failed"])
    const third = yield* process
    yield* third.post(about("succeeded", "success"))
    yield* third.close
    assert.deepEqual(titles("onCall"), ["Escalated: failed", "Recovered: succeeded"])
  }))

it.effect("of several alerters with one store, one posts each reminder and each escalation", () =>
  Effect.gen(function*() {
    const { channel, titles } = channels()
    const store = yield* Layer.build(D.Store.layerSqlite({ filename: ":memory:" }))
    const layer = channel("chat").pipe(
      D.remind({ every: "1 hour", until: 3, persist: "nightly" }),
      D.escalate({ after: "30 minutes", to: channel("onCall"), persist: "nightly" }),
      Layer.provide(Layer.succeedContext(store))
    )
    const all = yield* Effect.forEach(Array.from({ length: 5 }), () => build(layer))
    yield* all[0]!.post(about("failed", "error"))
    // the others learn of it when they look, as at their next alert
    yield* Effect.forEach(all.slice(1), ({ post }, i) => post(about("failed", "error", { dedupeKey: `other ${i}` })))
    yield* TestClock.adjust("1 day")
    const of = (name: Name, title: string) => titles(name).filter((one) => one === title).length
    for (const number of [1, 2, 3]) assert.equal(of("chat", `Reminder ${number}: failed`), 5)
    assert.equal(of("onCall", "Escalated: failed"), 5)
    yield* Effect.forEach(all, ({ close }) => close)
  }))
