/** `Step.approved`: approvals that bring values. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Approver, Decision, Hook, NotApproved, Params, Pipeline, Step, StepContext } from "../src/index.ts"
import { now } from "../src/internal/approvals/question.ts"
import { TestApprover } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { calls } from "./support/observe.ts"

const it = makeIt(test)

const percent = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))
const form = Params.form({ percent, since: Schema.DateTimeUtcFromString, key: Schema.Redacted(Schema.String) })
const question = { title: "Roll out?", timeout: "1 hour", values: form } as const
const filled = { percent: 10, since: "2026-11-29T00:00:00.000Z", key: "s3cret" }

it.effect("the body gets the decoded values, in each attempt, and the step is annotated without secrets", () =>
  Effect.gen(function*() {
    const seen = calls()
    const notes: Array<unknown> = []
    const rollOut = Step.approved("roll-out", question, ({ key, percent, since }) =>
      Effect.andThen(
        seen.note(`${percent} ${since.toJSON()} ${Redacted.value(key)}`),
        seen.list.length < 1 ? Effect.fail("again") : Effect.succeed(percent)
      )).pipe(
        Step.retry({ times: 1 }),
        Step.onSuccess(() => Effect.map(StepContext, ({ annotations }) => notes.push(annotations)))
      )
    assert.equal(yield* rollOut, 10)
    assert.deepEqual(seen.list, Array.from({ length: 2 }, () => "10 2026-11-29T00:00:00.000Z s3cret"))
    assert.deepEqual(notes, [{
      "approved by": "tester",
      "approved with": { percent: 10, since: "2026-11-29T00:00:00.000Z", key: "<redacted>" }
    }])
    assert.equal((yield* TestApprover.asked).length, 1)
  }).pipe(Effect.provide(TestApprover.layerApproving({ values: filled }))))

it.effect("concurrent evaluations of one step get their own values", () =>
  Effect.gen(function*() {
    let n = 0
    const approver = Approver.layer(
      () => Effect.map(now, (at) => Decision.Approved({ by: { id: "a", name: "a" }, at, values: { n: ++n } })),
      { takesValues: true }
    )
    const one = Step.approved("one", { ...question, values: Params.form({ n: Schema.Int }) }, ({ n }) =>
      Effect.as(Effect.yieldNow, n))
    const both = Pipeline.make("p", Effect.all([one, one, one], { concurrency: "unbounded" }))
    assert.deepEqual((yield* Effect.provide(both, approver)).toSorted(), [1, 2, 3])
  }))

it.effect("a denial fails the step, and nobody fills in anything", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Step.approved("s", question, () => Effect.die("not approved")))
    assert.ok(error instanceof NotApproved)
  }).pipe(Effect.provide(TestApprover.layerDenying())))

it.effect("a class of Params.Service is a form, and Approver.ask returns its decoded values", () =>
  Effect.gen(function*() {
    class Rollout extends Params.Service<Rollout>()("Rollout", { percent }) {}
    const decision = yield* Approver.ask({ title: "Roll out?", timeout: "1 hour", values: Rollout })
    assert.ok(decision._tag === "Approved")
    assert.equal(decision.values.percent + 1, 11)
  }).pipe(Effect.provide(TestApprover.layerApproving({ values: { percent: 10 } }))))

it.effect("values that do not fit fail the question, and are not quoted", () =>
  Effect.gen(function*() {
    for (const values of [undefined, { ...filled, percent: 101 }, { ...filled, more: "hunter2" }]) {
      const ended = yield* Effect.exit(Approver.ask(question)).pipe(
        Effect.provide(TestApprover.layerApproving({ values }))
      )
      assert.match(String(Exit.isFailure(ended) && ended.cause), /values of the approval do not fit/)
      assert.doesNotMatch(String(ended), /hunter2|101/)
    }
  }))

it.effect("an approver that takes no values is not asked, and nothing is approved", () =>
  Effect.gen(function*() {
    const seen = calls()
    const approver = Approver.layer(() =>
      Effect.andThen(
        seen.note("asked"),
        Effect.map(now, (at) => Decision.Approved({ by: { id: "a", name: "a" }, at }))
      )
    )
    const step = Step.approved("s", question, () => seen.note("body")).pipe(
      Step.hooks(Hook.onFailure(() => seen.note("failed")))
    )
    const error = yield* Effect.flip(Effect.provide(step, approver))
    assert.match(error.message, /can't take: a web page, the terminal and durable approvals can/)
    assert.deepEqual(seen.list, ["failed"])
  }))

it.effect("an approver of Layer.succeed is asked for values only if it says so", () =>
  Effect.gen(function*() {
    const shape = {
      ask: () => Effect.map(now, (at) => Decision.Approved({ by: { id: "a", name: "a" }, at, values: filled }))
    }
    const asking = Effect.exit(Approver.ask(question))
    assert.ok(Exit.isFailure(yield* Effect.provide(asking, Layer.succeed(Approver, shape))))
    assert.ok(Exit.isSuccess(yield* Effect.provide(asking, Layer.succeed(Approver, { ...shape, takesValues: true }))))
  }))
