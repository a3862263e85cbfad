/** Stored runs: listed, shown, retried and pruned. What only the embedded engine does is in `../runs.test.ts` and `../runsPruned.test.ts`. */
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import { AlerterHooks, Approver, Hook, Hooks, Pipeline, Step } from "../../../src/index.ts"
import {
  awaitExit,
  awaitSuspended,
  Bad,
  type Engine,
  inProcess,
  isInterrupt,
  job,
  type Recorder,
  recorder,
  run,
  type Storage,
  suiteOf,
  suspendRun,
  until
} from "../support/engine.ts"

/** Returns steps `a`, `b` and `c`, of which `b` fails while `broken` says so; each notes its body and its hook. */
export const abc = (seen: Recorder, broken: () => boolean) => {
  const step = (name: string, body: Effect.Effect<unknown, Bad>) =>
    Step.make(name, Effect.andThen(seen.note(name), Effect.asVoid(body))).pipe(
      Step.onSuccess(() => seen.note(`hook of ${name}`)),
      Durable.step({ error: Bad })
    )
  return job(() =>
    Pipeline.make(
      "abc",
      Effect.gen(function*() {
        yield* step("a", Effect.void)
        yield* step("b", Effect.suspend(() => broken() ? Effect.fail(new Bad({ n: 1 })) : Effect.void))
        yield* step("c", Effect.void)
      })
    ).pipe(Pipeline.hooks(AlerterHooks.all))
  )
}

export const runIdOf = (status: Durable.RunStatus) =>
  Effect.map(Durable.list({ statuses: [status] }), (runs) => {
    assert.equal(runs.length, 1)
    return runs[0]!.runId
  })

/** Begins a job that asks a question, waits until the run does, and lets `look` see it. */
const whileItWaits = <E extends Bad | Durable.LibraryError, R, A, E2, R2>(
  storage: Storage,
  seen: Recorder,
  pipeline: ReturnType<typeof job<E, R>>,
  look: (runId: string) => Effect.Effect<A, E2, R2>
) =>
  inProcess(
    storage,
    Layer.provide(pipeline.layer, Layer.provideMerge(Approval.layer({ instructions: () => [] }), seen.layer)),
    Effect.gen(function*() {
      const runId = yield* pipeline.workflow.execute({ id: "1" }, { discard: true })
      yield* awaitSuspended(pipeline.workflow, runId)
      return yield* look(runId)
    })
  )

const refusal = <A>(effect: Effect.Effect<A, Durable.RunRefused, WorkflowEngine>) =>
  Effect.map(Effect.flip(effect), ({ message, reason }) => ({ message, reason }))

/** Makes runs on a cluster older, which keeps those that ended in the last seconds: an id has its time in its first bits. */
const age = ({ tables }: Engine) =>
  Effect.flatMap(SqlClient, (sql) =>
    tables.includes("cluster_replies")
      ? Effect.asVoid(sql`UPDATE cluster_replies SET id = id - ${sql.literal(String(3_600_000n << 22n))}`)
      : Effect.void)

export const storedRunsSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test(
    "a retry of a failed run reuses the steps that succeeded, and says of which run it is",
    (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        let broken = true
        const pipeline = abc(seen, () => broken)
        assert.ok(Exit.isFailure(yield* run(storage, seen, pipeline)))
        assert.deepEqual(seen.list, ["a", "hook of a", "b"])
        seen.list.length = 0
        seen.alerts.length = 0
        broken = false
        yield* inProcess(
          storage,
          Layer.provide(pipeline.layer, seen.layer),
          Effect.gen(function*() {
            const failed = yield* runIdOf("failure")
            const { retryOf, runId, status } = yield* Durable.retry(failed)
            assert.deepEqual({ retryOf, status }, { retryOf: failed, status: "running" })
            assert.notEqual(runId, failed)
            assert.deepEqual(yield* awaitExit(pipeline.workflow, runId), Exit.void)
            assert.deepEqual(seen.list, ["b", "hook of b", "c", "hook of c"])
            const [alert] = seen.alerts
            assert.deepEqual(alert?.fields.find(({ name }) => name === "retryOf")?.value, failed)
            assert.deepEqual((yield* Durable.show(failed)).retriedAs, [runId])
            const started = seen.events.list.findLast(({ _tag }) => _tag === "RunStarted")
            assert.ok(started?._tag === "RunStarted")
            assert.deepEqual(started.annotations["retryOf"], failed)
          })
        )
      })
  )

  test("a stored run is interrupted by its id, also one that only waits, and one that has ended is refused", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const gate = yield* Deferred.make<void>()
      const steps = job((payload) =>
        payload.id === "waits"
          ? suspendRun("nap", "1 day")
          : Step.make("long", Effect.andThen(seen.note("long"), Deferred.await(gate))).pipe(
            Step.onInterrupt(() => seen.note("cut off")),
            Durable.step()
          )
      )
      yield* inProcess(
        storage,
        Layer.provide(steps.layer, seen.layer),
        Effect.gen(function*() {
          const waits = yield* steps.workflow.execute({ id: "waits" }, { discard: true })
          yield* awaitSuspended(steps.workflow, waits)
          const { status, waitsUntil } = yield* Durable.show(waits)
          assert.equal(status, "waiting")
          const hours = (DateTime.toEpochMillis(waitsUntil!) - Date.now()) / 3_600_000
          assert.ok(hours > 23 && hours <= 24, `${hours}`)
          assert.equal((yield* Durable.interrupt(waits)).runId, waits)
          assert.ok(isInterrupt(yield* awaitExit(steps.workflow, waits)))
          const { endedAt, waitsUntil: none } = yield* Durable.show(waits)
          assert.deepEqual([endedAt !== undefined, none], [true, undefined])
          assert.deepEqual(yield* refusal(Durable.interrupt(waits)), {
            reason: "Ended",
            message: `run ${waits} has ended already`
          })
          assert.equal((yield* refusal(Durable.interrupt("none"))).reason, "NotFound")
          const runs = yield* steps.workflow.execute({ id: "runs" }, { discard: true })
          yield* until("the step runs", () => seen.list.includes("long"))
          yield* Durable.interrupt(runs, { now: true })
          assert.ok(isInterrupt(yield* awaitExit(steps.workflow, runs)))
          assert.deepEqual(seen.list, ["long", "cut off"])
        })
      )
    }))

  test("a retry from a step runs that step again and all that began after it", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const pipeline = abc(seen, () => false)
      yield* run(storage, seen, pipeline)
      seen.list.length = 0
      yield* inProcess(
        storage,
        Layer.provide(pipeline.layer, seen.layer),
        Effect.gen(function*() {
          const first = yield* runIdOf("success")
          assert.deepEqual(yield* refusal(Durable.retry(first)), {
            reason: "Succeeded",
            message: `run ${first} has succeeded: name the step from which it runs again`
          })
          assert.deepEqual(yield* refusal(Durable.retry(first, { from: "d" })), {
            reason: "NoStep",
            message: `run ${first} has no step "d": it has a, b, c`
          })
          const { runId } = yield* Durable.retry(first, { from: "b" })
          yield* awaitExit(pipeline.workflow, runId)
          assert.deepEqual(seen.list, ["b", "hook of b", "c", "hook of c"])
        })
      )
    }))

  test("a retry takes a key for the step, and a name for the first of its keys", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const page = (n: number) =>
        Step.make("page", seen.note(`page ${n}`)).pipe((step) => Step.key(step, n), Durable.step())
      const pipeline = job(() => Effect.forEach([1, 2, 3], page, { discard: true }))
      yield* run(storage, seen, pipeline)
      const from = (step: string) =>
        inProcess(
          storage,
          Layer.provide(pipeline.layer, seen.layer),
          Effect.gen(function*() {
            seen.list.length = 0
            const [newest] = yield* Durable.list()
            const { runId } = yield* Durable.retry(newest!.runId, { from: step })
            yield* awaitExit(pipeline.workflow, runId)
            return [...seen.list]
          })
        )
      assert.deepEqual(yield* from("page[3]"), ["page 3"])
      assert.deepEqual(yield* from("page"), ["page 1", "page 2", "page 3"])
    }))

  test(
    "steps whose failure the body has handled run again, and what came after them need not be asked for",
    (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        let broken = true
        const step = (name: string) =>
          Step.make(
            name,
            Effect.andThen(seen.note(name), Effect.suspend(() => broken ? Effect.fail(new Bad({ n: 1 })) : Effect.void))
          ).pipe(Durable.step({ error: Bad }))
        const fallback = Durable.step(Step.make("fallback", seen.note("fallback")))
        const pipeline = job(() => Effect.andThen(Effect.catch(step("first"), () => fallback), step("second")))
        yield* run(storage, seen, pipeline)
        assert.deepEqual(seen.list, ["first", "fallback", "second"])
        seen.list.length = 0
        broken = false
        yield* inProcess(
          storage,
          Layer.provide(pipeline.layer, seen.layer),
          Effect.gen(function*() {
            const { runId } = yield* Durable.retry(yield* runIdOf("failure"))
            assert.deepEqual(yield* awaitExit(pipeline.workflow, runId), Exit.void)
            assert.deepEqual(seen.list, ["first", "second"])
          })
        )
      })
  )

  test("a run that has not ended can't be retried", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const waiting = job(() => Step.make("wait", Effect.never).pipe(Durable.step()))
      yield* inProcess(
        storage,
        Layer.provide(waiting.layer, seen.layer),
        Effect.gen(function*() {
          const runId = yield* waiting.workflow.execute({ id: "1" }, { discard: true })
          yield* until("it runs", () => seen.events.list.some(({ _tag }) => _tag === "StepStarted"))
          assert.equal((yield* refusal(Durable.retry(runId))).reason, "NotEnded")
          assert.equal((yield* refusal(Durable.retry("nothing"))).reason, "NotFound")
          assert.equal((yield* refusal(Durable.show(""))).reason, "NotFound")
        })
      )
    }))

  test("a retry can be retried", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const pipeline = abc(seen, () => true)
      yield* run(storage, seen, pipeline)
      yield* inProcess(
        storage,
        Layer.provide(pipeline.layer, seen.layer),
        Effect.gen(function*() {
          const first = yield* runIdOf("failure")
          const second = yield* Durable.retry(first)
          yield* awaitExit(pipeline.workflow, second.runId)
          const third = yield* Durable.retry(second.runId)
          assert.deepEqual([second.runId, third.runId], [`${first}~2`, `${first}~3`])
          assert.equal(third.retryOf, second.runId)
          assert.equal((yield* refusal(Durable.show(first.slice(0, 4)))).reason, "Ambiguous")
        })
      )
    }))

  test("a run is shown with its steps, attempts, hooks and questions", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const flaky = Step.make("load", Effect.fail(new Bad({ n: 7 }))).pipe(
        Step.retry({ times: 1 }),
        Step.onFailure(() => seen.note("hook")),
        (step) => Step.key(step, "a/b"),
        Durable.step({ error: Bad })
      )
      const pipeline = job(() =>
        Effect.gen(function*() {
          yield* Effect.ignore(flaky)
          yield* Approver.ask({ title: "Go on?", timeout: "1 day" })
        })
      )
      yield* whileItWaits(storage, seen, pipeline, (runId) =>
        Effect.gen(function*() {
          const { payload, questions, status, steps } = yield* Durable.show(runId.slice(0, 12))
          assert.deepEqual({ payload, status }, { payload: { id: "1" }, status: "waiting" })
          const [step] = steps
          assert.deepEqual(
            { name: step?.name, status: step?.status, attempts: step?.attempts, why: step?.why },
            { name: "load[a/b]", status: "failure", attempts: 2, why: "Bad: n 7" }
          )
          assert.deepEqual(step?.hooks.map(({ kind, status }) => [kind, status]), [["failure", "ended"]])
          assert.deepEqual(questions.map(({ status, title }) => [title, status]), [["Go on?", "open"]])
          yield* pipeline.workflow.interrupt(runId)
          yield* awaitExit(pipeline.workflow, runId)
          assert.deepEqual((yield* Durable.list()).map(({ status }) => status), ["interrupt"])
        }))
    }))

  test("no hook is shown as pending that does not run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = (name: string, body: Effect.Effect<void, Bad>, isRequired: boolean) =>
        Step.make(name, body).pipe(
          Step.hooks(Hooks.make(AlerterHooks.failure, Hook.onInterrupt(() => Effect.void))),
          (self) => isRequired ? Step.hooks(self, Hook.required(Hook.onSuccess(() => seen.note("required")))) : self,
          Durable.step({ error: Bad })
        )
      const pipeline = job(() =>
        Effect.gen(function*() {
          yield* step("plain", Effect.void, false)
          yield* step("required", Effect.void, true)
          yield* Effect.ignore(step("broken", Effect.fail(new Bad({ n: 7 })), false))
          yield* Approver.ask({ title: "Go on?", timeout: "1 day" })
        })
      )
      yield* whileItWaits(storage, seen, pipeline, (runId) =>
        Effect.gen(function*() {
          const shown = Effect.map(
            Durable.show(runId),
            ({ steps }) =>
              steps.map(({ hooks, name }) => [name, ...hooks.map(({ name, status }) => `${name} ${status}`)])
          )
          const expected = [["plain"], ["required", "onSuccess ended"], ["broken", "AlerterHooks.failure ended"]]
          assert.deepEqual(yield* shown, expected)
          yield* pipeline.workflow.interrupt(runId)
          yield* awaitExit(pipeline.workflow, runId)
          assert.deepEqual(yield* shown, expected)
        }))
    }))

  test("a stored run says why it failed, also by errors that have no message in the database", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const cyclic: Record<string, unknown> = {}
      cyclic["self"] = cyclic
      const unstorable = Step.make("pack", Effect.succeed(cyclic)).pipe(Durable.step({ success: Schema.Any }))
      const pipeline = job(() =>
        Effect.exit(unstorable).pipe(
          Effect.andThen(Durable.step(Step.make("end", Effect.fail(new Bad({ n: 7 }))), { error: Bad }))
        )
      )
      yield* run(storage, seen, pipeline)
      yield* Effect.gen(function*() {
        const [listed] = yield* Durable.list()
        assert.equal(listed?.why, "Bad: n 7")
        const { steps } = yield* Durable.show(listed!.runId)
        assert.deepEqual(steps.map(({ name, why }) => [name, why]), [
          ["pack", "Unstorable: \"pack\": its result can't be stored: result.self is a reference to what it is in"],
          ["end", "Bad: n 7"]
        ])
      }).pipe(Effect.provide(Layer.fresh(storage)))
    }))

  test("runs are listed by pipeline and status, the newest first, from any process", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const named = (name: string, body: Effect.Effect<void, Durable.LibraryError>) =>
        Durable.pipeline(name, { payload: { id: Schema.String }, idempotencyKey: ({ id }) => id }, () => body)
      const [fine, bad] = [named("fine", Effect.void), named("bad", Effect.die("no"))]
      yield* inProcess(
        storage,
        Layer.mergeAll(fine.layer, bad.layer),
        Effect.gen(function*() {
          yield* fine.workflow.execute({ id: "1" })
          yield* Effect.exit(bad.workflow.execute({ id: "1" }))
          yield* fine.workflow.execute({ id: "2" })
        })
      )
      const names = (filter?: Durable.RunFilter) =>
        Effect.map(
          Durable.list(filter),
          (runs) => runs.map(({ pipelineName, status, why }) => [pipelineName, status, why])
        )
      yield* Effect.gen(function*() {
        const [success, failure] = [["fine", "success", undefined], ["bad", "failure", "no"]]
        assert.deepEqual(yield* names(), [success, failure, success])
        assert.deepEqual(yield* names({ statuses: ["failure", "interrupt"] }), [failure])
        assert.deepEqual(yield* names({ pipelines: ["fine"], limit: 1 }), [success])
        assert.deepEqual(yield* names({ pipelines: ["other"] }), [])
      }).pipe(Effect.provide(Layer.fresh(storage)))
      assert.deepEqual(seen.alerts, [])
    }))

  test(
    "pruning keeps the newest runs of each pipeline, and unfinished ones with the runs that they wait for",
    (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        const gate = Deferred.makeUnsafe<void>()
        const child = Durable.pipeline(
          "child",
          { payload: { id: Schema.String }, idempotencyKey: ({ id }) => id },
          () => Effect.void
        )
        const parent = job(({ id }) =>
          Effect.andThen(
            child.workflow.execute({ id: `of ${id}` }),
            id === "waits" ? Durable.step(Step.make("wait", Deferred.await(gate))) : Effect.void
          )
        )
        yield* inProcess(
          storage,
          Layer.provideMerge(Layer.provide(parent.layer, seen.layer), child.layer),
          Effect.gen(function*() {
            yield* Effect.forEach(["1", "2", "3"], (id) => parent.workflow.execute({ id }))
            const waiting = yield* parent.workflow.execute({ id: "waits" }, { discard: true })
            yield* until("it waits", () => seen.events.list.some(({ _tag }) => _tag === "StepStarted"))
            yield* age(engine)
            assert.equal(yield* Durable.prune({ keep: 2 }), 3)
            assert.deepEqual(
              (yield* Durable.list()).map(({ pipelineName }) => pipelineName),
              ["child", "job", "child", "job", "job"]
            )
            assert.equal(yield* Durable.prune({ keep: 0 }), 3)
            assert.deepEqual(
              (yield* Durable.list()).map(({ pipelineName, status }) => `${pipelineName} ${status}`),
              ["child success", "job running"]
            )
            yield* Deferred.succeed(gate, undefined)
            yield* awaitExit(parent.workflow, waiting)
          })
        )
      })
  )
}
