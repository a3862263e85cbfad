/** Tests what records keep of the alerts of a run, and how many. */
import { Effect, type Layer, Logger, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import { test } from "node:test"
import { AlerterErrorReason } from "../../src/Alerter.ts"
import * as Delivery from "../../src/delivery/index.ts"
import { Alerter, AlerterError, AlerterHooks, Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { Runs } from "../../src/report/internal/events/model.ts"
import { makeIt } from "../support/it.ts"
import { filesIn, readAll, tempFolder } from "../support/record.ts"

const it = makeIt(test)

const works = Alerter.layer(() => Effect.void, { channel: "a" })
const say = (title: string) => Alerter.use((alerter) => Effect.ignore(alerter.post(title)))

/** Records a run, and returns the events of its record and its file. */
const recorded = (effect: Effect.Effect<unknown, unknown, Alerter>, alerter: Layer.Layer<Alerter> = works) =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    yield* effect.pipe(
      Effect.exit,
      Effect.provide(alerter),
      Effect.provide([Report.layerRecord({ folder }), Logger.layer([])])
    )
    const file = filesIn(folder)[0]!
    const { events, skipped } = yield* readAll(file)
    assert.deepEqual(skipped, [])
    return { events, file, folder }
  })

const short = (event: Report.Event): ReadonlyArray<string> =>
  event._tag === "AlertPosted"
    ? [`${event.step?.stepName ?? "run"}: ${event.title} ${event.result} by ${event.by}`]
    : event._tag === "AlertsOmitted"
    ? [`${event.step?.stepName ?? "run"}: ${event.deliveries} more, ${event.failed} failed`]
    : []

it.live("a record keeps the alerts of steps and of the run itself", () =>
  Effect.gen(function*() {
    const load = Step.make("load", Effect.fail("disk full")).pipe(Step.hooks(AlerterHooks.failure))
    const { events } = yield* recorded(Pipeline.make("nightly", Effect.andThen(say("hello"), Effect.ignore(load))))
    assert.deepEqual(events.flatMap(short), [
      "run: hello delivered by a",
      "load: nightly › load failed delivered by a"
    ])
    assert.ok(Date.now() - events.find((event) => event._tag === "AlertPosted")!.postedAt < 60_000)
  }))

it.live("of a step that posts many alerts, the first 50 and those that fail are kept, and how many are left out", () =>
  Effect.gen(function*() {
    const alerter = Alerter.layer(({ title }) =>
      Number(title) >= 2_700
        ? Effect.fail(new AlerterError({ channel: "a", reason: AlerterErrorReason.Unreachable({}) }))
        : Effect.void, { channel: "a" })
    const many = Effect.forEach(Array.from({ length: 3_000 }, (_, i) => `${i}`), say, { discard: true })
    const { events } = yield* recorded(Pipeline.make("nightly", Step.make("load", many)), alerter)
    const kept = events.flatMap(short)
    assert.equal(kept.length, 50 + 200 + 1)
    assert.deepEqual([kept[49], kept[50], kept.at(-1)], [
      "load: 49 delivered by a",
      "load: 2700 failed by a",
      "load: 2750 more, 100 failed"
    ])
  }))

it.live("of a run that posts many alerts, the first 1,000 are kept, and the rest is counted once", () =>
  Effect.gen(function*() {
    const steps = Effect.forEach(
      Array.from({ length: 1_500 }, (_, i) => i),
      (i) => Step.make(`step-${i}`, say("hello")),
      { discard: true }
    )
    const { events } = yield* recorded(Pipeline.make("nightly", steps))
    const kept = events.flatMap(short)
    assert.deepEqual([kept.length, kept[999], kept[1000]], [
      1_001,
      "step-999: hello delivered by a",
      "run: 500 more, 0 failed"
    ])
  }))

it.live("an alert that is delivered after its run has ended is added to the record of the run", () =>
  Effect.gen(function*() {
    const load = Step.make("load", say("hello"))
    const { events, file, folder } = yield* recorded(
      Pipeline.make("nightly", load),
      works.pipe(Delivery.digest({ window: "1 hour" }))
    )
    assert.deepEqual(events.slice(-2).map(({ _tag }) => _tag), ["RunEnded", "AlertPosted"])
    const runs = new Runs()
    for (const event of events) runs.apply(event)
    const run = [...runs.byId.values()][0]!
    assert.equal(run.endedAt, events.at(-2)!.at)
    const [alert, ...others] = [...run.byIndex.get(0)!.alerts.shown.values()]
    assert.deepEqual([alert?.title, alert?.by, alert?.result, alert?.wasHeld, others.length], [
      "hello",
      "digest",
      "delivered",
      true,
      0
    ])
    // more than the list reads at first, and than it reads at most for steps that outlive their run
    const last = fs.readFileSync(file, "utf8").trimEnd().split("\n").at(-1)!
    fs.appendFileSync(file, `${last}\n`.repeat(1_000))
    assert.deepEqual((yield* Report.list({ folder })).map(({ status, steps }) => [status, steps]), [["success", 1]])
  }))

it.effect("a record that ends while an alert waits says so", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const hanging = Alerter.layer(() => Effect.never).pipe(Delivery.mailbox({ channel: "a", drain: 0 }))
    const two = Step.make("load", Effect.all([say("one"), say("two")], { concurrency: 2 }))
    yield* two.pipe(
      Effect.provide(hanging),
      Effect.provide(Report.layerRecord({ folder })),
      Effect.forkChild({ startImmediately: true })
    )
    yield* TestClock.adjust("1 second")
    const events = yield* Stream.runCollect(Report.read(filesIn(folder)[0]!))
    assert.deepEqual(events.flatMap(short), ["load: two waiting by a"])
  }))

it.live("of many alerts that are open when their run ends, what becomes of the last 200 is recorded", () =>
  Effect.gen(function*() {
    const steps = Effect.forEach(
      Array.from({ length: 300 }, (_, i) => i),
      (i) => Step.make(`step-${i}`, say(`${i}`)),
      { discard: true }
    )
    const { events } = yield* recorded(
      Pipeline.make("nightly", steps),
      works.pipe(Delivery.digest({ window: "1 hour", max: 1_000 }))
    )
    const late = events.slice(events.findIndex(({ _tag }) => _tag === "RunEnded") + 1)
    assert.equal(late.length, 200)
    assert.deepEqual(late.slice(0, 1).flatMap(short), ["step-100: 100 delivered by digest"])
  }))
