/** Tests what is found of runs that are recorded in one file. */
import { DateTime, Deferred, Duration, Effect, Fiber, Stream } from "effect"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { Pipeline, Step } from "../../src/index.ts"
import { identifyQuietly } from "../../src/internal/files/identity.ts"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { events } from "../support/observe.ts"
import { readAll, tempFolder } from "../support/record.ts"
import { ended, idOf, start, stepEnded, writeRecord, writeShared } from "../support/recordFiles.ts"

const it = makeIt(test)

/** A number that no process has, as Linux gives none above 4,194,304. */
const gone = 4_200_000

const shape = (runs: ReadonlyArray<Report.Recorded>) =>
  runs.map(({ duration, hookFailures, pipelineName, runId, startedAt, status, steps }) => [
    runId[0],
    pipelineName,
    status,
    DateTime.toEpochMillis(startedAt) - start,
    Duration.toMillis(duration),
    steps,
    hookFailures
  ])

it.live("each run of a file that has several is listed, found and read, as if it had a file of its own", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = path.join(folder, "all.jsonl")
    const bad = Step.make("load", Effect.fail("no")).pipe(Step.onFailure(() => Effect.fail("hook")))
    const layer = Report.layerRecord({ file })
    // at once, so that the lines of the runs alternate
    yield* Effect.all([
      Effect.provide(Effect.exit(Pipeline.make("bad", bad)), layer),
      Effect.provide(
        Pipeline.make("good", Effect.all([Step.make("a", Effect.sleep(5)), Step.make("b", Effect.void)])),
        layer
      )
    ], { concurrency: 2 })
    const own = Pipeline.make("own", Step.make("a", Effect.void))
    yield* Effect.provide(Effect.andThen(Effect.sleep("3 millis"), own), Report.layerRecord({ folder }))
    const listed = yield* Report.list({ folder })
    assert.deepEqual(
      listed.map(({ hookFailures, pipelineName, status, steps }) => [pipelineName, status, steps, hookFailures])
        .toSorted(),
      [["bad", "failure", 1, 1], ["good", "success", 2, 0], ["own", "success", 1, 0]]
    )
    assert.equal(listed[0]!.pipelineName, "own")
    assert.equal((yield* Report.list({ folder, limit: 2 })).length, 2)
    const inFile = yield* Report.list({ file })
    assert.deepEqual(inFile.map(({ pipelineName }) => pipelineName).toSorted(), ["bad", "good"])
    for (const { path, pipelineName, runId } of inFile) {
      assert.equal(path, file)
      for (const place of [{ folder }, { file }]) {
        assert.equal((yield* Report.find(runId.slice(0, 8), place)).pipelineName, pipelineName)
      }
      const events = yield* Stream.runCollect(Report.read(path, { runId }))
      assert.deepEqual([...new Set(events.map((event) => event.pipelineName))], [pipelineName])
      assert.equal(events.at(-1)!._tag, "RunEnded")
    }
    const none = yield* Effect.flip(Report.find("zzz", { file }))
    assert.equal(none.message, `${file}: no recorded run has an id that begins with "zzz"`)
  }))

it.live("runs in one file have a status each: that of their end, or of the process that wrote them", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = path.join(folder, "all.jsonl")
    writeShared(file, [
      { id: "a", lines: [stepEnded(0, "load", 50), ended("failure", 80)] },
      { id: "b", at: start + 1, name: "other", lines: [stepEnded(2, "load", 60)] },
      { id: "c", at: start + 2, lines: [{ _tag: "RunSuspended", at: start + 9 }] }
    ], { process: { ...identifyQuietly(), pid: gone } })
    fs.appendFileSync(file, "{\"_tag\":\"StepSt\n")
    writeShared(file, [
      // a durable run that another process continues, and one that is retried
      { id: "c", at: start + 20, lines: [ended("success", 40)] },
      { id: "a", at: start + 100, lines: [stepEnded(0, "load", 7)] }
    ], { recorder: "v" })
    const expected = [
      ["c", "nightly", "success", 2, 40, 1, 0],
      ["b", "other", "crashed", 1, 59, 3, undefined]
    ]
    const listed = shape(yield* Report.list({ folder }))
    assert.deepEqual(listed.slice(0, 2), expected)
    assert.deepEqual(listed[2]!.slice(0, 4), ["a", "nightly", "running", 0])
    // the crash is noted once, and names its run
    const noted = fs.readFileSync(file, "utf8").split("\n").filter((line) => line.includes("RunCrashed"))
    assert.deepEqual(noted.map((line) => JSON.parse(line)), [
      { _tag: "RunCrashed", pipelineName: "other", runId: idOf("b"), runName: "other-7", at: start + 60 }
    ])
    yield* Report.list({ folder })
    assert.equal(fs.readFileSync(file, "utf8").split("RunCrashed").length, 2)
    // nobody has touched the file for two minutes
    fs.utimesSync(file, Date.now() / 1000 - 120, Date.now() / 1000 - 120)
    assert.equal((yield* Report.find(idOf("a"), { file })).status, "cutOff")
  }))

it.live("a run whose process writes its end while the file is looked at has not crashed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = path.join(folder, "all.jsonl")
    writeShared(file, [{ id: "a" }], { process: { ...identifyQuietly(), pid: gone } })
    const { kill } = process
    let asked = 0
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        process.kill = () => {
          if (asked++ === 0) fs.appendFileSync(file, `${JSON.stringify({ run: "w.1", ...ended("success", 83) })}\n`)
          throw Object.assign(new Error("no such process"), { code: "ESRCH" })
        }
      }),
      () =>
        Effect.sync(() => {
          process.kill = kill
        })
    )
    assert.deepEqual((yield* Report.list({ file })).map(({ status }) => status), ["success"])
    assert.equal(asked, 1)
    assert.doesNotMatch(fs.readFileSync(file, "utf8"), /RunCrashed/)
  }))

it.live("of a file that grows, the new lines are seen, and one that was replaced is read anew", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = path.join(folder, "all.jsonl")
    const ids = Effect.map(Report.list({ folder }), (runs) => runs.map(({ runId, status }) => `${runId[0]} ${status}`))
    writeShared(file, [{ id: "a", lines: ["\n".repeat(600)] }])
    assert.deepEqual(yield* ids, ["a running"])
    const line = JSON.stringify({ run: "w.1", ...ended("success", 83) })
    fs.appendFileSync(file, line.slice(0, 20))
    assert.deepEqual(yield* ids, ["a running"])
    fs.appendFileSync(file, `${line.slice(20)}\n`)
    assert.deepEqual(yield* ids, ["a success"])
    // what was read once is not read again: what is in its place is not seen, and what is after it is
    const text = fs.readFileSync(file, "utf8")
    fs.writeFileSync(file, text.replace("\"outcome\":\"success\"", "\"outcome\":\"failure\""))
    writeShared(file, [{ id: "b", at: start + 1 }])
    assert.deepEqual(yield* ids, ["b running", "a success"])
    fs.rmSync(file)
    writeShared(file, [{ id: "d" }])
    assert.deepEqual(yield* ids, ["d running"])
    // the file that takes its place may be larger, and have its number
    fs.truncateSync(file, 0)
    writeShared(file, [{ id: "f", lines: [ended("success", 83), stepEnded(0, "x".repeat(500), 5)] }], { recorder: "u" })
    assert.deepEqual(yield* ids, ["f success"])
  }))

it.live("a run that has a file of its own, too, is listed once, and prune leaves files of several runs alone", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const own = writeRecord(folder, { id: "a", lines: [ended("success", 83)] })
    const file = path.join(folder, "all.jsonl")
    writeShared(file, [{ id: "a", lines: [ended("success", 83)] }, { id: "b", lines: [ended("success", 5)] }])
    const paths = Effect.map(Report.list({ folder }), (runs) => runs.map(({ path, runId }) => [runId[0], path]))
    assert.deepEqual((yield* paths).toSorted(), [["a", own], ["b", file]])
    assert.equal((yield* Report.find(idOf("a"), { folder })).path, own)
    assert.deepEqual((yield* Report.prune({ folder, keep: 0 })).map(({ path }) => path), [own])
    assert.deepEqual((yield* paths).toSorted(), [["a", file], ["b", file]])
  }))

it.live("a file that is no record, or has another version, is refused where it is named, and left out of a folder", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const notes = path.join(folder, "notes.jsonl")
    const old = path.join(folder, "old.jsonl")
    fs.writeFileSync(notes, "{\"note\":1}\n")
    fs.writeFileSync(old, "{\"_tag\":\"Record\",\"version\":1}\n")
    assert.deepEqual(yield* Report.list({ folder }), [])
    assert.deepEqual(yield* Report.list({ file: path.join(folder, "none.jsonl") }), [])
    const reasons = yield* Effect.forEach(
      [notes, old],
      (file) => Effect.map(Effect.flip(Report.list({ file })), ({ path, reason }) => [path, reason._tag])
    )
    assert.deepEqual(reasons, [[notes, "NotARecord"], [old, "OtherVersion"]])
  }))

it.live("a time that no Date can hold keeps no other run of a file from being listed", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "all.jsonl")
    writeShared(file, [{ id: "a", lines: [ended("success", 80)] }])
    const other = { _tag: "Record", version: 2, pipelineName: "b", runId: idOf("b"), runName: "b", at: 1e300 }
    fs.appendFileSync(file, `${JSON.stringify(other)}\n${JSON.stringify({ ...ended("success", 5), at: -1e300 })}\n`)
    const listed = yield* Report.list({ file })
    assert.deepEqual(listed.map(({ runId, status }) => [runId[0], status]).toSorted(), [["a", "success"], [
      "b",
      "success"
    ]])
  }))

it.live("follow ends with a run whose process has ended, though others go on in the file", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const gonePlace = { ...identifyQuietly(), pid: gone }
    const id = crypto.randomUUID()
    const shared = path.join(folder, "all.jsonl")
    writeShared(shared, [{ id, at: start }], { process: gonePlace })
    writeShared(shared, [{ id: "b" }], { recorder: "v", process: identifyQuietly()! })
    const own = writeRecord(folder, { id: crypto.randomUUID(), process: gonePlace })
    for (const [file, options] of [[shared, { runId: id }], [own, {}]] as const) {
      const tags = Effect.map(Stream.runCollect(Report.follow(file, options)), (all) => all.map(({ _tag }) => _tag))
      assert.deepEqual(yield* tags, ["RunStarted", "RunCrashed"])
    }
  }))

it.live("maxBytes limits the lines of the run that is read, and follow ends with it", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = path.join(folder, "all.jsonl")
    writeShared(file, [
      { id: "a", lines: [stepEnded(0, "load".repeat(5_000), 50), ended("success", 80)] },
      { id: "b", lines: [ended("success", 5)] },
      { id: "c" }
    ])
    const count = (id: string, maxBytes: number) => Stream.runCount(Report.read(file, { runId: idOf(id), maxBytes }))
    assert.equal(yield* count("b", 10_000), 2)
    const { reason } = yield* Effect.flip(count("a", 10_000))
    assert.ok(reason._tag === "TooLarge" && reason.limit === 10_000 && reason.size > 20_000)
    assert.equal((yield* Effect.flip(Stream.runCount(Report.read(file, { maxBytes: 10_000 })))).reason._tag, "TooLarge")
    // another run goes on in the file
    const begun = yield* Deferred.make<void>()
    const reader = yield* Report.follow(file, { runId: idOf("c") }).pipe(
      Stream.tap(() => Deferred.succeed(begun, undefined)),
      Stream.runCollect,
      Effect.forkChild
    )
    yield* Deferred.await(begun)
    fs.appendFileSync(file, `${JSON.stringify({ run: "w.3", ...ended("success", 83) })}\n`)
    assert.deepEqual((yield* Fiber.join(reader)).map(({ _tag }) => _tag), ["RunStarted", "RunEnded"])
  }))

it.live("a line in the middle of which another writer was killed costs no line of those that go on", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "all.jsonl")
    const told = events()
    const torn = Step.make(
      "a",
      Effect.sync(() => fs.appendFileSync(file, "{\"_tag\":\"StepStarted\",\"run\":\"x.1\",\"at\":17"))
    )
    yield* Pipeline.make("p", Effect.andThen(torn, Step.make("b", Effect.void))).pipe(
      Effect.provide(Report.layerRecord({ file })),
      Effect.provide(told.layer)
    )
    const { events: read, skipped } = yield* readAll(file)
    assert.deepEqual(read, told.list.map(Report.fromRunEvent))
    assert.deepEqual(skipped.map(({ events, reason }) => [reason, events]), [["torn", 1]])
    assert.deepEqual((yield* Report.list({ file })).map(({ status, steps }) => [status, steps]), [["success", 2]])
  }))
