/** Tests what alerts say of a rollback. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterHooks, Pipeline, Step } from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { calls } from "./support/observe.ts"
import { boom, undoable } from "./support/rollback.ts"

const it = makeIt(test)

it.effect("the alert of a run says what was undone, and what was not, and why", () =>
  Effect.gen(function*() {
    const seen = calls()
    const stuck = Step.make("stuck", Effect.void).pipe(Step.onRollback(() => Effect.fail("bank is closed")))
    const body = Effect.all([undoable(seen, "charge"), stuck, undoable(seen, "reserve"), boom])
    yield* Effect.exit(Pipeline.make("order", body).pipe(Pipeline.hooks(AlerterHooks.failure)))
    const [alert] = yield* TestAlerter.sent
    assert.deepEqual(
      alert?.fields.filter(({ name }) => name.includes("undone")),
      [{ name: "undone", value: "reserve, charge" }, { name: "not undone", value: "stuck (bank is closed)" }]
    )
  }).pipe(Effect.provide(TestAlerter.layer)))

it.effect("the alert of a step that is a run of its own, and a summary, say what was undone", () =>
  Effect.gen(function*() {
    const seen = calls()
    const order = Step.make("order", Effect.andThen(undoable(seen, "charge"), boom)).pipe(
      Step.hooks(AlerterHooks.failure)
    )
    yield* Effect.exit(order)
    const summed = Pipeline.make("order", Effect.andThen(undoable(seen, "charge"), boom)).pipe(
      Pipeline.hooks(AlerterHooks.summary)
    )
    yield* Effect.exit(summed)
    const alerts = yield* TestAlerter.sent
    assert.deepEqual(
      alerts.map(({ fields }) => fields.filter(({ name }) => name === "undone").map(({ value }) => value)),
      [["order › charge"], ["charge"]]
    )
  }).pipe(Effect.provide(TestAlerter.layer)))

it.effect("a run whose error a step has told tells it again only where a step could not be undone", () =>
  Effect.gen(function*() {
    const seen = calls()
    const stuck = Step.make("stuck", Effect.void).pipe(Step.onRollback(() => Effect.fail("bank is closed")))
    const order = (step: Effect.Effect<unknown>) =>
      Pipeline.make("order", Effect.andThen(step, boom)).pipe(
        Pipeline.stepHooks(AlerterHooks.failure),
        Pipeline.hooks(AlerterHooks.failure)
      )
    yield* Effect.exit(order(undoable(seen, "charge")))
    yield* Effect.exit(order(stuck))
    const alerts = yield* TestAlerter.sent
    assert.deepEqual(alerts.map(({ title }) => title), [
      "order › boom failed",
      "order › boom failed",
      "order failed"
    ])
  }).pipe(Effect.provide(TestAlerter.layer)))
