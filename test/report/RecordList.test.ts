import { DateTime, Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import process from "node:process"
import { test } from "node:test"
import { Pipeline, RunEvent, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { events, logs } from "../support/observe.ts"
import { filesIn, step, tempFolder } from "../support/record.ts"
import { ended, writeRecord } from "../support/recordFiles.ts"

const it = makeIt(test)

const recorded = (folder: string, run: Effect.Effect<unknown, unknown>) =>
  Effect.exit(Effect.provide(run, [Report.layerRecord({ folder }), logs().layer]))

const hour = 60 * 60 * 1_000

/** Waits until the clock shows another millisecond, so that names of files sort. */
const pause = Effect.sleep("3 millis")

/** Records three runs with different outcomes, one after another. */
const three = (folder: string) =>
  Effect.gen(function*() {
    yield* recorded(folder, Pipeline.make("good", Effect.forEach(["a", "b"], (name) => step(name))))
    yield* pause
    const bad = step("a", Effect.fail("no ".repeat(20_000))).pipe(Step.onFailure(() => Effect.fail("hook")))
    yield* recorded(folder, Pipeline.make("bad", bad).pipe(Pipeline.runName("the bad one")))
    yield* pause
    yield* recorded(folder, Pipeline.make("cut", step("a", Effect.interrupt)))
  })

/** Makes the record of a process on another machine: without an end, last written that many seconds ago. */
const cutOff = (folder: string, seconds: number, lines = 4) =>
  Effect.gen(function*() {
    const other = yield* tempFolder
    yield* recorded(other, Pipeline.make("cutOff", Effect.forEach(["a", "b", "c"], (name) => step(name))))
    const [file] = filesIn(other)
    const text = fs.readFileSync(file!, "utf8").replace(/,"process":\{[^}]*\}/, "").split("\n").slice(0, lines).join(
      "\n"
    )
    const copy = path.join(folder, path.basename(file!))
    fs.writeFileSync(copy, `${text}\n{"_tag":"StepSt`)
    const at = Date.now() / 1_000 - seconds
    fs.utimesSync(copy, at, at)
    return path.basename(file!).split(".")[2]!
  })

it.live("list returns runs, the newest first, with their status", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    yield* three(folder)
    const lost = yield* cutOff(folder, 120)
    const now = yield* cutOff(folder, 10)
    yield* pause
    const looked = Date.now()
    const list = yield* Report.list({ folder })
    assert.deepEqual(
      list.map(({ hookFailures, pipelineName, status, steps }) => [pipelineName, status, steps, hookFailures]),
      [
        ["cutOff", "running", 1, undefined],
        ["cutOff", "cutOff", 1, undefined],
        ["cut", "interrupt", 1, 0],
        ["bad", "failure", 1, 1],
        ["good", "success", 2, 0]
      ]
    )
    assert.deepEqual(list.slice(0, 2).map(({ runId }) => runId), [now, lost])
    const bad = list[3]!
    assert.equal(bad.runName, "the bad one")
    assert.ok(bad.path.endsWith(`.bad.${bad.runId}.jsonl`))
    assert.ok(Math.abs(DateTime.toEpochMillis(bad.startedAt) - Date.now()) < 10_000)
    assert.ok(Duration.toMillis(bad.duration) < 1_000)
    // the duration of a running run is until now
    const until = ({ duration, startedAt }: Report.Recorded) =>
      DateTime.toEpochMillis(startedAt) + Duration.toMillis(duration)
    assert.ok(until(list[0]!) >= looked && until(list[1]!) < looked)
    const newest = yield* Report.list({ folder, limit: 2 })
    assert.deepEqual(newest.map(({ path }) => path), list.slice(0, 2).map(({ path }) => path))
    assert.deepEqual(yield* Report.list({ folder, limit: 0 }), [])
  }))

/** Replaces the recorder's timer by one that the test fires. */
const heartbeat = Effect.acquireRelease(
  Effect.sync(() => {
    const timers = process.getBuiltinModule("node:timers")
    const { setInterval } = timers
    let beat: () => void = () => {}
    const byHand = (callback: () => void, millis: number) => {
      assert.ok(millis <= 20_000)
      beat = callback
      return setInterval(() => {}, 1_000_000)
    }
    Object.assign(timers, { setInterval: byHand })
    return { beat: () => beat(), end: () => Object.assign(timers, { setInterval }) }
  }),
  ({ end }) => Effect.sync(end)
)

it.live("a run without events for long is still running, since its file is touched", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const { beat } = yield* heartbeat
    const statuses: Array<unknown> = []
    const look = Effect.gen(function*() {
      const [run] = yield* Report.list({ folder })
      statuses.push([run?.status, run?.steps])
    })
    const body = Effect.gen(function*() {
      yield* look
      const [file] = filesIn(folder)
      const before = Date.now() / 1_000 - 300
      fs.utimesSync(file!, before, before)
      yield* look
      beat()
      yield* Effect.sleep("20 millis")
      yield* look
    })
    yield* recorded(folder, Pipeline.make("p", step("a", body)))
    yield* look
    assert.deepEqual(statuses, [["running", 1], ["cutOff", 1], ["running", 1], ["success", 1]])
  }))

it.live("list leaves out other files and files that vanish, and is empty without a folder", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    yield* recorded(folder, Pipeline.make("p", step("a")))
    fs.writeFileSync(path.join(folder, "notes.txt"), "hello")
    fs.writeFileSync(path.join(folder, "20261123T000000000Z.p.x.jsonl"), "hello\n")
    fs.writeFileSync(path.join(folder, "20991123T000000000Z.p.y.jsonl"), "")
    fs.writeFileSync(path.join(folder, "20991123T000000000Z.p.z.jsonl"), `{"_tag":"Record","version":2}\n`)
    fs.mkdirSync(path.join(folder, "20991123T000000000Z.p.folder.jsonl"))
    yield* Effect.provide(
      Pipeline.make("p", step("a")),
      Report.layerRecord({ file: path.join(folder, "shared.jsonl") })
    )
    // that run, and the one in the file of several
    assert.equal((yield* Report.list({ folder })).length, 2)
    assert.equal((yield* Report.list({ folder, limit: 1 })).length, 1)
    assert.deepEqual(yield* Report.list({ folder: path.join(folder, "none") }), [])
    const error = yield* Effect.flip(Report.list({ folder: path.join(folder, "notes.txt") }))
    assert.match(error.message, /notes\.txt:1: this is no record of a run: expected a line that begins with/)
  }))

it.live("list reads only the beginning and the end of a file", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    yield* recorded(folder, Pipeline.make("p", step("a")))
    const [file] = filesIn(folder)
    const text = fs.readFileSync(file!, "utf8")
    const [header, ...lines] = text.split("\n")
    // a sparse file of a terabyte, which nobody waits for when all of it is read
    fs.writeFileSync(file!, `${header}\n`)
    fs.truncateSync(file!, 2 ** 40)
    fs.appendFileSync(file!, `\n${lines.join("\n")}`)
    const [run] = yield* Report.list({ folder })
    assert.equal(run?.status, "success")
  }))

it.live("find returns the run with an id or with its beginning", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const told = events()
    const given = ["abc-1", "abc-12", "a/b:c", "a:b/c"]
    // ids that are no UUIDs, as durable runs have
    for (const id of given) yield* recordAs(folder, id)
    yield* Effect.provide(recorded(folder, Pipeline.make("p", step("a"))), told.layer)
    const { runId } = told.list[0]!
    assert.equal(filesIn(folder).length, 5)
    for (const id of [...given, runId]) assert.equal((yield* Report.find(id, { folder })).runId, id)
    assert.equal((yield* Report.find(runId.slice(0, 6), { folder })).runId, runId)
    assert.equal((yield* Report.find("a/b", { folder })).runId, "a/b:c")
    const ambiguous = yield* Effect.flip(Report.find("abc", { folder }))
    assert.match(ambiguous.message, /: several recorded runs have an id that begins with "abc": abc-12?, abc-12?$/)
    const none = yield* Effect.flip(Report.find("zzz", { folder }))
    assert.equal(none.message, `${folder}: no recorded run has an id that begins with "zzz"`)
    assert.equal((yield* Effect.flip(Report.find("x", { folder: path.join(folder, "none") }))).reason._tag, "NotFound")
  }))

/** Records a run under the given id, by passing changed events to the recorder. */
const recordAs = (folder: string, runId: string) =>
  Effect.gen(function*() {
    const told = events()
    yield* Effect.provide(Pipeline.make("p", step("a")), told.layer)
    yield* Effect.provide(
      Effect.map(RunEvent.Observers, (observers) => {
        for (const event of told.list) for (const observer of observers) observer({ ...event, runId })
      }),
      Report.layerRecord({ folder })
    )
  })

it.live("prune removes all but the newest runs, and none that is running", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const now = yield* cutOff(folder, 10)
    const lost = yield* cutOff(folder, 120)
    yield* three(folder)
    const names = (runs: ReadonlyArray<Report.Recorded>) => runs.map(({ pipelineName }) => pipelineName)
    assert.deepEqual(names(yield* Report.prune({ folder, keep: 10 })), [])
    assert.deepEqual(names(yield* Report.prune({ folder, keep: 2 })), ["good", "cutOff"])
    assert.deepEqual((yield* Report.list({ folder })).map(({ runId }) => runId).at(-1), now)
    assert.ok(!(yield* Report.list({ folder })).some(({ runId }) => runId === lost))
    // the record of the running run itself stays, although none is to be kept
    yield* recorded(folder, Pipeline.make("pruning", step("a", Report.prune({ folder, keep: 0 }))))
    assert.deepEqual(names(yield* Report.list({ folder })), ["pruning", "cutOff"])
    for (const keep of [-1, 1.5, Number.NaN]) {
      const exit = yield* Effect.exit(Report.prune({ folder, keep }))
      assert.match(String(exit), /Report\.prune: keep is .* \(expected a whole number, 0 or more\)/)
    }
  }))

/** Writes a run for each of these ages, in days. */
const aged = (folder: string, ages: ReadonlyArray<number>): void => {
  for (const age of ages) {
    const at = Date.now() - age * 24 * hour
    writeRecord(folder, {
      id: crypto.randomUUID(),
      name: `days${age}`,
      at,
      touchedAt: at,
      lines: [ended("success", 5, at)]
    })
  }
}

it.live("prune keeps what either option keeps", () =>
  Effect.gen(function*() {
    const left = (
      options: { readonly keep: number } | { readonly keep?: number; readonly olderThan: Duration.Input }
    ) =>
      Effect.gen(function*() {
        const folder = yield* tempFolder
        aged(folder, [1, 5, 29, 31, 400])
        yield* Report.prune({ folder, ...options })
        return (yield* Report.list({ folder })).map(({ pipelineName }) => pipelineName)
      })
    assert.deepEqual(yield* left({ olderThan: "30 days" }), ["days1", "days5", "days29"])
    assert.deepEqual(yield* left({ keep: 2, olderThan: "30 days" }), ["days1", "days5", "days29"])
    assert.deepEqual(yield* left({ keep: 4, olderThan: "30 days" }), ["days1", "days5", "days29", "days31"])
    assert.deepEqual(yield* left({ keep: 4 }), ["days1", "days5", "days29", "days31"])
    assert.deepEqual(yield* left({ olderThan: 0 }), [])
    const neither = Report.prune as (options: object) => Effect.Effect<unknown, unknown>
    assert.match(String(yield* Effect.exit(neither({}))), /neither Report\.prune: keep nor .* is set/)
    const wrong = String(yield* Effect.exit(left({ olderThan: "-1 days" })))
    assert.match(wrong, /Report\.prune: olderThan is -1 days \(expected a duration, 0 or more\)/)
  }))

it.live("a recorder keeps what it is told to keep, and no more, when its layer closes", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    aged(folder, [1, 5, 31])
    const run = Pipeline.make("now", step("a"))
    const left = Effect.map(Report.list({ folder }), (runs) => runs.map(({ pipelineName }) => pipelineName))
    yield* Effect.provide(run, Report.layerRecord({ folder, keep: { age: "30 days" } }))
    assert.deepEqual(yield* left, ["now", "days1", "days5"])
    yield* Effect.provide(run, Report.layerRecord({ folder, keep: { runs: 3, age: "3 days" } }))
    assert.deepEqual(yield* left, ["now", "now", "days1"])
    yield* Effect.provide(run, Report.layerRecord({ folder, keep: { runs: 2, age: "30 days" } }))
    assert.deepEqual(yield* left, ["now", "now"])
    const wrong = yield* Effect.exit(Effect.provide(run, Report.layerRecord({ folder, keep: { runs: -1 } })))
    assert.match(String(wrong), /Report\.layerRecord: keep\.runs is -1 \(expected a whole number, 0 or more\)/)
    assert.equal((yield* left).length, 2)
  }))

it.effect("a recorder that stays open removes old records once an hour", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const names = Effect.map(Report.list({ folder }), (runs) => runs.map(({ pipelineName }) => pipelineName))
    yield* Effect.gen(function*() {
      aged(folder, [1, 31])
      yield* TestClock.adjust("59 minutes")
      assert.deepEqual(yield* names, ["days1", "days31"])
      yield* TestClock.adjust("1 minute")
      // the files are removed in real time
      yield* TestClock.withLive(Effect.repeat(Effect.sleep("2 millis"), {
        until: () => fs.readdirSync(folder).length === 1
      }))
      assert.deepEqual(yield* names, ["days1"])
    }).pipe(Effect.provide(Report.layerRecord({ folder, keep: { age: "30 days" } })))
  }))

it.live("a record without an end to it, and a pipe in its place, do not keep the others from being listed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    yield* recorded(folder, Pipeline.make("good", step("a")))
    const [good] = filesIn(folder)
    const named = (id: string) => path.join(folder, path.basename(good!).replace(/[0-9a-f]{8}-/, `${id}-`))
    fs.copyFileSync(good!, named("aaaaaaaa"))
    fs.truncateSync(named("aaaaaaaa"), 2 ** 40)
    fs.writeFileSync(named("bbbbbbbb"), "{".repeat(100_000))
    execFileSync("mkfifo", [named("cccccccc")])
    const names = (yield* Report.list({ folder })).map(({ pipelineName }) => pipelineName)
    // what is known of the first is in its header
    assert.deepEqual(names, ["good", "good"])
  }))
