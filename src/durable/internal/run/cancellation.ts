/** Attempts of a step that code around it interrupts. */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { Fact } from "../stored/records.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

export class LeftOff {
  private recordEnd: AnyEffect = Effect.never
  private readonly latch = Latch.makeUnsafe(false)

  /**
   * An attempt, as long as it is wanted. The engine may begin, or go on with, one that was interrupted while it was
   * being stored, and takes its result for that of whatever is recorded in its place.
   */
  unless(attempt: AnyEffect): AnyEffect {
    const leftOff = Effect.andThen(this.latch.await, Effect.suspend(() => this.recordEnd))
    return Effect.suspend(() => this.latch.isOpen() ? leftOff : Effect.raceFirst(attempt, leftOff))
  }

  /** Nobody waits for the attempt any more: this is recorded in its place. */
  end(recordEnd: Effect.Effect<Fact>): void {
    this.recordEnd = recordEnd
    this.latch.openUnsafe()
  }
}
