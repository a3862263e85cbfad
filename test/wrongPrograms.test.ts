/** What programs are told that the compiler has not seen, or not refused: what was wrong, and what to do. */
import { Cause, Effect, Exit } from "effect"
import { Alerter, AlerterHooks, Hook, Hooks, Pipeline, RunEvent, Step } from "effect-epilogue"
import * as assert from "node:assert/strict"
import process from "node:process"
import { test } from "node:test"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

// a cast: these programs are wrong on purpose
const wrong = <A>(value: unknown): A => value as A

const noEffects: ReadonlyArray<readonly [value: unknown, message: string]> = [
  [undefined, "undefined, and no Effect: wrap it, as in Effect.sync(() => …)"],
  [Promise.resolve(1), "a promise, and no Effect: wrap it, as in Effect.promise(() => …)"],
  [
    (function*() {
      yield 1
    })(),
    "a generator, and no Effect: wrap it, as in Effect.gen(function*() { … })"
  ],
  [() => 1, "a function, and no Effect: call it"],
  [{ [Symbol.for("effect/Effect")]: {} }, "an Effect of effect 3: see npm ls effect"],
  [null, "null, and no Effect"],
  [7, "number, and no Effect"]
]

const defectOf = (effect: Effect.Effect<unknown, unknown>) =>
  Effect.map(
    Effect.exit(effect),
    (exit) => Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : assert.fail("it succeeded")
  )

it.effect("a body that is no Effect fails the step or the run, with what it is", () =>
  Effect.gen(function*() {
    for (const [value, message] of noEffects) {
      assert.equal(yield* defectOf(Step.make("load", wrong(value))), `TypeError: Step "load": its body is ${message}`)
    }
    assert.match(
      yield* defectOf(Pipeline.make("p", wrong(noEffects[3]![0]))),
      /^TypeError: Pipeline "p": its body is a /
    )
  }))

it.effect("a function of Step.fn that gives no Effect fails the step, with what it gave", () =>
  Effect.gen(function*() {
    for (
      const [value, message] of noEffects.filter(([value]) =>
        !(typeof value === "object" && value !== null && "next" in value)
      )
    ) {
      const load = Step.fn("load")(() => wrong<Effect.Effect<void>>(value))
      assert.equal(yield* defectOf(load()), `TypeError: the function of "load" returned ${message}`)
    }
  }))

it.effect("a hook that gives no Effect fails with what it gave, with retries, too", () =>
  Effect.gen(function*() {
    const failures: Array<string> = []
    const observer = RunEvent.layer((event) => {
      if (event._tag === "HookFailed") failures.push(String(Cause.squash(event.cause)))
    })
    const hook = Hook.onSuccess(() => wrong<Effect.Effect<void>>(undefined))
    const step = Step.make("n", Effect.succeed(1)).pipe(Step.hooks(hook), Step.hooks(Hook.retry(hook, { times: 1 })))
    assert.equal(yield* Effect.provide(step, observer), 1)
    assert.deepEqual(failures, Array(2).fill(`TypeError: its function returned ${noEffects[0]![1]}`))
  }))

it.live("a promise in the place of an Effect does not end the process where it is rejected", () =>
  Effect.gen(function*() {
    const unhandled: Array<unknown> = []
    const listener = (reason: unknown) => void unhandled.push(reason)
    process.on("unhandledRejection", listener)
    const rejected = () => wrong<Effect.Effect<void>>(Promise.reject(new Error("no net")))
    const chat = Alerter.layer(rejected)
    const hooks = Hooks.make(Hook.onSuccess(rejected), Hook.onSuccess(rejected).pipe(Hook.retry({ times: 1 })))
    const step = Step.make("load", Effect.succeed(1)).pipe(Step.hooks(hooks), Step.hooks(AlerterHooks.success))
    const load = Step.fn("load")(rejected)
    yield* Effect.andThen(step, Effect.exit(load())).pipe(Effect.provide(chat))
    // when the microtasks have run, the engine tells of rejections
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
    process.off("unhandledRejection", listener)
    assert.deepEqual(unhandled, [])
  }))

it.effect("an alerter whose function gives no Effect fails the hook with what it gave", () =>
  Effect.gen(function*() {
    const failures: Array<string> = []
    const observer = RunEvent.layer((event) => {
      if (event._tag === "HookFailed") failures.push(String(Cause.squash(event.cause)))
    })
    const alerter = Alerter.layer(() => wrong<Effect.Effect<void>>(undefined))
    yield* Step.make("n", Effect.succeed(1)).pipe(Step.hooks(AlerterHooks.success), Effect.provide([observer, alerter]))
    assert.equal(failures.length, 1)
    assert.match(failures[0]!, /the function of the alerter returned undefined, and no Effect: wrap/)
  }))

it.effect("combinators for something that is no step say so", () =>
  Effect.sync(() => {
    const log = () => Effect.void
    const plain = wrong<Step.Step<number>>(Effect.succeed(1))
    const message = /^TypeError: expected a Step or a Pipeline, got an Effect: make a step of it by Step.make$/
    assert.throws(() => Step.onSuccess(plain, log), message)
    assert.throws(() => Step.hooks(plain, AlerterHooks.success), message)
    assert.throws(
      () => Step.onSuccess(wrong<Step.Step<number>>(undefined), log),
      /expected a Step or a Pipeline, got undefined/
    )
    assert.throws(
      () =>
        Pipeline.stepHooks(wrong<Pipeline.Pipeline<number>>(Step.make("n", Effect.succeed(1))), AlerterHooks.failure),
      /^TypeError: expected a Pipeline, got a Step: attach hooks to it by Step.hooks$/
    )
    const several = /got a Hook: several are one by Hooks.make$/
    const [first, second] = [AlerterHooks.failure, Hook.onSuccess(log)]
    assert.throws(() => Step.hooks(first, second), several)
    assert.throws(() => Pipeline.hooks(Hooks.make(first), second), several)
    assert.throws(() => Pipeline.stepHooks(first, second), several)
    assert.throws(() => Hooks.make(wrong<Hook.Any>(log)), /got function: make a hook of it, as by Hook.onFailure\(f\)$/)
  }))
