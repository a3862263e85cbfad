/** Tests the durations of runs and steps over time. */
import { Effect, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import type { Report } from "../../src/report/index.ts"
import { median, quantile } from "../../src/report/internal/ui/stats.ts"
import { addTo, slowest } from "../../src/report/internal/ui/trends.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import { start } from "../support/recordFiles.ts"

const it = makeIt(test)

const Values = Schema.Array(Schema.Literals([0, 1, 5, 5.5, 100, 9_999])).check(Schema.isMaxLength(9))

it.effect("a quantile is one of the values, which the share of them does not exceed", () =>
  forAll(Values, (values) =>
    Effect.sync(() => {
      for (const share of [0.01, 0.5, 0.95, 1]) {
        const found = quantile(values, share)
        if (values.length === 0) assert.equal(found, undefined)
        else {
          assert.ok(found !== undefined && values.some((value) => value === found))
          assert.ok(values.filter((value) => value <= found).length >= values.length * share)
          assert.ok(values.filter((value) => value < found).length < values.length * share)
        }
      }
      assert.equal(median(values), quantile(values.toReversed(), 0.5))
    })))

const ended = (stepPath: ReadonlyArray<string>, durationMillis: number, more: object = {}): Report.Event => ({
  _tag: "StepEnded",
  pipelineName: "nightly",
  runId: "7f6c",
  runName: "nightly-7",
  at: start,
  stepName: stepPath.at(-1)!,
  stepPath,
  index: 0,
  outcome: "success",
  attempts: 1,
  durationMillis,
  ...more
})

const longestOf = (...events: ReadonlyArray<Report.Event>) => {
  const longest = new Map<string, number>()
  for (const event of events) addTo(longest, event)
  return longest
}

it.effect("the slowest steps are those with the longest median, by their longest time in each run", () =>
  Effect.sync(() => {
    const steps = slowest([
      longestOf(
        ended(["load"], 100),
        ended(["load", "fetch"], 30, { stepKey: "1", stepLabels: ["load", "fetch[1]"] }),
        ended(["load", "fetch"], 70, { stepKey: "2", stepLabels: ["load", "fetch[2]"] }),
        ended(["save"], 9_000, { outcome: "interrupt" })
      ),
      longestOf(ended(["load"], 300), ended(["save"], 20)),
      longestOf(ended(["load"], 200), ended(["load", "fetch"], 90))
    ])
    assert.deepEqual(steps, [
      { path: ["load"], medianMillis: 200, p95Millis: 300, millis: [100, 300, 200] },
      { path: ["load", "fetch"], medianMillis: 70, p95Millis: 90, millis: [70, null, 90] },
      { path: ["save"], medianMillis: 20, p95Millis: 20, millis: [null, 20, null] }
    ])
  }))

it.effect("of many steps the slowest are shown, and names of any length are cut", () =>
  Effect.sync(() => {
    const many = longestOf(...Array.from({ length: 6_000 }, (_, i) => ended([`step-${i}`], i)))
    assert.equal(many.size, 5_000)
    const steps = slowest([many])
    assert.deepEqual([steps.length, steps[0]!.path], [15, ["step-4999"]])
    const [long] = slowest([longestOf(ended(Array.from({ length: 40 }, () => "x".repeat(1_000)), 1))])
    assert.deepEqual([long!.path.length, long!.path[0]!.length], [20, 500])
  }))
