/** Tests the parts of records that depend on the runtime, on Bun, Deno and Node: files, times, the end of a process. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import process from "node:process"
import { test } from "node:test"
import { Hook, Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { events, logs } from "../support/observe.ts"
import { forAll } from "../support/property.ts"
import { filesIn, readAll, tempFolder } from "../support/record.ts"
import { ended, start, writeRecord } from "../support/recordFiles.ts"

const it = makeIt(test)

const hooked = Step.make("夜", Effect.succeed(1)).pipe(
  Step.hooks(Hook.onSuccess(() => Effect.void).pipe(Hook.named("h")))
)

const run = (n: number) =>
  Pipeline.make(
    "p",
    Effect.gen(function*() {
      for (let i = 0; i < n; i++) yield* hooked
      yield* Effect.exit(Step.make("outer", Step.make("inner", Effect.fail("no"))))
      yield* Effect.sleep("2 millis")
    })
  )

it.live("a recorded run is read back unchanged, from a single file and from a folder of runs", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = path.join(folder, "runs.jsonl")
    const emitted = events()
    yield* run(2_000).pipe(
      Effect.provide(Report.layerRecord({ file })),
      Effect.provide(Report.layerRecord({ folder: path.join(folder, "runs") })),
      Effect.provide(emitted.layer)
    )
    const expected = emitted.list.map(Report.fromRunEvent)
    for (const place of [file, ...filesIn(path.join(folder, "runs"))]) {
      const { events, skipped } = yield* readAll(place)
      assert.deepEqual(skipped, [])
      assert.deepEqual(events, expected)
    }
    const [recorded] = yield* Report.list({ folder: path.join(folder, "runs") })
    assert.deepEqual([recorded?.status, recorded?.steps], ["success", 2_002])
    const found = yield* Report.find(recorded!.runId.slice(0, 8), { folder: path.join(folder, "runs") })
    assert.deepEqual(found, recorded)
    assert.deepEqual(yield* Report.prune({ folder: path.join(folder, "runs"), keep: 0 }), [recorded])
  }))

it.live("a recorded run with any name and annotations is read back unchanged", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    let n = 0
    const Input = Schema.Struct({ name: Schema.String, notes: Schema.Record(Schema.String, Schema.Json) })
    yield* forAll(Input, ({ name, notes }) =>
      Effect.gen(function*() {
        const file = path.join(folder, `${++n}`)
        const emitted = events()
        const inner = Effect.andThen(hooked, Effect.andThen(hooked, hooked))
        yield* Pipeline.make(`${name}.`, Step.annotate(Step.make(`${name}.`, inner), notes)).pipe(
          Effect.provide(Report.layerRecord({ file })),
          Effect.provide(emitted.layer)
        )
        const { events: read, skipped } = yield* readAll(file)
        assert.deepEqual(skipped, [])
        // through JSON, which has no negative zero
        assert.deepEqual(read, JSON.parse(JSON.stringify(emitted.list.map(Report.fromRunEvent))))
      }), 30)
  }))

it.live("a RecordError has the system's error code", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const missing = yield* Effect.flip(Stream.runDrain(Report.read(path.join(folder, "none"))))
    assert.deepEqual({ ...missing.reason }, { _tag: "Inaccessible", operation: "open", code: "ENOENT" })
    const refused = yield* Effect.flip(Effect.provide(Effect.void, Report.layerRecord({ file: folder })))
    assert.deepEqual({ ...refused.reason }, { _tag: "Inaccessible", operation: "record runs to", code: "EISDIR" })
  }))

if (fs.existsSync("/dev/full")) {
  it.live("a full disk is logged once and does not fail the run", () =>
    Effect.gen(function*() {
      const logged = logs()
      yield* run(10).pipe(Effect.provide(Report.layerRecord({ file: "/dev/full" })), Effect.provide(logged.layer))
      assert.deepEqual(logged.list.map(({ level }) => level), ["Error"])
      assert.match(logged.list[0]!.message, /\/dev\/full: ENOSPC/)
    }))
}

it.live("nothing is lost by process.exit, nor by Deno's own, and no timer keeps a process alive", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const fixture = path.join(import.meta.dirname, "..", "report", "fixtures", "recording.ts")
    const deno = "deno" in process.versions
    const node = !deno && !("bun" in process.versions)
    for (const way of deno ? ["exiting", "exitingDeno"] : ["exiting"]) {
      const file = path.join(folder, `${way}.jsonl`)
      const args = [fixture, way, file, "777"]
      const child = spawnSync(
        process.execPath,
        deno ? ["run", "-A", ...args] : node ? ["--conditions=@effect-epilogue/source", ...args] : args,
        { encoding: "utf8" }
      )
      assert.equal(child.status, 3, child.stderr)
      const { events } = yield* readAll(file)
      assert.equal(events.filter(({ _tag }) => _tag === "StepEnded").length, 777)
    }
  }))

it.live("a run of very many steps that ended with a very long cause is listed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const step = (index: number) => ({ _tag: "StepStarted", at: start, stepName: "s", stepPath: ["s"], index })
    const cause = "no ".repeat(1_000_000)
    writeRecord(folder, {
      id: "a",
      lines: [...Array.from({ length: 150_000 }, (_, index) => step(index)), { ...ended("failure", 5), cause }]
    })
    const list = yield* Report.list({ folder })
    assert.deepEqual(list.map(({ status }) => status), ["failure"])
  }))

if (fs.existsSync("/proc/self")) {
  it.live("fails where no folder can be made", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.provide(Effect.void, Report.layerRecord({ file: "/proc/none/runs.jsonl" }))
      )
      assert.equal(error.message, "can't record runs to /proc/none/runs.jsonl: ENOENT")
    }))
}
