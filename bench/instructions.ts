/**
 * Counts the instructions that a step with a success and a failure hook takes on Node, by this library and by hand. They
 * are nearly the same on a busy machine as on an idle one, and differ by a tenth with when V8 compiles what. What waits in
 * place of computing, as the reading of a clock does, counts for little.
 *
 *     npm run bench:instructions
 *
 * That needs `valgrind`, and takes about four minutes. `BENCH_RUNS` (default 100) sets how many runs of 2,000 steps are
 * counted: the instructions of twice as many runs less those of as many, so that neither the start nor compiling counts.
 */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"
import * as Pipeline from "../src/Pipeline.ts"
import { check, handStep, repeat, step, sync } from "./effects.ts"

const stepsPerRun = 2_000

const repeated = (self: Effect.Effect<unknown, unknown>) => repeat(stepsPerRun, () => self)
const inPipeline = (self: Effect.Effect<void, unknown>) => Pipeline.make("pipeline", self)

const programs: Readonly<Record<string, Effect.Effect<void, unknown>>> = {
  "succeeds": inPipeline(repeated(step(sync))),
  "succeeds, by hand": repeated(handStep(sync)),
  "fails": inPipeline(repeated(Effect.exit(step(sync, true)))),
  "fails, by hand": repeated(Effect.exit(handStep(sync, true)))
}

/** Runs a program in a process of its own, and returns the instructions of that process. */
const instructionsOf = (name: string, runs: number): number => {
  const node = [process.execPath, "--single-threaded", "--conditions=@effect-epilogue/source"]
  const counted = ["--tool=callgrind", "--callgrind-out-file=/dev/null", ...node]
  const { error, stderr } = spawnSync("valgrind", [...counted, fileURLToPath(import.meta.url), name, String(runs)])
  if (error !== undefined) throw error
  const [, total] = /Collected : (\d+)/.exec(stderr.toString()) ?? []
  if (total === undefined) throw new Error(`valgrind has counted nothing: ${stderr}`)
  return Number(total)
}

const [name, runs] = process.argv.slice(2)
if (name === undefined) {
  const most = Number(process.env["BENCH_RUNS"] ?? 100)
  const perStep = (name: string) => (instructionsOf(name, 2 * most) - instructionsOf(name, most)) / (most * stepsPerRun)
  for (const name of ["succeeds", "fails"]) {
    const [ours, byHand] = [perStep(name), perStep(`${name}, by hand`)]
    console.log(
      `${name}: ${ours.toFixed(0)} instructions a step, ${byHand.toFixed(0)} by hand: ${(ours / byHand).toFixed(2)}`
    )
  }
} else {
  const program = programs[name]!
  await check(name, stepsPerRun, () => Effect.runPromise(program), name.startsWith("fails"))
  for (let i = 0; i < Number(runs); i++) await Effect.runPromise(program)
}
