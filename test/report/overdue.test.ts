/** Tests what progress, records, charts and metrics show of steps and runs that are overdue. */
import { test } from "bun:test"
import { Effect, Fiber, type Layer, Metric, Schema } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { TestClock, TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { runLines } from "../../src/cli/records/tree.ts"
import { Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { Runs } from "../../src/report/internal/events/model.ts"
import { make as makeGithub } from "../../src/report/internal/progress/github.ts"
import { timeline } from "../../src/report/internal/timeline/rows.ts"
import { fakeTerminal } from "../support/fakeTerminal.ts"
import { makeIt } from "../support/it.ts"
import { events } from "../support/observe.ts"
import { assertScreen, shown } from "../support/progress.ts"

const it = makeIt(test)

const nightly = Pipeline.make(
  "nightly",
  Step.make("load", Effect.sleep("43 minutes")).pipe(Step.key(7), Step.overdue("10 minutes", { every: "30 minutes" }))
).pipe(
  Pipeline.runName("tonight"),
  Pipeline.deadline("06:00", { timeZone: "Europe/Berlin" })
)

/** Evaluates the pipeline from half past five on, with an observer or a layer around it. */
const observed = (layer: Layer.Layer<never>) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-11-29T04:30:00Z"))
    const fiber = yield* Effect.forkDetach(Effect.provide(nightly, layer), { startImmediately: true })
    yield* TestClock.adjust("2 hours")
    yield* Fiber.join(fiber)
  })

const recorded = Effect.gen(function*() {
  const emitted = events()
  yield* observed(emitted.layer)
  return emitted.list
})

it.effect("plain progress has a line each time", () =>
  Effect.gen(function*() {
    yield* observed(Report.layerProgress({ mode: "plain" }))
    assert.deepEqual(yield* TestConsole.errorLines, [
      "▶ nightly (run tonight)",
      "  ▶ load[7]",
      "  ◷ load[7] is still running after 10 min",
      "  ◷ nightly has not ended by 06:00 Europe/Berlin",
      "  ◷ load[7] is still running after 40 min",
      "  ✓ load[7] (43 min)",
      "✓ nightly (43 min, 1 step)"
    ])
  }))

it.effect("the log of GitHub Actions has a warning for each limit, once", () =>
  Effect.gen(function*() {
    const lines = (yield* recorded).flatMap(makeGithub())
    assert.deepEqual(lines.filter((line) => /◷|warning/.test(line)), [
      "  ◷ load[7] is still running after 10 min",
      "::warning title=nightly > load[7] is overdue::load[7] is still running after 10 min",
      "  ◷ nightly has not ended by 06:00 Europe/Berlin",
      "::warning title=nightly is overdue::nightly has not ended by 06:00 Europe/Berlin",
      "  ◷ load[7] is still running after 40 min"
    ])
  }))

it.effect("the tree shows beside the running time at which limit a step or a run is overdue", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { layer } = yield* shown(terminal)
    const load = Step.make("load", Effect.sleep("6 seconds")).pipe(Step.overdue("2 seconds"))
    const fiber = yield* Pipeline.make("nightly", load).pipe(
      Pipeline.overdue("3 seconds"),
      Effect.provide(layer),
      Effect.forkChild
    )
    yield* TestClock.adjust("2500 millis")
    assertScreen(terminal, "⠴ nightly (2.5 s, 1 running)", "└─ ⠴ load (2.5 s) ◷ overdue after 2 s")
    yield* TestClock.adjust("1500 millis")
    assertScreen(
      terminal,
      "⠋ nightly (4.0 s, 1 running) ◷ overdue after 3 s",
      "└─ ⠋ load (4.0 s) ◷ overdue after 2 s"
    )
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(fiber)
    assertScreen(terminal, "✓ nightly (6 s, 1 step)", "└─ ✓ load (6 s)")
  }))

it.effect("records keep the events, and show says at which limit a step was overdue", () =>
  Effect.gen(function*() {
    const json = (yield* recorded).map(Report.fromRunEvent)
    const late = json.filter(({ _tag }) => _tag.endsWith("Overdue"))
    const run = { pipelineName: "nightly", runId: json[0]!.runId, runName: "tonight" }
    const step = { stepName: "load", stepKey: "7", stepPath: ["load"], stepLabels: ["load[7]"], index: 0, attempt: 1 }
    const at = (minutes: number) => Date.parse("2026-11-29T04:30:00Z") + minutes * 60_000
    assert.deepEqual(late, [
      { _tag: "StepOverdue", ...run, at: at(10), ...step, elapsedMillis: 600_000, limitMillis: 600_000, times: 1 },
      {
        _tag: "RunOverdue",
        ...run,
        at: at(30),
        elapsedMillis: 1_800_000,
        limitMillis: 1_800_000,
        times: 1,
        deadline: "2026-11-29T06:00:00.000+01:00[Europe/Berlin]"
      },
      { _tag: "StepOverdue", ...run, at: at(40), ...step, elapsedMillis: 2_400_000, limitMillis: 600_000, times: 2 }
    ])
    for (const event of late) {
      assert.deepEqual(Schema.decodeUnknownSync(Report.Event)(JSON.parse(JSON.stringify(event))), event)
    }
    const runs = new Runs()
    for (const event of json) {
      runs.apply(event)
    }
    const lines = runLines([...runs.byId.values()][0]!, undefined).map((line) => line.map(([text]) => text).join(""))
    assert.deepEqual(lines.slice(1), [
      "✓ nightly (43 min, 1 step, overdue at 06:00 Europe/Berlin)",
      "└─ ✓ load[7] (43 min, overdue after 10 min)"
    ])
  }))

it.effect("charts mark when a step and a run were overdue", () =>
  Effect.gen(function*() {
    const json = (yield* recorded).map(Report.fromRunEvent)
    const { rows } = timeline(json)
    assert.deepEqual(rows.map(({ overdue, start }) => [(overdue!.at - start) / 60_000, overdue!.limit]), [
      [30, "overdue at 06:00 Europe/Berlin"],
      [10, "overdue after 10 min"]
    ])
    assert.deepEqual(rows[1]!.facts, [{ name: "Late", value: "overdue after 10 min, told 2 times" }])
    const mermaid = Report.mermaid(json)
    assert.match(mermaid, /section nightly · tonight, succeeded, overdue at 06#58;00 Europe\/Berlin\n/)
    assert.match(mermaid, /load#91;7#93;, overdue after 10 min, 43 min :done/)
    const svg = Report.svg(json)
    assert.match(svg, />overdue</)
    assert.match(svg, /1 step · 1 overdue/)
    assert.match(Report.html(json), /overdue after 10 min/)
  }))

it.effect("metrics count each limit once", () =>
  Effect.gen(function*() {
    yield* observed(Report.layerMetrics)
    const text = yield* PrometheusMetrics.format()
    assert.match(text, /^epilogue_steps_overdue_total\{pipeline="nightly",step="load"\} 1$/m)
    assert.match(text, /^epilogue_runs_overdue_total\{pipeline="nightly"\} 1$/m)
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

it.effect("a record of a version without these events is read as before, and one with them by a model that begins late", () =>
  Effect.sync(() => {
    const runs = new Runs()
    const run = { pipelineName: "p", runId: "r", runName: "n" }
    const info = { stepName: "s", stepPath: ["s"], index: 3 }
    const late = { elapsedMillis: 600_000, limitMillis: 300_000, times: 4, attempt: 1 }
    runs.apply({ _tag: "StepOverdue", ...run, at: 1_000_000, ...info, ...late })
    const [step] = runs.byId.get("r")!.steps
    assert.deepEqual([step!.startedAt, step!.overdue], [400_000, {
      at: 1_000_000,
      limitMillis: 300_000,
      deadline: undefined,
      times: 1
    }])
  }))
