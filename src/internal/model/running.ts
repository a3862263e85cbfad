/** Names the steps that are running, and for how long. */
import { formatDuration } from "../text/duration.ts"
import { pathText } from "../text/stepLabel.ts"
import type { Occurrence } from "./occurrence.ts"
import { isWithin } from "./place.ts"

/** The most steps that a text names. */
const maxNamed = 10

/** The time that steps have been running until `now`, as a function of when one began, by the wall clock. */
interface Times {
  readonly now: number
  readonly since: (step: Occurrence) => number
  readonly duration?: Parameters<typeof formatDuration>[1]
}

/** Returns the innermost of some steps inside of an evaluation, each with the time that it has been running. */
export const innermostIn = (
  around: Occurrence,
  open: ReadonlyArray<Occurrence>,
  { duration, now, since }: Times
): ReadonlyArray<string> => {
  const outer = new Set(open.map(({ parent }) => parent))
  return open.filter((step) => !outer.has(step) && isWithin(step, around)).map((step) =>
    `${pathText(step.labels, " › ")} (${formatDuration(Math.max(0, now - since(step)), duration)})`
  )
}

/** Returns the innermost steps that are running inside of an evaluation, each with the time since its body began. */
export const runningIn = (around: Occurrence, now: number, duration?: Times["duration"]): ReadonlyArray<string> =>
  innermostIn(around, [...around.run.open ?? []], { now, since: ({ bodyMillis }) => bodyMillis, duration })

/** Joins the names of running steps, for an error, which has no words of its own. */
export const runningText = (names: ReadonlyArray<string>): string =>
  names.length <= maxNamed
    ? names.join(", ")
    : `${names.slice(0, maxNamed).join(", ")}, … and ${names.length - maxNamed} more`
