/** Tests durable steps of functions that return promises. */
import { Effect, Exit, Layer, Logger, Schema } from "effect"
import { DurableClock } from "effect/workflow"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Pipeline, Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

it.live("a durable step of a promise is called once, and its signal is aborted at its time limit", () =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const count = Step.fnPromise("count")(
      { try: async (_, table: string) => seen.push(table), catch: String },
      (step, table) => Step.key(step, table),
      Durable.step({ success: Schema.Number, error: Schema.String })
    )
    const hang = Step.promise("hang", {
      try: (signal) =>
        new Promise<never>((_, reject) =>
          signal.addEventListener("abort", () => {
            seen.push("aborted")
            reject(signal.reason)
          })
        ),
      catch: String
    }).pipe(Step.timeout("20 millis"), Durable.step({ error: Schema.String }))
    // suspends the run, which is evaluated anew after it
    const wait = DurableClock.sleep({ name: "wait", duration: "20 millis", inMemoryThreshold: 0 })
    const run = Durable.pipeline(
      "nightly",
      { payload: { day: Schema.String }, idempotencyKey: ({ day }) => day, error: Schema.String },
      () =>
        Pipeline.make(
          "nightly",
          count("prices").pipe(Effect.andThen(wait), Effect.andThen(Effect.exit(hang)), Effect.asVoid)
        )
    )
    const exit = yield* Effect.exit(run.workflow.execute({ day: "1" })).pipe(
      Effect.provide(run.layer.pipe(Layer.provideMerge(Durable.layerMemory), Layer.provide(Logger.layer([]))))
    )
    assert.ok(Exit.isSuccess(exit))
    assert.deepEqual(seen, ["prices", "aborted"])
  }))
