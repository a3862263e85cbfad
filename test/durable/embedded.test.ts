/** The embedded engine: what other processes may do. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Approval, Durable } from "../../src/durable/index.ts"
import { Pipeline, Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import {
  ada,
  awaitExit,
  awaitSuspended,
  clientOf,
  inProcess,
  isInterrupt,
  job,
  newFile,
  question,
  recorder,
  type Services,
  sqliteStorage,
  tokenIn,
  until
} from "./support/engine.ts"

const it = makeIt((title, run) => test(title, { timeout: 60_000 }, run))

/** Returns how long an effect takes, in milliseconds. */
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const start = performance.now()
    return Effect.map(effect, () => performance.now() - start)
  })

// -----------------------------------------------------------------------------
// other processes
// -----------------------------------------------------------------------------

it.live("a client submits a run, waits for it, and finds its result when another process runs it", () =>
  Effect.gen(function*() {
    const filename = yield* newFile
    const seen = recorder()
    const { layer, workflow } = job(({ id }) =>
      Durable.step(Step.make("a", Effect.as(seen.note("a"), id)), { success: Schema.String })
    )
    const client = clientOf(filename)
    const submitted = yield* Effect.forkChild(Effect.exit(Effect.provide(workflow.execute({ id: "1" }), client)))
    const executionId = yield* workflow.executionId({ id: "1" })
    yield* Effect.gen(function*() {
      assert.ok(Option.isNone(yield* workflow.poll(executionId)))
      yield* Effect.sleep(100)
      assert.deepEqual(seen.list, [])
    }).pipe(Effect.provide(client))
    yield* inProcess(
      sqliteStorage(filename),
      layer,
      Effect.gen(function*() {
        assert.deepEqual(yield* awaitExit(workflow, executionId), Exit.succeed("1"))
        yield* until("the client has the result", () => submitted.pollUnsafe() !== undefined)
      })
    )
    assert.deepEqual(submitted.pollUnsafe(), Exit.succeed(Exit.succeed("1")))
    assert.deepEqual(yield* Effect.provide(Effect.exit(workflow.execute({ id: "1" })), client), Exit.succeed("1"))
    assert.deepEqual(seen.list, ["a"])
  }))

it.live("what a client submits, completes, answers or interrupts is heard before the second is up", () =>
  Effect.gen(function*() {
    const filename = yield* newFile
    const seen = recorder()
    const deferred = DurableDeferred.make("go")
    const { layer, workflow } = job(({ id }) =>
      Effect.gen(function*() {
        yield* Durable.step(Step.make("begun", seen.note(`${id} begun`)))
        yield* id === "asks"
          ? Durable.step(Step.make("ask", Effect.void).pipe(Step.requireApproval(question)))
          : DurableDeferred.await(deferred)
      })
    )
    const pipelines = layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer))
    const idOf = (id: string) => workflow.executionId({ id })
    yield* inProcess(
      sqliteStorage(filename),
      pipelines,
      Effect.gen(function*() {
        const other = yield* Layer.build(clientOf(filename))
        const times: Array<number> = []
        const heard = <A, E>(
          told: Effect.Effect<A, E, Services>,
          holds: Effect.Effect<boolean>
        ) =>
          Effect.gen(function*() {
            yield* Effect.provide(told, other)
            times.push(yield* timed(Effect.repeat(Effect.delay(holds, 5), { until: (held) => held })))
          })
        const begun = (id: string) => Effect.sync(() => seen.list.includes(`${id} begun`))
        const ended = (id: string) =>
          Effect.flatMap(idOf(id), (executionId) =>
            Effect.provide(
              Effect.map(
                workflow.poll(executionId),
                (result) => Option.isSome(result) && result.value._tag === "Complete"
              ),
              other
            ))
        for (const id of ["waits", "ends", "asks"]) {
          yield* heard(workflow.execute({ id }, { discard: true }), begun(id))
          yield* awaitSuspended(workflow, yield* idOf(id))
        }
        const token = DurableDeferred.tokenFromExecutionId(deferred, { workflow, executionId: yield* idOf("waits") })
        yield* heard(DurableDeferred.succeed(deferred, { token, value: undefined }), ended("waits"))
        yield* heard(workflow.interrupt(yield* idOf("ends")), ended("ends"))
        yield* heard(
          Approval.answer(seen.alerts.map(tokenIn).find((found) => found !== undefined)!, { approve: true, by: ada }),
          ended("asks")
        )
        // without the file that is touched each of them would take half a second on average
        const sorted = times.toSorted((a, b) => a - b)
        assert.ok(sorted[Math.floor(sorted.length / 2)]! < 300, times.map(Math.round).join())
      }).pipe(Effect.scoped)
    )
  }))

it.live("an answer of a client while no process runs the file counts when one does", () =>
  Effect.gen(function*() {
    const filename = yield* newFile
    const seen = recorder()
    const { layer, workflow } = job(() =>
      Durable.step(Step.make("deploy", seen.note("deploy")).pipe(Step.requireApproval(question)))
    )
    const pipelines = layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer))
    const storage = sqliteStorage(filename)
    const executionId = yield* workflow.executionId({ id: "1" })
    yield* inProcess(
      storage,
      pipelines,
      Effect.andThen(workflow.execute({ id: "1" }, { discard: true }), awaitSuspended(workflow, executionId))
    )
    yield* Effect.provide(
      Approval.answer(seen.alerts.map(tokenIn)[0]!, { approve: true, by: ada }),
      clientOf(filename)
    )
    assert.deepEqual(yield* inProcess(storage, pipelines, awaitExit(workflow, executionId)), Exit.void)
    assert.deepEqual(seen.list, ["deploy"])
  }))

it.live("an interruption that was asked for comes before a step that was cut off begins again", () =>
  Effect.gen(function*() {
    const filename = yield* newFile
    const seen = recorder()
    const { layer, workflow } = job(() =>
      Pipeline.make(
        "x",
        Durable.step(
          Step.make("long", Effect.andThen(seen.note("body"), Effect.never)).pipe(
            Step.onStart(seen.note("start")),
            Step.onInterrupt(() => seen.note("interrupt"))
          )
        )
      ).pipe(Pipeline.onInterrupt(() => seen.note("run interrupt")))
    )
    const executionId = yield* workflow.executionId({ id: "1" })
    yield* inProcess(
      sqliteStorage(filename),
      layer,
      Effect.andThen(
        workflow.execute({ id: "1" }, { discard: true }),
        until("the body runs", () => seen.list.includes("body"))
      )
    )
    yield* Effect.provide(workflow.interrupt(executionId), clientOf(filename))
    const exit = yield* inProcess(sqliteStorage(filename), layer, awaitExit(workflow, executionId))
    assert.ok(isInterrupt(exit), String(exit))
    assert.deepEqual(seen.list, ["start", "body", "interrupt", "run interrupt"])
  }))

it.live("a hook that is cut off at a shutdown runs again in the next process, also where the run was asked to end", () =>
  Effect.gen(function*() {
    const storage = Layer.orDie(Durable.layerSqlite({ filename: yield* newFile, drain: "1 millis" }))
    const seen = recorder()
    let open = false
    const { layer, workflow } = job(() =>
      Pipeline.make("job", Durable.step(Step.make("a", Effect.void))).pipe(
        Pipeline.onExit(() =>
          Effect.andThen(seen.note("exit"), Effect.suspend(() => open ? Effect.void : Effect.never))
        )
      )
    )
    const pipelines = Layer.provide(layer, seen.layer)
    yield* inProcess(
      storage,
      pipelines,
      Effect.gen(function*() {
        const runId = yield* workflow.execute({ id: "1" }, { discard: true })
        yield* until("the hook runs", () => seen.count("exit") === 1)
        yield* workflow.interrupt(runId)
      })
    )
    assert.equal(seen.count("exit"), 1)
    open = true
    yield* inProcess(storage, pipelines, Effect.exit(workflow.execute({ id: "1" })))
    assert.equal(seen.count("exit"), 2)
  }))
