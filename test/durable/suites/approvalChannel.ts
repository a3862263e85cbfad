/** Approvals in a channel, with and without a resumable approver. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import { AlerterError, Approver, Decision, NotApproved, type Question, Step } from "../../../src/index.ts"
import { TestApprover } from "../../../src/testing/index.ts"
import {
  ada,
  type Engine,
  errorOf,
  inProcess,
  job,
  question,
  type Recorder,
  recorder,
  type Storage,
  suiteOf,
  suspendRun,
  until
} from "../support/engine.ts"

/** Makes a resumable channel, whose questions stay open when the process ends. */
const board = () => {
  const posted: Array<Question> = []
  const withdrawn: Array<string> = []
  const listening: Array<string> = []
  const answers = new Map<string, Deferred.Deferred<Decision>>()
  const layer = Approver.layerResumable({
    post: (question) =>
      Effect.sync(() => {
        const id = `q${posted.push(question)}`
        answers.set(id, Deferred.makeUnsafe())
        return id
      }),
    listen: (_, id) => Effect.suspend(() => (listening.push(id), Deferred.await(answers.get(id)!))),
    withdraw: (_, id) => Effect.sync(() => void withdrawn.push(id))
  })
  const decide = (id: string, how: "Approved" | "Denied") =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now) => Deferred.succeed(answers.get(id)!, Decision[how]({ by: ada, at: DateTime.makeUnsafe(now) }))
    )
  return { posted, withdrawn, listening, layer, decide }
}

const deploying = (seen: Recorder) => {
  const deploy = Step.make("deploy", seen.note("body")).pipe(Step.requireApproval(question), Durable.step())
  return job(() => Effect.tap(deploy, () => suspendRun("1")))
}

const deployThrough = <E, R>(storage: Storage, seen: Recorder, channel: Layer.Layer<Approver | R, E>) => {
  const { layer, workflow } = deploying(seen)
  return inProcess(
    storage,
    Layer.orDie(layer.pipe(Layer.provide(Approval.layerChannel(channel)), Layer.provide(seen.layer))),
    Effect.exit(workflow.execute({ id: "1" }))
  )
}

export const approvalChannelSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("a step runs when the channel approves", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      assert.deepEqual(yield* deployThrough(storage, seen, TestApprover.layerApproving()), Exit.void)
      assert.deepEqual(seen.list, ["body"])
    }))

  test("a step fails with NotApproved when the channel denies", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const error = errorOf(yield* deployThrough(storage, seen, TestApprover.layerDenying({ comment: "no" })))
      assert.ok(error instanceof NotApproved && error.decision._tag === "Denied" && error.decision.comment === "no")
      assert.deepEqual(seen.list, [])
    }))

  test("a step fails with AlerterError when the channel fails", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const error = errorOf(yield* deployThrough(storage, seen, TestApprover.layerFailing()))
      assert.ok(error instanceof AlerterError && error.reason._tag === "Unreachable")
    }))

  test("an approver that is not resumable asks once", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let asked = 0
      const plain = Approver.layer(() =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          asked++
          return Decision.Approved({ by: ada, at: DateTime.makeUnsafe(now) })
        })
      )
      assert.deepEqual(yield* deployThrough(storage, seen, plain), Exit.void)
      assert.deepEqual([asked, seen.list], [1, ["body"]])
    }))

  test("an answer by the token withdraws the question from the channel", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, listening, posted, withdrawn } = board()
      const pipeline = deploying(seen)
      const tokens: Array<string> = []
      // a channel that keeps the tokens of its questions
      const shown = Layer.effect(
        Approver,
        Effect.map(Approver, (approver) =>
          Approver.of({
            ...approver,
            resumable: {
              ...approver.resumable!,
              post: (...args: [Question, token?: string]) => {
                tokens.push(args[1] ?? "")
                return approver.resumable!.post(args[0])
              }
            }
          }))
      ).pipe(Layer.provide(layer))
      const exit = yield* inProcess(
        storage,
        pipeline.layer.pipe(Layer.provide(Approval.layerChannel(shown)), Layer.provide(seen.layer)),
        Effect.gen(function*() {
          yield* pipeline.workflow.execute({ id: "1" }, { discard: true })
          yield* until("a process listens", () => listening.length > 0)
          yield* Approval.answer(tokens[0]!, { approve: true, by: ada })
          return yield* Effect.exit(pipeline.workflow.execute({ id: "1" }))
        })
      )
      assert.deepEqual(exit, Exit.void)
      assert.deepEqual([posted.length, withdrawn, seen.list], [1, ["q1"], ["body"]])
    }))

  if (!engine.survives) return

  test("a resumable channel's question is posted once, and the next process gets its answer", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { decide, layer, listening, posted, withdrawn } = board()
      const pipeline = deploying(seen)
      const pipelines = pipeline.layer.pipe(Layer.provide(Approval.layerChannel(layer)), Layer.provide(seen.layer))
      for (const times of [1, 2]) {
        yield* inProcess(
          storage,
          pipelines,
          Effect.andThen(
            pipeline.workflow.execute({ id: "1" }, { discard: true }),
            until("a process listens", () => listening.length >= times)
          )
        )
      }
      yield* decide("q1", "Approved")
      assert.deepEqual(
        yield* inProcess(storage, pipelines, Effect.exit(pipeline.workflow.execute({ id: "1" }))),
        Exit.void
      )
      assert.deepEqual([posted.length, withdrawn, seen.list], [1, [], ["body"]])
    }))
}
