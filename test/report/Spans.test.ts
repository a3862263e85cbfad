/** Tests that a program without steps, whose spans are steps, is reported as one with steps is. */
import { Data, Effect, Fiber, Layer, Logger, Metric, Stream } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { TestClock, TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterHooks, Spans } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { nextTurn } from "../support/eventLoop.ts"
import { makeIt } from "../support/it.ts"
import { selective } from "../support/policies.ts"
import { filesIn, tempFolder } from "../support/record.ts"

const it = makeIt(test)

class NoSuchTable extends Data.TaggedError("NoSuchTable")<{ readonly table: string }> {}

const query = Effect.fn("sql.query")(function*(table: string) {
  yield* Effect.sleep("2 seconds")
  return table === "prices" ? yield* new NoSuchTable({ table }) : 412
})

const load = Effect.fn("load")(function*(table: string) {
  yield* Effect.annotateCurrentSpan({ table })
  const rows = yield* query(table)
  yield* Effect.annotateCurrentSpan({ rows })
  return rows
})

/** Knows nothing of steps. */
const nightly = Effect.forEach(["orders", "prices"], load, { concurrency: 2 }).pipe(Effect.withSpan("nightly"))

it.effect("a program with spans has progress, a record, a timeline, metrics and alerts", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const { layer: alerter, list: alerts } = selective(() => true)
    const observers = Report.layerProgress({ mode: "plain" }).pipe(
      Layer.provideMerge(Report.layerRecord({ folder })),
      Layer.provideMerge(Report.layerMetrics)
    )
    const spans = Spans.layer({
      steps: /^(nightly|load)$/,
      key: ({ attributes }) => attributes.get("table")?.toString(),
      hooks: AlerterHooks.failure,
      overdue: "1 second"
    })
    const fiber = yield* Effect.exit(nightly).pipe(
      Effect.provide(spans.pipe(Layer.provideMerge(observers), Layer.provide(alerter))),
      Effect.provide(Logger.layer([])),
      Effect.forkChild
    )
    // the record is a file, which is opened by the machine's clock
    while (filesIn(folder).length === 0) {
      yield* nextTurn
      yield* TestClock.adjust(0)
    }
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(fiber)

    assert.deepEqual((yield* TestConsole.errorLines).map((line) => String(line).replace(/ \(run .*/, "")), [
      "▶ nightly",
      "  ▶ nightly",
      "  ▶ nightly > load[orders]  table=orders",
      "  ▶ nightly > load[prices]  table=prices",
      "  ◷ nightly is still running after 1 s",
      "  ◷ nightly > load[orders] is still running after 1 s",
      "  ◷ nightly > load[prices] is still running after 1 s",
      "  ✓ nightly > load[orders] (2 s)  table=orders rows=412",
      "  ✗ nightly > load[prices] (2 s): NoSuchTable: table prices  table=prices",
      "  ✗ nightly (2 s): NoSuchTable: table prices",
      "✗ nightly (2 s, 3 steps)"
    ])
    assert.deepEqual(alerts.map(({ fields, title }) => [title, fields.find(({ name }) => name === "table")?.value]), [
      ["nightly › load[prices] failed", "prices"]
    ])

    const read = yield* Stream.runCollect(Report.read(filesIn(folder)[0]!))
    const [recorded] = yield* Report.list({ folder })
    assert.deepEqual([recorded!.pipelineName, recorded!.status], ["nightly", "failure"])
    assert.match(Report.mermaid(read), /orders[^]*:done[^]*prices[^]*:crit/)
    assert.match(Report.svg(read), /load\[orders\][^]*load\[prices\]/)

    const text = yield* PrometheusMetrics.format()
    assert.match(text, /epilogue_steps_total\{pipeline="nightly",step="load",outcome="failure"\} 1/)
    assert.match(text, /epilogue_runs_total\{pipeline="nightly",outcome="failure"\} 1/)
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
