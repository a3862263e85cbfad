/** Default hooks of layers around durable pipelines. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { AlerterHooks, Hooks, Pipeline, Step } from "../../../src/index.ts"
import { Bad, type Engine, inProcess, job, recorder, suiteOf, suspendRun } from "../support/engine.ts"

export const defaultsSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("default hooks of layers around the pipeline's layer run once, with the keys of recorded alerts", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const load = Durable.step(Step.make("load", Effect.fail(new Bad({ n: 1 }))), { error: Bad })
      const done = Durable.step(Step.make("done", Effect.void))
      const { layer, workflow } = job(() =>
        Pipeline.make(
          "nightly",
          Effect.gen(function*() {
            yield* Effect.exit(load)
            yield* suspendRun("1")
            yield* done
          })
        )
      )
      const defaults = Layer.merge(Hooks.layerDefault(AlerterHooks.all), Pipeline.layerDefault(AlerterHooks.success))
      const pipelines = layer.pipe(Layer.provide(defaults), Layer.provide(seen.layer))
      yield* inProcess(storage, pipelines, workflow.execute({ id: "1" }))
      assert.deepEqual(seen.alerts.map(({ title }) => title), [
        "job › load failed",
        "job › done succeeded",
        "job succeeded"
      ])
      const keys = seen.alerts.map(({ idempotencyKey }) => idempotencyKey)
      assert.ok(keys.every((key) => key !== undefined))
      assert.equal(new Set(keys).size, 3)
    }))
}
