/** `Pipeline.provide`: layers that are built inside a run. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterHooks, Hook, Pipeline, Step, StepContext } from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { calls } from "./support/observe.ts"

const it = makeIt(test)

class Db extends Context.Service<Db, { readonly rows: number }>()("Db") {}
class Url extends Context.Service<Url, string>()("Url") {}

const count = Step.make("count", Effect.map(Db, ({ rows }) => rows))
const refused = Layer.effect(Db, Effect.fail("connection refused"))

it.effect("a layer that fails fails the run, which is alerted, whether hooks are attached before or after", () =>
  Effect.gen(function*() {
    const nightly = Pipeline.make("nightly", count)
    const before = nightly.pipe(Pipeline.hooks(AlerterHooks.failure), Pipeline.provide(refused))
    const after = Pipeline.provide(nightly, refused).pipe(Pipeline.hooks(AlerterHooks.failure))
    for (const pipeline of [before, after]) {
      assert.deepEqual(yield* Effect.exit(pipeline), Exit.fail("connection refused"))
    }
    const alerts = yield* TestAlerter.sent
    assert.deepEqual(
      alerts.map(({ body, title }) => `${title}: ${body}`),
      ["nightly failed: connection refused", "nightly failed: connection refused"]
    )
  }).pipe(Effect.provide(TestAlerter.layer)))

it.effect("the layer is built after the start hooks, and released before the other hooks of the run", () =>
  Effect.gen(function*() {
    const seen = calls()
    const layer = Layer.effect(
      Db,
      Effect.acquireRelease(Effect.as(seen.note("built"), { rows: 3 }), () => seen.note("released"))
    )
    const pipeline = Pipeline.make("p", count).pipe(
      Pipeline.onStart(seen.note("start")),
      Pipeline.onSuccess((rows) => seen.note(`success ${rows}`)),
      Pipeline.stepHooks(Hook.onSuccess(() => Effect.flatMap(Db, ({ rows }) => seen.note(`step ${rows}`)))),
      Pipeline.provide(layer)
    )
    assert.equal(yield* pipeline, 3)
    assert.equal(yield* pipeline, 3)
    const run = ["start", "built", "step 3", "released", "success 3"]
    assert.deepEqual(seen.list, [...run, ...run])
  }))

it.effect("a background hook of a step has the services until it ends", () =>
  Effect.gen(function*() {
    const seen = calls()
    const layer = Layer.effect(
      Db,
      Effect.acquireRelease(Effect.succeed({ rows: 3 }), () => seen.note("released"))
    )
    const slow = Hook.onSuccess(() => Effect.andThen(Effect.sleep("5 seconds"), seen.note("hook"))).pipe(
      Hook.background
    )
    const pipeline = Pipeline.make("p", count).pipe(Pipeline.stepHooks(slow), Pipeline.provide(layer))
    const fiber = yield* Effect.forkChild(pipeline)
    yield* TestClock.adjust("5 seconds")
    assert.equal(yield* Fiber.join(fiber), 3)
    assert.deepEqual(seen.list, ["hook", "released"])
  }))

it.effect("a layer that is provided later provides to the layers before it", () =>
  Effect.gen(function*() {
    const db = Layer.effect(Db, Effect.map(Url, (url) => ({ rows: url.length })))
    const pipeline = Pipeline.make("p", count).pipe(
      Pipeline.provide(db),
      Pipeline.provide([Layer.succeed(Url, "four")])
    )
    assert.equal(yield* pipeline, 4)
  }))

it.effect("a hook of the run gets a service from around the pipeline, and not from the layer", () =>
  Effect.gen(function*() {
    const seen = calls()
    const pipeline = Pipeline.make("p", Db).pipe(
      Pipeline.onSuccess(({ rows }) => Effect.flatMap(Db, (own) => seen.note(`body ${rows}, hook ${own.rows}`))),
      Pipeline.provide(Layer.succeed(Db, { rows: 1 }))
    )
    yield* Effect.provideService(pipeline, Db, { rows: 2 })
    assert.deepEqual(seen.list, ["body 1, hook 2"])
  }))

it.effect("a time limit of the run includes building the layer, wherever it is attached", () =>
  Effect.gen(function*() {
    const slow = Layer.effect(Db, Effect.as(Effect.sleep("1 hour"), { rows: 1 }))
    const before = Pipeline.make("p", count).pipe(Pipeline.timeout("1 minute"), Pipeline.provide(slow))
    const after = Pipeline.make("p", count).pipe(Pipeline.provide(slow), Pipeline.timeout("1 minute"))
    for (const pipeline of [before, after]) {
      const fiber = yield* Effect.forkChild(Effect.exit(pipeline))
      yield* TestClock.adjust("1 minute")
      const exit = yield* Fiber.join(fiber)
      assert.ok(exit._tag === "Failure" && Cause.isTimeoutError(Cause.squash(exit.cause)))
    }
  }))

it.effect("a run that is interrupted while a layer is built runs its hooks for an interruption", () =>
  Effect.gen(function*() {
    const seen = calls()
    const building = yield* Deferred.make<void>()
    const layer = Layer.effect(Db, Effect.andThen(Deferred.succeed(building, undefined), Effect.never))
    const pipeline = Pipeline.make("p", count).pipe(
      Pipeline.onInterrupt(() => seen.note("interrupted")),
      Pipeline.provide(layer)
    )
    const fiber = yield* Effect.forkChild(pipeline)
    yield* Deferred.await(building)
    yield* Fiber.interrupt(fiber)
    assert.deepEqual(seen.list, ["interrupted"])
  }))

it.effect("a layer sees the run that it is built in, and its steps belong to it", () =>
  Effect.gen(function*() {
    const connect = Step.make(
      "connect",
      Effect.map(StepContext, ({ pipelineName, stepPath }) => [pipelineName, stepPath])
    )
    const seen: Array<unknown> = []
    const layer = Layer.effect(
      Db,
      Effect.gen(function*() {
        seen.push((yield* StepContext).pipelineName, yield* connect)
        return { rows: 1 }
      })
    )
    yield* Pipeline.make("p", count).pipe(Pipeline.provide(layer))
    assert.deepEqual(seen, ["p", ["p", ["connect"]]])
  }))
