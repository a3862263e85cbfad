/** Steps that block the thread for longer than the cluster waits for its runner. */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Pipeline, Step } from "../../src/index.ts"
import { blockThread } from "../support/eventLoop.ts"
import { makeIt } from "../support/it.ts"
import { postgres, required } from "../support/postgres.ts"
import { fastSharding, inProcess, job, recorder } from "./support/engine.ts"

const it = makeIt((title, run) => test(title, { timeout: 60_000 }, run))

const shardingConfig = {
  ...fastSharding,
  shardLockRefreshInterval: "200 millis",
  shardLockExpiration: "1 second"
} as const

if (required("durable steps that block the thread, on Postgres")) {
  it.live("a step that has blocked the thread runs once, and its end, its hook and that of the run are told once", () =>
    Effect.gen(function*() {
      const { database } = yield* postgres
      const client = Layer.orDie(PgClient.layer({ url: Redacted.make(yield* database), maxConnections: 4 }))
      const storage = Layer.orDie(Layer.provideMerge(Durable.layerSingle({ shardingConfig }), client))
      const seen = recorder()
      const block = Effect.sync(() => {
        seen.list.push("body")
        blockThread(3_000)
      })
      const step = Step.make("crunch", block).pipe(Step.onSuccess(() => seen.note("hook")), Durable.step())
      const { layer, workflow } = job(() => Pipeline.make("job", step))
      yield* inProcess(storage, Layer.provide(layer, seen.layer), workflow.execute({ id: "1" }))
      assert.deepEqual(seen.list, ["body", "hook"])
      assert.deepEqual(seen.events.list.map(({ _tag }) => _tag), [
        "RunStarted",
        "StepStarted",
        "StepEnded",
        "HookEnded",
        "RunEnded"
      ])
    }))
}
