/** Tests what records keep of the log of steps, and how much. */
import { Effect, Layer, Logger } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Pipeline, RunEvent, Step, StepLogs } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { filesIn, readAll, tempFolder } from "../support/record.ts"

const it = makeIt(test)

const quiet = Logger.layer([])

/** Records an effect, and returns the events of its record that tell of the log. */
const logged = (effect: Effect.Effect<unknown, unknown>, layer: Layer.Layer<never> = StepLogs.layer()) =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    yield* Effect.exit(effect).pipe(Effect.provide(Report.layerRecord({ folder })), Effect.provide([layer, quiet]))
    const { events, skipped } = yield* readAll(filesIn(folder)[0]!)
    assert.deepEqual(skipped, [])
    return events.filter((event) => event._tag === "StepLogged" || event._tag === "RunLogged")
  })

const short = (event: Report.Event): string =>
  event._tag === "StepLogged" || event._tag === "RunLogged"
    ? `${event._tag === "StepLogged" ? event.stepName : "run"}: ${event.logLevel} ${event.message}`
      + (event.omitted === undefined ? "" : ` after ${event.omitted}`)
    : event._tag

const lines = (count: number) =>
  Effect.forEach(Array.from({ length: count }, (_, i) => i), (i) => Effect.log(`line ${i}`), { discard: true })

it.live("a record keeps what steps, and the run itself, have logged, in its place among the events", () =>
  Effect.gen(function*() {
    const step = Step.make("load", Effect.andThen(Effect.log("two\nlines"), Effect.logWarning("slow", { page: 7 })))
    const events = yield* logged(Pipeline.make("nightly", Effect.andThen(Effect.log("first"), step)))
    assert.deepEqual(events.map(short), ["run: Info first", "load: Info two\nlines", "load: Warn slow {\"page\":7}"])
  }))

it.live("without StepLogs.layer a record has nothing of the log", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* logged(Step.make("load", Effect.log("one")), Layer.empty), [])
  }))

it.live("of a step that logs much, the first 200 and the last 20 messages are kept, and how many are left out", () =>
  Effect.gen(function*() {
    const events = yield* logged(Step.make("load", lines(300)))
    assert.equal(events.length, 220)
    assert.deepEqual([events[199]!, events[200]!, events.at(-1)!].map(short), [
      "load: Info line 199",
      "load: Info line 280 after 80",
      "load: Info line 299"
    ])
    const own = yield* logged(Pipeline.make("nightly", lines(300)))
    assert.deepEqual([own[199]!, own[200]!, own.at(-1)!].map(short), [
      "run: Info line 199",
      "run: Info line 280 after 80",
      "run: Info line 299"
    ])
  }))

it.live("of a step that logs long messages, as much is kept as of one with many", () =>
  Effect.gen(function*() {
    const long = Effect.log("x".repeat(10_000))
    const events = yield* logged(Step.make("load", Effect.forEach(Array.from({ length: 60 }), () => long)))
    assert.deepEqual([events.length, events[25]!.omitted], [45, 15])
    assert.ok(events.every(({ message }) => message.length === 4_000))
  }))

it.live("of a run that logs too much, only the last messages of failed steps are kept, and the rest is counted", () =>
  Effect.gen(function*() {
    const chatty = (n: number) => Step.make("chatty", lines(200)).pipe(Step.key(n))
    const run = Pipeline.make(
      "nightly",
      Effect.gen(function*() {
        yield* Effect.forEach(Array.from({ length: 52 }, (_, n) => n), chatty)
        yield* Effect.exit(Step.make("failing", Effect.andThen(lines(30), Effect.fail("no"))))
        yield* Effect.log("at the end")
      })
    )
    const events = yield* logged(run)
    assert.equal(events.length, 10_000 + 20 + 1 + 1)
    assert.deepEqual(events.slice(10_000).map(short).filter((_, i) => i === 0 || i > 18), [
      "failing: Info line 10 after 10",
      "failing: Info line 29",
      "run: Info at the end",
      "run: Info  after 400"
    ])
  }))

it.live("an observer that is no record gets all messages", () =>
  Effect.gen(function*() {
    let count = 0
    const observer = RunEvent.layer((event) => void (event._tag === "StepLogged" && count++))
    yield* logged(Step.make("load", lines(300)).pipe(Effect.provide(observer)))
    assert.equal(count, 300)
  }))
