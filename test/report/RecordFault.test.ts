/** Tests records that can't be written: on full disks, in pipes, and in folders that are missing or removed. */
import { Effect, Exit, type Layer, Metric, Stream } from "effect"
import * as assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import process from "node:process"
import { test } from "node:test"
import { Pipeline } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { events, logs } from "../support/observe.ts"
import { filesIn, readAll, step, tempFolder } from "../support/record.ts"

const it = makeIt(test)

/** Limits how many bytes can still be written. */
const disk = Effect.acquireRelease(
  Effect.sync(() => {
    // the module object that the library uses: an imported namespace can't be changed
    const module = process.getBuiltinModule("node:fs")
    const { writeSync } = module
    const disk = { free: Infinity, end: () => Object.assign(module, { writeSync }) }
    const limited = (fd: number, bytes: Uint8Array, offset: number, length: number): number => {
      if (disk.free === 0) throw Object.assign(new Error("no space left"), { code: "ENOSPC" })
      const written = writeSync(fd, bytes, offset, Math.min(length, disk.free))
      disk.free -= written
      return written
    }
    Object.assign(module, { writeSync: limited })
    return disk
  }),
  (disk) => Effect.sync(disk.end)
)

for (const own of [true, false]) {
  it.live(`${own ? "a file of one run" : "a file of several runs"} says how many events are lost, and has all others`, () =>
    Effect.gen(function*() {
      const folder = yield* tempFolder
      const recording = own
        ? Report.layerRecord({ folder })
        : Report.layerRecord({ file: path.join(folder, "runs.jsonl") })
      const told = events()
      const logged = logs()
      const limits = yield* disk
      const pause = Effect.sleep("3 millis")
      yield* Pipeline.make(
        "p",
        Effect.gen(function*() {
          yield* step("a", pause)
          limits.free = 30
          yield* pause
          yield* step("b", pause)
          yield* step("c", pause)
          limits.free = Infinity
          yield* step("d", pause)
        })
      ).pipe(Effect.provide(recording), Effect.provide(told.layer), Effect.provide(logged.layer))
      const [file] = filesIn(folder)
      const { events: read, skipped } = yield* readAll(file!)
      const lost = 4
      assert.deepEqual(read, told.list.map(Report.fromRunEvent).toSpliced(3, lost))
      assert.deepEqual(skipped.map(({ events, reason }) => [reason, events]), [["torn", 1], ["lost", lost]])
      assert.equal(logged.list.length, 1)
      assert.equal(fs.readFileSync(file!, "utf8").match(/"_tag":"Record"/g)?.length, 2)
    }))
}

it.live("a file that is full from the start gets its header when there is room again", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const limits = yield* disk
    limits.free = 0
    const logged = logs()
    yield* Pipeline.make(
      "p",
      Effect.gen(function*() {
        yield* step("a")
        yield* Effect.sleep("5 millis")
        limits.free = Infinity
        yield* step("b")
      })
    ).pipe(Effect.provide(Report.layerRecord({ folder })), Effect.provide(logged.layer))
    const { events: read, skipped } = yield* readAll(filesIn(folder)[0]!)
    assert.deepEqual(read.map(({ _tag }) => _tag), ["StepStarted", "StepEnded", "RunEnded"])
    assert.deepEqual(skipped, [{ line: 2, reason: "lost", events: 3 }])
    assert.equal(logged.list.length, 1)
    assert.equal((yield* Report.list({ folder }))[0]?.status, "success")
  }))

it.live("a recorder writes no line after the half of one that another left in their file when the disk was full", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const limits = yield* disk
    const pause = Effect.sleep("3 millis")
    const recorded = (name: string, run: Effect.Effect<unknown>) =>
      Pipeline.make(name, run).pipe(Effect.provide(Report.layerRecord({ file })), Effect.provide(logs().layer))
    const torn = recorded(
      "torn",
      Effect.gen(function*() {
        limits.free = 30
        yield* step("b", pause)
        limits.free = 0
      })
    )
    yield* recorded(
      "whole",
      Effect.gen(function*() {
        yield* step("a", pause)
        // a program of its own, with a recorder of its own
        yield* Effect.promise(() => Effect.runPromise(torn))
        yield* step("c", pause)
        limits.free = Infinity
        yield* step("d", pause)
      })
    )
    const { events: read, skipped } = yield* readAll(file)
    const lines = fs.readFileSync(file, "utf8").split("\n")
    assert.deepEqual(skipped.map(({ reason }) => reason).filter((reason) => reason !== "lost"), ["torn"])
    assert.equal(lines.findIndex((line) => line.indexOf("{\"_tag\"", 1) > 0), -1)
    assert.equal(lines.filter((line) => line.startsWith("{\"_tag\":\"Record\"")).length, 3)
    assert.deepEqual(
      read.filter(({ pipelineName }) => pipelineName === "whole").map(({ _tag }) => _tag),
      ["RunStarted", "StepStarted", "StepEnded", "StepStarted", "StepEnded", "RunEnded"]
    )
  }))

it.live("a file whose descriptor other code has closed is opened again", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const module = process.getBuiltinModule("node:fs")
    const { openSync } = module
    const opened: Array<number> = []
    const noted = (...args: Parameters<typeof openSync>): number => {
      const fd = openSync(...args)
      if (String(args[0]).startsWith(folder) && args[1] !== "r") opened.push(fd)
      return fd
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => Object.assign(module, { openSync: noted })),
      () => Effect.sync(() => Object.assign(module, { openSync }))
    )
    const logged = logs()
    const pause = Effect.sleep("3 millis")
    const close = Effect.sync(() => fs.closeSync(opened[0]!))
    const file = path.join(folder, "runs.jsonl")
    yield* Pipeline.make("p", Effect.all([step("a", pause), close, step("b", pause), step("c", pause)])).pipe(
      Effect.provide(Report.layerRecord({ file })),
      Effect.provide(logged.layer)
    )
    const { events: read, skipped } = yield* readAll(file)
    assert.deepEqual(skipped.map(({ events, reason }) => [reason, events]), [["lost", 1]])
    assert.deepEqual(read.map(({ _tag, runName }) => [_tag, runName === read[0]?.runName]).at(-1), ["RunEnded", true])
    assert.equal(logged.list.length, 1)
  }))

it.live("layerRecord fails when its place can't be written to", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = path.join(folder, "file")
    fs.writeFileSync(file, "")
    let ran = false
    const run = Effect.sync(() => {
      ran = true
    })
    const failure = (layer: Layer.Layer<never, Report.RecordError>) => Effect.flip(Effect.provide(run, layer))
    const inFile = yield* failure(Report.layerRecord({ file: path.join(file, "runs.jsonl") }))
    assert.deepEqual({ ...inFile.reason }, { _tag: "Inaccessible", operation: "record runs to", code: "ENOTDIR" })
    assert.equal(
      inFile.message,
      `can't record runs to ${
        path.join(file, "runs.jsonl")
      }: a part of the path is a file, and a folder is needed (ENOTDIR)`
    )
    assert.ok(Report.isRecordError(inFile))
    assert.equal(
      (yield* failure(Report.layerRecord({ file: folder }))).message,
      `can't record runs to ${folder}: it is a folder, and a file is needed (EISDIR)`
    )
    assert.match(
      (yield* failure(Report.layerRecord({ folder: file }))).message,
      /^can't record runs in .*: EEXIST$/
    )
    const text = "name: nightly\n"
    fs.writeFileSync(file, text)
    assert.equal(
      (yield* failure(Report.layerRecord({ file }))).message,
      `${file}:1: this is no record of a run: expected a line that begins with {"_tag":"Record","version":`
    )
    assert.equal(fs.readFileSync(file, "utf8"), text)
    assert.equal(ran, false)
  }))

const lostEvents = Effect.map(
  Metric.snapshot,
  (all) =>
    all.flatMap((metric) =>
      metric.id === "epilogue_record_lost_events_total" && metric.type === "Counter" ? [Number(metric.state.count)] : []
    )[0] ?? 0
)

const scoped = (effect: Effect.Effect<void>) => Effect.provideService(effect, Metric.MetricRegistry, new Map())

if (fs.existsSync("/dev/full")) {
  it.live("on a full disk the run goes on, the fault is logged once, and lost events are counted", () =>
    scoped(Effect.gen(function*() {
      const logged = logs()
      const exit = yield* Effect.exit(
        Pipeline.make("p", Effect.as(Effect.andThen(step("a"), step("b")), 1)).pipe(
          Effect.provide(Report.layerRecord({ file: "/dev/full" })),
          Effect.provide(logged.layer)
        )
      )
      assert.deepEqual(exit, Exit.succeed(1))
      assert.deepEqual(logged.list.map(({ level, message }) => [level, message]), [[
        "Error",
        "Report.layerRecord: can't write /dev/full: ENOSPC. The run goes on, and what can't be written of it is lost."
      ]])
      assert.equal(yield* lostEvents, 6)
    })))
}

if (os.platform() !== "win32") {
  it.live("a pipe is refused, which would block the run until somebody reads it, and the reader", () =>
    Effect.gen(function*() {
      const pipe = path.join(yield* tempFolder, "runs.jsonl")
      execFileSync("mkfifo", [pipe])
      const why = "it is a pipe, whose other end would have to be waited for: name a file"
      const recorded = Effect.provide(Pipeline.make("p", step("a")), Report.layerRecord({ file: pipe }))
      const refused = yield* Effect.flip(recorded)
      assert.ok(Report.isRecordError(refused))
      assert.equal(refused.message, `can't record runs to ${pipe}: ${why}`)
      assert.equal((yield* Effect.flip(readAll(pipe))).message, `can't open ${pipe}: ${why}`)
      const logged = logs()
      yield* Pipeline.make("p", step("a")).pipe(
        Effect.provide(Report.layerJunit({ file: pipe })),
        Effect.provide(Report.layerJobSummary({ file: pipe })),
        Effect.provide(logged.layer)
      )
      assert.deepEqual(logged.list.map(({ level, message }) => [level, String(message)]).toSorted(), [
        ["Warn", `Report.layerJobSummary: can't write ${pipe}: ${why}`],
        ["Warn", `Report.layerJunit: can't write ${pipe}: ${why}`]
      ])
    }))
}

if (os.platform() === "linux") {
  it.live("what has no end is refused, and what would be waited for", () =>
    Effect.gen(function*() {
      const read = (file: string, maxBytes?: number) => Stream.runCount(Report.read(file, { maxBytes }))
      const noRecord = "this is no record of a run: expected a line that begins with {\"_tag\":\"Record\",\"version\":"
      assert.equal((yield* Effect.flip(read("/dev/zero"))).message, `/dev/zero:1: ${noRecord}`)
      assert.equal(
        (yield* Effect.flip(Stream.runCount(Report.follow("/dev/zero")))).message,
        `/dev/zero:1: ${noRecord}`
      )
      assert.equal(
        (yield* Effect.flip(read("/dev/ptmx"))).message,
        "can't read /dev/ptmx: it has nothing to read until somebody writes to it: name a file"
      )
      // a pipe that this process has open, as standard input may be, with lines that count as no event
      const pipe = path.join(yield* tempFolder, "runs.jsonl")
      execFileSync("mkfifo", [pipe])
      const fd = yield* Effect.acquireRelease(
        Effect.sync(() => fs.openSync(pipe, fs.constants.O_RDWR)),
        (fd) => Effect.sync(() => fs.closeSync(fd))
      )
      fs.writeSync(fd, `{"_tag":"Record","version":2}\n${"\n".repeat(2_000)}`)
      assert.deepEqual((yield* Effect.flip(read(`/proc/self/fd/${fd}`, 1_000))).reason, {
        _tag: "TooLarge",
        size: 2_030,
        limit: 1_000
      })
    }))
}

it.live("a folder that is removed is made again for the next run", () =>
  Effect.gen(function*() {
    const folder = path.join(yield* tempFolder, "runs")
    const run = (name: string) => Pipeline.make(name, step("a"))
    yield* Effect.provide(
      Effect.gen(function*() {
        yield* run("first")
        fs.rmSync(folder, { recursive: true })
        yield* run("second")
      }),
      Report.layerRecord({ folder })
    )
    assert.equal(filesIn(folder).length, 1)
  }))
