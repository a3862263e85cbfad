/** Stored runs of the embedded engine that are removed, by hand and by age or number. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Approval, Durable, Outbox } from "../../src/durable/index.ts"
import { Alerter, AlerterHooks, Approver, Pipeline, Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { inProcess, job, newFile, recorder, sqliteStorage } from "./support/engine.ts"

const { live } = makeIt((title, run) => test(title, { timeout: 60_000 }, run))

const counts = (...tables: ReadonlyArray<string>) =>
  Effect.flatMap(SqlClient, (sql) =>
    Effect.forEach(tables, (table) =>
      Effect.map(
        sql<{ count: number }>`SELECT COUNT(*) AS count FROM ${sql(table)}`,
        ([row]) => row?.count
      )))

const outboxed = Effect.flatMap(SqlClient, (sql) =>
  Effect.map(
    sql<{ state: string }>`SELECT state FROM effect_epilogue_alerts`,
    (rows) => rows.map(({ state }) => state)
  ))

live(
  "pruning removes the records, questions and delivered alerts of runs, and no alert that is not delivered",
  () =>
    Effect.gen(function*() {
      const storage = sqliteStorage(yield* newFile)
      const seen = recorder()
      let refuses = false
      const channel = Alerter.layer((alert) =>
        refuses ? Effect.die("down") : Effect.sync(() => void seen.alerts.push(alert))
      )
      const pipeline = job(() =>
        Pipeline.make(
          "p",
          Effect.andThen(
            Durable.step(Step.make("a", Effect.void)),
            Effect.asVoid(Effect.orDie(Approver.ask({ title: "Go on?", timeout: "20 millis" })))
          )
        ).pipe(Pipeline.hooks(AlerterHooks.success))
      )
      yield* inProcess(
        storage,
        Layer.provide(
          pipeline.layer,
          Layer.provideMerge(
            Approval.layer({ instructions: () => [] }),
            Layer.orDie(Outbox.layer(channel, { drain: 0 }))
          )
        ),
        Effect.gen(function*() {
          yield* pipeline.workflow.execute({ id: "1" })
          // the question, and the success
          yield* Effect.repeat(Effect.delay(outboxed, 20), {
            until: (states) => states.length === 2 && states.every((state) => state === "done")
          })
          refuses = true
          yield* pipeline.workflow.execute({ id: "2" })
          const tables = ["activities", "deferreds", "questions", "clocks", "runs"].map((name) =>
            `effect_epilogue_${name}`
          )
          assert.equal(yield* Durable.prune({ olderThan: "1 hour" }), 0)
          assert.equal(yield* Durable.prune({ pipelines: ["other"], keep: 0 }), 0)
          assert.equal(yield* Durable.prune({ olderThan: 0 }), 2)
          assert.deepEqual(yield* counts(...tables), [0, 0, 0, 0, 0])
          const left = yield* outboxed
          assert.equal(left.length, 2)
          assert.ok(left.every((state) => state !== "done"))
        })
      )
    })
)

live(
  "a process removes old runs by itself, and its file does not grow beyond what is kept",
  () =>
    Effect.gen(function*() {
      const file = yield* newFile
      const pipeline = Durable.pipeline(
        "p",
        { payload: { id: Schema.Int }, idempotencyKey: ({ id }) => String(id) },
        () => Durable.step(Step.make("a", Effect.void))
      )
      const storage = Layer.orDie(
        Durable.layerSqlite({ filename: file, synchronous: "normal", keep: { runs: 50 } })
      )
      const pages = Effect.flatMap(SqlClient, (sql) =>
        Effect.map(
          sql<{ page_count: number }>`PRAGMA page_count`,
          ([row]) => row!.page_count
        ))
      const submit = (from: number) =>
        Effect.forEach(
          Array.from({ length: 520 }, (_, n) => from + n),
          (id) => pipeline.workflow.execute({ id }),
          { concurrency: 20, discard: true }
        )
      yield* inProcess(
        storage,
        pipeline.layer,
        Effect.gen(function*() {
          yield* submit(0)
          yield* Effect.repeat(Effect.delay(counts("effect_epilogue_runs"), 20), { until: ([runs]) => runs! < 200 })
          const before = yield* pages
          yield* submit(1000)
          yield* Effect.repeat(Effect.delay(counts("effect_epilogue_runs"), 20), { until: ([runs]) => runs! < 200 })
          assert.ok((yield* pages) < before * 1.3)
        })
      )
    })
)
