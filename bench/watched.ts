/**
 * Measures the cost of a step in a run that is traced or observed: recorded, counted, or passed to an observer that does
 * nothing.
 *
 *     bun bench/watched.ts · deno run -A bench/watched.ts · node bench/watched.ts
 *
 * The step is that of `bench/steps.ts`: its body does nothing, and it has a success and a failure hook. It emits three
 * events: `StepStarted`, `StepEnded` and `HookEnded`. `BENCH_ROUNDS` (default 21) sets the number of rounds.
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import process from "node:process"
import * as Pipeline from "../src/Pipeline.ts"
import * as Report from "../src/report/Report.ts"
import * as RunEvent from "../src/RunEvent.ts"
import { byHand, check, repeat, step, sync } from "./effects.ts"
import { type Candidate, compare, report } from "./harness.ts"
import { runtime } from "./statistics.ts"

const stepsPerRun = 10_000
/** Three events for each step, and two for the run. */
const eventsPerRun = stepsPerRun * 3 + 2

const one = step(sync)
const program = Pipeline.make("pipeline", repeat(stepsPerRun, () => one))

const candidate = (name: string, self: Effect.Effect<unknown, unknown>): Candidate => ({
  name,
  steps: stepsPerRun,
  run: () => Effect.runPromise(self)
})

const under = async (name: string, layer: Layer.Layer<never, unknown>) => {
  const managed = ManagedRuntime.make(layer)
  await managed.runPromise(Effect.void)
  return {
    close: () => managed.dispose(),
    candidate: { name, steps: stepsPerRun, run: () => managed.runPromise(program) }
  }
}

/** Throws if a candidate did not do what it is measured for. */
const expect = (what: string, actual: number, expected: number): void => {
  if (actual !== expected) throw new Error(`${actual} ${what}, not ${expected}`)
}

console.log(`${runtime}, ns of CPU time a step`)

// -----------------------------------------------------------------------------
// observed
// -----------------------------------------------------------------------------

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-watched-"))
const file = path.join(folder, "runs.jsonl")
const runs = path.join(folder, "runs")

/** Counts the events of a record. */
const eventsIn = (file: string): Promise<number> =>
  Effect.runPromise(Stream.runCount(Report.read(file, { onSkipped: () => {} })))

/** Deletes the records so far, so that the disk does not fill up. */
const clear = () => {
  for (const name of fs.readdirSync(runs)) fs.rmSync(path.join(runs, name))
  fs.truncateSync(file)
}

let seen = 0
const counting = await under("an observer that counts events", RunEvent.layer(() => void seen++))
const observed = await under("an observer that does nothing", RunEvent.layer(() => {}))
const apart = await under("a record, a file for each run", Report.layerRecord({ folder: runs }))
const together = await under("a record, one file", Report.layerRecord({ file }))
const metrics = await under("metrics", Report.layerMetrics)
const bare = candidate("bare", program)

for (const { candidate } of [counting, observed, apart, together, metrics]) {
  await check(candidate.name, stepsPerRun, candidate.run)
}
expect("events", seen, eventsPerRun)
expect("recorded events", await eventsIn(path.join(runs, fs.readdirSync(runs)[0]!)), eventsPerRun)
expect("recorded events", await eventsIn(file), eventsPerRun)
const counted = Metric.counter("epilogue_steps_total", {
  description: "Steps that ended, by pipeline, step and outcome",
  attributes: { pipeline: "pipeline", step: "step", outcome: "success" },
  incremental: true
})
expect("steps in the metrics", (await Effect.runPromise(Metric.value(counted))).count, stepsPerRun)

const all = [observed, apart, together, metrics]
const times = await compare([bare, ...all.map(({ candidate }) => candidate)], clear)
for (const { close } of [counting, ...all]) await close()
fs.rmSync(folder, { recursive: true })
times.print("steps that are observed", [bare.name])
report("observer", times.ratio(observed.candidate.name, bare.name))
report("recorded", times.ratio(apart.candidate.name, bare.name))
report("recordedTogether", times.ratio(together.candidate.name, bare.name))
report("metrics", times.ratio(metrics.candidate.name, bare.name))

// -----------------------------------------------------------------------------
// traced
// -----------------------------------------------------------------------------

let spans = 0
let attributes = 0

/** Makes a span that keeps what it is told, as an exporter's does. */
const span = (options: Parameters<Tracer.Tracer["span"]>[0]): Tracer.Span => {
  spans++
  const values = new Map<string, unknown>()
  return {
    ...options,
    _tag: "Span",
    spanId: "span",
    traceId: "trace",
    parent: options.parent ?? Option.none(),
    status: { _tag: "Started", startTime: options.startTime },
    attributes: values,
    end: () => {},
    attribute: (key, value) => {
      attributes++
      values.set(key, value)
    },
    event: () => {},
    addLinks: () => {}
  }
}

const traced = (self: Effect.Effect<unknown, unknown>) =>
  Effect.provideService(self, Tracer.Tracer, Tracer.make({ span }))

/** Leaves out the stack, as this library does: taking one costs more than all the rest. */
const noStack = { captureStackTrace: false }
const values = {
  "cicd.pipeline.name": "pipeline",
  "cicd.pipeline.run.id": "run",
  "epilogue.run.name": "run",
  "cicd.pipeline.task.name": "step",
  "cicd.pipeline.task.run.id": "run/1",
  "cicd.pipeline.task.run.result": "success",
  "epilogue.step.path": "step",
  "epilogue.step.index": 1,
  "epilogue.attempt": 1
}
const ofHook = { "epilogue.hook.kind": "success", "epilogue.attempt": 1 }

const hand = candidate(
  "(a) by hand, withSpan",
  traced(
    repeat(
      stepsPerRun,
      () =>
        byHand(sync, Effect.succeed(1), false, Effect.withSpan("onSuccess", { attributes: ofHook }, noStack)).pipe(
          Effect.withSpan("step", { attributes: values }, noStack)
        )
    )
  )
)
const ours = candidate("effect-epilogue", traced(program))

for (const [{ name, run }, ofRun] of [[hand, 0], [ours, 1]] as const) {
  spans = 0
  attributes = 0
  await check(name, stepsPerRun, run)
  expect("spans", spans, stepsPerRun * 2 + ofRun)
  expect("attributes", attributes, stepsPerRun * 11 + ofRun * 4)
}
const tracedTimes = await compare([ours, hand])
tracedTimes.print("steps that are traced", [hand.name])
report("traced", tracedTimes.ratio(ours.name, hand.name))
process.exit()
