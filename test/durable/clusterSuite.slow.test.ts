/** Durable pipelines on a cluster whose storage takes its time for each save. */
import * as Effect from "effect/Effect"
import { durableSuite } from "./suites/all.ts"
import { slowCluster, varyingSaves } from "./support/slowCluster.ts"

durableSuite({
  name: "a slow cluster",
  storage: Effect.sync(() => {
    const saving = varyingSaves()
    return slowCluster(() => saving)
  }),
  survives: false,
  tables: [],
  runs: 10,
  concurrency: 4
})
