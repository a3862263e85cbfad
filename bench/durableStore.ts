/**
 * Measures what durable runs leave on the embedded engine: the bytes of the file for each run and step, and the memory of
 * the worker, while runs are removed beyond those that are kept.
 *
 * `bun bench/durableStore.ts 10000 1000`: the number of runs, and of those that are kept
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { Durable } from "../src/durable/index.ts"
import { Pipeline, Step } from "../src/index.ts"
import { heap } from "./heap.ts"

const [runs = 10_000, kept = 1_000] = process.argv.slice(2).map(Number)
const steps = 3

const step = (name: string) =>
  Step.make(name, Effect.succeed(1)).pipe(Step.onSuccess(() => Effect.void), Durable.step({ success: Schema.Int }))

const pipeline = Durable.pipeline("bench", {
  payload: { id: Schema.Int },
  idempotencyKey: ({ id }) => String(id)
}, () =>
  Pipeline.make(
    "bench",
    Effect.forEach(["a", "b", "c"].slice(0, steps), step, { discard: true })
  ).pipe(Pipeline.onSuccess(() => Effect.void)))

const folder = mkdtempSync(join(tmpdir(), "durable-store-"))
const filename = join(folder, "durable.db")
const mebibytes = (count: number) => `${count.toFixed(1)} MiB`.padStart(12)

/** The pages of the file, with those in its log, in bytes. */
const size = Effect.gen(function*() {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ bytes: number }>`SELECT page_count * page_size AS bytes
    FROM pragma_page_count, pragma_page_size`
  return row!.bytes
})

const submit = (from: number, to: number) =>
  Effect.forEach(
    Array.from({ length: to - from }, (_, n) => from + n),
    (id) => pipeline.workflow.execute({ id }),
    { concurrency: 40, discard: true }
  )

const engine = Durable.layerSqlite({ filename, synchronous: "normal", keep: { runs: kept } })

const program = Effect.gen(function*() {
  console.log(`${runs} runs of ${steps} steps with a hook each and a hook of the run; ${kept} are kept`)
  console.log("    runs    a second        heap         RSS        file")
  const piece = Math.max(100, Math.floor(runs / 10))
  let empty = 0
  for (let done = 0; done < runs; done += piece) {
    if (done === 0) empty = yield* size
    const before = performance.now()
    yield* submit(done, Math.min(runs, done + piece))
    const perSecond = Math.round(piece / (performance.now() - before) * 1000)
    const bytes = yield* size
    console.log(
      `${String(Math.min(runs, done + piece)).padStart(8)}${String(perSecond).padStart(12)}` +
        mebibytes(yield* heap) + mebibytes(process.memoryUsage().rss / 2 ** 20) + mebibytes(bytes / 2 ** 20)
    )
    if (done === 0) {
      const each = (bytes - empty) / piece
      console.log(`         ${Math.round(each)} bytes a run, ${Math.round(each / steps)} a step with its hook`)
    }
  }
}).pipe(Effect.provide(Layer.provideMerge(pipeline.layer, engine)))

try {
  await Effect.runPromise(program)
} finally {
  rmSync(folder, { recursive: true })
}
