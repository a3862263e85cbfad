/** What is on the heap, in MB, once all that is garbage is gone. */
import * as Effect from "effect/Effect"
import process from "node:process"

const runtime = globalThis as {
  readonly Bun?: { readonly gc: (force: boolean) => void }
  readonly gc?: () => void
}
const gc = runtime.Bun !== undefined ? () => runtime.Bun!.gc(true) : runtime.gc
if (gc === undefined) console.log("no gc exposed: the numbers below are of a heap with garbage in it")

/** What it may grow by for other reasons: compiled code, inline caches. */
export const tolerated = 2

/** @internal */
export const heap: Effect.Effect<number> = Effect.promise(async () => {
  // twice, with a turn of the event loop between: finalizers and weak references need one
  for (let i = 0; i < 2; i++) {
    gc?.()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  gc?.()
  // what a buffer holds is not counted as used
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 2 ** 20
})
