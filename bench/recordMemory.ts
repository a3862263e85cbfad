/**
 * Measures that the heap does not grow while a run of a million steps is recorded, nor while its record is read.
 *
 *     bun bench/recordMemory.ts
 *     deno run -A --v8-flags=--expose-gc bench/recordMemory.ts
 *     node --expose-gc bench/recordMemory.ts
 *
 * `BENCH_STEPS` (default a million) sets the number of steps. The record takes half a gigabyte in the system's folder
 * for temporary files, and is deleted at the end.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import process from "node:process"
import * as Pipeline from "../src/Pipeline.ts"
import * as Report from "../src/report/Report.ts"
import * as Step from "../src/Step.ts"
import { heap, reportGrowth } from "./heap.ts"

const total = Number(process.env["BENCH_STEPS"] ?? 1_000_000)
const intervals = 10

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-record-"))

const step = (name: string) => Step.make(name, Effect.succeed(1)).pipe(Step.onSuccess(() => Effect.void))
const same = step("step")

const variants = [
  { name: "one step, a million times", nth: () => same },
  { name: "a million steps, each of its own name", nth: (i: number) => step(`step ${i}`) }
]

for (const [v, { name, nth }] of variants.entries()) {
  const file = path.join(folder, `${v}.jsonl`)
  const recording: Array<number> = []
  const since = performance.now()
  const program = Effect.gen(function*() {
    // the first interval is a warm-up, so that code compiled and cached once does not count as growth
    for (let interval = 0; interval <= intervals; interval++) {
      for (let i = 0; i < total / intervals; i++) yield* nth(interval * total + i)
      recording.push(yield* heap)
    }
  })
  await Effect.runPromise(Effect.provide(Pipeline.make("pipeline", program), Report.layerRecord({ file })))
  reportGrowth(`recorded: ${name}`, recording, total, since)

  const reading: Array<number> = []
  let events = 0
  const begun = performance.now()
  const all = Math.trunc(3 * total * (1 + 1 / intervals)) + 2
  await Effect.runPromise(
    Stream.runForEach(Report.read(file), () =>
      // measures after each interval, the warm-up's included
      ++events % Math.trunc(all / (intervals + 1)) === 0
        ? Effect.map(heap, (megabytes) => void reading.push(megabytes))
        : Effect.void)
  )
  if (events !== all) throw new Error(`${events} events were read, not ${all}`)
  reportGrowth(`read: ${events} events, ${(fs.statSync(file).size / 2 ** 20).toFixed(0)} MB`, reading, total, begun)
  fs.rmSync(file)
}
fs.rmSync(folder, { recursive: true })
