/** Tests progress on Bun, Deno and Node: lines without a terminal, and the capture of other output beside a live tree. */
// oxlint-disable no-console -- writes to the console, which progress has to capture
import * as Effect from "effect/Effect"
import * as TestConsole from "effect/testing/TestConsole"
import * as assert from "node:assert/strict"
import process from "node:process"
import { test } from "node:test"
import { Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { capture } from "../../src/report/internal/progress/capture.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

it.effect("plain progress prints a line for each start and end of run and steps", () =>
  Effect.gen(function*() {
    const run = Pipeline.make(
      "etl",
      Effect.andThen(Step.make("load", Effect.void), Step.make("write", Effect.fail("no")))
    )
    yield* Effect.exit(Effect.provide(Pipeline.runName(run, "nightly"), Report.layerProgress({ mode: "plain" })))
    assert.deepEqual(yield* TestConsole.errorLines, [
      "▶ etl (run nightly)",
      "  ▶ load",
      "  ✓ load (0 ms)",
      "  ▶ write",
      "  ✗ write (0 ms): no",
      "✗ etl (0 ms, 2 steps)"
    ])
  }))

test("capture intercepts writes to streams and console, and restores both", async () => {
  const before = { ...console }
  const [out, err] = [process.stdout.write, process.stderr.write]
  const seen: Array<string> = []
  const end = capture(["stdout", "stderr"], {
    print: (stream, lines, rest) => void seen.push(`${stream} ${JSON.stringify(lines)} ${JSON.stringify(rest)}`),
    // Bun's and Deno's console write around the streams: not calling the function keeps the output from the test's terminal
    around: () => {
      seen.push("around")
      return undefined as never
    },
    leave: () => {},
    isAway: () => false
  })
  let called = 0
  try {
    process.stdout.write("one\ntw")
    process.stdout.write(new TextEncoder().encode("o\nthré").subarray(0, 6), () => called++)
    process.stdout.write(Uint8Array.of(0xa9))
    process.stdout.write("ZQ==", "base64")
    process.stderr.write("ä\n", "utf8")
    console.log("log")
    console.error("error")
  } finally {
    end()
  }
  // only Node's console writes through process.stdout and process.stderr
  const isNode = process.versions["bun"] === undefined && process.versions["deno"] === undefined
  assert.deepEqual(seen, [
    "stdout \"one\\n\" \"tw\"",
    "stdout \"two\\n\" \"thr\"",
    "stdout \"\" \"thré\"",
    "stdout \"\" \"thrée\"",
    "stderr \"ä\\n\" \"\"",
    ...(isNode
      ? ["stdout \"thréelog\\n\" \"\"", "stderr \"error\\n\" \"\""]
      : ["around", "around", "stdout \"thrée\\n\" \"\""])
  ])
  await Promise.resolve()
  assert.equal(called, 1)
  assert.deepEqual([process.stdout.write, process.stderr.write], [out, err])
  for (const [name, value] of Object.entries(before)) assert.equal(Reflect.get(console, name), value, name)
})

test("ending a capture keeps a write method that was replaced during it", () => {
  const { write } = process.stdout
  const seen: Array<string> = []
  const end = capture(["stdout"], {
    print: (_, lines) => void seen.push(lines),
    around: (f) => f(),
    leave: () => {},
    isAway: () => false
  })
  const captured = process.stdout.write
  const theirs = (...args: ReadonlyArray<unknown>): boolean => Reflect.apply(captured, process.stdout, args)
  process.stdout.write = theirs
  try {
    process.stdout.write("caught\n")
    end()
    assert.equal(process.stdout.write, theirs)
    process.stdout.write("")
  } finally {
    process.stdout.write = write
  }
  assert.deepEqual(seen, ["caught\n"])
})
