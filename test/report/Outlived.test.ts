/** Tests steps on fibers of their own, which end after the run that they began in. */
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { Hook, Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { RecentRuns } from "../../src/report/internal/events/recent.ts"
import { fakeTerminal } from "../support/fakeTerminal.ts"
import { makeIt } from "../support/it.ts"
import { events } from "../support/observe.ts"
import { shown } from "../support/progress.ts"
import { filesIn, linesOf, readAll, tempFolder } from "../support/record.ts"

const it = makeIt(test)

const late = Step.make("late", Effect.andThen(Effect.sleep("20 millis"), Effect.fail("no ".repeat(2_000)))).pipe(
  Step.hooks(Hook.onFailure(() => Effect.void))
)

const run = Pipeline.make("p", Effect.forkDetach(late, { startImmediately: true }))

it.effect("after the end of the run, progress draws nothing and captures no output", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { handlers, layer } = yield* shown(terminal)
    yield* Effect.provide(run, layer)
    const ended = terminal.text()
    yield* TestClock.adjust("1 second")
    assert.equal(handlers(), undefined)
    assert.equal(terminal.text(), ended)
    assert.ok(terminal.cursor().isVisible)
  }))

for (const own of [true, false]) {
  it.live(`a step that outlives its run is recorded ${own ? "in the file of the run, which is then closed" : "in the one file of all runs"}`, () =>
    Effect.gen(function*() {
      const folder = yield* tempFolder
      const told = events()
      const recording = own
        ? Report.layerRecord({ folder })
        : Report.layerRecord({ file: path.join(folder, "runs.jsonl") })
      yield* Effect.gen(function*() {
        yield* run
        yield* Effect.sleep("60 millis")
        if (own && fs.existsSync("/proc/self/fd")) {
          const open = fs.readdirSync("/proc/self/fd").flatMap((fd) => {
            try {
              return [fs.readlinkSync(`/proc/self/fd/${fd}`)]
            } catch {
              return []
            }
          })
          assert.deepEqual(open.filter((file) => file.startsWith(folder)), [])
        }
      }).pipe(Effect.provide(Layer.provideMerge(told.layer, recording)))
      assert.deepEqual(told.list.map(({ _tag }) => _tag), [
        "RunStarted",
        "StepStarted",
        "RunEnded",
        "StepEnded",
        "HookEnded"
      ])
      const [file, ...others] = filesIn(folder)
      assert.deepEqual(others, [])
      const { events: read, skipped } = yield* readAll(file!)
      assert.deepEqual(read, told.list.map(Report.fromRunEvent))
      assert.deepEqual(skipped, [])
      assert.equal(linesOf(file!).filter(({ _tag }) => _tag === "Record").length, 1)
      // the run's end is further from the end of the file than the first window that `list` reads
      const [listed] = yield* Report.list({ folder })
      assert.equal(listed?.status, "success")
    }))
}

it.effect("a step that outlives its run can be recorded after the run's file was removed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    yield* Effect.gen(function*() {
      yield* run
      yield* Report.prune({ keep: 0, folder })
      yield* TestClock.adjust("60 millis")
    }).pipe(Effect.provide(Report.layerRecord({ folder })))
    const { events: read } = yield* readAll(filesIn(folder)[0]!)
    assert.deepEqual(read.map(({ _tag }) => _tag), ["StepEnded", "HookEnded"])
  }))

it.effect("no ended run is kept for pictures because of a step that outlives it", () =>
  Effect.gen(function*() {
    const told = events()
    yield* Effect.provide(Effect.andThen(run, TestClock.adjust("1 second")), told.layer)
    const recent = new RecentRuns(200)
    for (const event of told.list) recent.observe(event)
    assert.equal(told.list.at(-1)?._tag, "HookEnded")
    assert.equal(recent.size, 0)
  }))
