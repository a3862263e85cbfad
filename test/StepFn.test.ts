import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Pipeline, Step, StepContext } from "../src/index.ts"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

it.effect("functions among the combinators of Step.fn receive the arguments of each call, in any position", () =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const note = (text: string) => Effect.sync(() => void seen.push(text))
    const load = Step.fn("load")(
      (id: number) => Effect.succeed(id),
      Step.onStart(note("start")),
      // neither a default nor a rest parameter counts in the `length` of a function
      (step, id = 7) => step.pipe(Step.onSuccess((value) => note(`default ${id} ${value}`))),
      Step.onExit(() => note("exit")),
      (step, ...ids) => Step.key(step, ids.join()),
      Step.onSuccess((value) => Effect.flatMap(StepContext, ({ stepKey }) => note(`${stepKey} ${value}`)))
    )
    assert.equal(yield* load(1), 1)
    assert.equal(yield* load(2), 2)
    assert.deepEqual(seen, ["start", "default 1 1", "1 1", "exit", "start", "default 2 2", "2 2", "exit"])
  }))

it.effect("a retry and a time limit of Step.fn apply to the body of each call", () =>
  Effect.gen(function*() {
    const attempts: Array<number> = []
    const load = Step.fn("load")(
      function*(id: number) {
        attempts.push(id)
        if (attempts.length % 2 === 1) return yield* Effect.fail("unavailable")
        if (id === 2) yield* Effect.never
        return id
      },
      Step.retry({ times: 1 }),
      Step.timeout("1 minute")
    )
    assert.equal(yield* load(1), 1)
    const second = yield* Effect.forkChild(load(2), { startImmediately: true })
    yield* TestClock.adjust("1 minute")
    assert.match(String(yield* Effect.flip(Fiber.join(second))), /TimeoutError/)
    assert.deepEqual(attempts, [1, 1, 2, 2])
  }))

it.effect("steps of one Step.fn run under the hooks of the pipeline around each", () =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const load = Step.fn("load")((id: number) => Effect.succeed(id), Step.onStart(Effect.void))
    const run = (name: string) =>
      Pipeline.make(name, load(1)).pipe(
        Pipeline.stepHooks(Hook.onSuccess(() => Effect.sync(() => void seen.push(name))))
      )
    yield* run("a")
    yield* run("b")
    yield* load(1)
    yield* run("a")
    assert.deepEqual(seen, ["a", "b", "a"])
  }))

it.effect("calls of a Step.fn do not change steps that were made before", () =>
  Effect.gen(function*() {
    const names: Array<string> = []
    const load = Step.fn("load")(
      (id: number) => Effect.succeed(id),
      (step, id) => id === 1 ? step : step.pipe(Step.onSuccess(() => Effect.sync(() => void names.push(`hook ${id}`)))),
      Step.onExit(() => Effect.sync(() => void names.push("exit")))
    )
    const one = load(1)
    const two = load(2)
    yield* two
    yield* one
    yield* two
    assert.deepEqual(names, ["hook 2", "exit", "exit", "hook 2", "exit"])
  }))
