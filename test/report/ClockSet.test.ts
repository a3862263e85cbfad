/** Tests records and charts of runs during which the clock of the machine is set. */
import { Clock, Effect } from "effect"
import * as assert from "node:assert/strict"
import * as path from "node:path"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { Runs } from "../../src/report/internal/events/model.ts"
import { timeline } from "../../src/report/internal/timeline/rows.ts"
import { took } from "../../src/report/internal/timeline/words.ts"
import { makeIt } from "../support/it.ts"
import { linesOf, readAll, tempFolder } from "../support/record.ts"
import { Run } from "../support/runEvents.ts"

const it = makeIt(test)

const hour = 3_600_000

/** A clock that passes on by hand, and whose time of day is set by hand. */
class HandClock implements Clock.Clock {
  passed = 0
  set = 0
  currentTimeMillisUnsafe = () => 1_700_000_000_000 + this.passed + this.set
  currentTimeNanosUnsafe = () => BigInt(this.currentTimeMillisUnsafe()) * 1_000_000n
  monotonicTimeNanosUnsafe = () => BigInt(this.passed) * 1_000_000n
  currentTimeMillis = Effect.sync(this.currentTimeMillisUnsafe)
  currentTimeNanos = Effect.sync(this.currentTimeNanosUnsafe)
  monotonicTimeNanos = Effect.sync(this.monotonicTimeNanosUnsafe)
  sleep = () => Effect.void
}

/** Records a run of four steps, in the second of which the clock is set. Two steps run at once. */
const recorded = (by: number) =>
  Effect.gen(function*() {
    const clock = new HandClock()
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const step = (name: string, millis: number, set = 0) =>
      Step.make(
        name,
        Effect.sync(() => {
          clock.passed += millis
          clock.set += set
        })
      )
    const across = Step.make("across", Effect.andThen(step("inner", 2000, by), step("later", 500)))
    yield* Pipeline.make("nightly", Effect.andThen(Effect.andThen(step("before", 300), across), step("after", 400)))
      .pipe(
        Effect.provide(Report.layerRecord({ file })),
        Effect.provideService(Clock.Clock, clock)
      )
    return { file, events: (yield* readAll(file)).events }
  })

const drawn = (events: ReadonlyArray<Report.Event>) =>
  timeline(events).rows.map((row, _, [run]) => ({
    name: row.kind === "run" ? "run" : row.name,
    from: row.start - run!.start,
    to: row.end - run!.start,
    took: took(row),
    clock: row.facts.find(({ name }) => name === "Clock")?.value
  }))

for (
  const [way, by, text] of [
    ["back", -hour, "set back by 1 h: times are suspect, durations are not"],
    ["forward", hour, "set forward by 1 h, or the machine slept: times are suspect, durations are not"]
  ] as const
) {
  it.effect(`a clock that is set ${way} changes no duration and no order, and the times after it are marked`, () =>
    Effect.gen(function*() {
      const { events, file } = yield* recorded(by)
      const changes = linesOf(file).filter((line) => line["_tag"] === "ClockChanged")
      assert.deepEqual(changes.map(({ byMillis }) => byMillis), [by])
      assert.deepEqual(drawn(events), [
        { name: "run", from: 0, to: 3200, took: "3.2 s", clock: text },
        { name: "before", from: 0, to: 300, took: "300 ms", clock: undefined },
        { name: "across", from: 300, to: 2800, took: "2.5 s", clock: text },
        { name: "inner", from: 300, to: 2300, took: "2 s", clock: text },
        { name: "later", from: 2300, to: 2800, took: "500 ms", clock: text },
        { name: "after", from: 2800, to: 3200, took: "400 ms", clock: text }
      ])
    }))

  it.effect(`where no event says that the clock was set ${way}, no bar is shorter or longer than recorded`, () =>
    Effect.gen(function*() {
      const { events } = yield* recorded(by)
      const rows = drawn(events.filter(({ _tag }) => _tag !== "ClockChanged"))
      assert.deepEqual(rows.map((row) => [row.name, row.took, row.to - row.from]), [
        ["run", "3.2 s", 3200],
        ["before", "300 ms", 300],
        ["across", "2.5 s", 2500],
        ["inner", "2 s", 2000],
        ["later", "500 ms", 500],
        ["after", "400 ms", 400]
      ])
      assert.equal(rows[0]!.clock, text)
    }))
}

it.effect("the bar of a step ends where its body ends, after start hooks and before required hooks", () =>
  Effect.gen(function*() {
    const clock = new HandClock()
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const takes = (millis: number) => Effect.sync(() => void (clock.passed += millis))
    const hooks = Hooks.make(Hook.onStart(takes(400)), Hook.required(Hook.onSuccess(() => takes(90))))
    const outer = Step.make("outer", Step.make("inner", takes(1000))).pipe(Step.hooks(hooks))
    yield* Pipeline.make("nightly", outer).pipe(
      Effect.provide(Report.layerRecord({ file })),
      Effect.provideService(Clock.Clock, clock)
    )
    assert.deepEqual(drawn((yield* readAll(file)).events).map(({ clock: _, ...row }) => row), [
      { name: "run", from: 0, to: 1490, took: "1.5 s" },
      { name: "outer", from: 0, to: 1400, took: "1 s" },
      { name: "inner", from: 400, to: 1400, took: "1 s" }
    ])
  }))

it.effect("a clock that nobody sets is not marked, nor is one of which a run began after it was set", () =>
  Effect.gen(function*() {
    const { events } = yield* recorded(0)
    assert.deepEqual(events.filter(({ _tag }) => _tag === "ClockChanged"), [])
    assert.deepEqual(drawn(events).flatMap(({ clock }) => clock ?? []), [])
  }))

test("of a clock that two programs set against each other, a row tells how often and by how much", () => {
  const run = new Run("nightly", 0)
  run.step("load", 0).end(10)
  for (let i = 1; i <= 1000; i++) run.add(10 + i, { _tag: "ClockChanged", byMillis: i % 2 === 0 ? -2000 : 2500 })
  run.end(2000)
  const text = "set 1,000 times, by 2.5 s at most: times are suspect, durations are not"
  assert.equal(drawn(run.events)[0]!.clock, text)
})

test("events out of order are not taken for a clock that was set", () => {
  const run = new Run("nightly", 0)
  for (const [i, end] of [9000, 2000, 30_000, 4000].entries()) run.step(`step ${i}`, i).end(i + end)
  run.end(30_010)
  const ends = run.events.toSorted((a, b) => "index" in a && "index" in b ? a.index - b.index : 0)
  const runs = new Runs()
  for (const event of ends) runs.apply(event)
  assert.deepEqual([...runs.byId.values()].map(({ clock }) => clock), [[]])
})
