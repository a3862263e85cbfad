/** Sums up a run for its alert: how many steps there were, which failed, and which took longest. */
import type * as Cause from "effect/Cause"
import type { Alert, Field } from "../../Alert.ts"
import type { Outcome } from "../model/events.ts"
import type { FailedStep, OccurrenceRun } from "../model/occurrence.ts"
import type { Words } from "../text/alertWords.ts"
import { formatDuration } from "../text/duration.ts"
import { causeHeadline } from "../text/errors.ts"
import { fitEnd } from "../text/fit.ts"
import { failedSteps, maxNamed, stepText } from "./failedSteps.ts"

/** The longest line about one step. */
const maxLine = 300

/** @internal */
export interface RunSummary {
  /** The part of the title after how the run ended. */
  readonly title: string
  /** A line for each step that failed. */
  readonly lines: ReadonlyArray<string>
  readonly fields: ReadonlyArray<Field>
  /** The name of the field that the lines stand in for. */
  readonly replaces: string
  /** Whether steps failed that have not succeeded since. */
  readonly hasFailed: boolean
}

/** `firstLine` renders the error of a step. */
export const runSummary = (run: OccurrenceRun, firstLine: (failed: FailedStep) => string, words: Words): RunSummary => {
  const all = failedSteps(run)
  const failed = all.filter(({ over }) => !over)
  const recovered = all.length - failed.length
  // the list is bounded: a step that is not in it may have failed, too
  const hasFailed = failed.length > 0 || run.unsuccessful?.hasOpen === true
  const many = run.unsuccessful?.failed ?? 0
  const rest = failed.length - maxNamed
  const slowest = run.slowest?.steps ?? []
  return {
    title: many === 0 ? words.steps(run.steps) : words.failedOfSteps(many, run.steps, !hasFailed),
    lines: [
      ...failed.slice(0, maxNamed).map((one) => fitEnd(`${stepText(one.step)}: ${firstLine(one)}`, maxLine)),
      ...(rest > 0 ? [words.andMore(rest)] : [])
    ],
    replaces: words.failedSteps(all.length),
    fields: [
      { name: words.stepCounts, value: countsOf(run, recovered, words) },
      ...(slowest.length === 0
        ? []
        : [{
          name: words.slowest,
          value: slowest.map(({ label, millis }) => `${fitEnd(label, 100)} ${formatDuration(millis, words.duration)}`)
            .join(", ")
        }])
    ],
    hasFailed
  }
}

/** `recovered` is the number of failures after which the same step succeeded. */
const countsOf = ({ steps, unsuccessful }: OccurrenceRun, recovered: number, words: Words): string => {
  const failed = unsuccessful?.failed ?? 0
  const interrupted = unsuccessful?.interrupted ?? 0
  const skipped = unsuccessful?.skipped ?? 0
  return [
    words.stepsSucceeded(Math.max(0, steps - failed - interrupted - skipped)),
    ...(failed === 0 ? [] : [words.stepsFailed(failed, recovered)]),
    ...(interrupted === 0 ? [] : [words.stepsInterrupted(interrupted)]),
    ...(skipped === 0 ? [] : [words.stepsSkipped(skipped)])
  ].join(", ")
}

/** Turns the alert of a run that ended into that of its summary. */
export const summarized = (
  alert: Alert,
  outcome: Outcome,
  run: OccurrenceRun,
  shown: (cause: Cause.Cause<unknown>) => Cause.Cause<unknown>,
  words: Words
): Alert => {
  const { fields, hasFailed, lines, replaces, title } = runSummary(
    run,
    ({ cause }) => causeHeadline(shown(cause)),
    words
  )
  // the error of the run is that of a step, as a rule, whose line says it
  const isSaid = lines.some((line) => line.endsWith(`: ${alert.body}`))
  const own = alert.body === undefined || isSaid ? [] : [alert.body]
  const body = [...own, ...lines].join("\n")
  const severity = outcome === "success" ? (hasFailed ? "warning" : "success") : alert.severity
  return alert.with({
    title: outcome === "success" && hasFailed
      ? words.summaryThough(alert.title, title)
      : words.summary(alert.title, title),
    severity,
    resolves: severity === "success",
    body: body === "" ? undefined : body,
    fields: [...alert.fields.filter(({ name }) => name !== replaces), ...fields]
  })
}
