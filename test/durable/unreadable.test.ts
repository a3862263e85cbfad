/** Tests durable steps that die with what can't be read or stored. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { AlerterHooks, Pipeline, Step } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { job, recorder } from "./support/engine.ts"

const it = makeIt(test)

class LazyMessage extends Error {
  override get message(): string {
    throw new TypeError("response already consumed")
  }
}

const chain = (length: number): Error => {
  let error = new Error("bottom")
  for (let i = 1; i <= length; i++) error = new Error(`level ${i}`, { cause: error })
  return error
}

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const cyclic: Record<string, unknown> = { _tag: "Odd" }
cyclic["self"] = cyclic

const unreadable = [
  ["an error whose message throws", new LazyMessage(), "Error: <unreadable: TypeError: response already consumed>"],
  ["an error with 20,000 causes", chain(20_000), "Error: level 20000"],
  ["an object that contains itself", cyclic, `Odd: self …`],
  ["an object whose toJSON throws", { toJSON: () => assert.fail("closed") }, `{"toJSON":"<function toJSON>"}`],
  ["a revoked proxy", revoked(), /^<unreadable: TypeError/],
  ["a symbol", Symbol("stop"), "Symbol(stop)"],
  ["a message of 30 MB", new Error("x".repeat(30_000_000)), /^Error: x+…$/]
] as const

for (const [what, defect, body] of unreadable) {
  it.live(`a durable step that dies with ${what} is alerted, and its run ends with what can be read of it`, () =>
    Effect.gen(function*() {
      const bad = Step.make("bad", Effect.die(defect)).pipe(Durable.step())
      const run = Durable.pipeline(
        "unreadable",
        { payload: { day: Schema.String }, idempotencyKey: ({ day }) => day },
        () => Pipeline.make("unreadable", bad).pipe(Pipeline.stepHooks(AlerterHooks.failure))
      )
      const [exit, sent] = yield* Effect.all([
        Effect.exit(run.workflow.execute({ day: "1" })),
        TestAlerter.sent
      ]).pipe(
        Effect.provide(run.layer.pipe(Layer.provideMerge(TestAlerter.layer), Layer.provideMerge(Durable.layerMemory)))
      )
      assert.equal(sent.length, 1)
      if (typeof body === "string") assert.equal(sent[0]!.body, body)
      else assert.match(sent[0]!.body!, body)
      assert.ok(Exit.isFailure(exit))
      // anybody can print it
      assert.ok(Cause.pretty(exit.cause).length < 100_000)
    }))

  for (
    const [engine, layer] of [
      ["in memory", Durable.layerMemory],
      ["in a database", Durable.layerSqlite({ filename: ":memory:" })]
    ] as const
  ) {
    it.live(`a hook that dies with ${what} is recorded as failed, and its run goes on, ${engine}`, () =>
      Effect.gen(function*() {
        const seen = recorder()
        const step = Step.make("a", Effect.void).pipe(
          Step.onSuccess(() => Effect.die(defect)),
          Step.onSuccess(() => seen.note("the next hook")),
          Durable.step()
        )
        const { layer: pipelines, workflow } = job(() => step)
        const exit = yield* Effect.exit(workflow.execute({ id: "1" })).pipe(
          Effect.provide(pipelines.pipe(Layer.provide(seen.layer), Layer.provideMerge(layer)))
        )
        assert.deepEqual(exit, Exit.void)
        assert.deepEqual(seen.list, ["the next hook"])
        assert.equal(seen.events.list.filter(({ _tag }) => _tag === "HookFailed").length, 1)
      }))
  }
}
