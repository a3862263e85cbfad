/** Approvals that are asked for by alerts and answered by token. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import { Alerter, AlerterError, Approver, NotApproved, Pipeline, Step, StepContext } from "../../../src/index.ts"
import { failure } from "../../support/policies.ts"
import {
  ada,
  Bad,
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
  tokenIn,
  until
} from "../support/engine.ts"

const bob = { id: "bob", name: "Bob" }

const tokenOf = (seen: Recorder, nth = 0): string => {
  const alert = seen.alerts[nth]
  const token = alert === undefined ? undefined : tokenIn(alert)
  assert.ok(token !== undefined, `question ${nth} was not asked`)
  return token
}

/** Runs a body whose questions are alerts, and the effect that answers them. */
const runAnswering = <E extends Bad | Durable.LibraryError, R, E2>(
  storage: Storage,
  seen: Recorder,
  body: Effect.Effect<unknown, E, R>,
  answering: Effect.Effect<unknown, E2, WorkflowEngine>,
  id = "1"
) => {
  const { layer, workflow } = job(() => body)
  return inProcess(
    storage,
    layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer)),
    Effect.gen(function*() {
      yield* workflow.execute({ id }, { discard: true })
      yield* answering
      return yield* Effect.exit(workflow.execute({ id }))
    })
  )
}

/** Waits for the nth question and answers it. */
const answer = (seen: Recorder, given: Parameters<typeof Approval.answer>[1], nth = 0) =>
  Effect.andThen(
    until(`question ${nth} is asked`, () => seen.alerts.length > nth),
    Effect.suspend(() => Approval.answer(tokenOf(seen, nth), given))
  )

const yes = { approve: true, by: ada }
const no = { approve: false, by: bob, comment: "not on a Friday" }

export const approvalSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("an approved step runs, with an annotation of who approved it", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const notes: Array<unknown> = []
      const deploy = Step.make("deploy", seen.note("body")).pipe(
        Step.requireApproval({ ...question, body: "v2", fields: [{ name: "commit", value: "abc" }] }),
        Step.onStart(seen.note("start")),
        Step.onSuccess(() => Effect.map(StepContext, ({ annotations }) => notes.push(annotations))),
        Durable.step()
      )
      const exit = yield* runAnswering(storage, seen, Effect.tap(deploy, () => suspendRun("1")), answer(seen, yes))
      assert.deepEqual(exit, Exit.void)
      assert.deepEqual(seen.list, ["start", "body"])
      assert.deepEqual(notes, [{ "approved by": "Ada (ada)" }])
      const [alert, ...others] = seen.alerts
      assert.ok(alert !== undefined && others.length === 0)
      const { body, fields, severity, source, tags, title } = alert
      assert.deepEqual({ body, severity, tags, title }, {
        body: "v2",
        severity: "warning",
        tags: ["question"],
        title: "Deploy?"
      })
      assert.deepEqual([source?.pipeline, source?.stepPath], ["job", ["deploy"]])
      const token = tokenOf(seen)
      assert.deepEqual(fields.filter(({ name }) => name !== "run"), [
        { name: "commit", value: "abc" },
        { name: "pipeline", value: "job" },
        { name: "step", value: "deploy" },
        { name: "Approve", value: `epilogue answer ${token} --approve` },
        { name: "Deny", value: `epilogue answer ${token} --deny` }
      ])
    }))

  test("a denied step fails with NotApproved and the decision, at a replay too", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const deploy = Step.make("deploy", seen.note("body")).pipe(
        Step.requireApproval(question),
        Step.onFailureTag("NotApproved", ({ message }) => seen.note(message)),
        Durable.step()
      )
      const caught: Array<NotApproved> = []
      const body = Effect.gen(function*() {
        yield* Effect.catchTag(deploy, "NotApproved", (error) => Effect.sync(() => void caught.push(error)))
        yield* suspendRun("1", "50 millis")
        return yield* caught[0]!
      })
      const exit = yield* runAnswering(storage, seen, body, answer(seen, no))
      assert.deepEqual(seen.list, [`step "deploy" was denied by Bob: not on a Friday`])
      assert.ok(caught.length > 1)
      for (const error of [...caught, errorOf(exit)]) {
        assert.ok(error instanceof NotApproved && error.decision._tag === "Denied")
        assert.equal(error.step, "deploy")
        assert.deepEqual([error.decision.by, error.decision.comment], [bob, "not on a Friday"])
      }
    }))

  test("a step without an answer in time fails with TimedOut, and a later answer is refused", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const deploy = Step.make("deploy", seen.note("body")).pipe(
        Step.requireApproval({ ...question, timeout: "30 millis" }),
        Durable.step()
      )
      const late = Effect.andThen(
        until("the run has ended", () => seen.events.list.some(({ _tag }) => _tag === "RunEnded")),
        Effect.map(Effect.flip(answer(seen, yes)), ({ reason }) => assert.equal(reason, "Over"))
      )
      const error = errorOf(yield* runAnswering(storage, seen, deploy, late))
      assert.ok(error instanceof NotApproved && error.decision._tag === "TimedOut")
      assert.deepEqual(seen.list, [])
    }))

  test("a question may have an infinite timeout", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const deploy = Step.make("deploy", seen.note("body")).pipe(
        Step.requireApproval({ ...question, timeout: Infinity }),
        Durable.step()
      )
      assert.deepEqual(yield* runAnswering(storage, seen, deploy, answer(seen, yes)), Exit.void)
      assert.deepEqual(seen.list, ["body"])
    }))

  test("the first answer of one of the approvers counts; other people, and later answers, are refused", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const body = Effect.map(
        Approver.ask({ ...question, approvers: ["ada", "eve"] }),
        (decision) => decision._tag === "TimedOut" ? [] : [decision._tag, decision.by]
      )
      const refused: Array<Approval.InvalidAnswer> = []
      const answers = Effect.gen(function*() {
        refused.push(yield* Effect.flip(answer(seen, { approve: false, by: bob })))
        yield* answer(seen, yes)
        refused.push(yield* Effect.flip(answer(seen, { approve: false, by: { id: "eve", name: "Eve" } })))
      })
      const exit = yield* runAnswering(storage, seen, body, answers)
      assert.deepEqual(exit, Exit.succeed(["Approved", ada]))
      assert.deepEqual(refused.map(({ reason }) => reason), ["Approver", "Over"])
    }))

  test("questions with the same title are separate, and a body that runs again asks none of them twice", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const ask = (title: string) => Effect.map(Approver.ask({ ...question, title }), ({ _tag }) => _tag)
      const step = Step.make(
        "step",
        Effect.gen(function*() {
          return [yield* ask("A?"), yield* ask("A?"), yield* ask("B?")].join()
        })
      ).pipe(Durable.step({ success: Schema.String }))
      const body = Effect.gen(function*() {
        const first = yield* ask("A?")
        const inStep = yield* step
        return [first, inStep, yield* ask("A?")]
      })
      const answers = Effect.forEach([yes, no, yes, no, yes], (given, nth) => answer(seen, given, nth))
      const exit = yield* runAnswering(storage, seen, body, answers)
      assert.deepEqual(exit, Exit.succeed(["Approved", "Denied,Approved,Denied", "Approved"]))
      assert.deepEqual(seen.alerts.map(({ title }) => title), ["A?", "A?", "A?", "B?", "A?"])
      assert.equal(new Set(seen.alerts.map(({ idempotencyKey }) => idempotencyKey)).size, 5)
    }))

  test("each attempt of a step asks again", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = Step.make(
        "step",
        Effect.flatMap(Approver.ask(question), ({ _tag }) =>
          _tag === "Approved" ? Effect.void : Effect.fail(new Bad({ n: 1 })))
      ).pipe(
        Step.retry({ times: 3 }),
        Step.onRetry(({ attempt }) =>
          seen.note(`retry ${attempt}`)
        ),
        Durable.step({ error: Bad })
      )
      const answers = Effect.forEach([no, no, yes], (given, nth) => answer(seen, given, nth))
      assert.deepEqual(yield* runAnswering(storage, seen, step, answers), Exit.void)
      assert.deepEqual([seen.list, seen.alerts.length], [["retry 1", "retry 2"], 3])
    }))

  test("concurrent steps run in the order in which their questions are answered", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const steps = ["a", "b", "c"].map((name) =>
        Step.make(name, seen.note(name)).pipe(Step.requireApproval({ ...question, title: name }), Durable.step())
      )
      const answers = Effect.gen(function*() {
        yield* until("all questions are asked", () => seen.alerts.length === 3)
        for (const name of ["c", "a", "b"]) {
          const nth = seen.alerts.findIndex(({ title }) => title === name)
          yield* answer(seen, yes, nth)
          yield* until(`${name} runs`, () => seen.list.includes(name))
        }
      })
      const exit = yield* runAnswering(
        storage,
        seen,
        Effect.all(steps, { concurrency: "unbounded", discard: true }),
        answers
      )
      assert.deepEqual(exit, Exit.void)
      assert.deepEqual([seen.list, seen.alerts.length], [["c", "a", "b"], 3])
    }))

  test("an answer that arrives while the question is being posted counts", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, workflow } = job(() => Effect.map(Approver.ask(question), ({ _tag }) => _tag))
      const eager = Layer.effect(
        Alerter,
        Effect.map(WorkflowEngine, (engine) =>
          Alerter.of({
            post: (alert) =>
              Effect.orDie(Effect.provideService(
                Approval.answer(typeof alert === "string" ? "" : tokenIn(alert) ?? "", yes),
                WorkflowEngine,
                engine
              ))
          }))
      )
      const exit = yield* inProcess(
        storage,
        layer.pipe(Layer.provide(Approval.layer()), Layer.provide(eager), Layer.provide(seen.log.layer)),
        Effect.exit(workflow.execute({ id: "1" }))
      )
      assert.deepEqual(exit, Exit.succeed("Approved"))
    }))

  test("a question that can't be posted, or is invalid, fails with an AlerterError", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let posts = 0
      const broken = Alerter.layer(() => Effect.suspend(() => (posts++, Effect.fail(failure("test")))))
      const caught: Array<unknown> = []
      const ask = (title: string) =>
        Effect.catchTag(
          Approver.ask({ ...question, title }),
          "AlerterError",
          (error) => Effect.sync(() => void caught.push(error))
        )
      const { layer, workflow } = job(() =>
        Effect.gen(function*() {
          yield* ask("A?")
          yield* ask(" ")
          yield* suspendRun("1")
        })
      )
      const exit = yield* inProcess(
        storage,
        layer.pipe(Layer.provide(Approval.layer()), Layer.provide(broken), Layer.provide(seen.log.layer)),
        Effect.exit(workflow.execute({ id: "1" }))
      )
      assert.deepEqual(exit, Exit.void)
      assert.equal(posts, 1)
      assert.ok(caught.every((error) => error instanceof AlerterError))
      assert.deepEqual(
        caught.map((error) => (error as AlerterError).reason._tag),
        ["Unreachable", "InvalidAlert", "Unreachable", "InvalidAlert"]
      )
    }))

  test("asking fails in a hook, and in a pipeline that is not durable", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = Step.make("step", Effect.void).pipe(
        Step.onSuccess(() => Effect.tapError(Approver.ask(question), ({ message }) => seen.note(message))),
        Durable.step()
      )
      assert.deepEqual(yield* runAnswering(storage, seen, step, Effect.void), Exit.void)
      const inMemory = Pipeline.make("p", Approver.ask(question)).pipe(
        Effect.tapError(({ message }) => seen.note(message)),
        Effect.provide(Approval.layer().pipe(Layer.provide(seen.layer)))
      )
      assert.ok(Exit.isFailure(yield* Effect.exit(inMemory)))
      assert.equal(seen.list.length, 2)
      assert.match(seen.list[0]!, /a hook can't wait for an answer/)
      assert.match(seen.list[1]!, /in durable pipelines only/)
      assert.deepEqual(seen.alerts, [])
    }))

  if (!engine.survives) return

  test("a question stays open through restarts, and any process can answer it", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const deploy = Step.make("deploy", seen.note("body")).pipe(
        Step.requireApproval(question),
        Step.onStart(seen.note("start")),
        Durable.step()
      )
      const { layer, workflow } = job(() => deploy)
      const pipelines = layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer))
      yield* inProcess(
        storage,
        pipelines,
        Effect.andThen(
          workflow.execute({ id: "1" }, { discard: true }),
          until("the question is asked", () => seen.alerts.length > 0)
        )
      )
      yield* inProcess(storage, pipelines, Effect.sleep(100))
      // a process without the pipeline
      yield* inProcess(storage, Layer.empty, Approval.answer(tokenOf(seen), yes))
      assert.deepEqual(yield* inProcess(storage, pipelines, Effect.exit(workflow.execute({ id: "1" }))), Exit.void)
      assert.deepEqual([seen.list, seen.alerts.length], [["start", "body"], 1])
    }))
}
