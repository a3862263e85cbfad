/** Tests what a file says of the record of its runs. */
import { Duration, Effect } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { explained } from "../../src/cli/run/output.ts"
import { documentOf, issueLines } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"
import { loadText } from "./support.ts"

const it = makeIt(test)

const kept = (value: string) =>
  Effect.map(documentOf(`record:\n  keep: ${value}`), ({ record }) => {
    const { age, runs } = record?.keep ?? {}
    return [runs, age && Duration.toMillis(age)]
  })

const day = 24 * 60 * 60 * 1_000

it.effect("record: takes true, or a map that says which records to keep", () =>
  Effect.gen(function*() {
    assert.equal((yield* documentOf("logs: 2")).record, undefined)
    assert.deepEqual((yield* documentOf("record: true")).record, { keep: undefined })
    assert.deepEqual(yield* kept("200"), [200, undefined])
    assert.deepEqual(yield* kept("200 runs"), [200, undefined])
    assert.deepEqual(yield* kept("1 run"), [1, undefined])
    assert.deepEqual(yield* kept("0 runs"), [0, undefined])
    assert.deepEqual(yield* kept("30 days"), [undefined, 30 * day])
    assert.deepEqual(yield* kept("200 runs, 30 days"), [200, 30 * day])
    assert.deepEqual(yield* kept("1.5 days , 7 runs"), [7, 1.5 * day])
  }))

it.effect("other values of record: are issues that say where and what was expected", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* issueLines("record: false"), [
      "1:9 record: expected true, or a map with the key keep, found false"
    ])
    const expected = "expected how many runs to keep, for how long, or both: \"200 runs, 30 days\""
    for (
      const value of ["-1", "1.5", "many", "3 runs, 4 runs", "1 day, 2 days", "200 runs, 30 days, 1 hour", "3 steps"]
    ) {
      const found = /^-?[\d.]+$/.test(value) ? value : `"${value}"`
      assert.deepEqual(yield* issueLines(`record:\n  keep: ${value}`), [`2:9 record.keep: ${expected}, found ${found}`])
    }
    assert.deepEqual(yield* issueLines("record: {}"), [`1:9 record.keep: ${expected}, found nothing`])
    assert.equal(
      (yield* issueLines("record:\n  kept: 3"))[0],
      "2:3 record.kept: expected the key keep, found the key \"kept\""
    )
  }))

it.effect("explain says that runs are recorded, and which records are kept", () =>
  Effect.gen(function*() {
    const line = (text: string) =>
      Effect.map(
        loadText(`pipeline: ./logging.ts#pipeline\n${text}`),
        (loaded) => explained(loaded).filter((line) => line.startsWith("  record"))
      )
    assert.deepEqual(yield* line(""), [])
    assert.deepEqual(yield* line("record: true"), ["  record: in .epilogue/runs"])
    assert.deepEqual(yield* line("record:\n  keep: 200 runs, 30 days"), [
      "  record: in .epilogue/runs, where at most 200 runs of the last 30 d are kept"
    ])
    assert.deepEqual(yield* line("record:\n  keep: 1 run"), [
      "  record: in .epilogue/runs, where at most 1 run is kept"
    ])
    assert.deepEqual(yield* line("record:\n  keep: 36 hours"), [
      "  record: in .epilogue/runs, where those of the last 1 d 12 h are kept"
    ])
  }))
