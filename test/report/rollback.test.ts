/** Rollbacks in progress, records, timelines and metrics. */
import { test } from "bun:test"
import { Effect, Fiber, type Layer, Metric } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { runLines } from "../../src/cli/records/tree.ts"
import { Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { Runs } from "../../src/report/internal/events/model.ts"
import { fakeTerminal } from "../support/fakeTerminal.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { assertScreen, shown } from "../support/progress.ts"
import { jsonOf } from "../support/record.ts"

const it = makeIt(test)

const quiet = logs().layer

const undone = (name: string) => Step.make(name, Effect.void).pipe(Step.onRollback(() => Effect.sleep("1 second")))

const order = Pipeline.make(
  "order",
  Effect.all([
    undone("reserve"),
    Step.make("charge", Effect.void).pipe(Step.onRollback(() => Effect.fail("no refund"))),
    Step.make("ship", Effect.fail("no carrier"))
  ])
).pipe(Pipeline.runName("tonight"))

const evaluate = (layer: Layer.Layer<never>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(order, [layer, quiet])))
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(fiber)
  })

const recorded = jsonOf(evaluate)

it.effect("plain lines say what was undone, and what was not", () =>
  Effect.gen(function*() {
    yield* evaluate(Report.layerProgress({ mode: "plain" }))
    assert.deepEqual((yield* TestConsole.errorLines).slice(-4), [
      "  ✗ ship (0 ms): no carrier",
      "  ! hook \"onRollback\" (rollback) of charge failed after 0 ms: no refund",
      "  ↶ reserve undone by hook \"onRollback\" (1 s)",
      "✗ order (1 s, 3 steps, 1 hook failed)"
    ])
  }))

it.effect("GitHub's log has an error for a step that was not undone", () =>
  Effect.gen(function*() {
    yield* evaluate(Report.layerProgress({ mode: "github", stream: "stderr" }))
    assert.ok(
      (yield* TestConsole.logLines).includes(
        "::error title=hook \"onRollback\" (rollback) of charge failed::no refund"
      )
    )
  }))

it.effect("the tree shows the hooks of a rollback, and which steps are undone", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { layer } = yield* shown(terminal)
    const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(order, layer)))
    yield* TestClock.adjust("500 millis")
    assertScreen(
      terminal,
      "⠴ order (0.5 s, 2 done, 1 failed, 1 hook failed) tonight",
      "├─ ✓ reserve (0 ms)",
      "│  └─ ⠴ hook \"onRollback\" (rollback, 0.5 s)",
      "├─ ✓ charge (0 ms)",
      "│  └─ ! hook \"onRollback\" (rollback, failed after 0 ms): no refund",
      "└─ ✗ ship (0 ms): no carrier"
    )
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(fiber)
    assertScreen(
      terminal,
      "✗ order (1 s, 3 steps, 1 hook failed)",
      "├─ ✓ reserve (0 ms, undone)",
      "├─ ✓ charge (0 ms)",
      "│  └─ ! hook \"onRollback\" (rollback, failed after 0 ms): no refund",
      "└─ ✗ ship (0 ms): no carrier"
    )
  }))

it.effect("`epilogue show`, the Markdown summary and the Mermaid chart of a record have the hooks of its rollback", () =>
  Effect.gen(function*() {
    const events = yield* recorded
    const runs = new Runs()
    for (const event of events) runs.apply(event)
    const [run] = runs.byId.values()
    const lines = runLines(run!, undefined).map((line) => line.map(([text]) => text).join(""))
    assert.deepEqual(lines.slice(2, 6), [
      "├─ ✓ reserve (0 ms, undone)",
      "│  └─ ✓ hook \"onRollback\" (rollback, 1 s)",
      "├─ ✓ charge (0 ms)",
      "│  └─ ! hook \"onRollback\" (rollback, failed after 0 ms): no refund"
    ])
    const chart = Report.mermaid(events)
    assert.match(chart, /hook onRollback, undone\s*:done/)
    assert.match(chart, /hook onRollback, failed\s*:crit/)
    const table = Report.markdown(events).split("\n").filter((line) => /^\|.*(undone|rollback)/.test(line))
    assert.equal(table.length, 2)
    assert.match(table[0]!, /reserve \|.*\| undone \|$/)
    assert.match(table[1]!, /charge \|.*\| hook “onRollback” \(rollback\) failed \|$/)
    assert.ok(Report.html(events).includes("\"kind\":\"rollback\""))
  }))

it.effect("metrics count the hooks of rollbacks as those of a kind of their own", () =>
  Effect.gen(function*() {
    yield* evaluate(Report.layerMetrics)
    const counted = (yield* Metric.snapshot).filter(({ id }) => id === "epilogue_hooks_total")
    assert.deepEqual(
      counted.map(({ attributes }) => `${attributes?.["kind"]} ${attributes?.["outcome"]}`).toSorted(),
      ["rollback failure", "rollback success"]
    )
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
