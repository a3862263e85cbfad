/**
 * A million steps in one run: the heap must not grow with them.
 *
 *     bun bench/memory.ts
 *     deno run -A --v8-flags=--expose-gc bench/memory.ts
 *     node --expose-gc bench/memory.ts
 *
 * `BENCH_STEPS` (default a million) says how many steps. One program runs the same
 * step again and again; another makes a step of its own name for each; a third runs
 * one with async hooks in the background, as those are what a run keeps a set of.
 */
import * as Effect from "effect/Effect"
import process from "node:process"
import * as Hook from "../src/Hook.ts"
import * as Pipeline from "../src/Pipeline.ts"
import * as Step from "../src/Step.ts"
import { heap, tolerated } from "./heap.ts"

const total = Number(process.env["BENCH_STEPS"] ?? 1_000_000)
const intervals = 10

let called = 0
const count = Effect.sync(() => {
  called++
})

const hooked = <A, E>(name: string, body: Effect.Effect<A, E>) =>
  Step.make(name, body).pipe(Step.onStart(count), Step.onSuccess(() => count), Step.onFailure(() => count))

const same = hooked("step", Effect.succeed(1))
const failing = Effect.exit(hooked("step", Effect.fail("boom")))
const background = Step.make("step", Effect.succeed(1)).pipe(
  Step.hooks(Hook.onSuccess(() => Effect.andThen(Effect.yieldNow, count)).pipe(Hook.background))
)

const variants: ReadonlyArray<{
  readonly name: string
  readonly hooks: number
  readonly nth: (i: number) => Effect.Effect<unknown, unknown>
}> = [
  { name: "one step, a million times", hooks: 2, nth: () => same },
  { name: "one step that fails, a million times", hooks: 2, nth: () => failing },
  { name: "a million steps, each of its own name", hooks: 2, nth: (i) => hooked(`step ${i}`, Effect.succeed(i)) },
  {
    name: "one step with a hook in the background, a million times",
    hooks: 1,
    // or the hooks would never have their turn
    nth: (i) => i % 100 === 0 ? Effect.andThen(Effect.yieldNow, background) : background
  }
]

for (const { hooks, name, nth } of variants) {
  called = 0
  const heaps: Array<number> = []
  const started = performance.now()
  const program = Effect.gen(function*() {
    // a tenth more, before the first look: what is compiled and cached once is no growth
    for (let i = 0; i < total / intervals; i++) yield* nth(i)
    heaps.push(yield* heap)
    for (let interval = 1; interval <= intervals; interval++) {
      for (let i = 0; i < total / intervals; i++) yield* nth(interval * total + i)
      heaps.push(yield* heap)
    }
  })
  await Effect.runPromise(Pipeline.make("pipeline", program))
  const seconds = (performance.now() - started) / 1_000
  const expected = hooks * (total + total / intervals)
  if (called !== expected) throw new Error(`${name}: ${called} hooks were called, not ${expected}`)
  const growth = heaps.at(-1)! - heaps[0]!
  const bytes = (growth * 2 ** 20 / total).toFixed(2)
  console.log(`${name} (${seconds.toFixed(1)} s)`)
  console.log(`  heap in MB: ${heaps.map((megabytes) => megabytes.toFixed(2)).join(" ")}`)
  console.log(
    `  growth: ${growth.toFixed(2)} MB, ${bytes} bytes a step${growth > tolerated ? " — NOT FLAT" : ", flat"}`
  )
}
