import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as References from "effect/References"
import type * as Tracer from "effect/Tracer"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, Step, StepContext } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { logs, plain } from "./support/observe.ts"
import { memoryTracer } from "./support/spans.ts"

const it = makeIt(test)

const parentOf = (span: Tracer.NativeSpan): string | undefined =>
  Option.match(span.parent, {
    onNone: () => undefined,
    onSome: (parent) => parent._tag === "Span" ? parent.name : "external"
  })

const attributes = (span: Tracer.NativeSpan) =>
  Object.fromEntries([...span.attributes].filter(([key]) => /^(?:epilogue|cicd|error)\./.test(key)))

const ended = (span: Tracer.NativeSpan) => span.status._tag === "Ended" ? span.status.exit._tag : "open"

it.effect("steps open no spans with Effect's default tracer", () =>
  Effect.gen(function*() {
    const span = yield* Pipeline.make("p", Step.make("s", Effect.option(Effect.currentSpan)))
    assert.ok(Option.isNone(span))
  }))

it.effect("with a tracer, run, steps and hooks open nested spans with attributes", () =>
  Effect.gen(function*() {
    const { provide, spans } = memoryTracer()
    let n = 0
    const inner = Step.make("inner", Effect.suspend(() => ++n < 3 ? Effect.fail("no") : Effect.succeed(n))).pipe(
      Step.retry({ times: 3 }),
      Step.hooks(Hook.onSuccess(() => Effect.void).pipe(Hook.named("notify")))
    )
    const outer = Step.make("outer", Effect.zip(inner, Effect.map(StepContext, ({ runId }) => runId)))
    const [, runId] = yield* provide(Pipeline.make("p", outer).pipe(Pipeline.runName("nightly")))
    const run = { "cicd.pipeline.name": "p", "cicd.pipeline.run.id": runId, "epilogue.run.name": "nightly" }
    assert.deepEqual(spans.map((span) => [span.name, parentOf(span), attributes(span), ended(span)]), [
      ["p", undefined, { ...run, "cicd.pipeline.result": "success" }, "Success"],
      ["outer", "p", {
        ...run,
        "cicd.pipeline.task.name": "outer",
        "cicd.pipeline.task.run.id": `${runId}/0`,
        "cicd.pipeline.task.run.result": "success",
        "epilogue.step.path": "outer",
        "epilogue.step.index": 0,
        "epilogue.attempt": 1
      }, "Success"],
      ["inner", "outer", {
        ...run,
        "cicd.pipeline.task.name": "inner",
        "cicd.pipeline.task.run.id": `${runId}/1`,
        "cicd.pipeline.task.run.result": "success",
        "epilogue.step.path": "outer/inner",
        "epilogue.step.index": 1,
        "epilogue.attempt": 3
      }, "Success"],
      ["notify", "inner", { "epilogue.hook.kind": "success", "epilogue.attempt": 3 }, "Success"]
    ])
  }))

it.effect("spans inside a body or hook are children of its span, and a span around a step is its parent", () =>
  Effect.gen(function*() {
    const { provide, spans } = memoryTracer()
    const step = Step.make("s", Effect.withSpan(Effect.void, "in body")).pipe(
      Step.onSuccess(() => Effect.withSpan(Effect.void, "in hook"))
    )
    yield* provide(Effect.withSpan(step, "around"))
    assert.deepEqual(spans.map((span) => [span.name, parentOf(span)]), [
      ["around", undefined],
      ["s", "around"],
      ["in body", "s"],
      ["onSuccess", "s"],
      ["in hook", "onSuccess"]
    ])
  }))

it.effect("each span ends with the exit of its step or hook, and a failed hook does not fail the step's span", () =>
  Effect.gen(function*() {
    const { provide, spans } = memoryTracer()
    const step = (name: string, body: Effect.Effect<unknown, string>) =>
      Step.make(name, body).pipe(
        Step.hooks(Hooks.make(
          Hook.onExit(() => Effect.fail("x")).pipe(Hook.named(`${name} fails`)),
          Hook.onExit(() => Effect.never).pipe(Hook.named(`${name} hangs`), Hook.timeout(0))
        )),
        Effect.exit
      )
    yield* provide(Effect.all([
      step("good", Effect.void),
      step("bad", Effect.fail("no")),
      step("interrupted", Effect.interrupt)
    ])).pipe(Effect.provide(logs().layer))
    yield* Effect.yieldNow
    assert.deepEqual(Object.fromEntries(spans.map((span) => [span.name, ended(span)])), {
      good: "Success",
      "good fails": "Failure",
      "good hangs": "Failure",
      bad: "Failure",
      "bad fails": "Failure",
      "bad hangs": "Failure",
      interrupted: "Failure",
      "interrupted fails": "Failure",
      "interrupted hangs": "Failure"
    })
  }))

it.effect("tracing does not change the step's exit, and References.TracerEnabled turns it off", () =>
  Effect.gen(function*() {
    const { provide, spans } = memoryTracer()
    const step = Step.make("s", Effect.fail("no")).pipe(Step.onFailure(() => Effect.void))
    assert.deepEqual(plain(yield* Effect.exit(provide(step))), plain(Exit.fail("no")))
    assert.equal(spans.length, 2)
    yield* Effect.exit(provide(Effect.provideService(step, References.TracerEnabled, false)))
    assert.equal(spans.length, 2)
  }))

it.effect("the span of a run or a step has how it ended, and the class of its error", () =>
  Effect.gen(function*() {
    const { provide, spans } = memoryTracer()
    class HttpError extends Data.TaggedError("HttpError") {}
    const ways: Readonly<Record<string, Effect.Effect<unknown, unknown>>> = {
      tagged: Effect.fail(new HttpError()),
      named: Effect.die(new RangeError("no such row")),
      other: Effect.fail({ secret: "s" }),
      late: Effect.fail(new Cause.TimeoutError()),
      skipped: Step.skip("nothing to do"),
      interrupted: Effect.interrupt
    }
    for (const [name, body] of Object.entries(ways)) {
      yield* Effect.exit(provide(Pipeline.make("p", Step.make(name, body))))
    }
    const ended = spans.map(({ attributes, kind, name }) => [
      name,
      kind,
      attributes.get("cicd.pipeline.result") ?? attributes.get("cicd.pipeline.task.run.result"),
      attributes.get("error.type")
    ])
    assert.deepEqual(ended, [
      ["p", "server", "failure", "HttpError"],
      ["tagged", "internal", "failure", "HttpError"],
      ["p", "server", "failure", "RangeError"],
      ["named", "internal", "failure", "RangeError"],
      ["p", "server", "failure", "_OTHER"],
      ["other", "internal", "failure", "_OTHER"],
      ["p", "server", "timeout", "TimeoutError"],
      ["late", "internal", "timeout", "TimeoutError"],
      ["p", "server", "skip", undefined],
      ["skipped", "internal", "skip", undefined],
      ["p", "server", "cancellation", undefined],
      ["interrupted", "internal", "cancellation", undefined]
    ])
  }))

it.effect("the span of a step with a key is named with it, and has it as an attribute", () =>
  Effect.gen(function*() {
    const { provide, spans } = memoryTracer()
    yield* provide(Step.make("page", Step.make("parse", Effect.void)).pipe(Step.key(7)))
    const shown = spans.map((span) => {
      const { "cicd.pipeline.task.name": name, "epilogue.step.key": key, "epilogue.step.path": path } = attributes(span)
      return [span.name, name, key, path]
    })
    assert.deepEqual(shown, [["page[7]", "page", "7", "page[7]"], ["parse", "parse", undefined, "page[7]/parse"]])
  }))

it.effect("the span of a rollback hook is a child of the span of its step, which ended long before", () =>
  Effect.gen(function*() {
    const { provide, spans } = memoryTracer()
    const charge = Step.make("charge", Effect.void).pipe(
      Step.hooks(Hook.onRollback(() => Effect.void).pipe(Hook.named("refund")))
    )
    const run = Pipeline.make(
      "order",
      Effect.andThen(Effect.flatMap(Effect.forkChild(charge), Fiber.join), Effect.fail("no"))
    )
    yield* Effect.exit(provide(run))
    const refund = spans.find(({ name }) => name === "refund")!
    assert.equal(parentOf(refund), "charge")
    assert.deepEqual(attributes(refund), { "epilogue.hook.kind": "rollback", "epilogue.attempt": 1 })
    assert.equal(ended(refund), "Success")
  }))

it.effect("a cause names the spans that it failed in, as with Effect.withSpan", () =>
  Effect.gen(function*() {
    const { provide } = memoryTracer()
    const frames = (effect: Effect.Effect<unknown, unknown>) =>
      Effect.map(
        Effect.exit(provide(effect)),
        (exit) =>
          exit._tag === "Success" ? [] : Cause.pretty(exit.cause).split("\n").filter((line) => /^ *at \w+$/.test(line))
      )
    const body = Effect.suspend(() => Effect.fail(new Error("no")))
    const noStack = { captureStackTrace: false }
    const byHand = body.pipe(Effect.withSpan("load", {}, noStack), Effect.withSpan("nightly", {}, noStack))
    assert.deepEqual(yield* frames(Pipeline.make("nightly", Step.make("load", body))), yield* frames(byHand))
    assert.deepEqual((yield* frames(byHand)).map((line) => line.trim()), ["at load", "at nightly"])
  }))
