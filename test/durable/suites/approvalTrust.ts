/** Approvals as an attacker would try them: nothing but the answer of an approver, with the question's token, approves. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import {
  Alert,
  Alerter,
  AlerterError,
  AlerterErrorReason,
  Approver,
  Decision,
  NotApproved,
  type Question,
  Step
} from "../../../src/index.ts"
import { forAll } from "../../support/property.ts"
import {
  ada,
  awaitSuspended,
  type Engine,
  errorOf,
  inProcess,
  interruptRun,
  job,
  question,
  type Recorder,
  recorder,
  suiteOf,
  suspendRun,
  tokenIn,
  until
} from "../support/engine.ts"

const mallory = { id: "mallory", name: "Ada" }
const yes = { approve: true, by: ada }

/** A pipeline with a step that only Ada may approve, and the wait until its nth question is asked. */
const guarded = (seen: Recorder, asked: Partial<Question> = {}) => {
  const deploy = Step.make("deploy", seen.note("body")).pipe(
    Step.requireApproval({ ...question, approvers: [ada.id], ...asked }),
    Durable.step()
  )
  const { layer, workflow } = job(() => deploy)
  const tokenOf = (nth: number): Effect.Effect<string> =>
    Effect.map(
      until(`question ${nth} is asked`, () => seen.alerts.length > nth),
      () => tokenIn(seen.alerts[nth]!)!
    )
  return { workflow, tokenOf, layer: layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer)) }
}

const refusal = (token: string, given: Parameters<typeof Approval.answer>[1] = yes) =>
  Effect.map(Effect.flip(Approval.answer(token, given)), ({ _tag, reason }) => `${_tag} ${reason}`)

const base64url = (...parts: ReadonlyArray<unknown>): string =>
  btoa(JSON.stringify(parts)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")

export const approvalTrustSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("a token is 128 random bits, and names neither the run nor the question", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, tokenOf, workflow } = guarded(seen)
      const tokens = yield* inProcess(
        storage,
        layer,
        Effect.gen(function*() {
          yield* workflow.execute({ id: "1" }, { discard: true })
          const first = yield* tokenOf(0)
          yield* workflow.execute({ id: "2" }, { discard: true })
          return [first, yield* tokenOf(1)]
        })
      )
      assert.equal(new Set(tokens).size, 2)
      for (const token of tokens) assert.match(token, /^\w[\w-]{21}$/)
      assert.ok(seen.alerts.every(({ idempotencyKey = "" }) => !tokens.includes(idempotencyKey)))
    }))

  test("an edited token is refused, whatever was edited", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, tokenOf, workflow } = guarded(seen)
      const edits = Schema.Struct({
        at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 22 })),
        remove: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })),
        insert: Schema.String
      })
      const exit = yield* inProcess(
        storage,
        layer,
        Effect.gen(function*() {
          yield* workflow.execute({ id: "1" }, { discard: true })
          const token = yield* tokenOf(0)
          const services = yield* Effect.context<WorkflowEngine>()
          const refused = (edited: string) =>
            edited === token ? Effect.void : Effect.map(
              Effect.provideContext(refusal(edited), services),
              (why) => assert.equal(why, "InvalidAnswer Token", JSON.stringify(edited))
            )
          yield* forAll(
            edits,
            ({ at, insert, remove }) => refused(token.slice(0, at) + insert + token.slice(at + remove)),
            10 * engine.runs
          )
          // each single bit of the last character, two of which base64url does not use
          for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
            yield* refused(token.slice(0, -1) + char)
          }
          for (const edited of [` ${token}`, `${token}\n`, `${token}=`, token.toUpperCase(), token.toLowerCase()]) {
            yield* refused(edited)
          }
          assert.deepEqual(seen.list, [])
          yield* Approval.answer(token, yes)
          return yield* Effect.exit(workflow.execute({ id: "1" }))
        })
      )
      assert.deepEqual([exit, seen.list], [Exit.void, ["body"]])
    }))

  test("somebody who is not an approver is refused under any name, and a second answer of an approver too", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, tokenOf, workflow } = guarded(seen)
      const refusals = yield* inProcess(
        storage,
        layer,
        Effect.gen(function*() {
          yield* workflow.execute({ id: "1" }, { discard: true })
          const token = yield* tokenOf(0)
          const people = [mallory, { id: "Ada", name: "Ada" }, { id: " ada", name: "Ada" }, { id: "", name: "ada" }]
          const refused = yield* Effect.forEach(people, (by) => refusal(token, { approve: true, by }))
          assert.deepEqual(seen.list, [])
          yield* Approval.answer(token, { approve: false, by: ada })
          const again = [yield* refusal(token), yield* refusal(token, { approve: true, by: mallory })]
          assert.ok(errorOf(yield* Effect.exit(workflow.execute({ id: "1" }))) instanceof NotApproved)
          return [...refused, ...again, yield* refusal(token)]
        })
      )
      const [approver, over] = ["InvalidAnswer Approver", "InvalidAnswer Over"]
      assert.deepEqual(refusals, [approver, approver, approver, approver, over, approver, over])
      assert.deepEqual(seen.list, [])
    }))

  test("a token opens its own question only", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, tokenOf, workflow } = guarded(seen)
      yield* inProcess(
        storage,
        layer,
        Effect.gen(function*() {
          yield* workflow.execute({ id: "1" }, { discard: true })
          const first = yield* tokenOf(0)
          yield* workflow.execute({ id: "2" }, { discard: true })
          yield* tokenOf(1)
          yield* Approval.answer(first, yes)
          yield* workflow.execute({ id: "1" })
          yield* Effect.sleep("50 millis")
          assert.deepEqual(seen.list, ["body"])
        })
      )
    }))

  test("no token can be made for a deferred, be it a question's, another one or the interruption of the run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const payment = DurableDeferred.make("payment-confirmed", { success: Schema.Any })
      const { layer, workflow } = job(() => Effect.andThen(DurableDeferred.await(payment), seen.note("paid")))
      const refusals = yield* inProcess(
        storage,
        layer.pipe(Layer.provide(seen.layer)),
        Effect.gen(function*() {
          const runId = yield* workflow.execute({ id: "1" }, { discard: true })
          yield* awaitSuspended(workflow, runId)
          const names = ["payment-confirmed", "Workflow/InterruptSignal", "step/deploy/ask/-/Deploy?"]
          const tokens = [
            ...names.map((name) => base64url("job", runId, name)),
            ...names.map((name) => base64url("job", runId, name, ["ada"])),
            DurableDeferred.tokenFromExecutionId(payment, { workflow, executionId: runId }),
            base64url("a", "b"),
            "",
            " ",
            "nonsense",
            runId
          ]
          const refused = yield* Effect.forEach(tokens, (token) => refusal(token))
          yield* awaitSuspended(workflow, runId)
          return refused
        })
      )
      assert.deepEqual([...new Set(refusals)], ["InvalidAnswer Token"])
      assert.deepEqual(seen.list, [])
    }))

  test("a question that is over refuses every answer, and says so", (storage) =>
    Effect.gen(function*() {
      const late = recorder()
      const timedOut = guarded(late, { timeout: "30 millis" })
      const reasons = yield* inProcess(
        storage,
        timedOut.layer,
        Effect.gen(function*() {
          assert.ok(errorOf(yield* Effect.exit(timedOut.workflow.execute({ id: "1" }))) instanceof NotApproved)
          const token = yield* timedOut.tokenOf(0)
          return [yield* refusal(token), yield* refusal(token, { approve: false, by: ada })]
        })
      )
      assert.deepEqual(reasons, ["InvalidAnswer Over", "InvalidAnswer Over"])
      assert.deepEqual(late.list, [])
    }))

  test("a question that its step no longer waits for refuses an answer, though the run goes on", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const gate = DurableDeferred.make("gate")
      const first = DurableDeferred.raceAll({
        name: "first",
        success: Schema.Any,
        error: Schema.Never,
        effects: [Effect.orDie(Approver.ask(question)), Effect.as(suspendRun("nap", "50 millis"), "too late")]
      })
      const impatient = Step.make("impatient", first).pipe(Durable.step({ success: Schema.Any }))
      const { layer, workflow } = job(() => Effect.andThen(impatient, DurableDeferred.await(gate)))
      yield* inProcess(
        storage,
        layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer)),
        Effect.gen(function*() {
          const runId = yield* workflow.execute({ id: "1" }, { discard: true })
          yield* until("the question is asked", () => seen.alerts.length > 0)
          yield* until("the step has ended", () => seen.events.list.some(({ _tag }) => _tag === "StepEnded"))
          yield* awaitSuspended(workflow, runId)
          assert.equal(yield* refusal(tokenIn(seen.alerts[0]!)!), "InvalidAnswer Over")
        })
      )
    }))

  test("the question of a run that was interrupted refuses an answer", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, tokenOf, workflow } = guarded(seen)
      const interrupted = interruptRun(storage, layer, workflow)
      if (!engine.survives) return yield* interrupted
      yield* interrupted
      const token = yield* tokenOf(0)
      assert.equal(yield* inProcess(storage, Layer.empty, refusal(token)), "InvalidAnswer Over")
      assert.deepEqual(seen.list, [])
    }))

  const approved = Decision.Approved({ by: ada, at: DateTime.makeUnsafe(Date.now()) })

  /** Completes what a run waits for by name, as whoever reaches the port of a runner can. */
  const complete = (executionId: string, deferredName: string, value?: unknown) =>
    WorkflowEngine.use((service) => {
      const success: Schema.Codec<unknown> = value === undefined ? Schema.Void : Schema.Any
      return service.deferredDone(DurableDeferred.make(deferredName, { success }), {
        workflowName: "job",
        executionId,
        deferredName,
        exit: Exit.succeed(value)
      })
    })

  const stored = { ...approved, at: Date.now() }

  test("to complete deferreds of the engine does not approve, and a later answer still does", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, tokenOf, workflow } = guarded(seen)
      const exit = yield* inProcess(
        storage,
        layer,
        Effect.gen(function*() {
          const runId = yield* workflow.execute({ id: "1" }, { discard: true })
          const token = yield* tokenOf(0)
          const name = "step/deploy/ask/-/Deploy?"
          for (const prefix of ["", "raceAll/", "DurableClock/", "question/"]) {
            for (const suffix of ["", "/posted", "/asked", "/heard"]) {
              yield* complete(runId, `${prefix}${name}${suffix}`, stored)
              yield* complete(runId, `${prefix}${token}${suffix}`, stored)
            }
          }
          yield* Effect.sleep("100 millis")
          assert.deepEqual(seen.list, [])
          yield* Approval.answer(token, yes)
          return yield* Effect.exit(workflow.execute({ id: "1" }))
        })
      )
      assert.deepEqual([exit, seen.list], [Exit.void, ["body"]])
    }))

  test("the error of a channel that quotes the question does not show the token", (storage) =>
    Effect.gen(function*() {
      const tokens: Array<string> = []
      const quoting = Alerter.layer((alert) => {
        const token = tokenIn(Alert.make(alert))!
        tokens.push(token)
        const reason = AlerterErrorReason.Rejected({ detail: `refused: epilogue answer ${token} --approve` })
        return Effect.fail(new AlerterError({ channel: "test", reason }))
      })
      const { layer, workflow } = job(() => Approver.ask(question))
      const error = errorOf(
        yield* inProcess(
          storage,
          layer.pipe(Layer.provide(Approval.layer()), Layer.provide(quoting)),
          Effect.exit(workflow.execute({ id: "1" }))
        )
      )
      assert.ok(error instanceof AlerterError && error.reason._tag === "Rejected")
      assert.equal(error.reason.detail, "refused: epilogue answer <redacted> --approve")
      assert.equal(tokens.length, 1)
    }))

  if (!engine.survives) return

  interface Row {
    readonly id: string
    readonly question: string
  }

  const rows = Effect.flatMap(SqlClient, (sql) => sql<Row>`SELECT id, question FROM effect_epilogue_questions`)

  test("whoever knows the name of what a run waits for can wake the run, but not approve", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, tokenOf, workflow } = guarded(seen)
      const exit = yield* inProcess(
        storage,
        layer,
        Effect.gen(function*() {
          const runId = yield* workflow.execute({ id: "1" }, { discard: true })
          const token = yield* tokenOf(0)
          for (const prefix of ["question/", "raceAll/", "DurableClock/"]) {
            yield* awaitSuspended(workflow, runId)
            const [row] = yield* rows
            yield* complete(runId, prefix + JSON.parse(row!.question).wake)
            yield* Effect.sleep("100 millis")
          }
          assert.deepEqual(seen.list, [])
          yield* Approval.answer(token, yes)
          return yield* Effect.exit(workflow.execute({ id: "1" }))
        })
      )
      assert.deepEqual([exit, seen.list], [Exit.void, ["body"]])
    }))

  test("an answer in the storage that the question does not allow fails the step", (storage) =>
    Effect.gen(function*() {
      const forgeries = [
        { by: mallory, at: Date.now() },
        { by: ada, at: Date.now() + 10 * 86_400_000 },
        { by: ada, at: Date.now(), token: "A".repeat(22) },
        { by: ada, at: Date.now(), token: undefined }
      ]
      for (const [nth, { at, by, ...given }] of forgeries.entries()) {
        const seen = recorder()
        const { layer, tokenOf, workflow } = guarded(seen)
        const error = yield* inProcess(
          storage,
          layer,
          Effect.gen(function*() {
            const id = String(nth)
            const runId = yield* workflow.execute({ id }, { discard: true })
            const token = yield* tokenOf(0)
            yield* awaitSuspended(workflow, runId)
            const sql = yield* SqlClient
            const row = (yield* rows).find(({ question }) => JSON.parse(question).token === token)!
            const end = { _tag: "Decided", token, ...given, decision: { _tag: "Approved", by, at } }
            const ended = JSON.stringify({ nonce: "x", end })
            yield* sql`UPDATE effect_epilogue_questions SET ended = ${ended} WHERE id = ${row.id}`
            yield* complete(runId, `question/${JSON.parse(row.question).wake}`)
            return errorOf(yield* Effect.exit(workflow.execute({ id })))
          })
        )
        assert.match(String(error), /the stored answer is not one that the question allows/)
        assert.deepEqual(seen.list, [])
      }
    }))
}
