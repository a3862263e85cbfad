/** Tests what the page of runs shows of durable runs. */
import { Context, Effect, Layer } from "effect"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import type { DurableItem, DurableRunDetails } from "../../src/report/internal/ui/stored/data.ts"
import { newFile } from "../durable/support/engine.ts"
import { awaitStatus, makePipelines } from "../support/durableRuns.ts"
import { makeIt } from "../support/it.ts"
import { tempFolder } from "../support/record.ts"
import { ended, writeRecord } from "../support/recordFiles.ts"
import { hasEvent, served, valuesIn } from "../support/uiServer.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

/** Builds an engine in memory with the pipelines, and serves its runs. */
const running = Effect.gen(function*() {
  const folder = yield* tempFolder
  const pipelines = makePipelines()
  const context = yield* Layer.build(
    Layer.provideMerge(pipelines.layer, Durable.layerSqlite({ filename: yield* newFile, drain: "100 millis" }))
  )
  const engine = Layer.succeed(WorkflowEngine, Context.get(context, WorkflowEngine))
  return { engine, folder, pipelines }
})

interface Change {
  readonly items: ReadonlyArray<DurableItem>
}

const itemsIn = (body: string) => valuesIn<Change>(body).flatMap(({ items }) => items)

it.live("the list has durable runs by status, what they wait for, whether they have a record, and open questions", () =>
  Effect.gen(function*() {
    const { engine, folder, pipelines } = yield* running
    const { get } = yield* served(folder, Layer.provide(Durable.layerUi(), engine))
    yield* Effect.gen(function*() {
      yield* pipelines.loads.workflow.execute({ id: "1" }, { discard: true })
      yield* pipelines.asks.workflow.execute({ id: "restricted" }, { discard: true })
      yield* pipelines.sleeps.workflow.execute({ id: "1" }, { discard: true })
      const failed = yield* awaitStatus("loads", "failure")
      const asking = yield* awaitStatus("asks", "waiting")
      const asleep = yield* awaitStatus("sleeps", "waiting")
      writeRecord(folder, { id: failed.runId, name: "loads", lines: [ended("failure", 83)] })
      const items = itemsIn((yield* get("/api/durable", undefined, { isEnough: hasEvent })).body)
      const runs = items.flatMap((item) => item.kind === "run" ? [item] : [])
      assert.deepEqual(
        Object.fromEntries(
          runs.map(({ pipeline, recorded, run, status, why }) => [pipeline, [run, status, why, recorded]])
        ),
        {
          loads: [failed.runId, "failure", "Full: the disk is full", true],
          asks: [asking.runId, "waiting", undefined, false],
          sleeps: [asleep.runId, "waiting", undefined, false]
        }
      )
      const days = (at: number | undefined) => Math.round(((at ?? 0) - Date.now()) / 86_400_000)
      assert.deepEqual(runs.map(({ pipeline, until }) => [pipeline, days(until)]).toSorted(), [
        ["asks", 1],
        ["loads", days(undefined)],
        ["sleeps", 2]
      ])
      const [question] = items.flatMap((item) => item.kind === "question" ? [item] : [])
      assert.ok(question !== undefined)
      const { approvers, fields, mayAnswer, run, status, title, until } = question
      assert.equal(mayAnswer, false)
      assert.deepEqual([run, title, status, approvers, days(until)], [
        asking.runId,
        "Roll out?",
        "open",
        ["grace"],
        1
      ])
      assert.deepEqual(fields.map(({ kind, name, required }) => [name, kind, required]), [
        ["percent", "whole", true],
        ["ring", "choice", true],
        ["ticket", "text", false]
      ])
      const details = valuesIn<DurableRunDetails>(
        (yield* get(`/api/durable/${failed.runId}`, undefined, { isEnough: hasEvent })).body
      )[0]!
      assert.deepEqual(JSON.parse(details.payload), { id: "1" })
      assert.deepEqual(details.steps.map(({ name, status, why }) => [name, status, why]), [
        ["extract", "success", undefined],
        ["load", "failure", "Full: the disk is full"]
      ])
      assert.deepEqual([details.recorded, details.status], [true, "failure"])
      const page = yield* get(`/durable/${failed.runId}`)
      assert.match(page.body, /<html lang="en" data-durable>[^]*<title>loads · /)
      assert.equal((yield* get("/durable/none")).status, 404)
      assert.equal((yield* get("/api/durable/none")).status, 404)
      // the token of a question never leaves the server
      const token = /epilogue answer (\S+) /.exec(JSON.stringify(pipelines.alerts))![1]!
      const shown = yield* get(`/api/durable/${asking.runId}`, undefined, { isEnough: hasEvent })
      assert.ok(!`${shown.body}${JSON.stringify(items)}`.includes(token))
    }).pipe(Effect.provide(engine))
  }))

it.live("the list is told when a run changes, and the page of a run, too", () =>
  Effect.gen(function*() {
    const { engine, folder, pipelines } = yield* running
    const { get } = yield* served(folder, Layer.provide(Durable.layerUi(), engine))
    yield* Effect.gen(function*() {
      yield* pipelines.asks.workflow.execute({ id: "1" }, { discard: true })
      const { runId } = yield* awaitStatus("asks", "waiting")
      let answered = false
      const answer = () => {
        if (answered) return
        answered = true
        Effect.runFork(Effect.provide(pipelines.asks.workflow.interrupt(runId), engine))
      }
      const isInterrupted = (body: string) => {
        if (hasEvent(body)) answer()
        return body.includes("\"interrupt\"")
      }
      const [list, details] = yield* Effect.all([
        get("/api/durable", undefined, { isEnough: isInterrupted }),
        get(`/api/durable/${runId}`, undefined, { isEnough: isInterrupted })
      ], { concurrency: 2 })
      assert.deepEqual(
        itemsIn(list.body).flatMap((item) => item.kind === "run" ? [item.status] : []).at(-1),
        "interrupt"
      )
      assert.equal(valuesIn<DurableRunDetails>(details.body).at(-1)!.status, "interrupt")
    }).pipe(Effect.provide(engine))
  }))

it.live("without durable runs there are no pages for them", () =>
  Effect.gen(function*() {
    const { get } = yield* served(yield* tempFolder)
    assert.doesNotMatch((yield* get("/")).body, /data-durable/)
    for (const path of ["/durable", "/questions", "/api/durable", "/durable/1"]) {
      assert.equal((yield* get(path)).status, 404, path)
    }
  }))
