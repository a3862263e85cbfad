/**
 * A million steps in one run that is recorded, and the record read again: the heap must not grow with them.
 *
 *     bun bench/recordMemory.ts
 *     deno run -A --v8-flags=--expose-gc bench/recordMemory.ts
 *     node --expose-gc bench/recordMemory.ts
 *
 * `BENCH_STEPS` (default a million) says how many steps. The record takes half a gigabyte, in the system's folder for
 * temporary files, while it is looked at.
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
import { heap, tolerated } from "./heap.ts"

const total = Number(process.env["BENCH_STEPS"] ?? 1_000_000)
const intervals = 10

const tell = (name: string, heaps: ReadonlyArray<number>, since: number): void => {
  const growth = heaps.at(-1)! - heaps[0]!
  console.log(`${name} (${((performance.now() - since) / 1_000).toFixed(1)} s)`)
  console.log(`  heap in MB: ${heaps.map((megabytes) => megabytes.toFixed(2)).join(" ")}`)
  console.log(`  growth: ${growth.toFixed(2)} MB${growth > tolerated ? " — NOT FLAT" : ", flat"}`)
}

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
    // a tenth more, before the first look: what is compiled and cached once is no growth
    for (let interval = 0; interval <= intervals; interval++) {
      for (let i = 0; i < total / intervals; i++) yield* nth(interval * total + i)
      recording.push(yield* heap)
    }
  })
  await Effect.runPromise(Effect.provide(Pipeline.make("pipeline", program), Report.record(file)))
  tell(`recorded: ${name}`, recording, since)

  const reading: Array<number> = []
  let events = 0
  const begun = performance.now()
  const all = Math.trunc(3 * total * (1 + 1 / intervals)) + 2
  await Effect.runPromise(
    Stream.runForEach(Report.read(file), () =>
      // the first tenth is over
      ++events % Math.trunc(all / (intervals + 1)) === 0
        ? Effect.map(heap, (megabytes) => void reading.push(megabytes))
        : Effect.void)
  )
  if (events !== all) throw new Error(`${events} events were read, not ${all}`)
  tell(`read again: ${events} events, ${(fs.statSync(file).size / 2 ** 20).toFixed(0)} MB`, reading, begun)
  fs.rmSync(file)
}
fs.rmSync(folder, { recursive: true })
