import { expect, test } from "bun:test"
import { Effect } from "effect"
import { TestConsole } from "effect/testing"
import { jsonLines, oneLine, pipeline } from "../../examples/custom-alerter.ts"
import { makeIt } from "../support/it.ts"
import { someRuntimes } from "../support/runtimes.ts"
import { run } from "./support.ts"

const it = makeIt(test)

it.effect("oneLine prints a line for each alert", () =>
  Effect.gen(function*() {
    yield* Effect.exit(Effect.provide(pipeline, oneLine))
    expect(yield* TestConsole.logLines).toEqual([
      "[success] backup › dump succeeded",
      "[error] backup › upload failed"
    ])
  }))

it.effect("jsonLines prints a JSON object for each alert", () =>
  Effect.gen(function*() {
    yield* Effect.exit(Effect.provide(pipeline, jsonLines))
    const alerts = (yield* TestConsole.logLines).map((line) => JSON.parse(String(line)))
    const common = { at: "1970-01-01T00:00:00.000Z", pipeline: "backup", run: "backup-nightly" }
    expect(alerts).toMatchObject([
      { ...common, severity: "success", step: "dump" },
      { ...common, severity: "error", step: "upload" }
    ])
  }))

test.each(someRuntimes())("--json selects the other alerter, on %s", async (runtime) => {
  const plain = await run(runtime, "custom-alerter")
  expect(plain).toEqual({
    code: 0,
    stderr: "",
    stdout: "[success] backup › dump succeeded\n[error] backup › upload failed\n"
  })
  const json = await run(runtime, "custom-alerter", "--json")
  expect(json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line).severity)).toEqual(["success", "error"])
}, 60_000)
