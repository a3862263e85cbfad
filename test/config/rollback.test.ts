/** Tests rollback hooks of a config file. */
import { Ajv2020 } from "ajv/dist/2020.js"
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { explained } from "../../src/cli/run/output.ts"
import { ConfigFile } from "../../src/config/index.ts"
import { makeIt } from "../support/it.ts"
import { calls } from "./fixtures/load/order.ts"
import { loadText, runText } from "./support.ts"

const it = makeIt(test)

const pipeline = "pipeline: ./order.ts#pipeline\n"

/** Returns what a run with this file calls. */
const called = (text: string) =>
  Effect.gen(function*() {
    calls.length = 0
    const exit = yield* runText(`${pipeline}${text}`)
    assert.equal(exit._tag, "Failure")
    return calls.slice()
  })

it.effect("a step of a file has a rollback hook, or a function that becomes one, in place of that of the code", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* called(""), ["code: 3"])
    assert.deepEqual(yield* called("steps: { charge: { hooks: { rollback: ./order.ts#refund } } }"), [
      "code: 3",
      "file: payment 7"
    ])
    const both = `steps:
  reserve:
    hooks: { rollback: { use: ./order.ts#undo, name: put back, timeout: 1 minute, retry: 2 } }
  charge:
    hooks: { rollback: [./order.ts#refund, ./order.ts#undo] }`
    assert.deepEqual(yield* called(both), [
      "function: 3, 1 reason",
      "file: payment 7",
      "function: payment 7, 1 reason"
    ])
    assert.deepEqual(
      yield* called("stepHooks: { rollback: ./order.ts#undo }\nsteps: { reserve: { inherit: { rollback: append } } }"),
      ["function: 3, 1 reason", "code: 3", "function: payment 7, 1 reason"]
    )
  }))

it.effect("explain lists rollback hooks, and where they come from", () =>
  Effect.gen(function*() {
    const loaded = yield* loadText(`${pipeline}steps: { charge: { hooks: { rollback: ./order.ts#refund } } }`)
    const lines = explained(loaded).map((line) => line.replaceAll(/[^\s(]*test\.yaml/g, "test.yaml"))
    assert.ok(
      lines.includes("    rollback: refund (test.yaml:2:39): the file's rollback hooks of the step replace all others"),
      lines.join("\n")
    )
    assert.ok(
      lines.some((line) => line.startsWith("    rollback: onRollback (code): the step's own in code")),
      lines.join("\n")
    )
  }))

it.effect("a mistake in a rollback hook of a file is told with its place", () =>
  Effect.gen(function*() {
    const mistakes = (text: string) =>
      Effect.map(
        Effect.flip(loadText(`${pipeline}${text}`)),
        ({ message }) => message.split("\n").map((line) => line.replaceAll(/[^\s(]*test\.yaml:/g, ""))
      )
    assert.deepEqual(yield* mistakes("steps: { charge: { hooks: { rollback: ./order.ts#page } } }"), [
      "2:39 steps.charge.hooks.rollback: expected a rollback hook, found the failure hook \"onFailure\""
    ])
    assert.deepEqual(yield* mistakes("hooks: { rollback: ./order.ts#refund }"), [
      "2:10 hooks.rollback: expected one of the keys start, overdue, success, failure, interrupt, skip, exit, " +
      "found the key \"rollback\""
    ])
    const options = "{ use: ./order.ts#refund, background: true, required: true }"
    const keys = "expected one of the keys use, name, timeout, retry"
    assert.deepEqual(yield* mistakes(`steps: { charge: { hooks: { rollback: ${options} } } }`), [
      `2:65 steps.charge.hooks.rollback.background: ${keys}, found the key "background"`,
      `2:83 steps.charge.hooks.rollback.required: ${keys}, found the key "required"`
    ])
  }))

test("the JSON Schema takes what the file takes, and refuses what it refuses", () => {
  const takes = new Ajv2020({ strict: false }).compile(ConfigFile.jsonSchema())
  const withHook = (rollback: unknown) => ({ pipeline: "./a.ts#b", steps: { charge: { hooks: { rollback } } } })
  assert.ok(takes(withHook("./order.ts#refund")))
  assert.ok(takes(withHook([{ use: "./order.ts#refund", timeout: "1 minute", retry: 3 }])))
  assert.ok(!takes(withHook({ use: "./order.ts#refund", background: true })))
  assert.ok(!takes({ pipeline: "./a.ts#b", hooks: { rollback: "./order.ts#refund" } }))
})
