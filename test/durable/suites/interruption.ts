/** `workflow.interrupt`, wherever the run is. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as DurableClock from "effect/workflow/DurableClock"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import { Approver, Hook, Pipeline, Step } from "../../../src/index.ts"
import { brief } from "../../support/observe.ts"
import { Bad, type Engine, interruptRun, job, park, type Place, suiteOf, type Watch, watch } from "../support/engine.ts"

const long = (name: string) => DurableClock.sleep({ name, duration: "1 hour", inMemoryThreshold: 0 })

const question = { title: "Go on?", timeout: "1 day" } as const

/** A step that notes how it starts and ends. */
const noted = <E, R>({ note }: Watch, name: string, body: Effect.Effect<unknown, E, R>) =>
  Step.make(name, Effect.asVoid(Effect.andThen(note(`${name} body`), body))).pipe(
    Step.onSuccess(() => note(`${name} success`)),
    Step.onFailure(() => note(`${name} failure`)),
    Step.onInterrupt(() => note(`${name} interrupt`)),
    Step.onExit((exit) => note(`${name} exit ${exit._tag}`))
  )

export const interruptSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  /** Interrupts a run once it is where it should be, and gives what was seen of that. */
  const interrupted = <E extends Bad | Durable.LibraryError, R>(
    place: Place,
    seen: Watch,
    body: () => Effect.Effect<unknown, E, R>,
    ready?: () => boolean
  ) => {
    const { layer, workflow } = job(() =>
      Pipeline.make("x", body()).pipe(
        Pipeline.onSuccess(() => seen.note("run success")),
        Pipeline.onFailure(() => seen.note("run failure")),
        Pipeline.onInterrupt(() => seen.note("run interrupt")),
        Pipeline.onExit(() => seen.note("run exit"))
      )
    )
    const pipelines = layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer))
    return interruptRun(place, pipelines, workflow, ready)
  }

  const ended = ["run interrupt", "run exit"]

  test("in a clock of the body", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      yield* interrupted(place, seen, () =>
        Effect.gen(function*() {
          yield* Durable.step(noted(seen, "a", Effect.void))
          yield* long("nap")
          yield* Durable.step(noted(seen, "b", Effect.void))
        }))
      assert.deepEqual(seen.list, ["a body", "a success", "a exit Success", ...ended])
      assert.deepEqual(seen.told.list.map(brief).filter((event) => event.startsWith("Run")), [
        "RunStarted job",
        "RunEnded job interrupt"
      ])
    }))

  test("in a deferred, after several replays", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      const deferred = DurableDeferred.make("never")
      let evaluations = 0
      yield* interrupted(place, seen, () =>
        Effect.gen(function*() {
          evaluations++
          yield* park("1")
          yield* park("2")
          evaluations = 10
          yield* DurableDeferred.await(deferred)
        }), () => evaluations === 10)
      assert.deepEqual(seen.list, ended)
    }))

  test("while a body runs: it ends, and then its hooks and those of the run have their turn", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      yield* interrupted(place, seen, () =>
        Effect.gen(function*() {
          yield* Durable.step(noted(seen, "a", Effect.sleep(100)))
          yield* Durable.step(noted(seen, "b", Effect.void))
        }), () => seen.list.includes("a body"))
      assert.deepEqual(seen.list, ["a body", "a success", "a exit Success", ...ended])
    }))

  for (const delay of ["1 hour", "400 millis"] as const) {
    test(`in the delay of ${delay} before a retry`, (place) =>
      Effect.gen(function*() {
        const seen = watch()
        const failing = noted(seen, "a", Effect.fail(new Bad({ n: 1 }))).pipe(
          Step.retry(Schedule.spaced(delay)),
          Step.onRetry(() => seen.note("a retry"))
        )
        const ready = delay === "1 hour" ? undefined : () => seen.list.includes("a retry")
        yield* interrupted(place, seen, () => Durable.step(failing, { error: Bad }), ready)
        assert.deepEqual(seen.list, ["a body", "a retry", "a interrupt", "a exit Failure", ...ended])
        const tags = seen.told.list.map(brief)
        assert.deepEqual(tags.filter((tag) => tag.startsWith("Step")), ["StepStarted a", "StepEnded a interrupt"])
      }))
  }

  test("in the approval that a step requires", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      const step = noted(seen, "a", Effect.void).pipe(Step.requireApproval(question))
      yield* interrupted(place, seen, () => Durable.step(step))
      assert.deepEqual(seen.list, ["a interrupt", "a exit Failure", ...ended])
      assert.equal(seen.alerts.length, 1)
    }))

  test("in an approval that a body asks for", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      const step = noted(seen, "a", Approver.ask(question))
      yield* interrupted(place, seen, () => Durable.step(step))
      assert.deepEqual(seen.list, ["a body", "a interrupt", "a exit Failure", ...ended])
      assert.equal(seen.alerts.length, 1)
    }))

  test("in several steps at once, one of which has ended: the last that began is the first to be told", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      const asking = (name: string) => noted(seen, name, Effect.void).pipe(Step.requireApproval(question))
      const failing = noted(seen, "c", Effect.fail(new Bad({ n: 1 }))).pipe(Step.retry(Schedule.spaced("1 hour")))
      yield* interrupted(place, seen, () =>
        Effect.gen(function*() {
          yield* Durable.step(noted(seen, "first", Effect.void))
          yield* Effect.all([
            Durable.step(asking("a")),
            Durable.step(asking("b")),
            Durable.step(failing, { error: Bad })
          ], { concurrency: "unbounded" })
          yield* Durable.step(noted(seen, "last", Effect.void))
        }))
      assert.deepEqual(seen.list, [
        "first body",
        "first success",
        "first exit Success",
        "c body",
        "c interrupt",
        "c exit Failure",
        "b interrupt",
        "b exit Failure",
        "a interrupt",
        "a exit Failure",
        ...ended
      ])
    }))

  test("before the process has begun with it", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      let bodies = 0
      yield* interrupted(place, seen, () =>
        Effect.andThen(
          Effect.sync(() => bodies++),
          Effect.andThen(long("nap"), Durable.step(noted(seen, "a", Effect.void)))
        ), () => true)
      // where it had not begun, nothing of it has
      if (bodies > 0) assert.deepEqual(seen.list, ended)
      else assert.deepEqual(seen.list, [])
    }))

  test("a required interrupt hook that fails, a hook that fails, and one in the background", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      const step = noted(seen, "a", Effect.void).pipe(
        Step.requireApproval(question),
        Step.hooks(Hook.onInterrupt(() => Effect.fail("no")).pipe(Hook.named("audit"), Hook.required)),
        Step.hooks(Hook.onInterrupt(() => Effect.andThen(Effect.sleep(30), seen.note("late"))).pipe(Hook.background))
      )
      yield* interrupted(place, seen, () => Durable.step(step))
      assert.deepEqual(seen.list.filter((call) => call !== "late"), ["a interrupt", "a exit Failure", ...ended])
      assert.equal(seen.count("late"), 1)
      const failed = seen.told.list.filter(({ _tag }) => _tag === "HookFailed")
      assert.deepEqual(failed.map(brief), ["HookFailed audit"])
    }))
}
