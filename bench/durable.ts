/**
 * Measures the CPU time of a run of a durable pipeline with three steps, a success hook for each and one of the run,
 * against a bare `Workflow` that executes the same activities by hand.
 *
 *     bun bench/durable.ts · deno run -A bench/durable.ts · node --conditions=@effect-epilogue/source bench/durable.ts
 *
 * `BENCH_ROUNDS` (default 21) is the number of rounds, and `BENCH_RUNS` (default 40) the number
 * of concurrent runs in each. Each round measures both candidates, once they have been optimized; the output is the
 * median over the rounds of the times, and of their ratios. With `DATABASE_URL` it also measures on that Postgres.
 */
import { PgClient } from "@effect/sql-pg"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as SingleRunner from "effect/cluster/SingleRunner"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { Durable } from "../src/durable/index.ts"
import { Pipeline, Step } from "../src/index.ts"
import { type Candidate, compare, report } from "./harness.ts"
import { median } from "./statistics.ts"

const runs = Number(process.env["BENCH_RUNS"] ?? 40)

const steps = ["extract", "transform", "load"] as const
const payload = { id: Schema.String }
const idempotencyKey = ({ id }: { readonly id: string }) => id

let hooks = 0
const count = Effect.sync(() => {
  hooks++
})

const durable = Durable.pipeline("durable", { payload, success: Schema.Int, idempotencyKey }, () =>
  Pipeline.make(
    "durable",
    Effect.gen(function*() {
      let sum = 0
      for (const name of steps) {
        sum += yield* Step.make(name, Effect.succeed(1)).pipe(
          Step.onSuccess(() => count),
          Durable.step({ success: Schema.Int })
        )
      }
      return sum
    })
  ).pipe(Pipeline.onSuccess(() => count)))

/** Executes the same activities by hand; the start and the end of the run are recorded for the sake of its hook. */
const bare = Workflow.make("bare", { payload, success: Schema.Int, idempotencyKey })
const bareLayer = bare.toLayer(() =>
  Effect.gen(function*() {
    yield* Activity.make({ name: "start", success: Schema.Int, execute: Effect.sync(() => Date.now()) })
    let sum = 0
    for (const name of steps) {
      sum += yield* Activity.make({ name, success: Schema.Int, execute: Effect.succeed(1) })
      yield* Activity.make({ name: `${name}/onSuccess`, execute: count })
    }
    yield* Activity.make({ name: "end", success: Schema.Int, execute: Effect.succeed(sum) })
    yield* Activity.make({ name: "onSuccess", execute: count })
    return sum
  })
)

// -----------------------------------------------------------------------------
// measuring
// -----------------------------------------------------------------------------

let nth = 0
const candidate = (
  name: string,
  runtime: () => ManagedRuntime.ManagedRuntime<WorkflowEngine, unknown>,
  execute: (id: string) => Effect.Effect<number, unknown, WorkflowEngine>
): Candidate => ({
  name,
  steps: runs,
  run: () =>
    runtime().runPromise(Effect.forEach(
      Array.from({ length: runs }, () => `${process.pid}-${Date.now()}-${nth++}`),
      execute,
      { concurrency: "unbounded", discard: true }
    ))
})

const measure = async (
  engine: string,
  layer: Layer.Layer<WorkflowEngine, unknown>,
  least?: number
): Promise<number> => {
  const start = () => ManagedRuntime.make(Layer.mergeAll(durable.layer, bareLayer).pipe(Layer.provideMerge(layer)))
  let runtime = start()
  // engines in memory keep all runs: the garbage of a round would grow with the rounds before it
  const restart = async () => {
    await runtime.dispose()
    runtime = start()
  }
  const ours = candidate("ours", () => runtime, (id) => durable.workflow.execute({ id }))
  const byHand = candidate("bare", () => runtime, (id) => bare.execute({ id }))
  const times = await compare([ours, byHand], restart, least)
  await runtime.dispose()
  const millis = ({ name }: Candidate) => (median(times.of(name)) / 1e6).toFixed(2).padStart(8)
  const ratio = times.ratio(ours.name, byHand.name)
  console.log(`${engine.padEnd(10)}${millis(ours)}${millis(byHand)}${ratio.toFixed(2).padStart(8)}`)
  return ratio
}

const folder = mkdtempSync(join(tmpdir(), "epilogue-bench-"))
console.log(`${"".padEnd(10)}  ms/run    bare  × bare   (CPU time, ${runs} runs at once)`)
// in long samples, each of which collects its garbage: that takes as long as a short one
const inMemory = await measure("memory", Durable.layerMemory, 100e6)
await measure("SQLite", Durable.layerSqlite({ filename: join(folder, "durable.db") }))
const url = process.env["DATABASE_URL"]
if (url !== undefined) {
  await measure(
    "Postgres",
    ClusterWorkflowEngine.layer.pipe(
      Layer.provide(SingleRunner.layer({ runnerStorage: "memory" })),
      Layer.provide([Digest.layerWebCrypto, PgClient.layer({ url: Redacted.make(url) })])
    )
  )
}
rmSync(folder, { recursive: true })
if (hooks === 0) throw new Error("no hook ran")
report("durable", inMemory)
process.exit()
