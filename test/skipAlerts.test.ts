/** Tests what is told of steps and runs that are skipped: alerts, spans and events. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as Tracer from "effect/Tracer"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterHooks, Pipeline, Step } from "../src/index.ts"
import { alertsOf } from "./support/alertsOf.ts"
import { makeIt } from "./support/it.ts"
import { events, plain } from "./support/observe.ts"

const it = makeIt(test)

it.effect("AlerterHooks.all posts nothing about a skip", () =>
  Effect.gen(function*() {
    const load = Step.make("load", Step.skip("no rows"))
    const run = Pipeline.make("p", load).pipe(Pipeline.stepHooks(AlerterHooks.all), Pipeline.hooks(AlerterHooks.all))
    assert.deepEqual(yield* alertsOf(run), [])
  }))

it.effect("AlerterHooks.skip tells of a skip once, by the innermost step, and resolves nothing", () =>
  Effect.gen(function*() {
    const load = Step.make("outer", Step.make("load", Step.skip("no rows")))
    const run = Pipeline.make("p", load).pipe(Pipeline.stepHooks(AlerterHooks.skip), Pipeline.hooks(AlerterHooks.skip))
    const [alert, ...others] = yield* alertsOf(run)
    assert.deepEqual(others, [])
    const { body, resolves, severity, tags, title } = alert!
    assert.deepEqual([title, body, severity, resolves, tags], [
      "p › outer › load was skipped",
      "no rows",
      "info",
      false,
      ["skipped"]
    ])
  }))

it.effect("the summary of a run counts skips, and that of a skipped run says so", () =>
  Effect.gen(function*() {
    const skipped = Step.make("load", Step.skip("no rows"))
    const ok = Step.make("ok", Effect.void)
    const partly = Pipeline.make("p", Effect.all([ok, Step.whenSkipped(skipped, () => 0)]))
    const wholly = Pipeline.make("q", skipped)
    const titles = yield* alertsOf(
      Effect.andThen(
        Pipeline.hooks(partly, AlerterHooks.summary),
        Effect.exit(Pipeline.hooks(wholly, AlerterHooks.summary))
      )
    )
    assert.deepEqual(
      titles.map(({ body, fields, severity, title }) => [
        title,
        body,
        severity,
        fields.find(({ name }) => name === "steps")?.value
      ]),
      [
        ["p succeeded: 2 steps", undefined, "success", "1 succeeded, 1 skipped"],
        ["q was skipped: 1 step", "no rows", "info", "0 succeeded, 1 skipped"]
      ]
    )
  }))

it.effect("an alert that a step is overdue is followed by one that it was skipped", () =>
  Effect.gen(function*() {
    const load = Step.make("load", Effect.andThen(Effect.sleep("1 hour"), Step.skip("no rows"))).pipe(
      Step.overdue("10 minutes"),
      Step.hooks(AlerterHooks.all)
    )
    const told = yield* Effect.forkDetach(alertsOf(Pipeline.make("p", load)), { startImmediately: true })
    yield* TestClock.adjust("2 hours")
    assert.deepEqual((yield* Fiber.join(told)).map(({ title }) => title), [
      "p › load is still running after 10 min",
      "p › load was skipped"
    ])
  }))

it.effect("a skip leaves what failed in the run open, and makes up for nothing", () =>
  Effect.gen(function*() {
    let calls = 0
    const load = Step.make(
      "load",
      Effect.suspend((): Effect.Effect<never, string | Step.StepSkipped> =>
        calls++ === 0 ? Effect.fail("no") : Step.skip()
      )
    )
    const run = Pipeline.make("p", Effect.andThen(Effect.exit(load), Effect.exit(load)))
    const [alert] = yield* alertsOf(Pipeline.hooks(run, AlerterHooks.summary))
    assert.equal(alert!.title, "p succeeded, though 1 of 2 steps failed")
  }))

it.effect("the span of a skipped step is no error, and has the reason", () =>
  Effect.gen(function*() {
    const ended: Array<readonly [string, string, unknown, unknown]> = []
    class Span extends Tracer.NativeSpan {
      override end(at: bigint, exit: Exit.Exit<unknown, unknown>): void {
        const of = (key: string) => this.attributes.get(key)
        ended.push([this.name, exit._tag, of("epilogue.skipped"), of("epilogue.skip.reason")])
        super.end(at, exit)
      }
    }
    const tracer = Tracer.make({ span: (options) => new Span(options) })
    const run = Pipeline.make("p", Step.make("load", Step.skip("no rows")))
    const exit = yield* Effect.exit(Effect.provideService(run, Tracer.Tracer, tracer))
    assert.deepEqual(plain(exit), [{ fail: new Step.StepSkipped({ reason: "no rows" }) }])
    assert.deepEqual(ended, [["load", "Success", true, "no rows"], ["p", "Success", true, "no rows"]])
  }))

it.effect("a reason that is too long is cut in events, and one that is no text is none", () =>
  Effect.gen(function*() {
    const told = events()
    const reasons: ReadonlyArray<unknown> = ["x".repeat(100_000), { secret: 1 }, ""]
    for (const reason of reasons) {
      yield* Effect.exit(Effect.provide(Step.make("s", Step.skip(reason as string)), told.layer))
    }
    const texts = told.list.flatMap((event) => event._tag === "StepSkipped" ? [event.reason] : [])
    assert.deepEqual(texts.map((text) => text?.length), [1_000, undefined, undefined])
  }))
