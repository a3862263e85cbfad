/** Durable pipelines on the embedded engine, with a storage that takes its time for each move. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Durable } from "../../src/durable/index.ts"
import { CurrentWatch } from "../../src/durable/internal/engine/watch.ts"
import { durableSuite } from "./suites/all.ts"
import { varyingSaves } from "./support/slowCluster.ts"

durableSuite({
  name: "a slow SQLite",
  storage: Effect.sync(() => {
    const saving = varyingSaves()
    return Layer.orDie(Durable.layerSqlite({ filename: ":memory:", drain: "100 millis" })).pipe(
      Layer.provide(Layer.succeed(CurrentWatch, { move: (_, execute) => saving(execute) }))
    )
  }),
  survives: false,
  tables: [],
  runs: 10,
  concurrency: 4
})
