/** Skips in progress, records, timelines, summaries, metrics and pings. */
import { test } from "bun:test"
import { Effect, type Layer, Metric, Redacted } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { runLines } from "../../src/cli/records/tree.ts"
import { Pipeline, RunEvent, Secrets, Step } from "../../src/index.ts"
import { Healthchecks } from "../../src/monitors/index.ts"
import { Report } from "../../src/report/index.ts"
import { toEventJson } from "../../src/report/internal/events/eventJson.ts"
import { Runs } from "../../src/report/internal/events/model.ts"
import { channelServer } from "../support/channelServer.ts"
import { fakeTerminal } from "../support/fakeTerminal.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { assertScreen, shown } from "../support/progress.ts"
import { jsonOf } from "../support/record.ts"

const it = makeIt(test)

const quiet = logs().layer

const extract = Step.make("extract", Effect.void)
const weekly = Step.make("weekly", Effect.void).pipe(Step.when(false, { reason: "only on Mondays" }))
const load = Step.make("load", Step.skip("no rows\n::error::forged"))

/** Two of its steps are skipped, and so is the run. */
const nightly = Pipeline.make("nightly", Effect.all([extract, weekly, load])).pipe(Pipeline.runName("tonight"))

const evaluate = (layer: Layer.Layer<never>) => Effect.exit(Effect.provide(nightly, [layer, quiet]))

const recorded = jsonOf(evaluate)

it.effect("plain lines say what was skipped, and why", () =>
  Effect.gen(function*() {
    yield* evaluate(Report.layerProgress({ mode: "plain" }))
    assert.deepEqual(yield* TestConsole.errorLines, [
      "▶ nightly (run tonight)",
      "  ▶ extract",
      "  ✓ extract (0 ms)",
      "  ▶ weekly",
      "  ↓ weekly (skipped, 0 ms): only on Mondays",
      "  ▶ load",
      "  ↓ load (skipped, 0 ms): no rows ::error::forged",
      "↓ nightly (skipped, 0 ms, 3 steps): no rows ::error::forged"
    ])
  }))

it.effect("GitHub's log has no annotation for a skip, and a reason is no command", () =>
  Effect.gen(function*() {
    yield* evaluate(Report.layerProgress({ mode: "github", stream: "stderr" }))
    const lines = (yield* TestConsole.logLines).map(String)
    assert.deepEqual(lines.filter((line) => line.startsWith("::")), [
      "::group::▶ nightly (run tonight)",
      "::endgroup::"
    ])
    assert.equal(lines.at(-1), "↓ nightly (skipped, 0 ms, 3 steps): no rows ::error::forged")
  }))

it.effect("the tree counts skips, and shows the reasons", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { layer } = yield* shown(terminal)
    const run = Pipeline.make("p", Effect.andThen(Effect.all([extract, weekly]), Effect.never))
    const fiber = yield* Effect.forkChild(Effect.provide(run, layer), { startImmediately: true })
    yield* TestClock.adjust("500 millis")
    assertScreen(
      terminal,
      "⠴ p (0.5 s, 1 done, 1 skipped)",
      "├─ ✓ extract (0 ms)",
      "└─ ↓ weekly (skipped, 0 ms): only on Mondays"
    )
    fiber.interruptUnsafe()
  }))

it.effect("`epilogue show` of a record has the skips, and so have the chart, the page and the picture", () =>
  Effect.gen(function*() {
    const events = yield* recorded
    const runs = new Runs()
    for (const event of events) runs.apply(event)
    const [run] = runs.byId.values()
    const lines = runLines(run!, undefined).map((line) => line.map(([text]) => text).join(""))
    assert.deepEqual(lines.slice(1), [
      "↓ nightly (skipped, 0 ms, 3 steps): no rows",
      "├─ ✓ extract (0 ms)",
      "├─ ↓ weekly (skipped, 0 ms): only on Mondays",
      "└─ ↓ load (skipped, 0 ms): no rows"
    ])
    const chart = Report.mermaid(events)
    assert.match(chart, /section nightly · tonight, skipped\n/)
    assert.match(chart, /load, skipped, 0 ms :done/)
    assert.ok(Report.html(events).includes("\"ending\":\"skip\""))
    assert.match(Report.svg(events), /3 steps · 2 skipped/)
  }))

it.effect("summaries tell skips from failures", () =>
  Effect.gen(function*() {
    const events = yield* recorded
    const xml = Report.junit(events)
    assert.match(xml, /<testsuites name="[^"]*" tests="3" failures="0" errors="0" skipped="2"/)
    assert.match(xml, /<skipped message="only on Mondays"\/>/)
    const markdown = Report.markdown(events)
    assert.match(markdown, /\| ⏭️ \| weekly \| 0 ms \| skipped&#58; only on Mondays \|/)
    assert.match(Report.badge({ pipelineName: "p", status: "skip", duration: 0 as never }), /p: skipped/)
  }))

it.effect("metrics count skips by their outcome", () =>
  Effect.gen(function*() {
    yield* evaluate(Report.layerMetrics)
    const snapshot = yield* Metric.snapshot
    const counted = (of: string) =>
      snapshot.filter(({ id }) => id === of).map(({ attributes }) =>
        `${attributes?.["step"] ?? attributes?.["pipeline"]} ${attributes?.["outcome"]}`
      ).toSorted()
    assert.deepEqual(counted("epilogue_steps_total"), ["extract success", "load skip", "weekly skip"])
    assert.deepEqual(counted("epilogue_runs_total"), ["nightly skip"])
    const running = snapshot.filter(({ id }) => id === "epilogue_steps_running")
    assert.deepEqual(running.map(({ state }) => "value" in state ? state.value : undefined), [0, 0, 0])
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

it.live("a monitor is told that a skipped run succeeded, with the reason", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 200, body: "OK" })
    const url = Redacted.make(`${server.url}/8a9c1f2e-0000-4000-8000-000000000000`)
    yield* Effect.exit(Effect.provide(nightly, Healthchecks.layer({ url })))
    const last = server.requests.at(-1)!
    assert.ok(!/\/(fail|start)/.test(last.path), last.path)
    assert.match(last.body, /nightly was skipped after .* \(3 steps\): no rows/)
  }))

it.effect("a secret in a reason reaches no event", () =>
  Effect.gen(function*() {
    const events: Array<RunEvent.RunEvent> = []
    const secret = "hunter2-hunter2"
    const run = Pipeline.make("p", Step.make("s", Step.skip(`no rows for ${secret}`)))
    yield* Effect.exit(run.pipe(
      Effect.provide(RunEvent.layer((event) => void events.push(event))),
      Effect.provide(Secrets.layer(Redacted.make(secret)))
    ))
    const texts = events.map((event) => JSON.stringify(toEventJson(event)))
    assert.ok(texts.some((text) => text.includes("no rows for")))
    assert.ok(!texts.join().includes(secret), texts.join("\n"))
  }))
