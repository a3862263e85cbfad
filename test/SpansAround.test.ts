/** Spans as steps of a run: with steps, pipelines and other spans around and inside of them, and other tracers. */
import { Effect, Fiber, Layer, References, Tracer } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Pipeline, Spans, Step, StepContext } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { calls, plain } from "./support/observe.ts"
import { all, memoryTracer, observed, pathsOf } from "./support/spans.ts"

const it = makeIt(test)

it.effect("in a pipeline, spans are steps of its run, with its hooks, and own steps are none a second time", () =>
  Effect.gen(function*() {
    const seen = calls()
    const traced = memoryTracer()
    const inner = Step.make("own", Effect.withSpan(Effect.void, "in own"))
    const nightly = Pipeline.make("nightly", Effect.withSpan(inner, "span")).pipe(
      Pipeline.stepHooks(
        Hook.onSuccess(() => Effect.flatMap(StepContext, ({ stepPath }) => seen.note(stepPath.join("/"))))
      )
    )
    for (const layer of [all, Layer.provide(all, traced.layer)]) {
      seen.list.length = 0
      const { ended, told } = yield* observed(nightly, layer)
      assert.deepEqual(pathsOf(ended), ["span/own/in own", "span/own", "span"])
      assert.deepEqual(seen.list, ["span/own/in own", "span/own", "span"])
      assert.deepEqual(told.filter((line) => line.startsWith("Run")), [
        "RunStarted nightly",
        "RunEnded nightly success"
      ])
    }
    assert.deepEqual(traced.spans.map(({ name }) => name).toSorted(), [
      "in own",
      "nightly",
      "onSuccess",
      "onSuccess",
      "onSuccess",
      "own",
      "span"
    ])
  }))

it.effect("a step inside of a span is in its run, and a pipeline inside of one is a run in it", () =>
  Effect.gen(function*() {
    const program = Effect.andThen(
      Step.make("own", Effect.void),
      Pipeline.make("nightly", Step.make("load", Effect.void))
    ).pipe(Effect.withSpan("outer"))
    const { ended, told } = yield* observed(program, all)
    assert.deepEqual(pathsOf(ended), ["outer/own", "load", "outer"])
    assert.deepEqual(told.filter((line) => line.startsWith("Run")), [
      "RunStarted outer",
      "RunStarted nightly",
      "RunEnded nightly success",
      "RunEnded outer success"
    ])
  }))

it.effect("steps inside of a span are undone when its run fails, and a span that is skipped is told so", () =>
  Effect.gen(function*() {
    const seen = calls()
    const copied = Step.make("copy", Effect.void).pipe(Step.onRollback(() => seen.note("copy is undone")))
    yield* observed(Effect.withSpan(Effect.andThen(copied, Effect.fail("no")), "outer"), all)
    assert.deepEqual(seen.list, ["copy is undone"])
    const skipped = Step.make("step", Effect.withSpan(Step.skip("nothing new"), "span"))
    const { told } = yield* observed(Effect.exit(skipped), all)
    assert.deepEqual(told.filter((line) => line.startsWith("StepSkipped")).length, 2)
  }))

it.effect("parallel spans have a path of their own each, and their parents do not mix", () =>
  Effect.gen(function*() {
    const page = (n: number) =>
      Effect.withSpan(Effect.andThen(Effect.yieldNow, Effect.withSpan(Effect.yieldNow, `parse-${n}`)), `fetch-${n}`)
    const program = Effect.forEach([1, 2, 3], page, { concurrency: "unbounded" }).pipe(Effect.withSpan("pull"))
    const { ended } = yield* observed(program, all)
    assert.deepEqual(pathsOf(ended).toSorted(), [
      "pull",
      "pull/fetch-1",
      "pull/fetch-1/parse-1",
      "pull/fetch-2",
      "pull/fetch-2/parse-2",
      "pull/fetch-3",
      "pull/fetch-3/parse-3"
    ])
  }))

it.effect("a root span is a run of its own, links make none, and a parent may be given", () =>
  Effect.gen(function*() {
    const program = Effect.gen(function*() {
      const outer = yield* Effect.currentSpan.pipe(Effect.orDie)
      yield* Effect.withSpan(Effect.void, "root", { root: true })
      yield* Effect.withSpan(Effect.void, "linked", { root: true, links: [{ span: outer, attributes: {} }] })
      yield* Effect.withSpan(Effect.withSpan(Effect.void, "child", { parent: outer }), "between")
      yield* Effect.withSpan(Effect.void, "remote", {
        parent: Tracer.externalSpan({ spanId: "a", traceId: "b" })
      })
    }).pipe(Effect.withSpan("outer"))
    const { ended, events } = yield* observed(program, all)
    assert.deepEqual(pathsOf(ended), ["root", "linked", "outer/child", "outer/between", "remote", "outer"])
    assert.equal(events.filter(({ _tag }) => _tag === "RunEnded").length, 4)
  }))

it.effect("spans of layers and of scopes are steps", () =>
  Effect.gen(function*() {
    const service = Layer.effectDiscard(Effect.sleep(0)).pipe(Layer.withSpan("build"))
    const program = Effect.scoped(Effect.andThen(Effect.makeSpanScoped("scope"), Effect.succeed(1)))
    const { ended, told } = yield* observed(Effect.provide(program, service), all).pipe(
      Effect.forkChild({ startImmediately: true }),
      Effect.tap(() => TestClock.adjust(1)),
      Effect.flatMap(Fiber.join)
    )
    assert.deepEqual(ended.map(({ outcome, stepName }) => `${stepName} ${outcome}`), ["scope success", "build success"])
    assert.equal(told.filter((line) => line.startsWith("RunEnded")).length, 2)
  }))

it.effect("without tracing there are no steps, and spans that are not sampled are steps", () =>
  Effect.gen(function*() {
    const program = Effect.all([
      Effect.withSpan(Effect.void, "off").pipe(Effect.withTracerEnabled(false)),
      Effect.withSpan(Effect.void, "unsampled", { sampled: false }),
      Effect.withSpan(Effect.void, "untimed").pipe(Effect.provideService(References.TracerTimingEnabled, false))
    ])
    const { ended } = yield* observed(program, all)
    assert.deepEqual(pathsOf(ended), ["unsampled", "untimed"])
  }))

it.effect("all spans go on to the tracer that was there, with their own parents, attributes and exits", () =>
  Effect.gen(function*() {
    const traced = memoryTracer()
    const program = Effect.withSpan(Effect.withSpan(Effect.fail("no"), "b", { attributes: { n: 1 } }), "a")
    yield* observed(program, Layer.provide(Spans.layer({ steps: "a" }), traced.layer))
    const shown = traced.spans.map((span) => [
      span.name,
      span.parent._tag === "Some" && span.parent.value._tag === "Span" && span.parent.value.name,
      [...span.attributes],
      span.status._tag === "Ended" && plain(span.status.exit)
    ])
    assert.deepEqual(shown, [
      ["a", false, [], [{ fail: "no" }]],
      ["b", "a", [["n", 1]], [{ fail: "no" }]]
    ])
  }))
