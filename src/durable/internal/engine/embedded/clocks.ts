/** Lets clocks go off: one fiber waits for the next of them, whatever their number. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as DurableClock from "effect/workflow/DurableClock"
import * as Writer from "../../../../internal/text/writer.ts"
import { now } from "./database.ts"
import type { Executions } from "./executions.ts"
import type { Store } from "./store.ts"
import { deferredExit } from "./values.ts"

/**
 * The longest wait, in milliseconds. Timers stand still while the machine sleeps, and the time of day may be set: this
 * late a clock may go off then.
 */
const longest = 60_000

const done = deferredExit(Exit.void)

/** The fiber that waits for clocks, and how to wake it. */
export interface Clocks {
  /** Says that a clock was scheduled. */
  readonly changed: () => void
  /** Waits for clocks, and wakes their runs. */
  readonly run: Effect.Effect<never>
}

/** @internal */
export const make = (store: Store, executions: Executions): Clocks => {
  const scheduled = Latch.makeUnsafe(false)
  const next = Effect.gen(function*() {
    scheduled.closeUnsafe()
    const clock = yield* store.nextClock
    if (clock === undefined) return yield* scheduled.await
    const left = clock.due - (yield* now)
    if (left > 0) return yield* Effect.raceFirst(Effect.sleep(Math.min(left, longest)), scheduled.await)
    const { deferred } = DurableClock.make({ name: clock.name, duration: 0 })
    const row = yield* store.goOff(clock, deferred.name, done)
    if (row !== undefined) yield* Effect.forkDetach(executions.woken(row, deferred.name))
  })
  return {
    changed: () => scheduled.openUnsafe(),
    run: Effect.forever(Effect.catchDefect(next, (defect) =>
      Effect.andThen(
        Writer.logError("effect-epilogue: the clocks can't be read", defect),
        Effect.sleep("1 second")
      )))
  }
}
