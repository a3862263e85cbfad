import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Hash from "effect/Hash"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, RunEvent, Step, StepContext } from "../src/index.ts"
import { collectGarbage } from "./support/eventLoop.ts"
import { makeIt } from "./support/it.ts"
import { brief, events, logs } from "./support/observe.ts"

const it = makeIt(test)

/** A run that emits every kind of event but progress. */
const eventful = Effect.suspend(() => {
  let n = 0
  const flaky = Step.make("flaky", Effect.suspend(() => ++n < 3 ? Effect.fail(`no ${n}`) : Effect.succeed(n))).pipe(
    Step.retry({ times: 5 }),
    Step.onStart(Effect.void),
    Step.onRetry(() => Effect.void),
    Step.hooks(Hooks.make(
      Hook.onSuccess(() => Effect.void).pipe(Hook.named("required"), Hook.required),
      Hook.onSuccess(() => Effect.die("x")).pipe(Hook.named("broken")),
      Hook.onSuccess(() => Effect.void).pipe(Hook.named("skipped"), Hook.when(() => false))
    ))
  )
  const failing = Step.make("failing", Effect.fail("no"))
  const interrupted = Step.make("interrupted", Effect.interrupt)
  return Pipeline.make(
    "p",
    Effect.gen(function*() {
      yield* flaky
      yield* Effect.exit(failing)
      yield* Effect.exit(interrupted)
      return "done"
    })
  ).pipe(
    Pipeline.stepHooks(Hook.onFailure(() => Effect.void)),
    Pipeline.onStart(Effect.void),
    Pipeline.onSuccess(() => Effect.void)
  )
})

it.effect("a run emits each event once and in order", () =>
  Effect.gen(function*() {
    const emitted = events()
    const exit = yield* Effect.exit(eventful.pipe(Effect.provide([emitted.layer, logs().layer])))
    assert.deepEqual(exit, Exit.succeed("done"))
    assert.deepEqual(emitted.list.map(brief), [
      "RunStarted p",
      "HookEnded onStart",
      "StepStarted flaky",
      "HookEnded onStart",
      "AttemptFailed flaky 1",
      "HookEnded onRetry",
      "AttemptFailed flaky 2",
      "HookEnded onRetry",
      // before StepEnded, as required hooks can still change the step's outcome
      "HookEnded required",
      "StepEnded flaky success",
      "HookFailed broken",
      "HookSkipped skipped",
      "StepStarted failing",
      "StepEnded failing failure",
      "HookEnded onFailure",
      "StepStarted interrupted",
      "StepEnded interrupted interrupt",
      "HookEnded onSuccess",
      "RunEnded p success"
    ])
    const ended = emitted.list.at(-1)!
    assert.ok(ended._tag === "RunEnded")
    assert.deepEqual([ended.steps, ended.hookFailures, ended.exit], [3, 1, Exit.succeed("done")])
    assert.equal(new Set(emitted.list.map(({ runId }) => runId)).size, 1)
    const indices = emitted.list.flatMap((event) => event._tag === "StepStarted" ? [event.index] : [])
    assert.deepEqual(indices, [0, 1, 2])
    const ofHooks = emitted.list.filter((event) => "hook" in event)
    assert.deepEqual(ofHooks.map(({ hook, hookIndex, level, step }) => [hook, hookIndex, level, step?.stepName]), [
      ["onStart", 0, "step", undefined],
      ["onStart", 0, "step", "flaky"],
      ["onRetry", 0, "step", "flaky"],
      ["onRetry", 0, "step", "flaky"],
      ["required", 0, "step", "flaky"],
      ["broken", 1, "step", "flaky"],
      ["skipped", 2, "step", "flaky"],
      ["onFailure", 0, "pipeline", "failing"],
      ["onSuccess", 0, "step", undefined]
    ])
  }))

it.effect("events carry time, duration, attempts, exit and annotations", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(1_000)
    const emitted = events()
    let n = 0
    const body = Effect.gen(function*() {
      yield* Effect.sleep("2 seconds")
      yield* StepContext.annotate("rows", 3)
      if (++n < 2) return yield* Effect.fail("no")
      return "yes"
    })
    const step = Step.make("s", body).pipe(
      Step.retry({ times: 1 }),
      Step.hooks(Hook.onSuccess(() => Effect.sleep("500 millis")))
    )
    const fiber = yield* Effect.forkChild(
      Pipeline.make("p", step).pipe(
        Pipeline.runName("nightly"),
        Pipeline.annotate({ env: "test" }),
        Effect.provide(emitted.layer)
      )
    )
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(fiber)
    const [, started, attempt, ended, hookStarted, hook, run] = emitted.list
    const at = (event: RunEvent.RunEvent) => DateTime.toEpochMillis(event.at)
    assert.deepEqual(emitted.list.map(at), [1000, 1000, 3000, 5000, 5000, 5500, 5500])
    assert.ok(emitted.list.every(({ pipelineName, runName }) => pipelineName === "p" && runName === "nightly"))
    assert.ok(started?._tag === "StepStarted" && started.stepPath.join() === "s")
    assert.ok(attempt?._tag === "AttemptFailed" && Cause.squash(attempt.cause) === "no" && attempt.attempt === 1)
    assert.ok(ended?._tag === "StepEnded" && hook?._tag === "HookEnded" && run?._tag === "RunEnded")
    assert.ok(hookStarted?._tag === "HookStarted" && hookStarted.hook === hook.hook && hookStarted.step?.index === 0)
    assert.deepEqual([ended.attempts, ended.exit, ended.outcome], [2, Exit.succeed("yes"), "success"])
    assert.deepEqual({ ...ended.annotations }, { env: "test", rows: 3 })
    assert.deepEqual({ ...run.annotations }, { env: "test" })
    assert.deepEqual([ended.duration, hook.duration, run.duration].map(Duration.toMillis), [4000, 500, 4500])
  }))

it.effect("durations of events are like others, and those of a slow observer count for no hook", () =>
  Effect.gen(function*() {
    let nanos = 1_000_000n
    const takes = (taken: bigint) => {
      nanos += taken
    }
    const clock: Clock.Clock = Object.assign(Object.create(yield* Clock.Clock), {
      currentTimeMillisUnsafe: () => Number(nanos / 1_000_000n),
      monotonicTimeNanosUnsafe: () => nanos
    })
    const emitted = events()
    const slow = RunEvent.layer(() => takes(60_000_000n))
    const step = Step.make("s", Effect.sync(() => takes(1_500_000n))).pipe(
      Step.hooks(Hook.onSuccess(() => Effect.sync(() => takes(2_000_000n)))),
      Step.hooks(Hook.onExit(() => Effect.sync(() => takes(3_000_000n))))
    )
    yield* step.pipe(
      Effect.repeat({ times: 2 }),
      Effect.provide(emitted.layer.pipe(Layer.provideMerge(slow))),
      Effect.provideService(Clock.Clock, clock)
    )
    const hooks = emitted.list.flatMap((event) => event._tag === "HookEnded" ? [Duration.toMillis(event.duration)] : [])
    assert.deepEqual(hooks, [2, 3, 2, 3, 2, 3])
    const [hook] = emitted.list.flatMap((event) => event._tag === "HookEnded" ? [event.duration] : [])
    assert.ok(
      Duration.isDuration(hook) && Equal.equals(hook, Duration.millis(2)) && Equal.equals(Duration.millis(2), hook)
    )
    assert.equal(Hash.hash(hook), Hash.hash(Duration.millis(2)))
    assert.equal(JSON.stringify(hook), JSON.stringify(Duration.nanos(2_000_000n)))
    assert.equal(String(hook), "2000000 nanos")
    assert.equal(Duration.format(Duration.sum(hook, Duration.millis(1))), "3ms")
  }))

it.effect("the time of observers that become slow counts for fifteen hooks at most", () =>
  Effect.gen(function*() {
    let nanos = 1_000_000n
    const clock: Clock.Clock = Object.assign(Object.create(yield* Clock.Clock), {
      currentTimeMillisUnsafe: () => Number(nanos / 1_000_000n),
      monotonicTimeNanosUnsafe: () => nanos
    })
    const emitted = events()
    let slow = false
    const observer = RunEvent.layer(() => {
      if (slow) nanos += 60_000_000n
    })
    const step = Step.onSuccess(Step.make("s", Effect.void), () => Effect.void)
    yield* Pipeline.make(
      "p",
      Effect.gen(function*() {
        for (let i = 0; i < 100; i++) yield* step
        slow = true
        for (let i = 0; i < 100; i++) yield* step
      })
    ).pipe(
      Effect.provide(emitted.layer.pipe(Layer.provideMerge(observer))),
      Effect.provideService(Clock.Clock, clock)
    )
    const hooks = emitted.list.flatMap((event) => event._tag === "HookEnded" ? [Duration.toMillis(event.duration)] : [])
    assert.ok(hooks.filter((millis) => millis > 0).length <= 15, String(hooks))
    assert.deepEqual(hooks.slice(120), Array.from({ length: 80 }, () => 0))
  }))

it.effect("StepEnded is emitted when the body ends, before the step's hooks have ended", () =>
  Effect.gen(function*() {
    const emitted = events()
    const fiber = yield* Effect.forkChild(
      Step.make("s", Effect.void).pipe(Step.onSuccess(() => Effect.sleep("1 second")), Effect.provide(emitted.layer))
    )
    yield* TestClock.adjust("500 millis")
    assert.deepEqual(emitted.list.slice(-2).map(brief), ["StepEnded s success", "HookStarted onSuccess"])
    yield* TestClock.adjust("500 millis")
    yield* Fiber.join(fiber)
  }))

it.effect("StepContext.progress emits StepProgress with the step's path, index and parent", () =>
  Effect.gen(function*() {
    const emitted = events()
    const inner = Step.make("inner", StepContext.progress(3))
    const outer = Step.make("outer", Effect.andThen(StepContext.progress(1, 2), Effect.all([inner, inner])))
    // outside a step, StepContext.progress emits nothing
    yield* Pipeline.make("p", Effect.andThen(StepContext.progress(9), outer)).pipe(Effect.provide(emitted.layer))
    const progress = emitted.list.flatMap((event) =>
      event._tag === "StepProgress"
        ? [[event.stepPath.join("/"), event.index, event.parent, event.done, event.total]]
        : []
    )
    assert.deepEqual(progress, [
      ["outer", 0, undefined, 1, 2],
      ["outer/inner", 1, 0, 3, undefined],
      ["outer/inner", 2, 0, 3, undefined]
    ])
    yield* outer
  }))

it.effect("exit and logs of a run are the same with and without an observer", () =>
  Effect.gen(function*() {
    const [log, observed] = [logs(), logs()]
    const without = yield* Effect.exit(eventful.pipe(Effect.provide(log.layer)))
    const withOne = yield* Effect.exit(eventful.pipe(Effect.provide([observed.layer, events().layer])))
    assert.deepEqual(without, withOne)
    const messages = (of: typeof log) => of.list.map(({ level, message }) => [level, message])
    assert.deepEqual(messages(log), messages(observed))
    assert.equal(log.list.length, 1)
  }))

// -----------------------------------------------------------------------------
// constant memory
// -----------------------------------------------------------------------------

it.effect("a long run retains no step that has ended", () =>
  Effect.gen(function*() {
    const alive: Array<WeakRef<object>> = []
    let ended = 0
    const step = Effect.suspend(() => {
      const value = { big: Array.from({ length: 1000 }, () => 0) }
      if (alive.length < 200) alive.push(new WeakRef(value))
      return Step.make("s", StepContext.annotate("value", value)).pipe(Step.onSuccess(() => Effect.sync(() => ended++)))
    })
    yield* Pipeline.make(
      "p",
      Effect.gen(function*() {
        for (let i = 0; i < 20_000; i++) yield* step
        if (yield* collectGarbage) {
          const left = alive.filter((ref) => ref.deref() !== undefined).length
          // measured inside the run: nearly all of its ended steps have been collected
          assert.ok(left < 20, `${left} of ${alive.length} are still held`)
        }
      })
    )
    assert.equal(ended, 20_000)
  }))

it.effect("a layerEffect observer that hangs delays the end of the run no longer than Hook.defaultTimeout", () =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const log = logs()
    const layer = RunEvent.layerEffect(({ _tag }) =>
      _tag === "StepStarted" ? Effect.never : Effect.sync(() => seen.push(_tag))
    )
    const fiber = yield* Effect.forkChild(
      Step.make("s", Effect.void).pipe(Effect.provide(layer), Effect.provide(log.layer)),
      { startImmediately: true }
    )
    yield* TestClock.adjust("30 seconds")
    yield* Fiber.join(fiber)
    assert.deepEqual(seen, ["RunStarted", "StepEnded", "RunEnded"])
    assert.deepEqual(log.list.map(({ message }) => message), ["observer failed on StepStarted"])
  }))
