/** Names the steps that a run has undone, and those that it could not undo. */
import type { Field } from "../../Alert.ts"
import type { Occurrence } from "../model/occurrence.ts"
import type { Words } from "../text/alertWords.ts"
import { causeHeadline } from "../text/errors.ts"
import { fitEnd } from "../text/fit.ts"
import { listed } from "./failedSteps.ts"

/** The longest reason for which a step was not undone. */
const maxReason = 200

/** Returns the fields of the alert about a run. Others, and a run that has undone nothing, have none. */
export const rollbackFields = (evaluation: Occurrence, words: Words): ReadonlyArray<Field> => {
  const { guard, rolledBack } = evaluation.run
  if (rolledBack === undefined || !isWhole(evaluation)) return []
  const { failed, undone } = rolledBack
  const reasons = [...failed].map(([name, cause]) =>
    // secrets are removed before the reason is cut
    `${name} (${fitEnd(causeHeadline(guard?.cause(cause) ?? cause), maxReason)})`
  )
  return [
    ...(undone.size === 0 ? [] : [{ name: words.undone, value: listed([...undone], words) }]),
    ...(reasons.length === 0 ? [] : [{ name: words.notUndone, value: listed(reasons, words) }])
  ]
}

/** Whether an alert about an evaluation has to tell that a step could not be undone, which no other alert does. */
export const hasNotUndone = (evaluation: Occurrence): boolean =>
  isWhole(evaluation) && (evaluation.run.rolledBack?.failed.size ?? 0) > 0

/** Whether an evaluation is the run itself: that of a pipeline, or of a step outside of any. */
const isWhole = ({ parent }: Occurrence): boolean => parent === undefined
