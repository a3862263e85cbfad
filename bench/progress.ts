/**
 * Measures the share of a core that a run takes which evaluates 100 steps a second and shows them in the tree of
 * `Report.layerProgress()`.
 *
 *     bun bench/progress.ts · deno run -A bench/progress.ts · node bench/progress.ts
 *
 * `BENCH_STEPS` (default 10,000) sets the number of steps. It takes a second for each hundred.
 * Prints the tree to standard error: redirect that to a file.
 */
import * as Effect from "effect/Effect"
import process from "node:process"
import * as Pipeline from "../src/Pipeline.ts"
import * as Report from "../src/report/Report.ts"
import * as Step from "../src/Step.ts"
import { report } from "./harness.ts"
import { runtime } from "./statistics.ts"

const steps = Number(process.env["BENCH_STEPS"] ?? 10_000)

let hooks = 0
/** Ten at a time, each of which takes a tenth of a second: 100 a second. */
const program = (total: number) =>
  Pipeline.make(
    "pipeline",
    Effect.forEach(
      Array.from({ length: total }, (_, i) => i),
      (i) =>
        Step.make("fetch", Effect.sleep(100)).pipe(
          Step.key(i),
          Step.onSuccess(() =>
            Effect.sync(() => {
              hooks++
            })
          )
        ),
      { concurrency: 10, discard: true }
    )
  )

const share = async (self: Effect.Effect<unknown>): Promise<number> => {
  const cpu = process.cpuUsage()
  const since = performance.now()
  await Effect.runPromise(self)
  const { system, user } = process.cpuUsage(cpu)
  return (user + system) / 1000 / (performance.now() - since) * 100
}

const layer = Report.layerProgress({ mode: "tree", colors: "always" })
const shown = await share(Effect.provide(program(steps), layer))
const few = Math.ceil(steps / 10)
const bare = await share(program(few))
if (hooks !== steps + few) throw new Error(`${hooks} hooks, not ${steps + few}`)
console.log(`${runtime}, ${steps} steps: ${shown.toFixed(2)} % with the tree, ${bare.toFixed(2)} % without`)
report("progress", shown)
