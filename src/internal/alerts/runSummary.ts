/** Sums up a run for its alert: how many steps there were, which failed, and which took longest. */
import type { Field } from "../../Alert.ts"
import type { FailedStep, OccurrenceRun } from "../model/occurrence.ts"
import { formatDuration } from "../text/duration.ts"
import { fitEnd } from "../text/fit.ts"
import { failedSteps, maxNamed, stepText } from "./failedSteps.ts"

/** The longest line about one step. */
const maxLine = 300

/** @internal */
export interface RunSummary {
  /** The part of the title after "succeeded" or "failed". */
  readonly title: string
  /** A line for each step that failed. */
  readonly lines: ReadonlyArray<string>
  readonly fields: ReadonlyArray<Field>
  /** Whether steps failed that have not succeeded since. */
  readonly hasFailed: boolean
}

/** `firstLine` renders the error of a step. */
export const runSummary = (run: OccurrenceRun, firstLine: (failed: FailedStep) => string): RunSummary => {
  const all = failedSteps(run)
  const failed = all.filter(({ over }) => !over)
  const recovered = all.length - failed.length
  // the list is bounded: a step that is not in it may have failed, too
  const hasFailed = failed.length > 0 || run.unsuccessful?.hasOpen === true
  const steps = run.steps === 1 ? "1 step" : `${run.steps} steps`
  const many = run.unsuccessful?.failed ?? 0
  const rest = failed.length - maxNamed
  const slowest = run.slowest?.steps ?? []
  return {
    title: many === 0 ? steps : `${many} of ${steps} failed${hasFailed ? "" : " and succeeded since"}`,
    lines: [
      ...failed.slice(0, maxNamed).map((one) => fitEnd(`${stepText(one.step)}: ${firstLine(one)}`, maxLine)),
      ...(rest > 0 ? [`… and ${rest} more`] : [])
    ],
    fields: [
      { name: "steps", value: countsOf(run, recovered) },
      ...(slowest.length === 0
        ? []
        : [{
          name: "slowest",
          value: slowest.map(({ label, millis }) => `${fitEnd(label, 100)} ${formatDuration(millis)}`).join(", ")
        }])
    ],
    hasFailed
  }
}

/** `recovered` is the number of failures after which the same step succeeded. */
const countsOf = ({ steps, unsuccessful }: OccurrenceRun, recovered: number): string => {
  const failed = unsuccessful?.failed ?? 0
  const interrupted = unsuccessful?.interrupted ?? 0
  return [
    `${Math.max(0, steps - failed - interrupted)} succeeded`,
    ...(failed === 0 ? [] : [`${failed} failed${recovered === 0 ? "" : ` (${recovered} succeeded since)`}`]),
    ...(interrupted === 0 ? [] : [`${interrupted} interrupted`])
  ].join(", ")
}
