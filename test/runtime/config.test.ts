/** Tests the parts of config files that depend on the runtime, on Bun, Deno and Node: importing modules, reading files, the YAML parser. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { ConfigFile } from "../../src/config/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const services = Layer.merge(NodeFileSystem.layer, Path.layer)

const folder = join(import.meta.dirname, "..", "..", "examples", "config")

it.live("load applies a file's hooks, retries, parameters and alerter to its pipeline", () =>
  Effect.gen(function*() {
    const { pipeline, steps, unusedSteps } = yield* ConfigFile.load(join(folder, "training.yaml"), {
      params: { TrainParams: { learningRate: 0.9 } }
    })
    assert.deepEqual(steps.map(({ step }) => step), ["load", "evaluate", "train"])
    yield* Effect.exit(pipeline)
    const lines = (yield* TestConsole.logLines).map(String)
    assert.equal(lines.length, 3)
    assert.equal(lines[0], "load succeeded")
    assert.ok(lines[1]!.startsWith("train failed with {\"TrainParams\":{\"epochs\":3,\"learningRate\":0.9}}"))
    assert.ok(lines[2]!.includes("ERROR training › train failed"))
    assert.deepEqual(yield* unusedSteps, ["evaluate"])
  }).pipe(Effect.provide([services, TestConsole.layer])))

it.live("load fails with what is wrong where an export or the file is missing", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(
      ConfigFile.load(join(folder, "training.yaml"), { pipeline: "./training.ts#nothing" })
    )
    assert.match(error.message, /nothing/)
    const missing = yield* Effect.flip(ConfigFile.load(join(folder, "missing.yaml")))
    assert.match(missing.message, /no such file/)
  }).pipe(Effect.provide(services)))
