/** Says that a step is well again: at once, or at the end of its run. */
import type { Alert } from "../../Alert.ts"
import { hasKey, type Occurrence, type Settlement } from "../model/occurrence.ts"
import { type Posting, takesQuiet } from "./settling.ts"

/** The most steps of a run that wait for its end. The recovery of others is told by a later run. */
const maxSettlements = 1_000

/**
 * Returns whether the success of an evaluation says that the step is well again: that of a run, and that of a step with
 * a key. Without a key, another evaluation of the step may yet fail.
 */
export const resolvesAtOnce = (evaluation: Occurrence): boolean =>
  evaluation.parent === undefined ||
  (hasKey(evaluation) && evaluation.run.unsuccessful?.isOpen(evaluation) !== true)

/** Keeps the alert of a success until the end of its run, where the alerter wants to know that the step is well. */
export const settleLater = (step: Occurrence, alert: Alert, alerter: Posting): void => {
  if (!takesQuiet(alerter)) return
  settleWith({ step, alert: alert.with({ resolves: true, quiet: true, at: undefined }), post: alerter.post })
}

/** Adds what is to be posted at the end of the run. The latest success of a step counts. */
export const settleWith = (settlement: Settlement): void => {
  const { alert, step: { run } } = settlement
  const settlements = run.settlements ??= new Map()
  const key = alert.dedupeKey ?? alert.title
  if (settlements.size < maxSettlements || settlements.has(key)) settlements.set(key, settlement)
}
