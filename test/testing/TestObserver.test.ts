import { expect, test } from "bun:test"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { Hook, RunEvent, Step } from "../../src/index.ts"
import { TestObserver } from "../../src/testing/index.ts"

const hook = Hook.onSuccess(() => Effect.void).pipe(Hook.named("announce"))
const load = Step.make("load", Effect.void).pipe(Step.hooks(hook))
const save = Step.make("save", Effect.void).pipe(Step.hooks(hook))

test("TestObserver records events and leaves other observers in place", async () => {
  const others: Array<string> = []
  const tags = await Effect.gen(function*() {
    yield* load
    return (yield* TestObserver.events).map((event) => event._tag)
  }).pipe(
    Effect.provide(TestObserver.layer),
    Effect.provide(RunEvent.layer((event) => void others.push(event._tag))),
    Effect.runPromise
  )
  expect(tags).toEqual(["RunStarted", "StepStarted", "StepEnded", "HookEnded", "RunEnded"])
  expect(others).toEqual(tags)
})

test("TestObserver.assertFired counts a hook's runs and lists all that fired on failure", () =>
  Effect.gen(function*() {
    yield* load
    yield* TestObserver.assertFiredOnce("announce")
    yield* save
    yield* TestObserver.assertFiredOnce("announce", { step: "save" })
    yield* TestObserver.assertFired("announce", 2)
    yield* TestObserver.assertFired("announce", 0, { step: "other" })
    const exit = yield* Effect.exit(TestObserver.assertFiredOnce("announce"))
    expect(exit._tag === "Failure" && Cause.pretty(exit.cause)).toContain(
      `expected hook "announce" to fire 1 times, it fired 2 times; fired:
  load: announce (success)
  save: announce (success)`
    )
  }).pipe(Effect.provide(TestObserver.layer), Effect.runPromise))

test("TestObserver does not count skipped hooks as fired", () =>
  Effect.gen(function*() {
    yield* Step.make("load", Effect.void).pipe(Step.hooks(hook.pipe(Hook.when(() => false))))
    yield* TestObserver.assertFired("announce", 0)
  }).pipe(Effect.provide(TestObserver.layer), Effect.runPromise))
