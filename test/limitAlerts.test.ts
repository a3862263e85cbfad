/** Tests that alerts about time limits name the steps that were running, and for how long. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { german } from "../src/alerters/words/de.ts"
import { Approval, Durable } from "../src/durable/index.ts"
import { type Alert, Alerter, AlerterHooks, Hook, Pipeline, Step } from "../src/index.ts"
import { causeText } from "../src/internal/text/errors.ts"
import { makeIt } from "./support/it.ts"
import { selective } from "./support/policies.ts"

const it = makeIt(test)

const fetch = (page: number) => Step.make("fetch", Effect.never).pipe(Step.key(page))

const load = Step.make("load", Effect.all([fetch(1), Effect.delay(fetch(2), "1 minute")], { concurrency: 2 }))

/** Loads pages, the second a minute after the first, beside a step that ends soon. */
const body = Effect.all([load, Step.make("clean", Effect.sleep("1 second"))], { concurrency: 2 })

const running = "load › fetch[1] (3 min), load › fetch[2] (2 min)"

/** Evaluates an effect for ten minutes, and returns its exit and its alerts. */
const run = (
  effect: Effect.Effect<unknown, unknown, Alerter>,
  around: (inner: Layer.Layer<Alerter>) => Layer.Layer<Alerter> = (inner) => inner
) =>
  Effect.gen(function*() {
    const { layer, list } = selective(() => true)
    const fiber = yield* Effect.forkDetach(Effect.provide(effect, around(layer)), { startImmediately: true })
    yield* TestClock.adjust("10 minutes")
    return { exit: yield* Fiber.await(fiber), alerts: list }
  })

const fieldOf = (alert: Alert | undefined, field: string): string | undefined =>
  alert?.fields.find(({ name }) => name === field)?.value

it.effect("the time limit of a run names the steps that were running, in the alert and in what is printed", () =>
  Effect.gen(function*() {
    const limited = Pipeline.make("nightly", body).pipe(Pipeline.timeout("3 minutes"))
    const { alerts: [alert], exit } = yield* run(limited.pipe(Pipeline.hooks(AlerterHooks.failure)))
    assert.equal(alert?.body, "TimeoutError: pipeline \"nightly\" exceeded its time limit of 3 min")
    assert.equal(fieldOf(alert, "running"), running)
    assert.ok(exit._tag === "Failure")
    assert.match(
      causeText(exit.cause),
      /of 3 min\n {4}running load › fetch\[1\] \(3 min\), load › fetch\[2\] \(2 min\)$/
    )
  }))

it.effect("the time limit of a step names the steps inside of it, and no others", () =>
  Effect.gen(function*() {
    const other = Step.make("other", Effect.sleep("9 minutes"))
    const both = Effect.all([load.pipe(Step.timeout("3 minutes")), other], { concurrency: 2 })
    const limited = Pipeline.make("nightly", both).pipe(Pipeline.stepHooks(AlerterHooks.failure))
    const { alerts: [alert] } = yield* run(limited)
    assert.deepEqual([alert?.title, fieldOf(alert, "running")], ["nightly › load failed", running])
  }))

it.effect("a step that runs no other one at its time limit, and a run without any, have no such field", () =>
  Effect.gen(function*() {
    const alone = fetch(1).pipe(Step.timeout("3 minutes"), Step.hooks(AlerterHooks.failure))
    const none = Pipeline.make("nightly", Effect.never).pipe(
      Pipeline.timeout("3 minutes"),
      Pipeline.hooks(AlerterHooks.failure)
    )
    for (const limited of [alone, none]) {
      const { alerts } = yield* run(limited)
      assert.deepEqual(alerts.map((alert) => fieldOf(alert, "running")), [undefined])
    }
  }))

it.effect("of more than ten running steps, ten are named", () =>
  Effect.gen(function*() {
    const all = Effect.all(Array.from({ length: 12 }, (_, i) => fetch(i + 1)), { concurrency: "unbounded" })
    const { exit } = yield* run(Pipeline.make("nightly", all).pipe(Pipeline.timeout("3 minutes")))
    assert.ok(exit._tag === "Failure")
    assert.match(causeText(exit.cause), /running fetch\[1\] \(3 min\), .*fetch\[10\] \(3 min\), … and 2 more$/)
  }))

it.effect("the field is named in the words of the alerter", () =>
  Effect.gen(function*() {
    const limited = Pipeline.make("nightly", body).pipe(
      Pipeline.timeout("3 minutes"),
      Pipeline.hooks(AlerterHooks.failure)
    )
    const { alerts: [alert] } = yield* run(limited, Alerter.words(german))
    assert.equal(fieldOf(alert, "im Gang"), running)
  }))

it.effect("an alert about a step that is overdue names the steps inside of it", () =>
  Effect.gen(function*() {
    const late = AlerterHooks.overdue.pipe(Hook.overdueAfter("3 minutes"))
    const limited = Pipeline.make("nightly", load.pipe(Step.hooks(late))).pipe(Pipeline.timeout("4 minutes"))
    const { alerts: [alert] } = yield* run(limited)
    assert.equal(alert?.title, "nightly › load is still running after 3 min")
    assert.equal(fieldOf(alert, "running"), running)
  }))

const asked = Step.make("publish", Effect.void).pipe(Step.requireApproval({ title: "Publish?", timeout: "1 day" }))

for (
  const [how, steps, names] of [
    ["are running", [fetch(1), fetch(2)], "fetch[1] (3 min), fetch[2] (3 min)"],
    ["wait while the run is suspended", [Step.make("clean", Effect.void), asked], "publish (3 min 6 s)"]
  ] as const
) {
  it.effect(`the time limit of a durable run names the steps that ${how}`, () =>
    Effect.gen(function*() {
      const { layer, workflow } = Durable.pipeline(
        "nightly",
        { payload: {}, idempotencyKey: () => "tonight" },
        () =>
          Pipeline.make(
            "nightly",
            Effect.forEach(steps, (step) => Durable.step(step), { concurrency: 2, discard: true })
          ).pipe(Pipeline.timeout("3 minutes"), Pipeline.hooks(AlerterHooks.failure))
      )
      const engine = Layer.provide(layer, Approval.layer()).pipe(Layer.provideMerge(Durable.layerMemory))
      const { alerts } = yield* run(Effect.provide(workflow.execute({}), engine))
      const [failed] = alerts.filter(({ severity }) => severity === "error")
      assert.equal(fieldOf(failed, "running"), names)
    }))
}
