/**
 * Measures that the heap does not grow while one run evaluates a million steps.
 *
 *     bun bench/memory.ts
 *     deno run -A --v8-flags=--expose-gc bench/memory.ts
 *     node --expose-gc bench/memory.ts
 *
 * `BENCH_STEPS` (default a million) sets the number of steps. The programs repeat one step, repeat one that fails,
 * make steps of different names, and repeat one with an async background hook, of which a run keeps a set.
 */
import * as Effect from "effect/Effect"
import process from "node:process"
import * as Hook from "../src/Hook.ts"
import * as Pipeline from "../src/Pipeline.ts"
import * as Step from "../src/Step.ts"
import { heap, reportGrowth } from "./heap.ts"

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
    // yields every 100 steps, as background hooks would otherwise never get to run
    nth: (i) => i % 100 === 0 ? Effect.andThen(Effect.yieldNow, background) : background
  }
]

for (const { hooks, name, nth } of variants) {
  called = 0
  const heaps: Array<number> = []
  const started = performance.now()
  const program = Effect.gen(function*() {
    // a warm-up before the first measurement, so that code compiled and cached once does not count as growth
    for (let i = 0; i < total / intervals; i++) yield* nth(i)
    heaps.push(yield* heap)
    for (let interval = 1; interval <= intervals; interval++) {
      for (let i = 0; i < total / intervals; i++) yield* nth(interval * total + i)
      heaps.push(yield* heap)
    }
  })
  await Effect.runPromise(Pipeline.make("pipeline", program))

  const expected = hooks * (total + total / intervals)
  if (called !== expected) throw new Error(`${name}: ${called} hooks were called, not ${expected}`)
  reportGrowth(name, heaps, total, started)
}
