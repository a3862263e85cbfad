import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, RunEvent, Step } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { logs } from "./support/observe.ts"

const it = makeIt(test)

/** A hook that never ends, with a time limit in seconds. */
const hanging = (seconds: number) => Hook.onSuccess(() => Effect.never).pipe(Hook.timeout(`${seconds} seconds`))

/** Runs an effect, and returns the seconds at which hooks failed. */
const failuresOf = (effect: Effect.Effect<unknown>, seconds: number) =>
  Effect.gen(function*() {
    const at: Array<string> = []
    const observed = RunEvent.layer((event) => {
      if (event._tag === "HookFailed") at.push(`${event.step?.stepName} ${DateTime.toEpochMillis(event.at) / 1000}`)
    })
    const fiber = yield* Effect.forkChild(Effect.provide(effect, observed), { startImmediately: true })
    for (let i = 0; i < seconds; i++) yield* TestClock.adjust("1 second")
    return { at, ended: fiber.pollUnsafe() !== undefined }
  })

it.effect("each of several hooks at once ends at its own limit, whichever began first", () =>
  Effect.gen(function*() {
    const step = (name: string, limit: number, after: number) =>
      Effect.delay(Step.make(name, Effect.void).pipe(Step.hooks(hanging(limit))), `${after} seconds`)
    const run = Pipeline.make(
      "run",
      Effect.all([step("long", 20, 0), step("short", 3, 1), step("none", 0, 2), step("middle", 5, 2)], {
        concurrency: "unbounded"
      })
    )
    const { at, ended } = yield* failuresOf(run, 20)
    assert.deepEqual(at, ["none 2", "short 4", "middle 7", "long 20"])
    assert.equal(ended, true)
  }))

it.effect("a hook that waits within its limit is not interrupted after it, nor at the limit of another", () =>
  Effect.gen(function*() {
    const slow = Hook.onSuccess(() => Effect.sleep("2 seconds")).pipe(Hook.timeout("3 seconds"))
    const steps = Effect.forEach([1, 2, 3, 4], (n) => Step.make(`step ${n}`, Effect.void).pipe(Step.hooks(slow)))
    const { at, ended } = yield* failuresOf(Pipeline.make("run", steps), 9)
    assert.deepEqual({ at, ended }, { at: [], ended: true })
  }))

it.effect("the log of a hook that exceeds its limit, or returns no Effect, has no frames of the library", () =>
  Effect.gen(function*() {
    // a cast, as of JavaScript: its function returns a number
    const counting = Hook.onSuccess((() => 5) as unknown as () => Effect.Effect<void>)
    const logged = logs()
    const fiber = yield* Step.make("load", Effect.void).pipe(
      Step.hooks(hanging(2)),
      Step.hooks(counting),
      Effect.provide(logged.layer),
      Effect.forkChild
    )
    yield* TestClock.adjust("3 seconds")
    yield* Fiber.join(fiber)
    const errors = logged.list.map(({ cause }) => Cause.prettyErrors(cause).map(({ stack }) => stack))
    assert.deepEqual(errors, [
      [`TimeoutError: hook "onSuccess" exceeded its time limit of 2 s`],
      ["TypeError: its function returned number, and no Effect"]
    ])
  }))

it.effect("the limit of a hook follows the clock of its step", () =>
  Effect.gen(function*() {
    const slow = yield* TestClock.make()
    const own = Step.make("own clock", Effect.void).pipe(
      Step.hooks(hanging(1)),
      Effect.provideService(Clock.Clock, slow)
    )
    const outer = Step.make("outer clock", Effect.void).pipe(Step.hooks(hanging(2)))
    const run = Pipeline.make("run", Effect.all([own, outer], { concurrency: "unbounded" }))
    const fiber = yield* Effect.forkChild(run, { startImmediately: true })
    yield* TestClock.adjust("10 seconds")
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* slow.adjust("1 second")
    yield* Fiber.join(fiber)
  }))

it.live("a run that has ended leaves no timer that keeps the process alive", () =>
  Effect.gen(function*() {
    const asynchronous = Hook.onSuccess(() => Effect.promise(() => Promise.resolve()))
    const step = Step.make("step", Effect.void).pipe(Step.hooks(Hooks.make(asynchronous, asynchronous)))
    let begun = 0
    let sleeping = 0
    const live = yield* Clock.Clock
    const counting: Clock.Clock = {
      ...live,
      currentTimeMillisUnsafe: () => live.currentTimeMillisUnsafe(),
      monotonicTimeNanosUnsafe: () => live.monotonicTimeNanosUnsafe(),
      sleep: (duration) =>
        Effect.suspend(() => {
          begun++
          sleeping++
          return Effect.ensuring(live.sleep(duration), Effect.sync(() => sleeping--))
        })
    }
    yield* Pipeline.make("run", Effect.all([step, step, step])).pipe(Effect.provideService(Clock.Clock, counting))
    yield* Effect.provideService(step, Clock.Clock, counting)
    yield* Effect.yieldNow
    assert.ok(begun > 0)
    assert.equal(sleeping, 0)
  }))
