/** Approvals of durable runs that bring values. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import { Params, Step } from "../../../src/index.ts"
import {
  ada,
  type Engine,
  inProcess,
  job,
  question,
  recorder,
  suiteOf,
  suspendRun,
  tokenIn,
  until
} from "../support/engine.ts"

const ticket = Schema.String.check(Schema.isPattern(/^OPS-/))
const percent = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))
const values = Params.form({ percent, ticket, tags: Schema.optionalKey(Schema.Array(Schema.String)) })

export const approvalValuesSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("an answer by token brings values, and one that does not fit is told and asked for again", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const rollOut = Step.approved(
        "roll-out",
        { ...question, values },
        ({ percent, tags = [], ticket }) => seen.note(`${percent} ${ticket} ${tags.join("+")}`)
      ).pipe(Durable.step())
      const { layer, workflow } = job(() => Effect.tap(rollOut, () => suspendRun("1")))
      const exit = yield* inProcess(
        storage,
        layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer)),
        Effect.gen(function*() {
          yield* workflow.execute({ id: "1" }, { discard: true })
          yield* until("it is asked", () => seen.alerts.length > 0)
          const token = tokenIn(seen.alerts[0]!)!
          assert.deepEqual(seen.alerts[0]!.fields.filter(({ name }) => name === "Approve").map(({ value }) => value), [
            `epilogue answer ${token} --approve --with percent=… --with ticket=… --with tags=…`
          ])
          const answer = (given?: Readonly<Record<string, unknown>>) =>
            Approval.answer(token, { approve: true, by: ada, values: given })
          // of the wrong kind: told at once
          for (
            const [given, expected] of [
              [undefined, "percent: expected a whole number from 1 to 100; ticket: expected a text"],
              [{ percent: "ten", ticket: "OPS-1" }, "percent: expected a whole number from 1 to 100"],
              [{ percent: 101, ticket: "OPS-1" }, "percent: expected a whole number from 1 to 100"],
              [{ percent: 1, ticket: "OPS-1", n: 1 }, "n: expected one of the fields percent, ticket, tags"]
            ] as const
          ) {
            const { message, reason } = yield* Effect.flip(answer(given))
            assert.deepEqual([reason, message], ["Values", expected])
          }
          // what the Schema alone can tell: told by the run, which waits for another answer
          const unfit = yield* Effect.flip(answer({ percent: "10", ticket: "7" }))
          assert.equal(unfit.reason, "Values")
          assert.match(unfit.message, /^ticket: expected .*OPS-/)
          assert.match(seen.alerts[1]!.title, /: the answer of Ada does not fit$/)
          assert.equal(seen.alerts[1]!.body, unfit.message)
          assert.equal(tokenIn(seen.alerts[1]!), token)
          yield* answer({ percent: "10", ticket: "OPS-7", tags: ["a", "b"] })
          assert.equal((yield* Effect.flip(answer({ percent: "10", ticket: "OPS-7" }))).reason, "Over")
          return yield* Effect.exit(workflow.execute({ id: "1" }))
        })
      )
      assert.deepEqual(exit, Exit.void)
      assert.deepEqual(seen.list, ["10 OPS-7 a+b"])
      assert.equal(seen.alerts.length, 2)
    }))

  test("a form with a secret is not asked in a durable run, since the answer is stored", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const secret = Params.form({ key: Schema.Redacted(Schema.String) })
      const step = Step.approved("s", { ...question, values: secret }, () => seen.note("body")).pipe(Durable.step())
      const { layer, workflow } = job(() => step)
      const exit = yield* inProcess(
        storage,
        layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer)),
        Effect.exit(workflow.execute({ id: "1" }))
      )
      assert.match(String(Exit.isFailure(exit) && exit.cause), /would store a secret as it is: key/)
      assert.equal(seen.alerts.length, 0)
    }))
}
