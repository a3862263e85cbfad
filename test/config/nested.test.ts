import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Path from "effect/Path"
import { TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { makeIt } from "../support/it.ts"
import { calls } from "./fixtures/load/pipeline.ts"
import { loadText, runText } from "./support.ts"

const it = makeIt(test)

/** Returns what a run of a pipeline of a module calls, in order. */
const called = (pipeline: string, text: string, module = "./nested.ts") =>
  Effect.gen(function*() {
    calls.length = 0
    const exit = yield* runText(`pipeline: ${module}#${pipeline}\n${text}`)
    assert.ok(Exit.isSuccess(exit), String(exit))
    return calls.splice(0)
  })

const placesOf = (text: string, ...options: Parameters<typeof loadText> extends [string, ...infer O] ? O : never) =>
  Effect.map(
    Effect.flip(loadText(text, ...options)),
    ({ issues }) => issues.map(({ path, position }) => `${position?.line}:${position?.column} ${path.join(".")}`)
  )

it.effect("the file's alerter wins over one that the code provides around or inside of the pipeline", () =>
  Effect.gen(function*() {
    const hooks = "stepHooks: { failure: epilogue#alerterFailure }"
    for (const name of ["alerting", "alertingInside"]) {
      assert.ok((yield* called(name, hooks)).includes("alerter of the code"))
      assert.deepEqual(yield* called(name, `${hooks}\nalerter: console`), ["bad"])
    }
    assert.equal((yield* TestConsole.logLines).length, 2)
  }))

it.effect("hooks, name and annotations of the run apply to the outermost pipeline only", () =>
  Effect.gen(function*() {
    const text = "runName: r\nhooks: { success: ./hooks.ts#runSuccess }\nstepHooks: { success: ./hooks.ts#success }"
    assert.deepEqual(yield* called("outer", text), [
      "good",
      "good: file success",
      "around: file success",
      "outer succeeded as r"
    ])
  }))

it.effect("a pipeline that a hook runs has none of the file's hooks", () =>
  Effect.gen(function*() {
    calls.length = 0
    const text = "pipeline: ./pipeline.ts#pipeline\nrunName: r"
    yield* runText(`${text}\nhooks: { exit: ./nested.ts#clean }`)
    const once = ["good", "good: code step success"]
    const whole = ["bad", "bad: code pipeline failure", ...once, "run r: code success"]
    assert.deepEqual(calls.splice(0), [...whole, ...once])
    yield* runText(`${text}\nstepHooks: { failure: ./nested.ts#clean, exit: ./nested.ts#clean }`)
    assert.deepEqual(calls.splice(0), ["bad", ...once, ...once, ...once, ...once, "run r: code success"])
  }))

it.effect("a step in a hook of the file has none of the file's stepHooks, though the code has none either", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* called("bare", "stepHooks: { failure: ./nested.ts#cleanBadly }"), ["bad", "bad"])
  }))

it.effect("parameters of a step apply to the steps inside of it, and win over those of the run", () =>
  Effect.gen(function*() {
    const whole = "steps: { whole: { params: { TrainParams: { epochs: 5, name: \"${NAME}\" } } } }"
    const run = "params: { TrainParams: { epochs: 3, name: run } }"
    for (const text of [whole, `${run}\n${whole}`]) {
      const [body, hook, ...more] = yield* called("train", text)
      assert.equal(body, "epochs 5 (number), name step")
      assert.equal(hook, `{"TrainParams":{"epochs":5,"name":"<redacted>"}}`)
      assert.deepEqual(more, [])
    }
    const both = `${run}\n${whole.slice(0, -2)}, trained: { params: { TrainParams: { epochs: 7 } } } }`
    assert.equal((yield* called("train", both))[0], "epochs 7 (number), name run")
    assert.equal((yield* called("shadowed", run))[0], "epochs 3 (number), name run")
  }).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ NAME: "step" })))))

it.effect("runName, hooks and annotations are issues if the pipeline is a single step", () =>
  Effect.gen(function*() {
    const text = `pipeline: ./pipeline.ts#good
runName: r
hooks: { success: ./hooks.ts#success }
annotations: { team: data }`
    assert.deepEqual(yield* placesOf(text), ["2:10 runName", "3:8 hooks", "4:14 annotations"])
    assert.deepEqual(yield* placesOf("pipeline: ./pipeline.ts#good", { runName: "r" }), ["undefined:undefined runName"])
    yield* loadText("pipeline: ./pipeline.ts#good\nstepHooks: { success: ./hooks.ts#success }")
  }))

it.effect("inherit of a step without hooks in the file combines its hooks in code with the stepHooks", () =>
  Effect.gen(function*() {
    const text = (inherit: string) =>
      `stepHooks: { success: ./hooks.ts#success }\nsteps: { own: { inherit: { success: ${inherit} } } }`
    assert.deepEqual(yield* called("inherits", text("override")), ["own", "own: file success"])
    assert.deepEqual(yield* called("inherits", text("append")), ["own", "own: file success", "own: code step success"])
    assert.deepEqual(yield* called("inherits", text("prepend")), ["own", "own: code step success", "own: file success"])
    assert.deepEqual(yield* called("inherits", text("off")), ["own"])
    const { steps } = yield* loadText(`pipeline: ./nested.ts#inherits\n${text("append")}`)
    assert.match(steps[0]?.hooks[0]?.why ?? "", /the step inherits the file's stepHooks \(inherit: append\)/)
  }))

it.effect("inherit is an issue if the file has no stepHooks of the kind", () =>
  Effect.gen(function*() {
    const pipeline = "pipeline: ./pipeline.ts#pipeline\n"
    assert.deepEqual(yield* placesOf(`${pipeline}inherit: append`), ["2:10 inherit"])
    const hooks = `${pipeline}stepHooks: { success: ./hooks.ts#success }\n`
    assert.deepEqual(yield* placesOf(`${hooks}inherit: { success: append, failure: prepend }`), [
      "3:38 inherit.failure"
    ])
    yield* loadText(`${hooks}inherit: append`)
    yield* loadText(`${pipeline}inherit: off`)
    yield* loadText(`${pipeline}inherit: { failure: off }`)
  }))

it.effect("parameters and steps may have the names of methods of Object", () =>
  Effect.gen(function*() {
    const text = `pipeline: ./pipeline.ts#pipeline
params: { toString: { valueOf: 1 } }
steps: { toString: { retry: 1 }, hasOwnProperty: { annotations: { valueOf: 1 } } }`
    assert.deepEqual(yield* placesOf(text, { params: {} }), ["2:21 params.toString"])
    const { unusedSteps } = yield* loadText(text.replace(/params.*\n/, ""))
    assert.deepEqual(yield* unusedSteps, ["toString", "hasOwnProperty"])
  }).pipe(Effect.provide([NodeFileSystem.layer, Path.layer])))

it.effect("retry hooks of a run are an issue, since a run is not retried", () =>
  Effect.gen(function*() {
    const text = "pipeline: ./pipeline.ts#pipeline\nhooks: { retry: ./hooks.ts#retry, exit: ./hooks.ts#failure }"
    assert.deepEqual(yield* placesOf(text), ["2:10 hooks.retry"])
  }))

it.effect("required: false and background: false replace what the code sets", () =>
  Effect.gen(function*() {
    const good = (entry: string) =>
      called("outer", `stepHooks: { success: { use: ./nested.ts#${entry} } }`).pipe(
        Effect.exit,
        Effect.map(Exit.isSuccess)
      )
    assert.equal(yield* good("demanding"), false)
    assert.equal(yield* good("demanding, required: false"), true)
    assert.equal(yield* good("demanding, required: false, background: true"), true)
    const places = yield* placesOf(
      "pipeline: ./nested.ts#outer\nstepHooks: { success: { use: ./nested.ts#demanding, background: true } }"
    )
    assert.deepEqual(places, ["2:23 stepHooks.success"])
  }))

it.live("a file changes the steps of a durable pipeline that its pipeline runs, on each engine alike", () =>
  Effect.forEach(["inMemory", "inFile"], (name) =>
    Effect.gen(function*() {
      const text = `stepHooks: { failure: ./hooks.ts#failure }
steps: { flaky: { retry: { times: 2 } }, slow: { timeout: 20 millis } }`
      const seen = yield* called(`${name}`, text, "./durable.ts")
      assert.deepEqual(seen.filter((call) => call === "flaky").length, 3)
      assert.deepEqual(seen.filter((call) => call.endsWith("failure")), ["slow: file failure"])
    }), { discard: true }))
