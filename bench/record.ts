/**
 * Measures the cost of a step in a run that is recorded, compared with the same run without an observer.
 *
 *     bun bench/record.ts · deno run -A bench/record.ts · node bench/record.ts
 *
 * The step is that of `bench/steps.ts`: its body does nothing, and it has a success and a failure hook. It emits three
 * events: `StepStarted`, `StepEnded` and `HookEnded`. `BENCH_ROUNDS` (default 31) sets the number of rounds. The output
 * shows medians over the rounds, of the times and of the ratios within a round.
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import process from "node:process"
import * as Pipeline from "../src/Pipeline.ts"
import * as Report from "../src/report/Report.ts"
import * as RunEvent from "../src/RunEvent.ts"
import * as Step from "../src/Step.ts"
import { median, nanosPerStep, runtime } from "./statistics.ts"

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 31)
const stepsPerRun = 10_000
const target = 3

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-record-"))
const file = path.join(folder, "runs.jsonl")
const runs = path.join(folder, "runs")

let succeeded = 0
let failed = 0

const step = Step.make("step", Effect.succeed(1)).pipe(
  Step.onSuccess(() =>
    Effect.sync(() => {
      succeeded++
    })
  ),
  Step.onFailure(() =>
    Effect.sync(() => {
      failed++
    })
  )
)

const program = Pipeline.make(
  "pipeline",
  Effect.gen(function*() {
    for (let i = 0; i < stepsPerRun; i++) yield* step
  })
)

const bare = "bare"
const layers: ReadonlyArray<readonly [name: string, layer: Layer.Layer<never, unknown> | undefined]> = [
  [bare, undefined],
  ["Report.layerRecord(): a file a run", Report.layerRecord({ folder: runs })],
  ["Report.layerRecord({ file: path }): one file", Report.layerRecord({ file })],
  ["an observer that does nothing", RunEvent.layer(() => {})]
]

interface Candidate {
  readonly name: string
  readonly run: () => Promise<unknown>
  readonly close: () => Promise<void>
}

const candidates = layers.map(([name, layer]): Candidate => {
  if (layer === undefined) return { name, run: () => Effect.runPromise(program), close: async () => {} }
  const runtime = ManagedRuntime.make(layer)
  return { name, run: () => runtime.runPromise(program), close: () => runtime.dispose() }
})

/** Deletes the records so far, so that the disk does not fill up. */
const clear = () => {
  for (const name of fs.readdirSync(runs)) fs.rmSync(path.join(runs, name))
  fs.truncateSync(file)
}

console.log(`${runtime}, median of ${rounds} rounds, ns a step`)

for (const { run } of candidates) for (let i = 0; i < 20; i++) await run()

// a candidate that dropped events would look fast
const lines = (text: string) => text.split("\n").length - 1
const recorded = fs.readdirSync(runs).map((name) => lines(fs.readFileSync(path.join(runs, name), "utf8")))
const expected = stepsPerRun * 3 + 2
if (recorded.length !== 20 || recorded.some((count) => count !== expected + 1)) throw new Error(`${recorded}`)
if (lines(fs.readFileSync(file, "utf8")) !== 20 * expected + 1) throw new Error("lines are missing")
if (succeeded !== candidates.length * 20 * stepsPerRun || failed !== 0) throw new Error("hooks are missing")

const results = candidates.map((): Array<number> => [])
for (let round = 0; round < rounds; round++) {
  // each round starts with another candidate, as the first one of a round may be at a disadvantage
  for (let i = 0; i < candidates.length; i++) {
    const c = (i + round) % candidates.length
    results[c]!.push(await nanosPerStep(candidates[c]!.run, stepsPerRun, 5))
  }
  clear()
}
for (const { close } of candidates) await close()
fs.rmSync(folder, { recursive: true })

const ratio = (c: number) => median(results[c]!.map((time, round) => time / results[0]![round]!))
console.log(`\n${"".padEnd(34)}${"ns".padStart(9)}${"× bare".padStart(9)}`)
for (const [c, { name }] of candidates.entries()) {
  console.log(name.padEnd(34) + median(results[c]!).toFixed(0).padStart(9) + ratio(c).toFixed(2).padStart(9))
}
console.log()
for (const c of [1, 2]) {
  const actual = ratio(c)
  console.log(
    `${actual <= target ? "met    " : "NOT MET"}  ${actual.toFixed(2)} ≤ ${target} × bare: ${candidates[c]!.name}`
  )
}
