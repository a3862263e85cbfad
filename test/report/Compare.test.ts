/** Tests the comparison of two runs. */
import { Effect, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Report } from "../../src/report/index.ts"
import { byChange } from "../../src/report/internal/compare/words.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import { start } from "../support/recordFiles.ts"

const it = makeIt(test)

const Spec = Schema.Struct({
  name: Schema.Literals(["load", "fetch", "save"]),
  key: Schema.Literals(["", "1", "2"]),
  depth: Schema.Literals([0, 1, 2]),
  outcome: Schema.Literals(["success", "failure", "interrupt", "skip", "none"]),
  millis: Schema.Literals([0, 10, 100, 110, 121, 300, 5_000])
})
const Run = Schema.Array(Spec).check(Schema.isMaxLength(8))
const Two = Schema.Struct({ before: Run, after: Run })

interface Spec {
  readonly name: string
  readonly key: string
  readonly depth: number
  readonly outcome: (typeof Spec.Type)["outcome"]
  readonly millis: number
}

const step = (name: string, millis = 100, more: Partial<Spec> = {}): Spec => ({
  name,
  key: "",
  depth: 0,
  outcome: "success",
  millis,
  ...more
})

const names = { pipelineName: "nightly", runId: "7f6c", runName: "nightly-7" }

/** Returns the events of a run with these steps: each is inside the last one before it that is less deep. */
const eventsOf = (specs: ReadonlyArray<Spec>, millis?: number): ReadonlyArray<Report.Event> => {
  const open: Array<{ readonly depth: number; readonly index: number; readonly path: ReadonlyArray<string> }> = []
  const events: Array<Report.Event> = [{ _tag: "RunStarted", ...names, at: start }]
  for (const [index, { depth, key, millis, name, outcome }] of specs.entries()) {
    while ((open.at(-1)?.depth ?? -1) >= depth) open.pop()
    const around = open.at(-1)
    const label = key === "" ? name : `${name}[${key}]`
    const path = [...around?.path ?? [], label]
    const info = {
      ...names,
      stepName: name,
      ...(key === "" ? {} : { stepKey: key }),
      stepPath: path.map((label) => label.replace(/\[.*/, "")),
      stepLabels: path,
      index,
      ...(around === undefined ? {} : { parent: around.index })
    }
    open.push({ depth, index, path })
    events.push({ _tag: "StepStarted", ...info, at: start })
    const end = { ...info, at: start + millis, attempts: 1, durationMillis: millis }
    if (outcome === "skip") events.push({ _tag: "StepSkipped", ...end, reason: "no news" })
    else if (outcome !== "none") {
      events.push({
        _tag: "StepEnded",
        ...end,
        outcome,
        ...(outcome === "success" ? {} : { cause: "RangeError: no such row\n    at load" })
      })
    }
  }
  if (millis === undefined) return events
  const end = { at: start + millis, outcome: "success", durationMillis: millis, steps: specs.length } as const
  return [...events, { _tag: "RunEnded", ...names, ...end, hookFailures: 0 }]
}

/** Returns the changes of each step that has some, by its path and number. */
const changesOf = ({ steps }: Report.Comparison): ReadonlyArray<string> =>
  steps.flatMap(({ changes, nth, path }) => changes.length === 0 ? [] : [`${path.join(" > ")} ${nth}: ${changes}`])

it.effect("a run compared with itself has not changed", () =>
  forAll(Run, (specs) =>
    Effect.sync(() => {
      const { run, steps } = Report.compare(eventsOf(specs, 500), eventsOf(specs, 500))
      assert.equal(steps.length, specs.length)
      for (const { after, before, changes, differenceMillis = 0 } of [run, ...steps]) {
        assert.deepEqual([changes, differenceMillis, after], [[], 0, before])
      }
    })))

const mirrors = {
  newlyFailing: "recovered",
  recovered: "newlyFailing",
  endedOtherwise: "endedOtherwise",
  slower: "faster",
  faster: "slower",
  added: "removed",
  removed: "added"
} as const

it.effect("the reverse comparison is the mirror image, step by step", () =>
  forAll(Two, ({ after, before }) =>
    Effect.sync(() => {
      const there = Report.compare(eventsOf(before), eventsOf(after))
      const back = Report.compare(eventsOf(after), eventsOf(before))
      const text = (end: Report.Evaluated | undefined) => JSON.stringify(end ?? null)
      assert.deepEqual(
        back.steps.map(({ after, before, changes, depth, differenceMillis, nth, path }) =>
          [path, nth, depth, text(before), text(after), differenceMillis, ...changes].join(" ")
        ).toSorted(),
        there.steps.map(({ after, before, changes, depth, differenceMillis, nth, path }) =>
          [
            path,
            nth,
            depth,
            text(after),
            text(before),
            differenceMillis === undefined ? undefined : 0 - differenceMillis,
            ...changes.map((change) => mirrors[change])
          ].join(" ")
        ).toSorted()
      )
    })))

it.effect("each step of both runs is compared once", () =>
  forAll(Two, ({ after, before }) =>
    Effect.sync(() => {
      const { steps } = Report.compare(eventsOf(before), eventsOf(after))
      assert.equal(steps.filter(({ before }) => before !== undefined).length, before.length)
      assert.equal(steps.filter(({ after }) => after !== undefined).length, after.length)
      assert.deepEqual(new Set(byChange(steps)), new Set(steps))
      // a change comes before no change
      const changed = byChange(steps).map(({ changes }) => changes.length > 0)
      assert.equal(changed.lastIndexOf(true) + 1, changed.filter((is) => is).length)
    })))

it.effect("steps are told apart by their keys and numbers, and by the steps around them", () =>
  Effect.sync(() => {
    const comparison = Report.compare(
      eventsOf([
        step("load"),
        step("fetch", 100, { depth: 1, key: "1" }),
        step("fetch", 100, { depth: 1, key: "2" }),
        step("save"),
        step("save")
      ]),
      eventsOf([
        step("load"),
        step("fetch", 900, { depth: 1, key: "2" }),
        step("fetch", 100, { depth: 1, key: "3" }),
        step("save"),
        step("save", 10),
        step("save"),
        step("fetch", 100, { key: "1" })
      ])
    )
    assert.deepEqual(changesOf(comparison), [
      "load > fetch[1] 1: removed",
      "load > fetch[2] 1: slower",
      "load > fetch[3] 1: added",
      "save 2: faster",
      "save 3: added",
      "fetch[1] 1: added"
    ])
    assert.deepEqual(
      comparison.steps.map(({ depth, differenceMillis, name, ratio }) => [name, depth, differenceMillis, ratio]),
      [
        ["load", 0, 0, 0],
        ["fetch[1]", 1, undefined, undefined],
        ["fetch[2]", 1, 800, 8],
        ["fetch[3]", 1, undefined, undefined],
        ["save", 0, 0, 0],
        ["save", 0, -90, -0.9],
        ["save", 0, undefined, undefined],
        ["fetch[1]", 0, undefined, undefined]
      ]
    )
    assert.deepEqual(byChange(comparison.steps).map(({ name, nth }) => `${name} ${nth}`).slice(0, 2), [
      "fetch[2] 1",
      "fetch[1] 1"
    ])
  }))

it.effect("outcomes are compared first, and durations of what came to the same end", () =>
  Effect.sync(() => {
    const outcomes = (before: Spec["outcome"], after: Spec["outcome"]) => {
      const [compared] = Report.compare(
        eventsOf([step("load", 100, { outcome: before })], 100),
        eventsOf([step("load", 5_000, { outcome: after })], 100)
      ).steps
      return compared!.changes.join()
    }
    assert.equal(outcomes("success", "failure"), "newlyFailing")
    assert.equal(outcomes("failure", "success"), "recovered")
    assert.equal(outcomes("skip", "failure"), "endedOtherwise")
    assert.equal(outcomes("success", "none"), "endedOtherwise")
    assert.equal(outcomes("success", "success"), "slower")
    assert.equal(outcomes("failure", "failure"), "slower")
    assert.equal(outcomes("interrupt", "interrupt"), "")
    const { run, steps: [first] } = Report.compare(
      eventsOf([step("load")], 100),
      eventsOf([step("load", 100, { outcome: "failure" })], 400)
    )
    assert.deepEqual(first!.after, {
      status: "failure",
      durationMillis: 100,
      attempts: 1,
      cause: "RangeError: no such row"
    })
    assert.deepEqual([run.changes, run.differenceMillis, run.ratio], [["slower"], 300, 3])
  }))

it.effect("a step is slower beyond both thresholds", () =>
  Effect.sync(() => {
    const changes = (before: number, after: number, options?: Report.CompareOptions) =>
      Report.compare(eventsOf([step("load", before)]), eventsOf([step("load", after)]), options).steps[0]!.changes
        .join()
    assert.equal(changes(1, 49), "")
    assert.equal(changes(0, 50), "slower")
    assert.equal(changes(1_000, 1_200), "")
    assert.equal(changes(1_000, 1_201), "slower")
    assert.equal(changes(1_201, 1_000), "faster")
    assert.equal(changes(1_000, 1_100, { ratio: 0.05, least: "10 millis" }), "slower")
    assert.equal(changes(1_000, 1_500, { least: "1 second" }), "")
    assert.throws(
      () => changes(1, 1, { ratio: -1 }),
      /^TypeError: Report.compare: ratio must be a number from 0 on, got -1$/
    )
    assert.throws(() => Report.compare([], eventsOf([])), /before has no events/)
  }))

it.effect("ten thousand steps beside each other, and a thousand inside of each other, are compared", () =>
  Effect.sync(() => {
    const beside = eventsOf(Array.from({ length: 10_000 }, (_, i) => step("load", 100, { key: String(i) })))
    assert.equal(changesOf(Report.compare(beside, beside)).length, 0)
    const nested = eventsOf(Array.from({ length: 1_000 }, (_, depth) => step("load", 100, { depth })))
    assert.equal(Report.compare(nested, nested).steps.at(-1)!.depth, 999)
  }))
