import { Effect } from "effect"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import { test } from "node:test"
import { Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { assertExitCode, epilogue, onEachRuntime } from "../support/command.ts"
import { makeIt } from "../support/it.ts"
import { filesIn, readAll, tempFolder } from "../support/record.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

/** A step in a step in a step, of which the innermost has this body. */
const nested = (depth: number, body: Effect.Effect<unknown, Error>) => {
  let step = Step.make(`s${depth}`, body)
  for (let n = depth - 1; n > 0; n--) step = Step.make(`s${n}`, step)
  return Pipeline.make("deep", step)
}

it.live("20,000 steps, each in the one before, are recorded, shown and drawn in seconds", () =>
  Effect.gen(function*() {
    const depth = 20_000
    const folder = yield* tempFolder
    yield* Effect.exit(
      Effect.provide(nested(depth, Effect.fail(new Error("no such row"))), Report.layerRecord({ folder }))
    )
    const [file] = filesIn(folder)
    assert.ok(fs.statSync(file!).size < 40_000_000)
    const { events, skipped } = yield* readAll(file!)
    assert.deepEqual(skipped, [])
    assert.equal(events.filter(({ _tag }) => _tag === "StepEnded").length, depth)
    assert.ok(Report.html(events).includes("s20000"))
    assert.ok(Report.svg(events).startsWith("<svg"))
    assert.ok(Report.svg(events, { maxRows: 30_000 }).length < 50_000_000)
    assert.ok(Report.mermaid(events, { maxRows: 30_000 }).length < 50_000_000)
    yield* onEachRuntime((runtime) =>
      Effect.scoped(Effect.gen(function*() {
        const shown = yield* epilogue(runtime, ["show", file!], { cwd: folder })
        assertExitCode(shown, 0)
        const lines = shown.stdout.split("\n")
        const innermost = lines.find((line) => line.includes("s20000"))!
        assert.match(innermost, /^ +… 20000 └─ ✗ s20000 \(.*\): Error: no such row$/)
        assert.ok(lines.every((line) => line.length < 300))
      }))
    )
  }))

it.live("the path of a deeply nested step has its beginning and its end in events and records", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    yield* Effect.provide(nested(40, Effect.void), Report.layerRecord({ folder }))
    const { events } = yield* readAll(filesIn(folder)[0]!)
    const paths = events.flatMap((event) => event._tag === "StepStarted" ? [event.stepPath] : [])
    const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `s${from + i}`)
    assert.deepEqual(paths[31], names(1, 32))
    assert.deepEqual(paths[32], [...names(1, 15), "…", ...names(18, 33)])
    assert.deepEqual(paths[39], [...names(1, 15), "…", ...names(25, 40)])
    // each step is drawn in the one before
    assert.equal(Report.mermaid(events).match(/(↳ )*s40, /)?.[0], `${"↳ ".repeat(30)}s40, `)
  }))
