/**
 * Measures the CPU time and the memory of 10,000 concurrent steps, whose success hooks wait for something.
 *
 *     bun bench/concurrent.ts · deno run -A bench/concurrent.ts · node bench/concurrent.ts
 *
 * The time is that of the first run of a process, which scripts do, and the memory is the most that the process ever had,
 * less what it had before.
 */
import * as Effect from "effect/Effect"
import process from "node:process"
import * as Pipeline from "../src/Pipeline.ts"
import * as Step from "../src/Step.ts"
import { report } from "./harness.ts"
import { runtime } from "./statistics.ts"

const total = 10_000

let begun = 0
let ended = 0
let most = 0
const allBegun = Promise.withResolvers<void>()
const hook = Effect.promise(async () => {
  most = Math.max(most, ++begun - ended)
  if (begun === total) allBegun.resolve()
  await allBegun.promise
  ended++
})

const program = Pipeline.make(
  "pipeline",
  Effect.forEach(
    Array.from({ length: total }, (_, i) => i),
    (i) => Step.make("step", Effect.as(Effect.yieldNow, i)).pipe(Step.onSuccess(() => hook), Step.key(i)),
    { concurrency: "unbounded", discard: true }
  )
)

const before = process.memoryUsage().rss
const cpu = process.cpuUsage()
await Effect.runPromise(program)
const { system, user } = process.cpuUsage(cpu)
// in kilobytes
const megabytes = (process.resourceUsage().maxRSS * 1024 - before) / 1e6
if (ended !== total || most !== total) throw new Error(`${ended} hooks ended, ${most} at once, of ${total}`)

console.log(`${runtime}, ${total} concurrent steps`)
report("concurrentTime", (user + system) / 1e6)
report("concurrentMemory", megabytes)
