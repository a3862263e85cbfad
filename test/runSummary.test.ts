/** Tests the alert that sums a run up. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterHooks, Hook, Pipeline, Step } from "../src/index.ts"
import { alertsOf, fieldsOf } from "./support/alertsOf.ts"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number; readonly message: string }> {}

it.effect("AlerterHooks.summary counts the steps, names those that failed with their errors, and the slowest", () =>
  Effect.gen(function*() {
    const body = Effect.gen(function*() {
      yield* Step.make("extract", Effect.sleep("2 seconds"))
      yield* Effect.exit(Step.make("load", Effect.fail(new HttpError({ status: 503, message: "down" }))))
      yield* Step.make("report", Effect.sleep("300 millis"))
    })
    const fiber = yield* Effect.forkChild(
      alertsOf(Pipeline.make("nightly", body).pipe(Pipeline.hooks(AlerterHooks.summary)))
    )
    yield* TestClock.adjust("3 seconds")
    const alerts = yield* Fiber.join(fiber)
    assert.equal(alerts.length, 1)
    const [alert] = alerts
    assert.equal(alert!.title, "nightly succeeded, though 1 of 3 steps failed")
    assert.equal(alert!.severity, "warning")
    assert.equal(alert!.resolves, false)
    assert.match(alert!.body!, /^load: HttpError: down$/)
    assert.equal(fieldsOf(alert!)["steps"], "2 succeeded, 1 failed")
    assert.match(fieldsOf(alert!)["slowest"]!, /^extract \S+ s?.*, report 300 ms, load 0 ms$/)
  }))

it.effect("the summary of a run that failed has its error, and that of a run without failures is a success", () =>
  Effect.gen(function*() {
    const summarized = (body: Effect.Effect<unknown, unknown>) =>
      Effect.map(
        alertsOf(Pipeline.make("nightly", body).pipe(Pipeline.hooks(AlerterHooks.summary))),
        ([alert]) => alert!
      )
    const bad = yield* summarized(Step.make("load", Effect.fail("no such file")))
    assert.deepEqual([bad.title, bad.severity, bad.resolves], ["nightly failed: 1 of 1 step failed", "error", false])
    assert.equal(bad.body, "load: no such file")
    const own = yield* summarized(
      Effect.andThen(Effect.ignore(Step.make("load", Effect.fail("no such file"))), Effect.fail("no rows"))
    )
    assert.equal(own.body, "no rows\nload: no such file")
    const fine = yield* summarized(Step.make("load", Effect.void))
    assert.deepEqual([fine.title, fine.severity, fine.resolves], ["nightly succeeded: 1 step", "success", true])
    let n = 0
    const flaky = Step.make("flaky", Effect.suspend(() => n++ === 0 ? Effect.fail("no") : Effect.void))
    const retried = yield* summarized(Effect.retry(flaky, { times: 1 }))
    assert.deepEqual(
      [retried.title, retried.severity],
      ["nightly succeeded: 1 of 2 steps failed and succeeded since", "success"]
    )
    assert.equal(fieldsOf(retried)["steps"], "1 succeeded, 1 failed (1 succeeded since)")
    const flakies = Array.from({ length: 80 }, (_, i) => {
      let runs = 0
      return Step.make(`flaky-${i}`, Effect.suspend(() => runs++ === 0 ? Effect.fail("no") : Effect.void))
    })
    const all = Effect.forEach(flakies, (step) => Effect.exit(step))
    const late = yield* summarized(all.pipe(
      Effect.andThen(Effect.exit(Step.make("load", Effect.fail("no such file")))),
      Effect.andThen(all)
    ))
    assert.deepEqual(
      [late.title, late.severity, late.resolves],
      ["nightly succeeded, though 81 of 161 steps failed", "warning", false]
    )
    const many = Effect.forEach(
      Array.from({ length: 200 }, (_, i) => Step.make(`s${i}`, Effect.fail("x".repeat(10_000)))),
      Effect.exit
    )
    const bounded = yield* summarized(many)
    assert.ok(JSON.stringify(bounded).length < 10_000)
    assert.match(bounded.body!, /… and \d+ more$/)
  }))

it.effect("a step in a hook counts as the others do, whether or not the run has hooks for its steps", () =>
  Effect.gen(function*() {
    const publish = Effect.ignore(Step.make("publish", Effect.fail("no space")))
    const run = Pipeline.make("nightly", Step.make("load", Effect.void).pipe(Step.onSuccess(() => publish))).pipe(
      Pipeline.hooks(AlerterHooks.summary)
    )
    for (const one of [run, Pipeline.stepHooks(run, Hook.onStart(Effect.void))]) {
      const [alert] = yield* alertsOf(one)
      assert.equal(alert!.title, "nightly succeeded, though 1 of 2 steps failed")
      assert.equal(alert!.body, "load › publish: no space")
      assert.equal(fieldsOf(alert!)["steps"], "1 succeeded, 1 failed")
    }
  }))
