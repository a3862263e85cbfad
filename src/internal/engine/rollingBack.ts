/** Rolls back runs, and keeps open what a rollback needs. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Evaluation } from "./evaluation.ts"
import { outcomeOf } from "./outcome.ts"

/** Rolls back the run that an evaluation has begun, if there is anything to undo, once its background hooks have ended. */
export const rollBack = (evaluation: Evaluation, cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  const { run } = evaluation
  return Effect.andThen(
    run.awaitBackground(),
    Effect.suspend(() => {
      if (run.rollback?.isPending !== true) return Effect.void
      // the time that hooks are told, and that of the step's event, is that of the body
      evaluation.endBody()
      return Effect.andThen(run.rollback.run(cause), run.rollback.close)
    })
  )
}

/**
 * Keeps open what the body of a run has used, where a rollback may follow the exit of that body, and returns whether it
 * does.
 */
export const closeAfterRollback = (
  { plan, run: { rollback } }: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  close: Effect.Effect<void>
): boolean => {
  const outcome = outcomeOf(exit)
  const hasFailed = outcome === "failure" || outcome === "interrupt"
  // a required hook can still fail the run
  const mayFollow = rollback?.isPending === true && (hasFailed || plan.required[outcome].length > 0)
  if (mayFollow) rollback.keepOpen(close)
  return mayFollow
}

/** Closes what was kept open for a rollback of the run, unless that has closed it. */
export const closeOpen = ({ run }: Evaluation): Effect.Effect<void> =>
  Effect.suspend(() => run.rollback?.close ?? Effect.void)
