/** Turns of the event loop: what has been promised at once has settled by the next. */
import * as Effect from "effect/Effect"

/** Waits for the next turn. */
export const nextTurn: Effect.Effect<void> = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const aMoment = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 1)))

/** Waits until something holds that happens in real time, whatever the clock of the test. */
export const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.andThen(aMoment, until(holds)))

/** Blocks the thread, as a long computation does, without the computing. */
export const blockThread = (millis: number): void =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis)

interface Runtime {
  readonly gc?: () => void
  readonly Bun?: { readonly gc: (sync: boolean) => void }
}

/** Collects garbage. Returns whether the runtime lets a test do that. */
export const collectGarbage: Effect.Effect<boolean> = Effect.gen(function*() {
  const { Bun, gc } = globalThis as Runtime
  // WeakRefs are only cleared after a turn of the event loop
  yield* nextTurn
  if (Bun === undefined) gc?.()
  else Bun.gc(true)
  yield* nextTurn
  return Bun !== undefined || gc !== undefined
})
