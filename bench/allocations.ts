/**
 * Counts what a step allocates on Node: objects and bytes. They are the same on a busy machine as on an idle one, so that
 * a test can compare them with `bench/budget.json`.
 *
 *     npm run bench:allocations
 *
 * That runs it with optimization off, since optimized code leaves out some objects, and not always the same. With the
 * name of a kind of step, as in `npm run bench:allocations traced`, it prints where the objects are made.
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import { mkdtempSync, rmSync } from "node:fs"
import { type HeapProfiler, Session } from "node:inspector/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as Pipeline from "../src/Pipeline.ts"
import * as Report from "../src/report/Report.ts"
import * as RunEvent from "../src/RunEvent.ts"
import * as Step from "../src/Step.ts"
import { async, check, repeat, step, sync } from "./effects.ts"

const steps = 100

const inPipeline = (self: Effect.Effect<void, unknown>): Effect.Effect<void, unknown> => Pipeline.make("pipeline", self)

const same = (self: Effect.Effect<unknown, unknown>) => repeat(steps, () => self)

const load = Step.fn("step")(
  (i: number) => Effect.succeed(i),
  Step.onSuccess(sync.onSuccess),
  Step.onFailure(sync.onFailure)
)

const anew = (i: number) =>
  Step.make("step", Effect.succeed(i)).pipe(
    Step.onSuccess(sync.onSuccess),
    Step.onFailure(sync.onFailure),
    Step.key(i)
  )

/** Makes a span that keeps nothing: what a tracer allocates is its own matter. */
const span = (options: Parameters<Tracer.Tracer["span"]>[0]): Tracer.Span => ({
  ...options,
  _tag: "Span",
  spanId: "span",
  traceId: "trace",
  parent: options.parent ?? Option.none(),
  status: { _tag: "Started", startTime: options.startTime },
  attributes: new Map(),
  end: () => {},
  attribute: () => {},
  event: () => {},
  addLinks: () => {}
})

const folder = mkdtempSync(join(tmpdir(), "bench-allocations-"))
const observed = (layer: Layer.Layer<never, unknown>) => Effect.provide(inPipeline(same(step(sync))), layer)

/** The programs by what their steps are. Those that fail are marked. */
const programs: Readonly<Record<string, readonly [program: Effect.Effect<void, unknown>, fails?: true]>> = {
  "succeeds": [inPipeline(same(step(sync)))],
  "fails": [inPipeline(same(Effect.exit(step(sync, true)))), true],
  "outside of a pipeline": [same(step(sync))],
  "asynchronous hook": [inPipeline(same(step(async)))],
  "Step.fn": [inPipeline(repeat(steps, load))],
  "Step.make and three combinators": [inPipeline(repeat(steps, anew))],
  "traced": [Effect.provideService(inPipeline(same(step(sync))), Tracer.Tracer, Tracer.make({ span }))],
  "observed": [observed(RunEvent.layer(() => {}))],
  "recorded": [observed(Report.layerRecord({ file: join(folder, "runs.jsonl") }))],
  "counted": [observed(Report.layerMetrics)]
}

/** What a step allocates. */
export interface Allocated {
  readonly objects: number
  readonly bytes: number
}

const session = new Session()
session.connect()

/** A function, called from those above it in the tree. Its id is not among the types of Node. */
interface CallNode extends HeapProfiler.SamplingHeapProfileNode {
  readonly id: number
  children: Array<CallNode>
}

interface Profile {
  readonly head: CallNode
  readonly samples: ReadonlyArray<{ readonly size: number; readonly nodeId: number }>
}

/** Takes a sample of each allocation of a run. */
const profileOf = async (run: () => Promise<unknown>): Promise<Profile> => {
  // an interval of a byte takes a sample of each allocation; those that are garbage by the end count, too, which the
  // types of Node leave out
  const all: HeapProfiler.StartSamplingParameterType & Record<`includeObjectsCollectedBy${"Major" | "Minor"}GC`, true> =
    {
      samplingInterval: 1,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true
    }
  await session.post("HeapProfiler.startSampling", all)
  await run()
  const { profile } = await session.post("HeapProfiler.stopSampling")
  return profile as unknown as Profile
}

const allocated = ({ samples }: Profile): Allocated => ({
  objects: Math.ceil(samples.length / steps),
  bytes: Math.ceil(samples.reduce((sum, { size }) => sum + size, 0) / steps)
})

/** Returns the functions that allocate most, with their objects and bytes a step. */
const sites = ({ head, samples }: Profile): ReadonlyArray<string> => {
  const places = new Map<number, string>()
  const visit = ({ callFrame: { functionName, lineNumber, url }, children, id }: typeof head): void => {
    places.set(id, `${functionName} ${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`)
    children.forEach(visit)
  }
  visit(head)
  const found = new Map<string, { objects: number; bytes: number }>()
  for (const { nodeId, size } of samples) {
    const place = places.get(nodeId) ?? "elsewhere"
    const { bytes, objects } = found.get(place) ?? { objects: 0, bytes: 0 }
    found.set(place, { objects: objects + 1, bytes: bytes + size })
  }
  return [...found].toSorted(([, a], [, b]) => b.bytes - a.bytes).slice(0, 40).map(([place, { bytes, objects }]) =>
    `${(objects / steps).toFixed(1).padStart(7)}${(bytes / steps).toFixed(0).padStart(8)}  ${place}`
  )
}

const asked = process.argv.slice(2).filter((name) => name in programs)
const measured: Record<string, Allocated> = {}
for (const [name, [program, fails = false]] of Object.entries(programs)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  // the clock stands still: what is made once a millisecond would count more on a busy machine
  const run = () => Effect.runPromise(Effect.provide(program, TestClock.layer()))
  await check(name, steps, run, fails)
  // the first may fill caches
  await profileOf(run)
  const profile = await profileOf(run)
  measured[name] = allocated(profile)
  if (asked.length > 0) console.log(`${name}\nobjects   bytes  a step\n${sites(profile).join("\n")}`)
}
rmSync(folder, { recursive: true })
console.log(JSON.stringify(measured, undefined, 2))
process.exit()
