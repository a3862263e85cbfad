/** Tests reading the record of a run that goes on. */
import { Deferred, Effect, Fiber, Stream } from "effect"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { filesIn, readAll, tempFolder } from "../support/record.ts"
import { ended, start, writeRecord } from "../support/recordFiles.ts"

const it = makeIt(test)

it.live("follow gives the events of a run as they happen, and ends with it", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const [begun, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    const wait = Step.make("wait", Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(go)))
    const run = yield* Pipeline.make("p", Effect.andThen(wait, Step.make("last", Effect.void))).pipe(
      Effect.provide(Report.layerRecord({ folder })),
      Effect.forkChild
    )
    yield* Deferred.await(begun)
    const [file] = filesIn(folder)
    const seen: Array<string> = []
    const reader = yield* Report.follow(file!).pipe(
      Stream.runForEach((event) =>
        Effect.suspend(() => {
          seen.push(event._tag)
          return event._tag === "StepStarted" ? Deferred.succeed(go, undefined) : Effect.void
        })
      ),
      Effect.forkChild
    )
    yield* Fiber.join(reader)
    yield* Fiber.join(run)
    assert.deepEqual(seen, ["RunStarted", "StepStarted", "StepEnded", "StepStarted", "StepEnded", "RunEnded"])
  }))

it.live("follow waits for the rest of a line, and skips one that is never completed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const line = JSON.stringify({ _tag: "RunOverdue", at: start, elapsedMillis: 5, limitMillis: 4, times: 1 })
    const file = writeRecord(folder, { id: "a", lines: [line.slice(0, 30)] })
    const skipped: Array<Report.Skipped> = []
    const seen: Array<string> = []
    const reader = yield* Report.follow(file, { onSkipped: (one) => void skipped.push(one) }).pipe(
      Stream.runForEach(({ _tag }) => {
        seen.push(_tag)
        // the run has begun: what is there is read, but for the half of a line
        if (_tag === "RunStarted") fs.appendFileSync(file, `${line.slice(30)}\n{"_tag":"StepSt\n`)
        if (_tag === "RunOverdue") fs.appendFileSync(file, `${JSON.stringify(ended("success", 9))}\n`)
        return Effect.void
      }),
      Effect.forkChild
    )
    yield* Fiber.join(reader)
    assert.deepEqual(seen, ["RunStarted", "RunOverdue", "RunEnded"])
    assert.deepEqual(skipped, [{ line: 4, reason: "torn", events: 1 }])
  }))

it.live("follow ends where nobody has touched the record for a minute, and where the record is removed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const tags = (file: string) =>
      Effect.map(Stream.runCollect(Report.follow(file)), (all) => all.map(({ _tag }) => _tag))
    const killed = writeRecord(folder, { id: "a", touchedAt: Date.now() - 61_000 })
    assert.deepEqual(yield* tags(killed), ["RunStarted"])
    const removed = writeRecord(folder, { id: "b" })
    const reader = yield* Effect.forkChild(tags(removed))
    yield* Effect.sleep("20 millis")
    fs.rmSync(removed)
    assert.deepEqual(yield* Fiber.join(reader), ["RunStarted"])
    const missing = yield* Effect.flip(tags(path.join(folder, "missing.jsonl")))
    assert.equal(missing.reason._tag, "Inaccessible")
  }))

it.live("follow ends at once where a run that nobody can continue has crashed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = writeRecord(folder, { id: "a", lines: [{ _tag: "RunCrashed", at: start + 1 }] })
    const seen = yield* Effect.timeout(Stream.runCollect(Report.follow(file)), "10 seconds")
    assert.deepEqual(seen.map(({ _tag }) => _tag), ["RunStarted", "RunCrashed"])
  }))

it.live("follow goes on with a durable run that is retried, which begins anew after its end", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const lines = [ended("failure", 9), { _tag: "RunStarted", at: start + 10 }]
    const file = writeRecord(folder, { id: "order 7", lines })
    const seen: Array<Report.Event> = []
    yield* Stream.runForEach(Report.follow(file), (event) => {
      seen.push(event)
      if (seen.length !== 3) return Effect.void
      // what is known so far: the run goes on
      assert.match(Report.html(seen), /"ending":"cut"/)
      return Effect.sync(() => fs.appendFileSync(file, `${JSON.stringify(ended("success", 20))}\n`))
    })
    assert.deepEqual(seen.map(({ _tag }) => _tag), ["RunStarted", "RunEnded", "RunStarted", "RunEnded"])
    assert.match(Report.html(seen), /"ending":"success"/)
  }))

it.live("follow goes on where the record is truncated while the run writes to it, and the record stays one", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const [begun, truncated] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    const body = Effect.gen(function*() {
      yield* Step.make("before", Effect.void)
      yield* Deferred.succeed(begun, undefined)
      yield* Deferred.await(truncated)
      yield* Step.make("after", Effect.void)
    })
    const run = yield* Pipeline.make("p", Step.make("outer", body)).pipe(
      Effect.provide(Report.layerRecord({ file })),
      Effect.forkChild
    )
    yield* Deferred.await(begun)
    const [{ runId } = { runId: "" }] = yield* Report.list({ file })
    const seen: Array<string> = []
    const reader = yield* Report.follow(file, { runId }).pipe(
      Stream.runForEach((event) => {
        seen.push("stepName" in event ? `${event._tag} ${event.stepName}` : event._tag)
        if (seen.at(-1) !== "StepEnded before") return Effect.void
        fs.truncateSync(file)
        return Deferred.succeed(truncated, undefined)
      }),
      Effect.forkChild
    )
    yield* Fiber.join(run)
    yield* Fiber.join(reader)
    assert.deepEqual(seen, [
      "RunStarted",
      "StepStarted outer",
      "StepStarted before",
      "StepEnded before",
      "StepStarted after",
      "StepEnded after",
      "StepEnded outer",
      "RunEnded"
    ])
    const { events } = yield* readAll(file)
    assert.deepEqual(events.at(-1)?._tag, "RunEnded")
    assert.deepEqual((yield* Report.list({ file })).map(({ runId, status }) => [runId, status]), [[runId, "success"]])
  }))
