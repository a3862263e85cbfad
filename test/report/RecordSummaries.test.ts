/** Summaries of records that have ended, by which many are listed without being read again. */
import { DateTime, Duration, Effect } from "effect"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { filesIn, tempFolder } from "../support/record.ts"
import { ended, start, writeRecord } from "../support/recordFiles.ts"

const it = makeIt(test)

const hour = 60 * 60 * 1_000

/** Writes the records of 150 runs, an hour apart, which is enough for summaries of them to be kept. */
const many = (folder: string): ReadonlyArray<string> =>
  Array.from({ length: 150 }, (_, i) =>
    writeRecord(folder, {
      id: crypto.randomUUID(),
      at: start + i * hour,
      touchedAt: start + i * hour,
      lines: [ended(i % 10 === 0 ? "failure" : "success", 1_000 + i, start + i * hour)]
    }))

/** Makes what is listed comparable with what is written in a record, whatever the time of day is. */
const shape = (runs: ReadonlyArray<Report.Recorded>) =>
  runs.map(({ duration, startedAt, ...run }) => [
    { ...run },
    DateTime.toEpochMillis(startedAt),
    Duration.toMillis(duration)
  ])

it.live("a second look at many records gives the same runs, without opening them", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const files = many(folder)
    const first = yield* Report.list({ folder })
    assert.equal(first.length, 150)
    assert.equal(first.filter(({ status }) => status === "failure").length, 15)
    // with other content of the same size and time, a record that is opened would be left out
    for (const file of files) {
      const { mtime, size } = fs.statSync(file)
      fs.writeFileSync(file, "x".repeat(size))
      fs.utimesSync(file, mtime, mtime)
    }
    assert.deepEqual(shape(yield* Report.list({ folder })), shape(first))
  }))

it.live("of many records, one that has changed is read again, and one that was removed is not listed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const files = many(folder)
    yield* Report.list({ folder })
    // a durable run that is retried goes on in its record
    fs.appendFileSync(files[0]!, `${JSON.stringify({ _tag: "RunStarted", at: start + 2 * hour })}\n`)
    fs.appendFileSync(files[0]!, `${JSON.stringify(ended("success", 5, start + 2 * hour))}\n`)
    fs.rmSync(files[1]!)
    const list = yield* Report.list({ folder })
    assert.equal(list.length, 149)
    assert.equal(list.at(-1)!.path, files[0])
    assert.equal(list.at(-1)!.status, "success")
    assert.equal(list.at(-2)!.path, files[2])
    assert.deepEqual(shape(yield* Report.list({ folder })), shape(list))
  }))

it.live("summaries that are torn, foreign or of another version are not believed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const files = many(folder)
    const first = yield* Report.list({ folder })
    const summaries = path.join(folder, ".summaries.jsonl")
    const lines = fs.readFileSync(summaries, "utf8").split("\n").filter((line) => line !== "")
    assert.equal(lines.length, 150)
    fs.writeFileSync(
      summaries,
      lines.map((line, i) =>
        i % 5 === 0
          ? line.slice(0, 40)
          : i % 5 === 1
          ? line.replace("\"version\":2", "\"version\":3").replace("nightly", "other")
          : i % 5 === 2
          ? line.replace(/"status":"\w+"/, "\"status\":\"toString\"")
          : i % 5 === 3
          ? line.replace(/"steps":\d+/, "\"steps\":null")
          : i % 10 === 4
          ? line.replace(/"startedAt":\d+/, "\"startedAt\":1e300")
          : "[]"
      ).join("\n")
    )
    assert.deepEqual(shape(yield* Report.list({ folder })), shape(first))
    fs.rmSync(summaries)
    fs.mkdirSync(summaries)
    assert.deepEqual(shape(yield* Report.list({ folder })), shape(first))
    fs.rmdirSync(summaries)
    const target = path.join(yield* tempFolder, "target")
    fs.symlinkSync(target, summaries)
    assert.deepEqual(shape(yield* Report.list({ folder })), shape(first))
    assert.equal(fs.existsSync(target), false)
    assert.equal(files.length, 150)
  }))

it.live("summaries of removed records are dropped, so that their file does not grow without end", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const summaries = path.join(folder, ".summaries.jsonl")
    for (let i = 0; i < 4; i++) {
      for (const file of filesIn(folder)) if (file !== summaries) fs.rmSync(file)
      many(folder)
      assert.equal((yield* Report.list({ folder })).length, 150)
    }
    const lines = fs.readFileSync(summaries, "utf8").split("\n").filter((line) => line !== "")
    assert.ok(lines.length <= 450, `${lines.length} lines`)
    assert.deepEqual(fs.readdirSync(folder).filter((name) => name.startsWith(".summaries.jsonl.")), [])
  }))
