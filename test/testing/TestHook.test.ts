import { expect, test } from "bun:test"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { Hook, StepContext } from "../../src/index.ts"
import { TestHook } from "../../src/testing/index.ts"

class Log extends Context.Service<Log, Array<unknown>>()("test/Log") {}

const note = (value: unknown) => Log.useSync((log) => void log.push(value))

const run = <A>(effect: Effect.Effect<A, never, Log>) => {
  const log: Array<unknown> = []
  return Effect.runPromise(Effect.provideService(effect, Log, log)).then((result) => ({ result, log }))
}

test("TestHook.run provides a complete context, changed by the options", async () => {
  const hook = Hook.onFailure(() => Effect.flatMap(StepContext, note))
  const { log, result } = await run(
    TestHook.run(hook, Exit.fail("boom"), { context: { stepName: "load", attempt: 3 }, params: { P: { rows: 3 } } })
  )
  expect(result).toEqual({ _tag: "Ended" })
  expect(log).toEqual([{ ...TestHook.defaultContext, stepName: "load", attempt: 3, params: { P: { rows: 3 } } }])
})

test("TestHook.run calls a hook on the outcomes of its kind only", async () => {
  const exits = [Exit.succeed(1), Exit.fail("x"), Exit.die("y"), Exit.interrupt(1)]
  const called = (hook: Hook.Hook<number, string, Log>) =>
    run(Effect.forEach(exits, (exit) => TestHook.run(hook, exit))).then(({ result }) => result.map((r) => r._tag))
  const no = "NotCalled"
  const yes = "Ended"
  expect(await called(Hook.onSuccess(note))).toEqual([yes, no, no, no])
  expect(await called(Hook.onFailure(note))).toEqual([no, yes, yes, no])
  expect(await called(Hook.onInterrupt(note))).toEqual([no, no, no, yes])
  expect(await called(Hook.onExit(note))).toEqual([yes, yes, yes, yes])
  expect(await called(Hook.onRollback((value, cause) => note([value, Cause.squash(cause)])))).toEqual([yes, no, no, no])
  expect(await called(Hook.onStart(note("start")))).toEqual([yes, yes, yes, yes])
  // as in a step, defects and interruptions are not retried
  expect(await called(Hook.onRetry(note))).toEqual([no, yes, no, no])
})

test("TestHook.run distinguishes skipped from failed hooks", async () => {
  const hook = Hook.onFailure(() => Effect.fail("no route"))
  const skipped = hook.pipe(Hook.when((context) => context.attempt > 1))
  const { result } = await run(
    Effect.all([TestHook.run(hook, Exit.fail("x")), TestHook.run(skipped, Exit.fail("x"))])
  )
  expect(result.map((r) => r._tag)).toEqual(["Failed", "Skipped"])
})

test("TestHook.run leaves behind a hook that can't be interrupted, and rejects an invalid time limit", async () => {
  const stuck = Hook.onExit(() => Effect.uninterruptible(Effect.never)).pipe(Hook.timeout("10 millis"))
  expect((await Effect.runPromise(TestHook.run(stuck, Exit.void)))._tag).toBe("Failed")
  const invalid = TestHook.run(Hook.timeout(stuck, -1), Exit.void)
  expect((await Effect.runPromiseExit(invalid))._tag).toBe("Failure")
})

test("TestHook.run ends a hook at its time limit", () =>
  Effect.gen(function*() {
    const hook = Hook.onSuccess(() => Effect.never).pipe(Hook.timeout("1 second"))
    const fiber = yield* Effect.forkChild(TestHook.run(hook, Exit.succeed(1)))
    yield* TestClock.adjust("1 second")
    expect((yield* Fiber.join(fiber))._tag).toBe("Failed")
  }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise))
