/** Cancels a step's attempt whose caller has interrupted it, even when the engine still starts or resumes it. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { EndRecord } from "../stored/records.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** Says whether a step's attempts are cancelled, of which one runs at a time. */
export class Cancellation {
  private recordEnd: AnyEffect | undefined
  private running: Fiber.Fiber<unknown, unknown> | undefined

  /**
   * Runs an attempt until {@link cancel} is called; then records the interruption in its place. Without this the body
   * would run after its interruption: the engine may start, or resume, an activity that was interrupted while its
   * request was being stored, and would take its result for that of the activity recorded under the same name.
   */
  race(attempt: AnyEffect): AnyEffect {
    return Effect.suspend(() =>
      this.recordEnd ?? Effect.flatMap(
        // interruptible, also where the engine executes activities in an uninterruptible region
        Effect.forkChild(Effect.interruptible(attempt), { startImmediately: true }),
        (fiber) => {
          const ended = fiber.pollUnsafe()
          if (ended !== undefined) return this.recordEnd ?? ended
          this.running = fiber
          // cancelled by what the attempt did before it waited
          if (this.recordEnd !== undefined) fiber.interruptUnsafe()
          let isFirst = false
          fiber.addObserver(() => {
            isFirst = this.recordEnd === undefined
          })
          return Effect.flatMap(
            Effect.onInterrupt(Fiber.await(fiber), () => Fiber.interrupt(fiber)),
            (exit): AnyEffect => isFirst ? exit : this.recordEnd ?? exit
          )
        }
      )
    )
  }

  /** Cancels the attempt: `recordEnd` gives the record that is stored as its result. */
  cancel(recordEnd: Effect.Effect<EndRecord>): void {
    this.recordEnd = recordEnd
    this.running?.interruptUnsafe()
  }
}
