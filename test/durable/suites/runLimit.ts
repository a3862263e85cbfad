/** Time limits of runs. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import { Pipeline, Step } from "../../../src/index.ts"
import {
  Bad,
  type Engine,
  inProcess,
  job,
  lastAttempts,
  recorder,
  run,
  suiteOf,
  suspendRun
} from "../support/engine.ts"

export const runLimitSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("a run that exceeds its limit fails, its steps are interrupted, and its failure hooks run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const slow = Step.make("slow", Effect.sleep("20 seconds")).pipe(
        Step.onInterrupt(() => seen.note("step interrupt")),
        Durable.step()
      )
      const pipeline = job(() =>
        Pipeline.make("any", slow).pipe(
          Pipeline.timeout("300 millis"),
          Pipeline.onFailure((cause) => seen.note(`run failure ${(Cause.squash(cause) as Error).message}`)),
          Pipeline.onInterrupt(() => seen.note("run interrupt"))
        )
      )
      const exit = yield* run(storage, seen, pipeline)
      assert.ok(Exit.isFailure(exit) && Cause.isTimeoutError(Cause.squash(exit.cause)), String(exit))
      assert.deepEqual(seen.list, [
        "step interrupt",
        "run failure pipeline \"job\" exceeded its time limit of 300 ms"
      ])
    }))

  test("steps of a run with a limit keep their order and results through suspensions", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = (n: number) =>
        Durable.step(Step.make("s", Effect.as(seen.note(`body ${n}`), n)), { success: Schema.Int })
      const pipeline = job(() =>
        Pipeline.make(
          "any",
          Effect.gen(function*() {
            const a = yield* step(1)
            yield* suspendRun("1")
            const b = yield* step(2)
            yield* suspendRun("2")
            return [a, b, yield* step(3)]
          })
        ).pipe(Pipeline.timeout("1 minute"))
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed([1, 2, 3]))
      assert.deepEqual(seen.list, ["body 1", "body 2", "body 3"])
    }))

  test("a run that is suspended when its time is up fails, with the hooks of the step that waits", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const waiting = Step.make("waits", Effect.void).pipe(
        Step.requireApproval({ title: "Go on?", timeout: "1 day" }),
        Step.onInterrupt(() => seen.note("step interrupt")),
        Durable.step()
      )
      const pipeline = job(() =>
        Pipeline.make("any", waiting).pipe(
          Pipeline.timeout("200 millis", { grace: 0 }),
          Pipeline.onFailure(() => seen.note("run failure"))
        )
      )
      const layer = pipeline.layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer))
      const exit = yield* inProcess(storage, layer, Effect.exit(pipeline.workflow.execute({ id: "1" })))
      assert.ok(Exit.isFailure(exit) && Cause.isTimeoutError(Cause.squash(exit.cause)), String(exit))
      assert.deepEqual(seen.list, ["step interrupt", "run failure"])
    }))

  test("a failed attempt says so where the limit of the run is up before the delay is over", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = Step.make("load", Effect.fail(new Bad({ n: 1 }))).pipe(
        Step.retry({ schedule: Schedule.spaced("6 seconds"), times: 1 }),
        Step.onRetry(({ isLast }) => seen.note(`isLast ${isLast}`)),
        Durable.step({ error: Bad })
      )
      yield* run(storage, seen, job(() => Pipeline.make("any", step).pipe(Pipeline.timeout("1 second"))))
      assert.deepEqual(seen.list, ["isLast true"])
      assert.deepEqual(lastAttempts(seen), [true])
    }))

  test("retry hooks run to their end, and those after them, where the limit of the run is up meanwhile", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = Step.make("load", Effect.fail(new Bad({ n: 1 }))).pipe(
        Step.retry({ schedule: Schedule.spaced("6 seconds"), times: 1 }),
        Step.onRetry(() => Effect.andThen(Effect.sleep("1500 millis"), seen.note("slow"))),
        Step.onRetry(() => seen.note("next")),
        Durable.step({ error: Bad })
      )
      yield* run(storage, seen, job(() => Pipeline.make("any", step).pipe(Pipeline.timeout("1 second"))))
      assert.deepEqual(seen.list, ["slow", "next"])
    }))
}
