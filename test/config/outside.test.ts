/** The hooks of a file whose pipeline is an Effect around pipelines. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { makeIt } from "../support/it.ts"
import { runText } from "./support.ts"

const it = makeIt(test)

/** Runs an export with the standard hooks of a run, and returns its exit and the titles and bodies of the alerts. */
const told = (name: string) =>
  Effect.gen(function*() {
    const before = (yield* TestConsole.logLines).length
    const exit = yield* runText(
      `pipeline: ./outside.ts#${name}\nhooks: { success: epilogue#alerter, failure: epilogue#alerter }\nalerter: console\n`
    )
    const lines = (yield* TestConsole.logLines).slice(before).flatMap((line) => String(line).split("\n"))
    const titles = lines.flatMap((line) => {
      const title = /^\S+ (?:ERROR|SUCCESS) +(.*?) \d{4}-/.exec(line)?.[1]
      return title === undefined ? [] : [title]
    })
    return { exit, titles }
  })

it.effect("what fails outside of the pipelines of an export is told by the file's hooks, by the name of the export", () =>
  Effect.gen(function*() {
    const after = yield* told("after")
    assert.deepEqual(after, { exit: Exit.fail("after the run"), titles: ["fine succeeded", "after failed"] })
    const before = yield* told("before")
    assert.deepEqual(before, { exit: Exit.fail("before the run"), titles: ["before failed"] })
    const other = yield* told("other")
    assert.deepEqual(other, { exit: Exit.fail("outside"), titles: ["failing failed", "other failed"] })
    assert.deepEqual((yield* told("nothingFails")).titles, ["nothingFails failed"])
  }))

it.effect("what a pipeline of an export has told is not told again", () =>
  Effect.gen(function*() {
    assert.deepEqual((yield* told("passedOn")).titles, ["failing failed"])
    assert.deepEqual((yield* told("handled")).titles, ["failing failed"])
    assert.deepEqual((yield* told("around")).titles, ["fine succeeded"])
  }))

it.effect("an export without any pipeline is a run of the export's name", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* told("none"), { exit: Exit.succeed(1), titles: ["none succeeded"] })
  }))
