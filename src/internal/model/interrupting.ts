/** Tells the interruption of a whole run from that of a part of it. */
import * as Cause from "effect/Cause"
import type { Occurrence } from "./occurrence.ts"

/** A fiber of effect's, with a field that has no public accessor. */
interface Asked {
  readonly _interruptedCause?: unknown
}

/** Returns the fiber of an evaluation. The cast: `Occurrence` leaves it out. */
const fiberOf = (evaluation: Occurrence): Asked | undefined => (evaluation as { readonly fiber?: Asked }).fiber

const outermostOf = (evaluation: Occurrence): Occurrence => {
  let outermost = evaluation
  while (outermost.parent !== undefined) outermost = outermost.parent
  return outermost
}

/** Whether the fiber of the run was asked to end. A fiber is marked before the fibers that it has started are. */
const isAsked = (run: Occurrence): boolean => fiberOf(run)?._interruptedCause !== undefined

/**
 * Returns whether the run of an evaluation that was interrupted, or what is around the run, is interrupted with it: from
 * outside, or since the evaluation has interrupted the fiber of both. If not, the code of the run has interrupted the
 * evaluation, as the loser of a race, and goes on.
 */
export const isRunInterrupted = (evaluation: Occurrence): boolean => {
  const run = outermostOf(evaluation)
  return run === evaluation || isAsked(run) || fiberOf(evaluation) === fiberOf(run)
}

/**
 * Returns the error that stands for an interruption, by which alerts of the evaluations around each other know it. The
 * fibers of a run that was asked to end are each interrupted for a reason of their own; all else that goes on, or ends,
 * does so by one reason.
 */
export const interruptionOf = (evaluation: Occurrence, cause: Cause.Cause<unknown>): Cause.Cause<unknown> =>
  isAsked(outermostOf(evaluation)) ? cause : Cause.fail(cause.reasons[0])
