/** Hooks that are one asynchronous call: a promise, or a function that is called back. */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { AsyncLocalStorage } from "node:async_hooks"
import { test } from "node:test"
import { Hook, Hooks, Step } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { brief, events } from "./support/observe.ts"

const it = makeIt(test)

class Name extends Context.Service<Name, string>()("test/HookCalls/Name") {}

/** Evaluates a step with a hook, and returns the hook's events. */
const told = <R>(
  call: () => Effect.Effect<unknown, unknown, R>,
  more: ReadonlyArray<() => Effect.Effect<unknown>> = []
) =>
  Effect.gen(function*() {
    const emitted = events()
    const hooks = Hooks.make(
      Hook.onSuccess(call).pipe(Hook.named("first"), Hook.timeout("1 second")),
      ...more.map((hook) => Hook.onSuccess(hook).pipe(Hook.named("next")))
    )
    const fiber = yield* Effect.forkChild(
      Step.make("s", Effect.succeed(1)).pipe(Step.hooks(hooks), Effect.provide(emitted.layer)),
      { startImmediately: true }
    )
    for (let i = 0; i < 3; i++) yield* TestClock.adjust("1 second")
    assert.deepEqual(yield* Fiber.await(fiber), Exit.succeed(1))
    return emitted.list.map(brief).filter((text) => text.startsWith("Hook"))
  })

const waits = "HookStarted first"

it.effect("a promise and a callback are waited for, and one that has ended at once is not", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* told(() => Effect.promise(async () => 1)), [waits, "HookEnded first"])
    assert.deepEqual(yield* told(() => Effect.callback((resume) => resume(Effect.void))), ["HookEnded first"])
    assert.deepEqual(
      yield* told(() => Effect.callback((resume) => void queueMicrotask(() => resume(Effect.sleep("500 millis"))))),
      [waits, "HookEnded first"]
    )
  }))

it.effect("what a call throws, rejects with or is called back with fails its hook", () =>
  Effect.gen(function*() {
    const fails: ReadonlyArray<readonly [() => Effect.Effect<unknown, unknown>, waits: boolean]> = [
      [() => Effect.promise(() => Promise.reject(new Error("no"))), true],
      [() => Effect.tryPromise(() => Promise.reject(new Error("no"))), true],
      [() =>
        Effect.tryPromise({
          try: () => Promise.reject(new Error("no")),
          catch: () => {
            throw new Error("no mapping")
          }
        }), true],
      [() =>
        Effect.promise(() => {
          throw new Error("no")
        }), false],
      [() => Effect.callback((resume) => resume(Effect.fail("no"))), false],
      [() => Effect.callback((resume) => void queueMicrotask(() => resume(Effect.interrupt))), true]
    ]
    for (const [call, isWaitedFor] of fails) {
      assert.deepEqual(yield* told(call), [...(isWaitedFor ? [waits] : []), "HookFailed first"])
    }
  }))

it.effect("only the first call back counts", () =>
  Effect.gen(function*() {
    const twice = () =>
      Effect.callback<void, string>((resume) => {
        queueMicrotask(() => {
          resume(Effect.void)
          resume(Effect.fail("again"))
        })
      })
    assert.deepEqual(yield* told(twice), [waits, "HookEnded first"])
  }))

it.effect("at its time limit a call is stopped and left behind, and the hooks after it run", () =>
  Effect.gen(function*() {
    let aborted = 0
    let stopped = 0
    let late: (effect: Effect.Effect<void>) => void = () => {}
    const calls: ReadonlyArray<() => Effect.Effect<unknown>> = [
      () => Effect.never,
      () =>
        Effect.promise((signal) =>
          new Promise<void>((resolve) =>
            signal.addEventListener("abort", () => {
              aborted++
              resolve()
            })
          )
        ),
      () =>
        Effect.callback<void>((resume) => {
          late = resume
          return Effect.sync(() => {
            stopped++
          })
        }),
      // what it is called back with is interrupted, and then it is stopped
      () =>
        Effect.callback<void>((resume) => {
          queueMicrotask(() => resume(Effect.never))
          return Effect.sync(() => {
            stopped++
          })
        }),
      // a call that can't be stopped is not waited for
      () => Effect.callback<void>(() => Effect.never)
    ]
    for (const call of calls) {
      assert.deepEqual(yield* told(call, [() => Effect.void]), [waits, "HookFailed first", "HookEnded next"])
    }
    late(Effect.die("too late"))
    assert.deepEqual([aborted, stopped], [1, 2])
  }))

it.effect("a call has the services of its step, and what it is called back with, too", () =>
  Effect.gen(function*() {
    const seen: Array<string | undefined> = []
    const look = () => seen.push(Context.getOrUndefined(Fiber.getCurrent()!.context, Name))
    const call = () =>
      Effect.callback<void, never, Name>((resume) => {
        look()
        queueMicrotask(() => resume(Effect.asVoid(Effect.map(Name, (name) => seen.push(name)))))
      })
    yield* Step.make("s", Effect.void).pipe(
      Step.onSuccess(call),
      Effect.provideService(Name, "inner"),
      Effect.andThen(Effect.sync(look)),
      Effect.provideService(Name, "outer")
    )
    assert.deepEqual(seen, ["inner", "inner", "outer"])
  }))

it.effect("the step goes on in its own asynchronous context", () =>
  Effect.gen(function*() {
    const storage = new AsyncLocalStorage<string>()
    const done = yield* Deferred.make<string | undefined>()
    let resume: (effect: Effect.Effect<void>) => void = () => {}
    const step = Step.make("s", Effect.void).pipe(
      Step.onSuccess(() =>
        Effect.callback<void>((call) => {
          resume = call
        })
      )
    )
    storage.run("step", () =>
      void Effect.runFork(Effect.andThen(step, Effect.suspend(() => Deferred.succeed(done, storage.getStore())))))
    storage.run("elsewhere", () =>
      resume(Effect.void))
    assert.equal(yield* Deferred.await(done), "step")
  }))
