import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { Durable } from "../../src/durable/index.ts"
import { Step } from "../../src/index.ts"
import { durableSuite } from "./suites/all.ts"
import { crashSuite } from "./suites/restart.ts"
import { rollbackCrashSuite } from "./suites/rollback.ts"
import { type Engine, job, recorder, run, sqliteStorage, suiteOf, temporaryFolder } from "./support/engine.ts"

const engine: Engine = {
  name: "SQLite",
  storage: Effect.map(temporaryFolder, (folder) => sqliteStorage(path.join(folder, "durable.db"))),
  survives: true,
  tables: ["effect_epilogue_runs", "effect_epilogue_activities", "effect_epilogue_deferreds"],
  runs: 8,
  concurrency: 4
}

durableSuite(engine)
crashSuite(engine)
rollbackCrashSuite(engine)

// -----------------------------------------------------------------------------
// the embedded engine
// -----------------------------------------------------------------------------

const embedded = suiteOf({ ...engine, name: "layerSqlite" })

embedded(
  "a second engine on a file fails while the first has it open, and takes over after that has closed",
  () =>
    Effect.gen(function*() {
      const filename = path.join(yield* temporaryFolder, "a folder", "that is made", "durable.db")
      const engine = Durable.layerSqlite({ filename })
      yield* Effect.gen(function*() {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.fresh(engine))))
        assert.ok(error._tag === "DatabaseInUse")
        assert.equal(error.filename, filename)
        assert.match(
          error.message,
          /another process has the database .*durable\.db open to run what is in it, and only one may/
        )
      }).pipe(Effect.provide(engine))
      const step = Durable.step(Step.make("a", Effect.void))
      assert.deepEqual(yield* run(Layer.orDie(engine), recorder(), job(() => step)), Exit.void)
    })
)

embedded("a second engine waits for one that closes within 3 seconds", () =>
  Effect.gen(function*() {
    const filename = path.join(yield* temporaryFolder, "durable.db")
    const engine = Durable.layerSqlite({ filename })
    const opened = yield* Latch.make()
    yield* Effect.forkChild(Effect.provide(Effect.andThen(opened.open, Effect.sleep(200)), engine))
    yield* opened.await
    yield* Effect.scoped(Layer.build(Layer.fresh(engine)))
  }))

embedded("a file that can't be made fails with a SqlError, not with DatabaseInUse", () =>
  Effect.gen(function*() {
    const file = path.join(yield* temporaryFolder, "file")
    fs.writeFileSync(file, "")
    const engine = Durable.layerSqlite({ filename: path.join(file, "durable.db") })
    assert.equal((yield* Effect.flip(Effect.scoped(Layer.build(engine))))._tag, "SqlError")
  }))
