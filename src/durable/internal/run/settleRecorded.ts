/** Runs the hooks of a step or a run whose end is recorded. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { markTold, toldPositions } from "../../../internal/alerts/once.ts"
import { settleFully } from "../../../internal/engine/life.ts"
import { isInterrupted, outcomeOf, withFailed } from "../../../internal/engine/outcome.ts"
import type { EndRecord } from "../stored/records.ts"
import { withoutSecrets } from "../stored/withoutSecrets.ts"
import type { Originals } from "./originals.ts"
import { keepPending } from "./pendingHooks.ts"
import { type DurableRun, markInterrupted, type OpenEvaluation } from "./run.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** The keeper of the step, or of the run. */
export interface SettlingKeeper extends OpenEvaluation {
  readonly durable: DurableRun
  readonly key: string
  readonly originals: Originals
  endedMillis: number | undefined
  settled: boolean
  readonly restoreEnd: (end: EndRecord) => void
}

/** Runs the pending hooks of an end, and returns the exit for the code around. */
export const settleRecorded = (keeper: SettlingKeeper, end: EndRecord): AnyEffect => {
  const { durable, evaluation, key, originals } = keeper
  keeper.restoreEnd(end)
  keeper.endedMillis = end.endedAt
  // the cast: that is what the schema of the record is of
  const recorded = asOwn(keeper, end.exit as Exit.Exit<unknown, unknown>)
  const original = originals.exit
  const shown = original !== undefined && Exit.isFailure(original) ? original : recorded
  markTold(evaluation, recorded, end.told, "inner")
  const settled = Effect.andThen(
    Effect.andThen(
      durable.activities.questions.withdraw(evaluation.isRun ? "" : `${key}/`),
      // of an end that this process has recorded all are in the plan
      originals.isUnreported ? Effect.void : keepPending(evaluation, end.pendingHooks)
    ),
    Effect.suspend(() => Effect.exit(settleFully(evaluation, shown, outcomeOf(shown))))
  )
  return Effect.flatMap(settled, (hooks) => {
    // the code around gets the recorded errors, which are other objects than those that the hooks have told of
    if (shown !== recorded) markTold(evaluation, recorded, toldPositions(evaluation, shown), "own")
    keeper.settled = true
    originals.markReported()
    durable.activities.forgetStart(key)
    durable.open.delete(keeper)
    const ended = Exit.isSuccess(hooks) ? recorded : withFailed(recorded, hooks.cause)
    if (!evaluation.isRun) return ended
    // the engine stores it
    const stored = withoutSecrets(ended, evaluation.run.guard)
    return isInterrupted(recorded) ? Effect.andThen(markInterrupted(durable), stored) : stored
  })
}

/**
 * Returns the exit of a step that was interrupted as the interruption of the fiber that evaluates it, as in memory. For
 * the code around it would otherwise be the interruption of another fiber, which is a failure.
 */
const asOwn = ({ evaluation }: SettlingKeeper, exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> =>
  isInterrupted(exit) ? Exit.failCause(Cause.interrupt(evaluation.fiber.id)) : exit
