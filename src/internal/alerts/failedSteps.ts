/** Names the steps of a run that failed. */
import type { FailedStep, Occurrence, OccurrenceRun } from "../model/occurrence.ts"
import { isWithin } from "../model/place.ts"
import { isMadeOf, partsIn } from "../model/sameError.ts"
import type { Words } from "../text/alertWords.ts"
import { pathText } from "../text/stepLabel.ts"

/** The largest number of steps that an alert names. */
export const maxNamed = 10

/** Returns the name of a step within its run. */
export const stepText = ({ labels }: Occurrence): string => pathText(labels, " › ")

/**
 * Returns the steps of a run that failed with errors of their own: not an outer step that failed because an inner one
 * did.
 */
export const failedSteps = ({ unsuccessful }: OccurrenceRun): ReadonlyArray<FailedStep> => {
  const failures = unsuccessful?.failures ?? []
  return failures.filter(({ cause, step }, i) => {
    // inner steps end before the steps around them
    const inner = failures.slice(0, i).filter((failure) => isWithin(failure.step, step))
    const known = new Set(inner.flatMap((failure) => partsIn(failure.cause)))
    return known.size === 0 || !isMadeOf(cause, (key) => known.has(key))
  })
}

/** Joins names, up to a limit. */
export const listed = (names: ReadonlyArray<string>, words: Words): string => {
  const unique = [...new Set(names)]
  const rest = unique.length - maxNamed
  return [...unique.slice(0, maxNamed), ...(rest > 0 ? [words.andMore(rest)] : [])].join(", ")
}
