/** Workflows on the embedded engine that use all of `effect/workflow`, and the end of its process. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Workflow from "effect/workflow/Workflow"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Hook, Hooks, Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import {
  awaitExit,
  awaitSuspended,
  clientOf,
  inProcess,
  job,
  newFile,
  recorder,
  run,
  sqliteStorage,
  suspendRun,
  until
} from "./support/engine.ts"

const it = makeIt((title, run) => test(title, { timeout: 60_000 }, run))

it.live("a run waits for the runs that it starts, through a restart, and one that is detached does not hold it", () =>
  Effect.gen(function*() {
    const filename = yield* newFile
    const seen = recorder()
    const go = DurableDeferred.make("go")
    const child = Durable.pipeline("child", {
      payload: { id: Schema.String },
      success: Schema.String,
      idempotencyKey: ({ id }) => id
    }, ({ id }) =>
      Effect.gen(function*() {
        yield* Durable.step(Step.make("begun", seen.note(`${id} begun`)))
        yield* DurableDeferred.await(go)
        return id
      }))
    const parent = job(() =>
      Effect.gen(function*() {
        yield* child.workflow.execute({ id: "detached" }, { discard: true, detached: true })
        const ids = yield* Effect.all([child.workflow.execute({ id: "a" }), child.workflow.execute({ id: "b" })], {
          concurrency: 2
        })
        return ids.join()
      })
    )
    const pipelines = Layer.merge(parent.layer, child.layer)
    const executionId = yield* parent.workflow.executionId({ id: "1" })
    const complete = (id: string) =>
      Effect.flatMap(child.workflow.executionId({ id }), (executionId) =>
        DurableDeferred.succeed(go, {
          token: DurableDeferred.tokenFromExecutionId(go, { workflow: child.workflow, executionId }),
          value: undefined
        }))
    yield* inProcess(
      sqliteStorage(filename),
      pipelines,
      Effect.gen(function*() {
        yield* parent.workflow.execute({ id: "1" }, { discard: true })
        yield* awaitSuspended(parent.workflow, executionId)
        yield* complete("a")
      })
    )
    const exit = yield* inProcess(
      sqliteStorage(filename),
      pipelines,
      Effect.andThen(complete("b"), awaitExit(parent.workflow, executionId))
    )
    assert.deepEqual(exit, Exit.succeed("a,b"))
    assert.deepEqual(seen.list.toSorted(), ["a begun", "b begun", "detached begun"])
  }))

it.live("a run that is suspended by its failure is resumed by hand, and by nothing else", () =>
  Effect.gen(function*() {
    const filename = yield* newFile
    const seen = recorder()
    const signal = DurableDeferred.make("signal")
    let broken = true
    const workflow = Workflow.make("fragile", {
      payload: { id: Schema.String },
      idempotencyKey: ({ id }) => id
    }).annotate(Workflow.SuspendOnFailure, true)
    const layer = workflow.toLayer(() =>
      Effect.andThen(seen.note("body"), Effect.suspend(() => broken ? Effect.die("no") : Effect.void))
    )
    const executionId = yield* workflow.executionId({ id: "1" })
    yield* inProcess(
      sqliteStorage(filename),
      layer,
      Effect.gen(function*() {
        yield* workflow.execute({ id: "1" }, { discard: true })
        yield* awaitSuspended(workflow, executionId)
        const token = DurableDeferred.tokenFromExecutionId(signal, { workflow, executionId })
        yield* DurableDeferred.succeed(signal, { token, value: undefined })
      })
    )
    broken = false
    yield* inProcess(
      sqliteStorage(filename),
      layer,
      Effect.gen(function*() {
        yield* Effect.sleep(50)
        assert.deepEqual(seen.list, ["body"])
        yield* workflow.resume(executionId)
        assert.deepEqual(yield* awaitExit(workflow, executionId), Exit.void)
      })
    )
    assert.deepEqual(seen.list, ["body", "body"])
  }))

it.live("a deferred that is completed in a transaction of the user's wakes the run once that is committed", () =>
  Effect.gen(function*() {
    const filename = yield* newFile
    const seen = recorder()
    const go = DurableDeferred.make("go")
    const { layer, workflow } = job(() => DurableDeferred.await(go))
    yield* inProcess(
      sqliteStorage(filename),
      Layer.provide(layer, seen.layer),
      Effect.gen(function*() {
        const sql = yield* SqlClient
        yield* sql`CREATE TABLE mine (a)`
        const executionId = yield* workflow.execute({ id: "1" }, { discard: true })
        yield* awaitSuspended(workflow, executionId)
        const token = DurableDeferred.tokenFromExecutionId(go, { workflow, executionId })
        const complete = Effect.andThen(
          sql`INSERT INTO mine VALUES (1)`,
          DurableDeferred.succeed(go, { token, value: undefined })
        )
        yield* Effect.exit(sql.withTransaction(Effect.andThen(complete, Effect.fail("rolled back"))))
        yield* Effect.sleep(50)
        yield* awaitSuspended(workflow, executionId)
        yield* sql.withTransaction(complete)
        assert.deepEqual(yield* awaitExit(workflow, executionId), Exit.void)
        assert.deepEqual(yield* sql`SELECT a FROM mine`, [{ a: 1 }])
      })
    )
  }))

it.live("a closing process lets the step under way end, starts none after it, and does not ask for another one", () =>
  Effect.gen(function*() {
    const filename = yield* newFile
    const seen = recorder()
    const { layer, workflow } = job(() =>
      Effect.gen(function*() {
        yield* Durable.step(
          Step.make("a", Effect.andThen(seen.note("a"), Effect.sleep(2_300))).pipe(
            Step.hooks(Hooks.make(Hook.onSuccess(() => seen.note("a hook"))))
          )
        )
        yield* Durable.step(Step.make("b", seen.note("b")))
      })
    )
    const patient = Layer.orDie(Durable.layerSqlite({ filename, drain: "10 seconds" })).pipe(
      Layer.provideMerge(seen.log.layer)
    )
    yield* inProcess(
      patient,
      layer,
      Effect.andThen(
        workflow.execute({ id: "1" }, { discard: true }),
        until("the step runs", () => seen.list.includes("a"))
      )
    )
    assert.deepEqual(seen.list, ["a"])
    // after two seconds a process tells of runs whose pipelines it does not have
    assert.deepEqual(seen.log.list.filter(({ message }) => message.includes("wait for a process")), [])
    assert.deepEqual(yield* run(patient, seen, { layer, workflow }), Exit.void)
    assert.deepEqual(seen.list, ["a", "a hook", "b"])
  }))

it.live("a run of a pipeline that no process has is told once, and waits", () =>
  Effect.gen(function*() {
    const filename = yield* newFile
    const seen = recorder()
    const { layer, workflow } = job(() => suspendRun("1"))
    yield* Effect.provide(workflow.execute({ id: "1" }, { discard: true }), clientOf(filename))
    yield* Effect.provide(workflow.execute({ id: "2" }, { discard: true }), clientOf(filename))
    const waits = () => seen.log.list.filter(({ message }) => message.startsWith(`runs of "job" wait for a process`))
    yield* Effect.provide(
      Effect.andThen(until("it is told", () => waits().length > 0), Effect.sleep(1200)),
      Layer.provideMerge(Layer.fresh(sqliteStorage(filename)), seen.log.layer)
    )
    assert.equal(waits().length, 1)
    const executionId = yield* workflow.executionId({ id: "1" })
    assert.deepEqual(yield* inProcess(sqliteStorage(filename), layer, awaitExit(workflow, executionId)), Exit.void)
  }))
