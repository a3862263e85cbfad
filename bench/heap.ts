/** Measures the heap, and reports whether it grew. */
import * as Effect from "effect/Effect"
import process from "node:process"

const runtime = globalThis as {
  readonly Bun?: { readonly gc: (force: boolean) => void }
  readonly gc?: () => void
}
const gc = runtime.Bun !== undefined ? () => runtime.Bun!.gc(true) : runtime.gc
if (gc === undefined) console.log("no gc exposed: the numbers below include garbage")

/** Growth in MB that does not count, as compiled code and inline caches grow too. */
const tolerated = 2

/** Collects garbage and returns the used heap in MB. */
export const heap: Effect.Effect<number> = Effect.promise(async () => {
  // several times with turns of the event loop in between, which finalizers and weak references need
  for (let i = 0; i < 2; i++) {
    gc?.()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  gc?.()
  // heapUsed leaves out the contents of buffers
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 2 ** 20
})

/** Prints the measured heaps of a program of `steps` steps, and whether they grew. `since` is when it started. */
export const reportGrowth = (name: string, heaps: ReadonlyArray<number>, steps: number, since: number): void => {
  const growth = heaps.at(-1)! - heaps[0]!
  const bytes = (growth * 2 ** 20 / steps).toFixed(2)
  console.log(`${name} (${((performance.now() - since) / 1_000).toFixed(1)} s)`)
  console.log(`  heap in MB: ${heaps.map((megabytes) => megabytes.toFixed(2)).join(" ")}`)
  console.log(
    `  growth: ${growth.toFixed(2)} MB, ${bytes} bytes a step${growth > tolerated ? " — NOT FLAT" : ", flat"}`
  )
}
