/** Ends an evaluation once: records its end, and runs the hooks of that. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import { isInterrupted, type RequiredFailures, withFailed } from "../../../internal/engine/outcome.ts"
import { withLateGuard } from "../../../internal/engine/run.ts"
import type { EndRecord, InterruptedBy } from "../stored/records.ts"
import { type EndingKeeper, recordEnd } from "./recordEnd.ts"
import { settleRecorded, type SettlingKeeper } from "./settleRecorded.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** The keeper of the step or run. */
interface EndedKeeper extends EndingKeeper, SettlingKeeper {
  readonly recordedEnd: EndRecord | undefined
}

/** The end of one evaluation. */
export class Ending {
  private readonly keeper: EndedKeeper
  /** The latch of an end that is under way, open once that is over. */
  private ended: Latch.Latch | undefined
  /** The hooks of the start, or of a failed attempt, while they run: an interruption of the run may suspend it in between. */
  underWay: (() => Effect.Effect<RequiredFailures>) | undefined

  constructor(keeper: EndedKeeper) {
    this.keeper = keeper
  }

  /**
   * Records the end, unless an attempt has recorded it, and runs the pending hooks. Returns the exit for the caller. The end
   * of the run may come to a step that is ending: it waits for that, unless what ended it has been cut off.
   */
  end(exit: Exit.Exit<unknown, unknown>, by: InterruptedBy | undefined): AnyEffect {
    return Effect.suspend(() => {
      if (this.keeper.settled) return exit
      if (this.ended !== undefined) return Effect.andThen(this.ended.await, this.end(exit, by))
      const ended = this.ended = Latch.makeUnsafe()
      return Effect.ensuring(
        this.run(exit, by),
        Effect.sync(() => {
          this.ended = undefined
          ended.openUnsafe()
        })
      )
    })
  }

  private run(exit: Exit.Exit<unknown, unknown>, by: InterruptedBy | undefined): AnyEffect {
    const { evaluation, recordedEnd } = this.keeper
    const recorded = recordedEnd !== undefined
      ? Effect.succeed(recordedEnd)
      : Effect.flatMap(
        (isInterrupted(exit) ? this.underWay?.() : undefined) ?? Effect.undefined,
        (failed) => recordEnd(this.keeper, withFailed(exit, failed), by)
      )
    return withLateGuard(evaluation.run, Effect.flatMap(recorded, (end) => settleRecorded(this.keeper, end)))
  }
}
