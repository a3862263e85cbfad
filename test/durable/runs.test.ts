/** Stored runs, as far as engines differ. What they have in common is in `suites/storedRuns.ts`. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { makeIt } from "../support/it.ts"
import { abc, runIdOf } from "./suites/storedRuns.ts"
import { awaitExit, inProcess, newFile, recorder, run, sqliteStorage } from "./support/engine.ts"

const { live } = makeIt((title, run) => test(title, { timeout: 60_000 }, run))

live("a process that runs nothing retries a run, which the running one picks up", () =>
  Effect.gen(function*() {
    const file = yield* newFile
    const seen = recorder()
    let broken = true
    const pipeline = abc(seen, () => broken)
    yield* run(sqliteStorage(file), seen, pipeline)
    broken = false
    yield* inProcess(
      sqliteStorage(file),
      Layer.provide(pipeline.layer, seen.layer),
      Effect.gen(function*() {
        const { runId } = yield* Effect.flatMap(runIdOf("failure"), (id) => Durable.retry(id)).pipe(
          Effect.provide(Layer.fresh(Durable.layerSqliteClient({ filename: file })))
        )
        assert.deepEqual(yield* awaitExit(pipeline.workflow, runId), Exit.void)
      })
    )
  }))

test("an engine in memory refuses, and says which ones do not", async () => {
  const refused = Effect.flip(Durable.list()).pipe(Effect.provide(Durable.layerMemory))
  const { message, reason } = await Effect.runPromise(refused)
  assert.equal(reason, "Unsupported")
  assert.equal(
    message,
    "listing stored runs needs an engine that stores them: Durable.layerSqlite, or one on the database of a SqlClient"
  )
})
