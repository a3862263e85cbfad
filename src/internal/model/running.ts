/** Names the steps that are running, and for how long. */
import { formatDuration } from "../text/duration.ts"
import { pathText } from "../text/stepLabel.ts"
import { cut } from "../text/words.ts"
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

/** The longest name of a step, or of a pipeline, that is shown whole. */
const maxLabel = 100

/** Returns the step that an evaluation is in, that of another run included. */
export const stepAround = ({ around }: Occurrence): Occurrence | undefined => {
  let place = around
  while (place?.isRun === true) place = place.around
  return place
}

/** Returns the path of a step from the run of an evaluation: a run inside of that has its pipeline's name in the path. */
const pathFrom = ({ run: outer }: Occurrence, step: Occurrence): ReadonlyArray<string> => {
  const parts = [step.labels]
  for (let { run } = step; run !== outer && run.around !== undefined; run = run.around.run) {
    parts.push([run.pipelineName], run.around.labels)
  }
  return parts.toReversed().flat()
}

/** Returns the innermost of some steps inside of an evaluation, each with the time that it has been running. */
export const innermostIn = (
  around: Occurrence,
  open: ReadonlyArray<Occurrence>,
  { duration, now, since }: Times
): ReadonlyArray<string> => {
  const outer = new Set(open.map(stepAround))
  return open.filter((step) => !outer.has(step) && isWithin(step, around))
    .map((step) => nameRunning(pathFrom(around, step), now - since(step), duration))
}

/** Shows the path of a step, and for how long it has been running. */
export const nameRunning = (path: ReadonlyArray<string>, millis: number, duration?: Times["duration"]): string =>
  `${pathText(path.map((label) => cut(label, maxLabel)), " › ")} (${formatDuration(Math.max(0, millis), duration)})`

/** Returns the innermost steps that are running inside of an evaluation, each with the time since its body began. */
export const runningIn = (around: Occurrence, now: number, duration?: Times["duration"]): ReadonlyArray<string> =>
  innermostIn(around, [...around.run.open ?? []], { now, since: ({ bodyMillis }) => bodyMillis, duration })

/** Joins the names of running steps, for an error, which has no words of its own. */
export const runningText = (names: ReadonlyArray<string>): string =>
  names.length <= maxNamed
    ? names.join(", ")
    : `${names.slice(0, maxNamed).join(", ")}, … and ${names.length - maxNamed} more`
