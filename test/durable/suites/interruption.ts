/** Interruptions with `workflow.interrupt`, at each point of a run. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as DurableClock from "effect/workflow/DurableClock"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import { Approver, Hook, Pipeline, Step } from "../../../src/index.ts"
import { brief } from "../../support/observe.ts"
import {
  Bad,
  type Engine,
  interruptRun,
  isInterrupt,
  job,
  type Recorder,
  recorder,
  run,
  type Storage,
  suiteOf,
  suspendRun,
  until
} from "../support/engine.ts"

const sleepOneHour = (name: string) => DurableClock.sleep({ name, duration: "1 hour", inMemoryThreshold: 0 })

const question = { title: "Go on?", timeout: "1 day" } as const

/** Makes a step that notes its body and its hooks. */
const noted = <E, R>({ note }: Recorder, name: string, body: Effect.Effect<unknown, E, R>) =>
  Step.make(name, Effect.asVoid(Effect.andThen(note(`${name} body`), body))).pipe(
    Step.onSuccess(() => note(`${name} success`)),
    Step.onFailure(() => note(`${name} failure`)),
    Step.onInterrupt(() => note(`${name} interrupt`)),
    Step.onExit((exit) => note(`${name} exit ${exit._tag}`))
  )

export const interruptionSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  /** Makes a pipeline that notes its hooks. */
  const interruptible = <E extends Bad | Durable.LibraryError, R>(
    seen: Recorder,
    body: () => Effect.Effect<unknown, E, R>
  ) => {
    const { layer, workflow } = job(() =>
      Pipeline.make("x", body()).pipe(
        Pipeline.onSuccess(() => seen.note("run success")),
        Pipeline.onFailure(() => seen.note("run failure")),
        Pipeline.onInterrupt(() => seen.note("run interrupt")),
        Pipeline.onExit(() => seen.note("run exit"))
      )
    )
    return { workflow, pipelines: layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer)) }
  }

  /** Interrupts a run of a body once it is suspended, or once `ready` returns true. */
  const interrupted = <E extends Bad | Durable.LibraryError, R>(
    storage: Storage,
    seen: Recorder,
    body: () => Effect.Effect<unknown, E, R>,
    ready?: () => boolean
  ) => {
    const { pipelines, workflow } = interruptible(seen, body)
    return interruptRun(storage, pipelines, workflow, ready)
  }

  const ended = ["run interrupt", "run exit"]

  test("interrupts a run that waits for a clock in its body", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      yield* interrupted(storage, seen, () =>
        Effect.gen(function*() {
          yield* Durable.step(noted(seen, "a", Effect.void))
          yield* sleepOneHour("nap")
          yield* Durable.step(noted(seen, "b", Effect.void))
        }))
      assert.deepEqual(seen.list, ["a body", "a success", "a exit Success", ...ended])
      assert.deepEqual(seen.events.list.map(brief).filter((event) => event.startsWith("Run")), [
        "RunStarted job",
        "RunEnded job interrupt"
      ])
    }))

  test("interrupts a run that waits for a deferred, after several replays", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const deferred = DurableDeferred.make("never")
      let evaluations = 0
      yield* interrupted(storage, seen, () =>
        Effect.gen(function*() {
          evaluations++
          yield* suspendRun("1")
          yield* suspendRun("2")
          evaluations = 10
          yield* DurableDeferred.await(deferred)
        }), () => evaluations === 10)
      assert.deepEqual(seen.list, ended)
    }))

  test("lets a running body end and its hooks run, and then interrupts the run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let asked = false
      const { pipelines, workflow } = interruptible(seen, () =>
        Effect.gen(function*() {
          yield* Durable.step(noted(seen, "a", until("the interruption is asked for", () => asked)))
          yield* Durable.step(noted(seen, "b", Effect.void))
        }))
      yield* interruptRun(storage, pipelines, workflow, () =>
        seen.list.includes("a body"), (id) =>
        Effect.tap(workflow.interrupt(id), () =>
          Effect.sync(() => {
            asked = true
          })))
      assert.deepEqual(seen.list, ["a body", "a success", "a exit Success", ...ended])
    }))

  // without a database a cluster does not know which steps had begun before it evaluates the body anew
  const testNow = engine.name === "a slow cluster" ? () => {} : test

  testNow("interrupts a running body at once where that is asked for", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const body = Effect.ensuring(Effect.sleep("1 hour"), seen.note("a finalizer"))
      const job = interruptible(seen, () =>
        Effect.gen(function*() {
          yield* Durable.step(noted(seen, "before", Effect.void))
          yield* Durable.step(noted(seen, "a", body))
          yield* Durable.step(noted(seen, "b", Effect.void))
        }))
      yield* interruptRun(
        storage,
        job.pipelines,
        job.workflow,
        () => seen.list.includes("a body"),
        (id) => Durable.interruptNow(job, id)
      )
      assert.deepEqual(seen.list, [
        "before body",
        "before success",
        "before exit Success",
        "a body",
        "a finalizer",
        "a interrupt",
        "a exit Failure",
        ...ended
      ])
    }))

  testNow(
    "interrupts all bodies that are running at once, and one that is suspended, where that is asked for",
    (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        const job = interruptible(seen, () =>
          Effect.all([
            Durable.step(noted(seen, "a", Effect.sleep("1 hour"))),
            Durable.step(noted(seen, "b", Effect.sleep("1 hour"))),
            Durable.step(noted(seen, "c", Approver.ask(question)))
          ], { concurrency: "unbounded", discard: true }))
        yield* interruptRun(
          storage,
          job.pipelines,
          job.workflow,
          () => seen.list.includes("a body") && seen.list.includes("b body") && seen.alerts.length > 0,
          (id) => Durable.interruptNow(job, id)
        )
        assert.deepEqual(
          seen.list.toSorted(),
          [
            ...["a", "b", "c"].flatMap((name) => [`${name} body`, `${name} interrupt`, `${name} exit Failure`]),
            ...ended
          ]
            .toSorted()
        )
      })
  )

  for (const delay of ["1 hour", "1 second"] as const) {
    test(`interrupts a step in its delay of ${delay} before a retry`, (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        const failing = noted(seen, "a", Effect.fail(new Bad({ n: 1 }))).pipe(
          Step.retry(Schedule.spaced(delay)),
          Step.onRetry(() => seen.note("a retry"))
        )
        const ready = delay === "1 hour" ? undefined : () => seen.list.includes("a retry")
        yield* interrupted(storage, seen, () => Durable.step(failing, { error: Bad }), ready)
        assert.deepEqual(seen.list, ["a body", "a retry", "a interrupt", "a exit Failure", ...ended])
        const tags = seen.events.list.map(brief)
        assert.deepEqual(tags.filter((tag) => tag.startsWith("Step")), ["StepStarted a", "StepEnded a interrupt"])
      }))
  }

  test("a step that waits for a fiber that is interrupted fails, at a replay too", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const waiting = Effect.flatMap(Effect.forkChild(Effect.interrupt), Fiber.join)
      const exit = yield* run(
        storage,
        seen,
        job(() =>
          Effect.gen(function*() {
            const exit = yield* Effect.exit(Durable.step(noted(seen, "a", waiting)))
            yield* suspendRun("1")
            return yield* exit
          })
        )
      )
      assert.ok(Exit.isFailure(exit) && !isInterrupt(exit))
      assert.deepEqual(seen.list, ["a body", "a failure", "a exit Failure"])
    }))

  test("interrupts a step that waits for its required approval", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = noted(seen, "a", Effect.void).pipe(Step.requireApproval(question))
      yield* interrupted(storage, seen, () => Durable.step(step))
      assert.deepEqual(seen.list, ["a interrupt", "a exit Failure", ...ended])
      assert.equal(seen.alerts.length, 1)
    }))

  test("interrupts a step whose body waits for an answer", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = noted(seen, "a", Approver.ask(question))
      yield* interrupted(storage, seen, () => Durable.step(step))
      assert.deepEqual(seen.list, ["a body", "a interrupt", "a exit Failure", ...ended])
      assert.equal(seen.alerts.length, 1)
    }))

  test("interrupts concurrent steps, the last that began first, and no step that has ended", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const asking = (name: string) => noted(seen, name, Effect.void).pipe(Step.requireApproval(question))
      const failing = noted(seen, "c", Effect.fail(new Bad({ n: 1 }))).pipe(Step.retry(Schedule.spaced("1 hour")))
      yield* interrupted(storage, seen, () =>
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

  test("interrupts a run that has just been submitted", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let bodies = 0
      yield* interrupted(storage, seen, () =>
        Effect.andThen(
          Effect.sync(() => bodies++),
          Effect.andThen(sleepOneHour("nap"), Durable.step(noted(seen, "a", Effect.void)))
        ), () => true)
      // without an evaluation of the body no hook runs
      if (bodies > 0) assert.deepEqual(seen.list, ended)
      else assert.deepEqual(seen.list, [])
    }))

  test("a required interrupt hook that fails makes a failure of the step, and background hooks are awaited", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = noted(seen, "a", Effect.void).pipe(
        Step.requireApproval(question),
        Step.hooks(Hook.onInterrupt(() => Effect.fail("no")).pipe(Hook.named("audit"), Hook.required)),
        Step.hooks(Hook.onFailure(() => Effect.andThen(Effect.sleep(30), seen.note("late"))).pipe(Hook.background))
      )
      yield* interrupted(storage, seen, () => Durable.step(step))
      assert.deepEqual(seen.list.filter((call) => call !== "late"), ["a failure", "a exit Failure", ...ended])
      assert.equal(seen.count("late"), 1)
      const failed = seen.events.list.filter(({ _tag }) => _tag === "HookFailed")
      assert.deepEqual(failed.map(brief), ["HookFailed audit"])
    }))
}
