/** What counts as a crash, and what does not. Those of real processes are in `kills.ts`. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import { crashesOf } from "../../../src/durable/internal/crashes/crashes.ts"
import { Approver, Hook, Step, StepContext } from "../../../src/index.ts"
import {
  ada,
  awaitExit,
  awaitSuspended,
  Bad,
  type Engine,
  errorOf,
  inProcess,
  job,
  question,
  recorder,
  run,
  suiteOf,
  suspendRun,
  tokenIn,
  until
} from "../support/engine.ts"

/** Begins the current attempt of a step once more, as after a crash, and never ends. `then` is called once that is stored. */
const crash = (step: string, then: () => void) =>
  Effect.gen(function*() {
    const { attempt, runId } = yield* StepContext
    const part = { workflow: "job", execution: runId, name: `step/${step}` }
    yield* crashesOf(yield* WorkflowEngine)!.begin(part, attempt, yield* Clock.currentTimeMillis)
    then()
    return yield* Effect.never
  })

export const crashesSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  for (const crashes of [-1, 1.5, Number.NaN]) {
    test(`refuses ${crashes} as a number of crashes, before anything runs`, (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        const step = Step.make("a", seen.note("a"))
        const exit = yield* run(storage, seen, job(() => Durable.step(step, { crashes })))
        const refusal = `\`crashes\` must be a whole number from 0 on, or Infinity, got ${crashes}`
        assert.ok(String(errorOf(exit)).includes(refusal), String(exit))
        const { layer, workflow } = Durable.pipeline(
          "job",
          { payload: {}, idempotencyKey: () => "2", crashes },
          () => Durable.step(step)
        )
        const ended = yield* inProcess(storage, Layer.provide(layer, seen.layer), Effect.exit(workflow.execute({})))
        assert.ok(String(errorOf(ended)).includes(refusal), String(ended))
        assert.deepEqual(seen.list, [])
      }))
  }

  if (!engine.survives) return

  test("the crashes of all attempts of a step count together, none follows the last one, and those that begin again are logged", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let process = 0
      let deaths = 0
      const step = Step.make(
        "a",
        Effect.suspend((): Effect.Effect<void, Bad, StepContext | WorkflowEngine> => {
          seen.list.push(`body in process ${process}`)
          // the second attempt follows in the process in which the first one fails
          return process === 2 && seen.count("body in process 2") === 1
            ? Effect.fail(new Bad({ n: 1 }))
            : crash("a", () => deaths++)
        })
      ).pipe(
        Step.retry({ times: 5 }),
        Step.onRetry(({ attempt }) => seen.note(`retry after ${attempt}`)),
        Step.onFailure(() => seen.note("failure")),
        Durable.step({ error: Bad, crashes: 1 })
      )
      const { layer, workflow } = job(() => step)
      const pipelines = Layer.provide(layer, seen.layer)
      while (process < 2) {
        process++
        yield* inProcess(
          storage,
          pipelines,
          Effect.gen(function*() {
            yield* workflow.execute({ id: "1" }, { discard: true })
            yield* until("a crash is stored", () => deaths === process, 20_000)
          })
        )
      }
      const error = errorOf(yield* inProcess(storage, pipelines, Effect.exit(workflow.execute({ id: "1" }))))
      assert.ok(error instanceof Durable.CrashedTooOften, String(error))
      const { crashes, death, hook, pipelineName, stepName } = error
      assert.deepEqual({ crashes, death, hook, pipelineName, stepName }, {
        crashes: 2,
        death: undefined,
        hook: undefined,
        pipelineName: "job",
        stepName: "a"
      })
      assert.deepEqual(seen.list, [
        "body in process 1",
        "body in process 2",
        "retry after 1",
        "body in process 2",
        "failure"
      ])
      // the second attempt was not cut off when it began
      assert.equal(seen.log.list.filter(({ message }) => String(message).includes("begins again")).length, 1)
    }))

  test("a process that shuts down while a step and a hook run has not crashed", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let open = false
      const wait = (name: string) =>
        Effect.andThen(seen.note(name), Effect.suspend(() => open ? Effect.void : Effect.never))
      const { layer, workflow } = job(() =>
        Effect.all([
          Durable.step(Step.make("a", wait("a")), { crashes: 0 }),
          Step.make("b", Effect.void).pipe(
            Step.hooks(Hook.onSuccess(() => wait("b hook")).pipe(Hook.timeout(Infinity))),
            Durable.step({ crashes: 0 })
          )
        ], { concurrency: 2, discard: true })
      )
      const pipelines = Layer.provide(layer, seen.layer)
      for (let process = 1; process <= 2; process++) {
        yield* inProcess(
          storage,
          pipelines,
          Effect.andThen(
            workflow.execute({ id: "1" }, { discard: true }),
            until("both run", () => seen.count("a") === process && seen.count("b hook") === process)
          )
        )
      }
      open = true
      const exit = yield* inProcess(storage, pipelines, Effect.exit(workflow.execute({ id: "1" })))
      assert.ok(Exit.isSuccess(exit), String(exit))
      assert.deepEqual([seen.count("a"), seen.count("b hook")], [3, 3])
      const logged = seen.log.list.map(({ cause, message }) => `${message} ${Cause.pretty(cause)}`).join("\n")
      assert.doesNotMatch(logged, /CrashedTooOften|begins again/)
    }))

  test("a step that waits for an answer, or that a later evaluation joins, has not crashed", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const asking = Step.make("ask", Effect.asVoid(Approver.ask(question))).pipe(Durable.step({ crashes: 0 }))
      const slow = Step.make("slow", Effect.andThen(seen.note("slow"), Effect.sleep("200 millis"))).pipe(
        Durable.step({ crashes: 0 })
      )
      const { layer, workflow } = job(() =>
        Effect.gen(function*() {
          yield* asking
          yield* Effect.all([slow, Effect.andThen(suspendRun("1"), suspendRun("2"))], { concurrency: 2 })
        })
      )
      const exit = yield* inProcess(
        storage,
        layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer)),
        Effect.gen(function*() {
          const executionId = yield* workflow.execute({ id: "1" }, { discard: true })
          yield* awaitSuspended(workflow, executionId)
          yield* Approval.answer(tokenIn(seen.alerts[0]!)!, { approve: true, by: ada })
          return yield* awaitExit(workflow, executionId)
        })
      )
      assert.ok(Exit.isSuccess(exit), String(exit))
      assert.equal(seen.count("slow"), 1)
    }))
}
