/** Steps and hooks that are running when another fiber's wait is over, and the engine evaluates the body anew. */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import { Alert, Alerter, Approver, Hook, Pipeline, Step, StepContext } from "../../../src/index.ts"
import { brief } from "../../support/observe.ts"
import {
  ada,
  awaitExit,
  awaitSuspended,
  Bad,
  type Engine,
  inProcess,
  interruptRun,
  job,
  question,
  type Recorder,
  recorder,
  run,
  type Storage,
  suiteOf,
  suspendRun,
  tokenIn,
  until
} from "../support/engine.ts"

/** Runs a step, a wait, and another step, which is reached only when the body is evaluated anew. */
const waiting = ({ note }: Recorder) =>
  Effect.gen(function*() {
    yield* Durable.step(Step.make("before", note("before")))
    // long enough for the concurrent step to begin
    yield* suspendRun("wait", "300 millis")
    yield* Durable.step(Step.make("after", note("after")))
  })

const after = (seen: Recorder) => until("the wait is over", () => seen.count("after") > 0)

/** Runs an effect, and notes its start, its end and its interruption. */
const noted = <E, R>({ note }: Recorder, name: string, does: Effect.Effect<unknown, E, R>) =>
  Effect.asVoid(does).pipe(
    (does) => Effect.andThen(note(name), does),
    (does) => Effect.andThen(does, note(`${name} ended`)),
    Effect.onInterrupt(() => note(`${name} interrupted`))
  )

const eventsOf = (seen: Recorder, name: string) => seen.events.list.map(brief).filter((event) => event.includes(name))

export const reevaluationSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("a step that waits for an answer is told to have begun once, however often it is evaluated", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const asking = Step.make("asks", Effect.asVoid(Approver.ask(question))).pipe(Durable.step())
      const { layer, workflow } = job(() =>
        Effect.all([asking, Effect.andThen(suspendRun("1"), suspendRun("2"))], { concurrency: 2, discard: true })
      )
      const exit = yield* inProcess(
        storage,
        layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer)),
        Effect.gen(function*() {
          const executionId = yield* workflow.execute({ id: "1" }, { discard: true })
          yield* awaitSuspended(workflow, executionId)
          yield* until("it has asked", () => seen.alerts.length > 0)
          // the other fiber's waits are over by then, and the step is evaluated anew
          yield* Effect.sleep("500 millis")
          yield* Approval.answer(tokenIn(seen.alerts[0]!)!, { approve: true, by: ada })
          return yield* awaitExit(workflow, executionId)
        })
      )
      assert.deepEqual(exit, Exit.void)
      assert.deepEqual(eventsOf(seen, " asks"), ["StepStarted asks", "StepEnded asks success"])
    }))

  for (const isApproved of [true, false]) {
    test(`the time at which a step is overdue counts from its body, ${isApproved ? "after" : "without"} an approval`, (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        const told: Array<number> = []
        const begun: Array<number> = []
        const body = Effect.andThen(
          Effect.sync(() => void begun.push(Date.now())),
          until("it is told", () => told.length > 0)
        )
        const long = Step.make("long", body).pipe(
          Step.onOverdue(
            "1 second",
            ({ startedAt }) => Effect.sync(() => void told.push(DateTime.toEpochMillis(startedAt)))
          )
        )
        const step = Durable.step(isApproved ? Step.requireApproval(long, question) : long)
        const waits = Effect.andThen(suspendRun("1", "400 millis"), suspendRun("2", "400 millis"))
        const { layer, workflow } = job(() => Effect.all([step, waits], { concurrency: 2, discard: true }))
        yield* inProcess(
          storage,
          layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer)),
          Effect.gen(function*() {
            const executionId = yield* workflow.execute({ id: "1" }, { discard: true })
            if (isApproved) {
              yield* until("it has asked", () => seen.alerts.length > 0)
              yield* Approval.answer(tokenIn(seen.alerts[0]!)!, { approve: true, by: ada })
            }
            assert.deepEqual(yield* awaitExit(workflow, executionId), Exit.void)
          })
        )
        assert.equal(told.length, 1)
        assert.equal(begun.length, 1)
        assert.ok(told[0]! <= begun[0]!, `${told} ${begun}`)
      }))
  }

  test("a body keeps running, is retried, and its end is reported once", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const body = Effect.andThen(noted(seen, "long", after(seen)), Effect.fail(new Bad({ n: 1 })))
      const long = Step.make("long", body).pipe(
        Step.retry({ times: 1 }),
        Step.onRetry(({ attempt }) => seen.note(`retry ${attempt}`)),
        Step.onFailure(() => seen.note("failure")),
        Durable.step({ error: Bad })
      )
      const pipeline = job(() => Effect.all([Effect.exit(long), waiting(seen)], { concurrency: 2, discard: true }))
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.void)
      assert.deepEqual(seen.list.toSorted(), [
        "after",
        "before",
        "failure",
        "long",
        "long",
        "long ended",
        "long ended",
        "retry 1"
      ])
      assert.deepEqual(eventsOf(seen, " long"), ["StepStarted long", "AttemptFailed long 1", "StepEnded long failure"])
      assert.equal(seen.events.list.filter(({ _tag }) => _tag === "StepEnded").length, 3)
    }))

  for (const where of ["of a step", "in the background", "of a failed attempt"]) {
    test(`a hook ${where} keeps running, and posts once`, (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        const hook = Effect.gen(function*() {
          const alerter = yield* Alerter
          yield* alerter.post(Alert.make({ title: "once" }))
          yield* noted(seen, "hook", after(seen))
        })
        let attempts = 0
        const body = Effect.suspend(() => ++attempts < 2 ? Effect.fail(new Bad({ n: 1 })) : Effect.void)
        const retried = Step.make("long", body).pipe(Step.retry({ times: 1 }))
        const long = where === "of a failed attempt"
          ? Step.onRetry(retried, () => hook)
          : Step.hooks(
            retried,
            where === "of a step" ? Hook.onSuccess(() => hook) : Hook.onSuccess(() => hook).pipe(Hook.background)
          )
        const pipeline = job(() =>
          Effect.all([Durable.step(long, { error: Bad }), waiting(seen)], { concurrency: 2, discard: true })
        )
        assert.deepEqual(yield* run(storage, seen, pipeline), Exit.void)
        for (const call of ["hook", "hook ended"]) {
          assert.deepEqual([call, seen.count(call)], [call, 1], seen.list.join())
        }
        assert.equal(seen.count("hook interrupted"), 0)
        assert.deepEqual(seen.alerts.map(({ title }) => title), ["once"])
        assert.equal(eventsOf(seen, "HookEnded").length, 1)
      }))
  }

  test("a step that loses a race after the re-evaluation is interrupted once, with its annotations", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const notes: Array<unknown> = []
      const body = Effect.andThen(StepContext.annotate({ file: "a.csv" }), Effect.never)
      const long = Step.make("long", noted(seen, "long", body)).pipe(
        Step.onInterrupt(() => seen.note("interrupt hook")),
        Step.onInterrupt(() => Effect.map(StepContext, ({ annotations }) => notes.push(annotations))),
        Durable.step()
      )
      const pipeline = job(() =>
        Pipeline.make("x", Effect.race(long, waiting(seen))).pipe(Pipeline.onExit(() => seen.note("run exit")))
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.void)
      assert.deepEqual(seen.list.slice(0, 2).toSorted(), ["before", "long"])
      assert.deepEqual(seen.list.slice(2), ["after", "long interrupted", "interrupt hook", "run exit"])
      assert.deepEqual(notes, [{ file: "a.csv" }])
      assert.deepEqual(eventsOf(seen, " long"), ["StepStarted long", "StepEnded long interrupt"])
      const [ended] = seen.events.list.flatMap((event) =>
        event._tag === "StepEnded" && event.stepName === "long" ? [event] : []
      )
      assert.ok(Duration.toMillis(ended!.duration) >= 250, String(ended!.duration))
    }))

  test("a hook of the run that is running when the wait of a lost race is over runs once", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const hook = noted(seen, "hook", Effect.sleep("700 millis"))
      const pipeline = job(() =>
        Pipeline.make("x", Effect.race(suspendRun("short"), suspendRun("long", "400 millis"))).pipe(
          Pipeline.onExit(() => hook)
        )
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.void)
      assert.deepEqual(seen.list, ["hook", "hook ended"])
    }))

  test("a short delay before a retry keeps running", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const long = Step.make("long", Effect.andThen(seen.note("long"), Effect.fail(new Bad({ n: 1 })))).pipe(
        Step.retry({ schedule: Schedule.spaced("900 millis"), times: 1 }),
        Durable.step({ error: Bad })
      )
      const waits = Effect.forEach(["1", "2", "3", "4", "5"], (name) => suspendRun(name, "300 millis"), {
        discard: true
      })
      const pipeline = job(() =>
        Effect.all([
          Effect.andThen(Effect.exit(long), Durable.step(Step.make("ended", seen.note("ended")))),
          Effect.andThen(waits, Durable.step(Step.make("waited", seen.note("waited"))))
        ], { concurrency: 2, discard: true })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.void)
      // a delay that started anew after each of the five waits would end last
      assert.deepEqual(seen.list, ["long", "long", "ended", "waited"])
    }))

  const interrupted = <E extends Bad | Durable.LibraryError, R>(
    storage: Storage,
    seen: Recorder,
    body: Effect.Effect<unknown, E, R>,
    ready: () => boolean
  ) => {
    const { layer, workflow } = job(() => Pipeline.make("x", body).pipe(Pipeline.onExit(() => seen.note("run exit"))))
    return interruptRun(storage, Layer.provide(layer, seen.layer), workflow, ready)
  }

  test("an interruption requested during a wait interrupts the running body when the wait is over", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const long = Step.make("long", noted(seen, "long", Effect.never)).pipe(
        Step.onInterrupt(() => seen.note("interrupt hook")),
        Durable.step()
      )
      const body = Effect.all([long, waiting(seen)], { concurrency: 2, discard: true })
      yield* interrupted(storage, seen, body, () => seen.count("long") + seen.count("before") === 2)
      assert.deepEqual(seen.list.slice(2), ["long interrupted", "interrupt hook", "run exit"])
      assert.deepEqual(eventsOf(seen, " long"), ["StepStarted long", "StepEnded long interrupt"])
    }))

  test("an interruption requested during a wait lets a running hook finish when the wait is over", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const long = Step.make("long", seen.note("long")).pipe(
        Step.onSuccess(() => noted(seen, "hook", Effect.sleep("700 millis"))),
        Durable.step()
      )
      const body = Effect.all([long, waiting(seen)], { concurrency: 2, discard: true })
      yield* interrupted(storage, seen, body, () => seen.count("hook") + seen.count("before") === 2)
      assert.deepEqual(seen.list.slice(3), ["hook ended", "run exit"])
      assert.deepEqual(eventsOf(seen, " long"), ["StepStarted long", "StepEnded long success"])
    }))

  test("an interruption requested during a wait ends the run when the wait is over", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const held = DurableDeferred.into(noted(seen, "held", Effect.sleep("1 second")), DurableDeferred.make("held"))
      const body = Effect.all([held, waiting(seen)], { concurrency: 2, discard: true })
      yield* interrupted(storage, seen, body, () => seen.count("held") + seen.count("before") === 2)
      assert.equal(seen.count("run exit"), 1, seen.list.join())
    }))

  test("a process that shuts down before the new evaluation reaches a running step interrupts it", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const long = Step.make("long", noted(seen, "long", Effect.never)).pipe(Durable.step())
      let evaluations = 0
      const { layer, workflow } = job(() =>
        Effect.andThen(
          Effect.suspend(() => ++evaluations === 1 ? Effect.void : Effect.sleep("1 minute")),
          Effect.all([long, waiting(seen)], { concurrency: 2, discard: true })
        )
      )
      yield* inProcess(
        storage,
        Layer.provide(layer, seen.layer),
        Effect.andThen(
          workflow.execute({ id: "1" }, { discard: true }),
          until("the wait is over", () => evaluations === 2)
        )
      )
      assert.equal(seen.count("long interrupted"), 1)
    }))

  test("a body that then waits itself runs again until it has ended once", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const body = Effect.andThen(after(seen), suspendRun("in the body", "100 millis"))
      const long = Step.make("long", noted(seen, "long", body)).pipe(Durable.step())
      const pipeline = job(() => Effect.all([long, waiting(seen)], { concurrency: 2, discard: true }))
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.void)
      assert.equal(seen.count("long ended"), 1)
      assert.equal(seen.count("long"), seen.count("long interrupted") + 1)
    }))

  test("a running step that the new evaluation does not reach is interrupted when the run ends", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const long = Step.make("long", noted(seen, "long", Effect.never)).pipe(Durable.step())
      let evaluations = 0
      const pipeline = job(() =>
        Pipeline.make(
          "x",
          // a body that differs at its second evaluation, though it should not
          Effect.suspend(() => ++evaluations === 1 ? Effect.race(long, waiting(seen)) : waiting(seen))
        ).pipe(Pipeline.onExit(() => seen.note("run exit")))
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.void)
      // sorted: a cluster interrupts the activity by a message, at any time around the end
      assert.deepEqual(seen.list.slice(-3).toSorted(), ["after", "long interrupted", "run exit"])
    }))

  if (!engine.survives) return

  test("a process that shuts down meanwhile interrupts a running step, and the next process runs it again", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let hangs = true
      const body = Effect.suspend(() => hangs ? Effect.never : Effect.void)
      const long = Step.make("long", noted(seen, "long", body)).pipe(
        Step.onInterrupt(() => seen.note("interrupt hook")),
        Step.onSuccess(() => seen.note("success")),
        Durable.step()
      )
      const pipeline = job(() => Effect.all([long, waiting(seen)], { concurrency: 2, discard: true }))
      yield* inProcess(
        storage,
        Layer.provide(pipeline.layer, seen.layer),
        Effect.andThen(pipeline.workflow.execute({ id: "1" }, { discard: true }), after(seen))
      )
      hangs = false
      const exit = yield* run(storage, seen, pipeline)
      assert.ok(Exit.isSuccess(exit), Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
      assert.deepEqual(
        ["long", "long interrupted", "long ended", "success", "interrupt hook", "before", "after"].map(seen.count),
        [2, 1, 1, 1, 0, 1, 1]
      )
    }))
}
