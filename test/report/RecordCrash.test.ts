/** Tests what is found of runs whose process ends while their records are looked at. */
import { Effect, Stream } from "effect"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { test } from "node:test"
import { identifyQuietly } from "../../src/internal/files/identity.ts"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { tempFolder } from "../support/record.ts"
import { ended, idOf, start, writeRecord } from "../support/recordFiles.ts"

const it = makeIt(test)

/** A number that no process has, as Linux gives none above 4,194,304. */
const gone = 4_200_000

/** Calls a function whenever it is asked whether a process lives, and then says that it does not. */
const whenAsked = (act: (times: number) => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { kill } = process
      let times = 0
      process.kill = () => {
        act(++times)
        throw Object.assign(new Error("no such process"), { code: "ESRCH" })
      }
      return kill
    }),
    (kill) =>
      Effect.sync(() => {
        process.kill = kill
      })
  )

it.live("a run that its process ends just before it exits has not crashed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = writeRecord(folder, { id: "a", process: { ...identifyQuietly(), pid: gone } })
    yield* whenAsked((times) => {
      if (times === 1) fs.appendFileSync(file, `${JSON.stringify(ended("success", 83))}\n`)
    })
    assert.deepEqual((yield* Report.list({ folder })).map(({ status }) => status), ["success"])
    assert.doesNotMatch(fs.readFileSync(file, "utf8"), /RunCrashed/)
  }))

it.live("a record that is removed while it is looked at is not made again", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    for (const when of [1, 2, 3, 4]) {
      const file = writeRecord(folder, { id: "a", process: { ...identifyQuietly(), pid: gone } })
      yield* Effect.scoped(Effect.andThen(
        whenAsked((times) => {
          if (times === when) fs.rmSync(file)
        }),
        Report.list({ folder })
      ))
      assert.deepEqual(fs.readdirSync(folder), [])
    }
  }))

/** Starts a process whose child has ended, and returns the child's number. */
const endedChild = Effect.gen(function*() {
  const parent = spawn("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "inherit"] })
  yield* Effect.addFinalizer(() => Effect.sync(() => parent.kill("SIGKILL")))
  const pid = yield* Effect.promise(() => new Promise((resolve) => parent.stdout.once("data", resolve)))
  const stat = () => fs.readFileSync(`/proc/${Number(String(pid))}/stat`, "utf8").split(" ")
  while (stat()[2] !== "Z") yield* Effect.sleep("5 millis")
  return { pid: Number(String(pid)), start: stat()[21] }
})

if (process.platform === "linux") {
  it.live("a process that has ended, but whose parent has not asked for its status, has crashed with its run", () =>
    Effect.gen(function*() {
      const folder = yield* tempFolder
      writeRecord(folder, { id: "a", process: { ...identifyQuietly(), ...yield* endedChild } })
      assert.equal((yield* Report.find(idOf("a"), { folder })).status, "crashed")
    }))
}

it.live("the end of a run stays what it was, whatever is noted of its process later", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const crash = { _tag: "RunCrashed", at: start + 90, signal: "SIGKILL" }
    const file = writeRecord(folder, { id: "a", lines: [ended("success", 83), crash] })
    assert.equal((yield* Report.find(idOf("a"), { folder })).status, "success")
    const page = yield* Report.html(Report.read(file))
    assert.doesNotMatch(page, /killed by/)
    assert.equal(page, Report.html(yield* Stream.runCollect(Report.read(file))))
  }))

it.live("prune leaves the record of a run alone whose process lives, though its thread was blocked for long", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const touchedAt = Date.now() - 120_000
    writeRecord(folder, { id: "a", touchedAt, process: identifyQuietly()! })
    writeRecord(folder, { id: "b", touchedAt })
    const removed = yield* Report.prune({ folder, keep: 0 })
    assert.deepEqual(removed.map(({ runId, status }) => [runId, status]), [[idOf("b"), "cutOff"]])
    assert.deepEqual((yield* Report.list({ folder })).map(({ runId }) => runId), [idOf("a")])
  }))

it.live("times that no date can hold do not keep runs from being listed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = writeRecord(folder, { id: "a", lines: [ended("success", 83)] })
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replaceAll(`"at":${start}`, "\"at\":1e300"))
    const [run] = yield* Report.list({ folder })
    assert.deepEqual([run!.status, run!.startedAt.epochMilliseconds], ["success", start + 83])
  }))
