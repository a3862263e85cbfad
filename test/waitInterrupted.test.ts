/** Tests whether a step that ends with an interruption was interrupted, or failed because something else was. */
import { Cause, Deferred, Effect, Exit, Fiber, Queue } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import process from "node:process"
import { test } from "node:test"
import { AlerterHooks, Hook, Hooks, Pipeline, Step, StepContext } from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { calls, events, kinds, logs, noting } from "./support/observe.ts"

const it = makeIt(test)

const interruptLater = (interrupt: Effect.Effect<unknown>) =>
  Effect.forkChild(Effect.andThen(Effect.sleep("1 second"), interrupt))

/** Bodies that wait for something that is interrupted, though nobody interrupts the body. */
const waits: Readonly<Record<string, Effect.Effect<unknown>>> = {
  "a joined fiber": Effect.gen(function*() {
    const worker = yield* Effect.forkChild(Effect.never)
    yield* interruptLater(Fiber.interrupt(worker))
    return yield* Fiber.join(worker)
  }),
  "a fiber that interrupts itself": Effect.flatMap(Effect.forkChild(Effect.interrupt), Fiber.join),
  "a queue that is shut down": Effect.gen(function*() {
    const queue = yield* Queue.unbounded<number>()
    yield* interruptLater(Queue.shutdown(queue))
    return yield* Queue.take(queue)
  }),
  "an interrupted deferred": Effect.gen(function*() {
    const deferred = yield* Deferred.make<number>()
    yield* interruptLater(Deferred.interrupt(deferred))
    return yield* Deferred.await(deferred)
  })
}

/** Evaluates a step in a step in a pipeline, and returns the hooks and events of all three, with the exit. */
const evaluate = (body: Effect.Effect<unknown>, ready: Effect.Effect<unknown> = Effect.void) =>
  Effect.gen(function*() {
    const [seen, emitted] = [calls(), events()]
    const hooks = (name: string) =>
      Hooks.make(...kinds.filter((kind) => kind !== "retry").map((kind) => noting(seen, kind, `${name} ${kind}`)))
    const inner = Step.make("inner", body).pipe(Step.hooks(hooks("inner")))
    const pipeline = Pipeline.make("p", Step.make("outer", inner).pipe(Step.hooks(hooks("outer")))).pipe(
      Pipeline.hooks(hooks("run"))
    )
    const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(pipeline, emitted.layer)))
    yield* TestClock.adjust("2 seconds")
    yield* Effect.forkChild(Effect.andThen(ready, Fiber.interrupt(fiber)), { startImmediately: true })
    const exit = yield* Effect.exit(Effect.flatten(Fiber.join(fiber)))
    const outcomes = emitted.list.flatMap((event) => "outcome" in event ? [event.outcome] : [])
    return { exit, outcomes, calls: seen.list.filter((call) => !call.endsWith("start")) }
  })

for (const [what, body] of Object.entries(waits)) {
  it.effect(`a step that waits for ${what} fails`, () =>
    Effect.gen(function*() {
      const { calls, exit, outcomes } = yield* evaluate(body, Effect.never)
      assert.deepEqual(outcomes, ["failure", "failure", "failure"])
      assert.deepEqual(calls, ["inner failure", "inner exit", "outer failure", "outer exit", "run failure", "run exit"])
      assert.ok(Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause))
      assert.match(Cause.pretty(exit.cause), /WaitInterrupted: what it waited for was interrupted/)
      // one error, however many steps it passes through
      assert.equal(exit.cause.reasons.filter(Cause.isDieReason).length, 1)
    }))
}

it.effect("a step whose fiber is asked to end is interrupted, and so is one that interrupts itself", () =>
  Effect.gen(function*() {
    const asked = yield* evaluate(Effect.never)
    assert.deepEqual(asked.outcomes, ["interrupt", "interrupt", "interrupt"])
    assert.deepEqual(asked.calls.filter((call) => call.endsWith("failure")), [])
    // the causes of the last two have nothing that would tell them from the first
    const bodies = [
      Effect.interrupt,
      Effect.flatMap(
        Effect.forkChild(Effect.never),
        (fiber) => Effect.andThen(Fiber.interrupt(fiber), Fiber.join(fiber))
      ),
      Effect.flatMap(
        Deferred.make<number>(),
        (deferred) => Effect.andThen(Deferred.interrupt(deferred), Deferred.await(deferred))
      )
    ]
    for (const body of bodies) {
      const itself = yield* evaluate(body, Effect.never)
      assert.deepEqual(itself.outcomes, ["interrupt", "interrupt", "interrupt"])
      assert.ok(Exit.isFailure(itself.exit) && Cause.hasInterruptsOnly(itself.exit.cause))
    }
  }))

it.effect("Effect.all interrupts the siblings of a step that fails", () =>
  Effect.gen(function*() {
    const emitted = events()
    const step = (name: string, body: Effect.Effect<unknown, string>) => Step.make(name, body)
    yield* Effect.exit(
      Effect.all([step("fails", Effect.andThen(Effect.yieldNow, Effect.fail("no"))), step("waits", Effect.never)], {
        concurrency: 2
      })
    ).pipe(Effect.provide(emitted.layer))
    const ended = emitted.list.flatMap((event) => event._tag === "StepEnded" ? [[event.stepName, event.outcome]] : [])
    assert.deepEqual(ended, [["fails", "failure"], ["waits", "interrupt"]])
  }))

it.effect("one alert tells of a wait that was interrupted", () =>
  Effect.gen(function*() {
    yield* Effect.exit(
      Pipeline.make("p", Step.make("outer", Step.make("inner", waits["a fiber that interrupts itself"]!))).pipe(
        Pipeline.stepHooks(AlerterHooks.failure),
        Pipeline.hooks(AlerterHooks.failure)
      )
    )
    const alerts = yield* TestAlerter.sent
    assert.deepEqual(alerts.map(({ body, title }) => [title, body]), [
      ["p › outer › inner failed", "WaitInterrupted: what it waited for was interrupted, and not the step itself"]
    ])
  }).pipe(Effect.provide(TestAlerter.layer)))

it.effect("required hooks that fail in an interruption are added to the cause, and failure hooks run", () =>
  Effect.gen(function*() {
    for (const kind of ["interrupt", "exit"] as const) {
      const [seen, emitted] = [calls(), events()]
      const required = noting(seen, kind, `required ${kind}`, Effect.fail("cleanup"))
      const step = Step.make("s", Effect.never).pipe(
        Step.hooks(Hooks.make(
          ...(["failure", "interrupt", "exit"] as const).map((kind) => noting(seen, kind, kind))
        )),
        Step.hooks(Hook.required(required))
      )
      const fiber = yield* Effect.forkChild(Effect.provide(step, [emitted.layer, logs().layer]), {
        startImmediately: true
      })
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      assert.deepEqual(seen.list, [`required ${kind}`, "failure", "exit"])
      assert.ok(Exit.isFailure(exit))
      assert.deepEqual(exit.cause.reasons.map(({ _tag }) => _tag), ["Interrupt", "Fail"])
      const ended = emitted.list.flatMap((event) => event._tag === "StepEnded" ? [event] : [])
      assert.deepEqual(ended.map(({ outcome }) => outcome), ["failure"])
    }
  }))

it.effect("the path of 10,000 nested steps takes linear memory, also where all events are kept", () =>
  Effect.gen(function*() {
    const emitted = events()
    let step: Effect.Effect<number> = Step.make("innermost", Effect.map(StepContext, ({ stepPath }) => stepPath.length))
    for (let i = 1; i < 10_000; i++) step = Step.make(`step ${i}`, step)
    const before = process.memoryUsage().rss
    assert.equal(yield* Effect.provide(step, emitted.layer), 10_000)
    // eager paths would take 400 MB
    assert.ok(process.memoryUsage().rss - before < 250e6)
    const ended = emitted.list.filter((event) => event._tag === "StepEnded")
    assert.equal(ended.length, 10_000)
    assert.deepEqual(ended[0]!.stepPath.slice(0, 2), ["step 9999", "step 9998"])
    assert.deepEqual(ended.at(-1)!.stepPath, ["step 9999"])
  }))
