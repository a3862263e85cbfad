/** Tells the interruption of a whole run from that of a part of it. */
import * as Cause from "effect/Cause"
import type { Occurrence } from "./occurrence.ts"

/** A fiber of effect's, with a field that has no public accessor. */
interface Asked {
  readonly id: number
  readonly _interruptedCause?: unknown
}

/** Returns the fiber of an evaluation. The cast: `Occurrence` leaves it out. */
const fiberOf = (evaluation: Occurrence): Asked | undefined => (evaluation as { readonly fiber?: Asked }).fiber

/**
 * Returns whether the run of an evaluation that was interrupted, or what is around the run, is interrupted with it: from
 * outside, or since the evaluation has interrupted the fiber of both. If not, the code of the run has interrupted the
 * evaluation, as the loser of a race, and goes on.
 *
 * A fiber is marked before the fibers that it has started are interrupted.
 */
export const isRunInterrupted = (evaluation: Occurrence): boolean => {
  let run = evaluation
  while (run.parent !== undefined) run = run.parent
  const fiber = fiberOf(run)
  return fiber?._interruptedCause !== undefined || fiber === fiberOf(evaluation)
}

/**
 * Returns a cause with the errors by which alerts of the evaluations around each other know it. An interruption is known
 * by the outermost fiber that was asked to end: its own fibers interrupt each other one by one, each by its id. One that
 * the run survives has ended another fiber than what ends the run later.
 */
export const knownBy = (evaluation: Occurrence, cause: Cause.Cause<unknown>): Cause.Cause<unknown> => {
  if (!Cause.hasInterruptsOnly(cause)) return cause
  let ended: Asked | undefined
  for (let at: Occurrence | undefined = evaluation; at !== undefined; at = at.around) {
    const fiber = fiberOf(at)
    if (fiber?._interruptedCause !== undefined) ended = fiber
  }
  return ended === undefined ? cause : Cause.fail(`fiber ${ended.id}`)
}
