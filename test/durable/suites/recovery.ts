/** Recoveries of steps in durable runs, whose success hooks may have run in an earlier evaluation of the body. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { recovered } from "../../../src/delivery/index.ts"
import { Durable } from "../../../src/durable/index.ts"
import { Alerter, AlerterHooks, Pipeline, Step } from "../../../src/index.ts"
import { Bad, type Engine, inProcess, job, suiteOf, suspendRun } from "../support/engine.ts"

export const recoverySuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("a step without a key has recovered at the end of a run whose body is evaluated anew after it", (storage) =>
    Effect.gen(function*() {
      const sent: Array<string> = []
      const channel = Alerter.layer(({ title }) => Effect.sync(() => void sent.push(title)))
      let fails = true
      const load = Durable.step(
        Step.make("load", Effect.suspend(() => fails ? Effect.fail(new Bad({ n: 1 })) : Effect.void)),
        {
          error: Bad
        }
      )
      const { layer, workflow } = job(() =>
        Pipeline.make("x", Effect.andThen(load, suspendRun("1"))).pipe(Pipeline.stepHooks(AlerterHooks.all))
      )
      yield* inProcess(
        storage,
        Layer.provide(layer, recovered(channel, { successes: "drop" })),
        Effect.gen(function*() {
          yield* Effect.exit(workflow.execute({ id: "1" }))
          fails = false
          yield* Effect.exit(workflow.execute({ id: "2" }))
        })
      )
      assert.deepEqual(sent, ["job › load failed", "job › load recovered"])
    }))
}
