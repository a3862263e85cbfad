/** Waits until a time, through crashes. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as DurableClock from "effect/workflow/DurableClock"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"

/** A wait, in milliseconds since 1970. */
interface Wait {
  readonly name: string
  /** When the time was set. */
  readonly from: number
  readonly until: number
  /** Whether the process waits, and not the engine, which looks at stored clocks only every few seconds. */
  readonly inMemory: boolean
}

/** Waits for what is left. More than the whole time would be left only where the clock was set back. */
export const sleepUntil = (
  { from, inMemory, name, until }: Wait
): Effect.Effect<void, never, WorkflowEngine | WorkflowInstance> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const duration = Math.min(Math.max(1, until - now), until - from)
    return DurableClock.sleep({ name, duration, inMemoryThreshold: inMemory ? duration : 0 })
  })
