/** Tests what is kept of the log of durable steps. */
import { Effect, Layer, Logger, Schema } from "effect"
import { DurableClock } from "effect/workflow"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { AlerterHooks, Pipeline, Step, StepLogs } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { events } from "../support/observe.ts"

const it = makeIt(test)

it.live("the alert of a durable step ends with its lines, and a step whose exit is recorded does not log again", () =>
  Effect.gen(function*() {
    const emitted = events()
    const first = Step.make("first", Effect.log("once")).pipe(Durable.step())
    const bad = Step.make("bad", Effect.andThen(Effect.logWarning("slow"), Effect.fail("no such table"))).pipe(
      Step.retry({ times: 1 }),
      Durable.step({ error: Schema.String })
    )
    // suspends the run, which is evaluated anew after it
    const wait = DurableClock.sleep({ name: "wait", duration: "50 millis", inMemoryThreshold: 0 })
    const run = Durable.pipeline(
      "nightly",
      { payload: { day: Schema.String }, idempotencyKey: ({ day }) => day, error: Schema.String },
      () =>
        Pipeline.make("nightly", first.pipe(Effect.andThen(wait), Effect.andThen(bad))).pipe(
          Pipeline.stepHooks(AlerterHooks.failure),
          Pipeline.hooks(AlerterHooks.failureWith((alert) => alert, { nested: "each" }))
        )
    )
    const [, sent] = yield* Effect.all([Effect.exit(run.workflow.execute({ day: "1" })), TestAlerter.sent]).pipe(
      Effect.provide(
        run.layer.pipe(
          Layer.provideMerge(TestAlerter.layer),
          Layer.provideMerge(Durable.layerMemory),
          Layer.provide([StepLogs.layer(), emitted.layer, Logger.layer([])])
        )
      )
    )
    assert.deepEqual(sent.map(({ detail }) => detail), [
      "last lines logged:\n  WARN slow\n  WARN slow",
      // since it went on after the wait
      "last lines logged:\n  bad | WARN slow\n  bad | WARN slow"
    ])
    const logged = emitted.list.filter((event) => event._tag === "StepLogged")
    assert.deepEqual(logged.map(({ message, stepName }) => [stepName, message]), [
      ["first", "once"],
      ["bad", "slow"],
      ["bad", "slow"]
    ])
  }))
