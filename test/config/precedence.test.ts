import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { until } from "../support/eventLoop.ts"
import { makeIt } from "../support/it.ts"
import { calls } from "./fixtures/load/pipeline.ts"
import { runText } from "./support.ts"

const it = makeIt(test)

/** Returns what a run with this file calls, in order. */
const called = (text: string, ...options: Parameters<typeof runText> extends [string, ...infer O] ? O : never) =>
  Effect.gen(function*() {
    calls.length = 0
    const exit = yield* runText(text, ...options)
    assert.ok(Exit.isSuccess(exit), String(exit))
    return calls.slice()
  })

const pipeline = "pipeline: ./pipeline.ts#pipeline\nrunName: r\n"

it.effect("without hooks in the file those of the code run", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* called(pipeline), [
      "bad",
      "bad: code pipeline failure",
      "good",
      "good: code step success",
      "run r: code success"
    ])
  }))

it.effect("the file's stepHooks replace those of the code, per kind", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* called(`${pipeline}stepHooks: { success: ./hooks.ts#success }`), [
      "bad",
      "bad: code pipeline failure",
      "good",
      "good: file success",
      "run r: code success"
    ])
  }))

it.effect("a hook of the file for other tags leaves its place to the hooks below", () =>
  Effect.gen(function*() {
    const of = (tag: string, more = "") =>
      `${pipeline}
steps:
  bad: { hooks: { failure: [{ use: ./hooks.ts#failure, when: { tag: ${tag} } }] } }${more}`
    const failures = (text: string) => Effect.map(called(text), (all) => all.filter((call) => call.startsWith("bad:")))
    assert.deepEqual(yield* failures(of("Broken")), ["bad: file failure"])
    assert.deepEqual(yield* failures(of("Other")), ["bad: code pipeline failure"])
    const stepHooks = "\nstepHooks: { failure: [{ use: ./hooks.ts#otherFailure, when: { tag: Broken } }] }"
    assert.deepEqual(yield* failures(of("Other", stepHooks)), ["bad: file other failure"])
    assert.deepEqual(yield* failures(of("Other", stepHooks.replace("Broken", "Third"))), ["bad: code pipeline failure"])
  }))

it.effect("the file's hooks of a step replace the file's stepHooks", () =>
  Effect.gen(function*() {
    const text = `${pipeline}
stepHooks: { success: ./hooks.ts#success, failure: [./hooks.ts#failure] }
steps:
  good: { hooks: { success: [./hooks.ts#otherSuccess] } }`
    assert.deepEqual(yield* called(text), [
      "bad",
      "bad: file failure",
      "good",
      "good: file step success",
      "run r: code success"
    ])
  }))

it.effect("inherit decides how the file combines with the code, and a step with the file", () =>
  Effect.gen(function*() {
    const success = (inherit: string, ofStep: string) =>
      Effect.map(
        called(`${pipeline}
stepHooks: { success: ./hooks.ts#success, failure: ./hooks.ts#failure }
inherit: ${inherit}
steps:
  good: { hooks: { success: ./hooks.ts#otherSuccess }, inherit: ${ofStep} }`),
        (all) => all.filter((call) => call.startsWith("good: ")).map((call) => call.slice("good: ".length))
      )
    const [code, file, step] = ["code step success", "file success", "file step success"]
    assert.deepEqual(yield* success("override", "override"), [step])
    assert.deepEqual(yield* success("override", "append"), [file, step])
    assert.deepEqual(yield* success("append", "append"), [code, file, step])
    assert.deepEqual(yield* success("prepend", "prepend"), [step, file, code])
    assert.deepEqual(yield* success("append", "{ success: prepend, failure: off }"), [step, code, file])
    assert.deepEqual(yield* success("append", "off"), [step])
    assert.deepEqual(yield* success("{ failure: append }", "append"), [file, step])
  }))

it.effect("the file's hooks replace those of the run", () =>
  Effect.gen(function*() {
    const all = yield* called(`${pipeline}hooks: { success: ./hooks.ts#success }`)
    assert.equal(all.at(-1), "both: file success")
    assert.ok(!all.includes("run r: code success"))
  }))

it.effect("retry applies to one step or all, runs retry hooks, and false removes the code's", () =>
  Effect.gen(function*() {
    const attempts = (text: string) =>
      Effect.map(called(pipeline + text), (all) => all.filter((call) => call === "bad").length)
    assert.equal(yield* attempts("steps: { bad: { retry: 2 } }"), 3)
    assert.equal(yield* attempts("defaults: { retry: 4 }"), 5)
    assert.equal(yield* attempts("defaults: { retry: 4 }\nsteps: { bad: { retry: 1 } }"), 2)
    assert.equal(yield* attempts("defaults: { retry: 4 }\nsteps: { bad: { retry: false } }"), 1)
    const all = yield* called(`${pipeline}steps: { bad: { retry: 1, hooks: { retry: ./hooks.ts#retry } } }`)
    assert.deepEqual(all.slice(0, 4), ["bad", "bad: file retry", "bad", "bad: code pipeline failure"])
  }))

it.effect("the delays between attempts follow the backoff", () =>
  Effect.gen(function*() {
    const text = `${pipeline}steps: { bad: { retry: { times: 2, delay: 1 second, backoff: exponential } } }`
    calls.length = 0
    const fiber = yield* Effect.forkChild(called(text))
    // modules load on the real clock, so the test clock must not be used before
    yield* until(() => calls.length > 0)
    yield* TestClock.adjust("999 millis")
    assert.equal(calls.length, 1)
    yield* TestClock.adjust("1 millis")
    assert.equal(calls.length, 2)
    yield* TestClock.adjust("2 seconds")
    assert.equal((yield* Fiber.join(fiber)).filter((call) => call === "bad").length, 3)
  }))

it.effect("timeout replaces the time limit of the code, and false removes it", () =>
  Effect.gen(function*() {
    const ends = (text: string) =>
      Effect.gen(function*() {
        calls.length = 0
        const fiber = yield* Effect.forkChild(called(`pipeline: ./pipeline.ts#waiting\n${text}`))
        yield* until(() => calls.length > 0)
        const at: Array<number> = []
        for (const minutes of [10, 30, 60]) {
          yield* TestClock.adjust(`${minutes - (at.at(-1) ?? 0)} minutes`)
          at.push(minutes)
          if (fiber.pollUnsafe() !== undefined) return minutes
        }
        return undefined
      })
    assert.equal(yield* ends(""), 30)
    assert.equal(yield* ends("steps: { slow: { timeout: 10 minutes } }"), 10)
    assert.equal(yield* ends("defaults: { timeout: 600 }"), 10)
    assert.equal(yield* ends("steps: { slow: { timeout: false } }"), 60)
  }))

it.effect("the timeout of the file limits the run, and an option wins over it", () =>
  Effect.gen(function*() {
    const endsAt = (text: string, options: Parameters<typeof called>[1], minutes: ReadonlyArray<number>) =>
      Effect.gen(function*() {
        calls.length = 0
        const text_ = `pipeline: ./pipeline.ts#waiting\nsteps: { slow: { timeout: false } }\n${text}`
        const fiber = yield* Effect.forkChild(runText(text_, options))
        yield* until(() => calls.length > 0)
        const ended: Array<boolean> = []
        for (const [i, at] of minutes.entries()) {
          yield* TestClock.adjust(`${at - (minutes[i - 1] ?? 0)} minutes`)
          ended.push(fiber.pollUnsafe() !== undefined)
        }
        const exit = yield* Fiber.join(fiber)
        return [ended, Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : exit._tag]
      })
    const exceeded = (limit: string) => `TimeoutError: pipeline "waiting" exceeded its time limit of ${limit}`
    assert.deepEqual(yield* endsAt("timeout: 20 minutes", {}, [19, 20]), [[false, true], exceeded("20 min")])
    assert.deepEqual(
      yield* endsAt("timeout: { limit: 20 minutes, grace: 1 minute }", { timeout: Duration.minutes(5) }, [4, 5]),
      [[false, true], exceeded("5 min")]
    )
    assert.deepEqual(yield* endsAt("timeout: false", {}, [59, 60]), [[false, true], "Success"])
  }))

it.effect("parameters of a step win over those of the file, and flags over both", () =>
  Effect.gen(function*() {
    const text = (steps: string) =>
      `pipeline: ./pipeline.ts#training
params: { TrainParams: { epochs: 3, name: file } }
steps: { trained: ${steps} }`
    assert.deepEqual(yield* called(text("{}")), [
      "epochs 3 (number), name file",
      `{"TrainParams":{"epochs":3,"name":"file"}}`
    ])
    const ofStep = text("{ params: { TrainParams: { name: step } } }")
    assert.equal((yield* called(ofStep))[0], "epochs 3 (number), name step")
    const flags = { params: { TrainParams: { epochs: 7 } } }
    assert.equal((yield* called(ofStep, flags))[0], "epochs 7 (number), name step")
  }))
