import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { expect, test } from "bun:test"
import { Effect, Layer, Path } from "effect"
import { ConfigFile } from "effect-epilogue/config"
import { TestClock, TestConsole } from "effect/testing"
import { join } from "node:path"
import { nextTurn } from "../support/eventLoop.ts"
import { makeIt } from "../support/it.ts"
import { root } from "./support.ts"

const it = makeIt(test)

const file = join(root, "examples", "config", "training.yaml")

const services = Layer.merge(NodeFileSystem.layer, Path.layer)

it.effect("the pipeline runs with the parameters, retries and hooks of the file", () =>
  Effect.gen(function*() {
    const { pipeline, unusedSteps } = yield* ConfigFile.load(file)
    const fiber = yield* Effect.forkChild(pipeline)
    yield* TestClock.adjust("1 second")
    yield* nextTurn
    expect(fiber.pollUnsafe()?._tag).toBe("Success")
    expect(yield* TestConsole.logLines).toEqual(["load succeeded", "train succeeded", "accuracy 0.8"])
    expect(yield* unusedSteps).toEqual([])
  }).pipe(Effect.provide(services)))

it.effect("both failure hooks of the file run, in their order", () =>
  Effect.gen(function*() {
    const { pipeline } = yield* ConfigFile.load(file, { params: { TrainParams: { learningRate: 0.9 } } })
    const fiber = yield* Effect.forkChild(Effect.exit(pipeline))
    yield* TestClock.adjust("1 second")
    yield* nextTurn
    expect(fiber.pollUnsafe()?._tag).toBe("Success")
    const lines = (yield* TestConsole.logLines).map(String)
    expect(lines[0]).toBe("load succeeded")
    expect(lines[1]).toBe("train failed with {\"TrainParams\":{\"epochs\":3,\"learningRate\":0.9}}: 1 reason(s)")
    expect(lines[2]).toContain("ERROR training › train failed")
    expect(lines).toHaveLength(3)
  }).pipe(Effect.provide(services)))
