/** Tests what a file says of the log of steps. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, Layer, Logger, Path } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { explained } from "../../src/cli/run/output.ts"
import { StepLogs } from "../../src/index.ts"
import { documentOf, issueLines } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"
import { events } from "../support/observe.ts"
import { selective } from "../support/policies.ts"
import { loadText } from "./support.ts"

const it = makeIt(test)

const pipeline = "pipeline: ./logging.ts#pipeline\n"

/** Returns the detail of the alert of a run with this file, and how many messages observers were told of. */
const told = (text: string, around: Layer.Layer<never> = Layer.empty) =>
  Effect.gen(function*() {
    const { layer, list } = selective(() => true)
    const emitted = events()
    const { pipeline: run } = yield* loadText(pipeline + text)
    yield* Effect.exit(run).pipe(
      Effect.provide([layer, emitted.layer, around, Logger.layer([]), NodeFileSystem.layer, Path.layer])
    )
    return [list[0]?.detail, emitted.list.filter(({ _tag }) => _tag === "StepLogged").length]
  })

it.effect("logs: says with how many lines alerts end, and false that nothing is kept, whatever is provided around", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* told(""), [undefined, 0])
    assert.deepEqual(yield* told("logs: 2"), ["last lines logged:\n  two\n  three", 3])
    assert.deepEqual(yield* told("logs: 0"), [undefined, 3])
    const around = StepLogs.layer()
    assert.deepEqual(yield* told("", around), ["last lines logged:\n  one\n  two\n  three", 3])
    assert.deepEqual(yield* told("logs: 1", around), ["last lines logged:\n  three", 3])
    assert.deepEqual(yield* told("logs: false", around), [undefined, 0])
  }))

it.effect("logs: takes a whole number from 0 to 100, or false", () =>
  Effect.gen(function*() {
    assert.deepEqual((yield* documentOf("logs: 100")).logs, 100)
    for (const [value, found] of [["101", "101"], ["-1", "-1"], ["1.5", "1.5"], ["true", "true"], ["all", "\"all\""]]) {
      assert.deepEqual(yield* issueLines(`logs: ${value}`), [
        `1:7 logs: expected a whole number from 0 to 100, or false, found ${found}`
      ])
    }
  }))

it.effect("explain says what is kept of the log", () =>
  Effect.gen(function*() {
    const line = (text: string) =>
      Effect.map(loadText(pipeline + text), (loaded) => explained(loaded).filter((line) => line.startsWith("  logs")))
    assert.deepEqual(yield* line(""), [])
    assert.deepEqual(yield* line("logs: 1"), ["  logs: alerts end with the last line of a step"])
    assert.deepEqual(yield* line("logs: 0"), ["  logs: in records, and not in alerts"])
    assert.deepEqual(yield* line("logs: false"), ["  logs: nothing is kept of what steps log"])
  }))
