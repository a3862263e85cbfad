import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { TestApprover } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { calls } from "./fixtures/load/pipeline.ts"
import { loadText } from "./support.ts"

const it = makeIt(test)

const services = Layer.merge(NodeFileSystem.layer, Path.layer)

const training = (name: string) =>
  `pipeline: ./pipeline.ts#training
params: { TrainParams: { epochs: 1, name: ${name} } }`

it.effect("concurrent runs of one pipeline with two files keep their parameters apart", () =>
  Effect.gen(function*() {
    calls.length = 0
    const [a, b] = yield* Effect.all([loadText(training("a")), loadText(training("b"))])
    const runs = Array.from({ length: 20 }, (_, i) => i % 2 === 0 ? a.pipeline : b.pipeline)
    yield* Effect.all(runs, { concurrency: "unbounded" })
    const bodies = calls.filter((call) => call.startsWith("epochs"))
    assert.equal(bodies.filter((call) => call.endsWith("name a")).length, 10)
    assert.equal(bodies.filter((call) => call.endsWith("name b")).length, 10)
    // the hooks of each run had the same parameters as its body
    assert.equal(calls.filter((call) => call === `{"TrainParams":{"epochs":1,"name":"a"}}`).length, 10)
  }).pipe(Effect.provide(services)))

it.effect("after an interrupted run the pipeline without the file has the settings of its code", () =>
  Effect.gen(function*() {
    calls.length = 0
    const { pipeline } = yield* loadText("pipeline: ./pipeline.ts#waiting\nsteps: { slow: { timeout: 1 minute } }")
    const fiber = yield* Effect.forkChild(pipeline)
    while (calls.length === 0) yield* Effect.yieldNow
    yield* Fiber.interrupt(fiber)
    // without the file the time limit of the code applies: 30 minutes
    const { pipeline: bare } = yield* loadText("pipeline: ./pipeline.ts#waiting")
    calls.length = 0
    const again = yield* Effect.forkChild(bare)
    while (calls.length === 0) yield* Effect.yieldNow
    yield* TestClock.adjust("29 minutes")
    assert.equal(again.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 minute")
    assert.ok(again.pollUnsafe() !== undefined)
  }).pipe(Effect.provide(services)))

it.effect("a file's retry does not ask for approval again", () =>
  Effect.gen(function*() {
    const { pipeline } = yield* loadText("pipeline: ./pipeline.ts#guarded\nsteps: { guarded: { retry: 2 } }")
    calls.length = 0
    yield* Effect.exit(pipeline)
    assert.deepEqual(calls, ["guarded", "guarded", "guarded"])
    assert.equal((yield* TestApprover.asked).length, 1)
  }).pipe(Effect.provide([services, TestApprover.layerApproving()])))
