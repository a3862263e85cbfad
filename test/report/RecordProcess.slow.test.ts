/** Tests records of killed processes, and of several processes that write at the same time. */
import { Effect, Stream } from "effect"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import process from "node:process"
import { test } from "node:test"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { filesIn, readAll, tempFolder } from "../support/record.ts"

const it = makeIt(test)

const fixture = path.join(import.meta.dirname, "fixtures", "recording.ts")

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly output: string
  readonly errors: string
}

/** Runs a recording process, and kills it when `enough` returns true for its output. */
const recording = (args: ReadonlyArray<string>, enough: (output: string) => boolean = () => false) =>
  Effect.promise(() =>
    new Promise<Ended>((resolve) => {
      const child = spawn(process.execPath, [fixture, ...args], { stdio: ["ignore", "pipe", "pipe"] })
      let output = ""
      let errors = ""
      child.stdout.on("data", (data) => {
        output += String(data)
        if (enough(output)) child.kill("SIGKILL")
      })
      child.stderr.on("data", (data) => {
        errors += String(data)
      })
      child.on("close", (code, signal) => resolve({ code, signal, output, errors }))
    })
  )

const count = (events: ReadonlyArray<Report.Event>, tag: Report.Event["_tag"]) =>
  events.filter(({ _tag }) => _tag === tag).length

it.live("the record of a killed process has each step that ended", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const said = (output: string) => output.split("\n").length - 1
    for (const steps of [1, 25, 60]) {
      fs.rmSync(file, { force: true })
      const { output, signal } = yield* recording(["endless", file], (output) => said(output) >= steps)
      assert.equal(signal, "SIGKILL")
      const { events, skipped } = yield* readAll(file)
      assert.deepEqual(skipped, [])
      const ended = count(events, "StepEnded")
      assert.ok(ended === said(output) || ended === said(output) + 1, `${ended} of ${said(output)}`)
      assert.equal(count(events, "RunEnded"), 0)
    }
  }))

it.live("the record of a process that is killed during a burst lacks only its last events", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    // the process prints nothing, so it is killed some time after its file has appeared
    yield* Effect.promise(() =>
      new Promise<void>((resolve) => {
        const child = spawn(process.execPath, [fixture, "busy", file], { stdio: "ignore" })
        const look = setInterval(() => {
          if (fs.existsSync(file) && fs.statSync(file).size > 1_000_000) child.kill("SIGKILL")
        }, 5)
        child.on("close", () => {
          clearInterval(look)
          resolve()
        })
      })
    )
    const indices: Array<number> = []
    const skipped: Array<Report.Skipped> = []
    yield* Stream.runForEach(
      Report.read(file, { onSkipped: (one) => void skipped.push(one) }),
      (event) => Effect.sync(() => event._tag === "StepEnded" && indices.push(event.index))
    )
    assert.ok(skipped.length <= 1)
    assert.ok(indices.length > 1_000)
    assert.ok(indices.every((index, i) => index === i))
  }))

it.live("processes that write to one file at the same time keep each other's lines whole", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const steps = 4_000
    const ended = yield* Effect.all(
      Array.from({ length: 3 }, () => recording(["many", file, `${steps}`])),
      { concurrency: "unbounded" }
    )
    assert.deepEqual(ended.map(({ code, errors }) => [code, errors]), [[0, ""], [0, ""], [0, ""]])
    const { events, skipped } = yield* readAll(file)
    assert.deepEqual(skipped, [])
    // a line that another process is about to write may look torn, which an empty line ends
    const lines = fs.readFileSync(file, "utf8").split("\n").filter((line) => line !== "")
    assert.equal(lines.filter((line) => line.startsWith("{\"_tag\":\"Record\"")).length, 3)
    const byRun = Map.groupBy(events, ({ runId }) => runId)
    assert.equal(byRun.size, 3)
    for (const events of byRun.values()) {
      assert.equal(new Set(events.map(({ pipelineName }) => pipelineName)).size, 1)
      assert.equal(events.length, 2 * steps + 2)
      assert.deepEqual(
        events.flatMap((event) => event._tag === "StepEnded" ? [event.stepName] : []),
        Array.from({ length: steps }, (_, i) => `é${i}`)
      )
    }
  }))

it.live("process.exit loses no event", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const { code } = yield* recording(["exiting", file, "777"])
    assert.equal(code, 3)
    const { events } = yield* readAll(file)
    assert.equal(count(events, "StepEnded"), 777)
  }))

it.live("whoever looks first at the record of a killed process notes that it crashed, once", () =>
  Effect.gen(function*() {
    const folder = path.join(yield* tempFolder, "runs")
    // two processes that have the run, one after another, and both are killed
    for (let i = 0; i < 2; i++) {
      assert.equal((yield* recording(["durable", folder, "die"])).signal, "SIGKILL")
      const [file] = filesIn(folder)
      for (let j = 0; j < 2; j++) {
        const [run] = yield* Report.list({ folder })
        assert.deepEqual([run?.status, run?.hookFailures], ["crashed", undefined])
      }
      const { events, skipped } = yield* readAll(file!)
      assert.deepEqual([count(events, "RunCrashed"), skipped], [i + 1, []])
      assert.equal(events.at(-1)!._tag, "RunCrashed")
    }
  }))

it.live("a durable run that its process lets go of is suspended", () =>
  Effect.gen(function*() {
    const folder = path.join(yield* tempFolder, "runs")
    const { code, errors } = yield* recording(["durable", folder, "wait"])
    assert.deepEqual([code, errors], [0, ""])
    const [run] = yield* Report.list({ folder })
    assert.equal(run?.status, "suspended")
    const { events } = yield* readAll(run!.path)
    assert.equal(events.at(-1)!._tag, "RunSuspended")
  }))

it.live("a durable run that resumes after a crash is continued in its file", () =>
  Effect.gen(function*() {
    const folder = path.join(yield* tempFolder, "runs")
    assert.equal((yield* recording(["durable", folder, "die"])).signal, "SIGKILL")
    const [file] = filesIn(folder)
    const before = yield* Report.list({ folder })
    assert.deepEqual(before.map(({ pipelineName, status }) => [pipelineName, status]), [["nightly", "crashed"]])
    const again = yield* recording(["durable", folder, "live"])
    assert.deepEqual([again.code, again.errors], [0, ""])
    assert.deepEqual(filesIn(folder), [file])
    const { events, skipped } = yield* readAll(file!)
    assert.deepEqual(skipped, [])
    assert.equal(new Set(events.map(({ runId, runName }) => `${runId} ${runName}`)).size, 1)
    assert.deepEqual(events.map((event) => "stepName" in event ? `${event._tag} ${event.stepName}` : event._tag), [
      "RunStarted",
      "StepStarted first",
      "StepEnded first",
      "StepStarted second",
      // what the look above has noted
      "RunCrashed",
      "StepStarted second",
      "StepEnded second",
      "RunEnded"
    ])
    const [run] = yield* Report.list({ folder })
    assert.deepEqual([run?.status, run?.runId, run?.startedAt], ["success", before[0]?.runId, before[0]?.startedAt])
  }))
