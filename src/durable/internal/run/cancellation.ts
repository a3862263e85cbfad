/** Cancels a step's attempt whose caller has interrupted it, even when the engine still starts or resumes it. */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { EndRecord } from "../stored/records.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

export class Cancellation {
  private recordEnd: AnyEffect = Effect.never
  private readonly latch = Latch.makeUnsafe(false)

  /**
   * Runs an attempt until {@link cancel} is called; then records the interruption in its place. Without this the body
   * would run after its interruption: the engine may start, or resume, an activity that was interrupted while its
   * request was being stored, and would take its result for that of the activity recorded under the same name.
   */
  race(attempt: AnyEffect): AnyEffect {
    const cancelled = Effect.andThen(this.latch.await, Effect.suspend(() => this.recordEnd))
    return Effect.suspend(() => this.latch.isOpen() ? cancelled : Effect.raceFirst(attempt, cancelled))
  }

  /** Cancels the attempt: `recordEnd` gives the record that is stored as its result. */
  cancel(recordEnd: Effect.Effect<EndRecord>): void {
    this.recordEnd = recordEnd
    this.latch.openUnsafe()
  }
}
