/** Alerts about errors that a durable run passes on: the errors are decoded anew whenever the body is evaluated. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { AlerterHooks, Pipeline, Step } from "../../../src/index.ts"
import { Bad, type Engine, inProcess, job, recorder, suiteOf, suspendRun } from "../support/engine.ts"

/** Makes a pipeline whose steps, and whose run, have the standard failure hook. */
const alerting = <E extends Bad | Durable.LibraryError, R>(body: Effect.Effect<unknown, E, R>) =>
  job(() =>
    Pipeline.make("nightly", body).pipe(Pipeline.stepHooks(AlerterHooks.failure), Pipeline.hooks(AlerterHooks.failure))
  )

export const alertedOnceSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  for (
    const [how, wait] of [
      ["in one evaluation of its body", () => Effect.void],
      ["whose body is evaluated anew", suspendRun]
    ] as const
  ) {
    test(`a durable run ${how} alerts an error once, by the innermost step`, (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        const plain = Step.make("load", Step.make("fetch", Effect.suspend(() => Effect.fail(new Bad({ n: 1 })))))
        const load = Durable.step(plain, { error: Bad })
        const { layer, workflow } = alerting(
          Effect.catch(load, (error) => Effect.andThen(wait("1"), Effect.fail(error)))
        )
        yield* inProcess(storage, Layer.provide(layer, seen.layer), Effect.exit(workflow.execute({ id: "1" })))
        assert.deepEqual(seen.alerts.map(({ title }) => title), ["job › load › fetch failed"])
      }))

    test(`a durable run ${how} alerts a defect once, by the durable step`, (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        const load = Durable.step(Step.make("load", Effect.suspend(() => Effect.die(new Error("out of memory")))))
        const { layer, workflow } = alerting(Effect.gen(function*() {
          const exit = yield* Effect.exit(load)
          yield* wait("1")
          return yield* exit
        }))
        yield* inProcess(storage, Layer.provide(layer, seen.layer), Effect.exit(workflow.execute({ id: "1" })))
        assert.deepEqual(seen.alerts.map(({ title }) => title), ["job › load failed"])
      }))
  }

  test("a durable run whose function throws before it has made a pipeline is alerted, once", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, workflow } = job((): Effect.Effect<void> => {
        throw new Error("no tables for this day")
      })
      const run = Effect.exit(workflow.execute({ id: "1" }))
      const exit = yield* inProcess(storage, Layer.provide(layer, seen.layer), Effect.andThen(run, run))
      assert.ok(exit._tag === "Failure")
      assert.match(Cause.pretty(exit.cause), /no tables for this day/)
      assert.deepEqual(seen.alerts.map(({ body, title }) => [title, body]), [
        ["job failed", "Error: no tables for this day"]
      ])
    }))

  test("a durable run tells once of a step that interrupts itself", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const load = Durable.step(Step.make("load", Effect.interrupt))
      const { layer, workflow } = job(() =>
        Pipeline.make("nightly", load).pipe(
          Pipeline.stepHooks(AlerterHooks.interrupt),
          Pipeline.hooks(AlerterHooks.interrupt)
        )
      )
      yield* inProcess(storage, Layer.provide(layer, seen.layer), Effect.exit(workflow.execute({ id: "1" })))
      assert.deepEqual(seen.alerts.map(({ severity, title }) => [title, severity]), [
        ["job › load was interrupted", "warning"]
      ])
    }))

  test("a durable run alerts an error that no step has told", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const load = Durable.step(Step.make("load", Effect.fail(new Bad({ n: 1 }))), { error: Bad })
      const { layer, workflow } = alerting(
        Effect.catch(load, () => Effect.andThen(suspendRun("1"), Effect.fail(new Bad({ n: 2 }))))
      )
      yield* inProcess(storage, Layer.provide(layer, seen.layer), Effect.exit(workflow.execute({ id: "1" })))
      assert.deepEqual(seen.alerts.map(({ title }) => title), ["job › load failed", "job failed"])
    }))
}
