/** Tells the interruption of a whole run from that of a part of it. */
import type { Occurrence } from "./occurrence.ts"

/**
 * Returns whether the run of an evaluation, or what is around the run, is being interrupted. If not, the code of the
 * run has interrupted the evaluation, as the loser of a race, and goes on.
 *
 * A fiber is marked before the fibers that it has started are interrupted.
 */
export const isRunInterrupted = (evaluation: Occurrence): boolean => {
  let outermost = evaluation
  while (outermost.parent !== undefined) outermost = outermost.parent
  // the cast: a field of effect's fibers, which has no public accessor
  const { fiber } = outermost as { readonly fiber?: { readonly _interruptedCause?: unknown } }
  return outermost === evaluation || fiber?._interruptedCause !== undefined
}
