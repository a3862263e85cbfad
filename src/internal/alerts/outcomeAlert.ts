/** Makes the alert about a step or a run that ended. */
import type * as Cause from "effect/Cause"
import { Alert, type AlertSource, type Field, type Severity } from "../../Alert.ts"
import type { StepContext } from "../../StepContext.ts"
import type { Outcome } from "../model/events.ts"
import type { Occurrence, OccurrenceRun } from "../model/occurrence.ts"
import type { Words } from "../text/alertWords.ts"
import { formatDuration } from "../text/duration.ts"
import { causeDetail, causeFields, causeHeadline, causeTags, refusalIn } from "../text/errors.ts"
import { text } from "../text/redact.ts"
import { placeOf, stepLabel, subjectKey, subjectText } from "../text/stepLabel.ts"
import { failedSteps, listed, stepText } from "./failedSteps.ts"
import { interruptedTag } from "./notices.ts"
import { rollbackFields } from "./rollbackFields.ts"
import { resolvesAtOnce } from "./settle.ts"

const titles = { success: "succeeded", failure: "failed", interrupt: "interrupted", skip: "skipped" } as const
const refusals = { "not approved": "notApproved", "not approved in time": "notApprovedInTime" } as const

/** The end of a step or a run. */
export interface Ended {
  readonly context: StepContext.Shape
  readonly outcome: Outcome
  /** The severity of the outcome. An evaluation that nobody approved is a `warning` all the same. */
  readonly severity: Severity
  /** The duration of the body. */
  readonly millis: number
  /** The cause of a failure, as it may be shown. */
  readonly cause: Cause.Cause<unknown> | undefined
  /** The reason of a skip, or what is to be said of an interruption. */
  readonly reason?: string | undefined
  /** The signal that has caused an interruption. */
  readonly signal?: string | undefined
  readonly evaluation: Occurrence | undefined
  readonly words: Words
}

/** Returns the source of an alert about a step or a run. */
export const sourceOf = (context: StepContext.Shape): AlertSource => {
  const { attempt, pipelineName, runId, runName } = context
  return { pipeline: pipelineName, runId, runName, ...placeOf(context), attempt }
}

/** Returns the source of an alert about a step or a run, and its fields, with those of what happened among them. */
export const aboutContext = (
  context: StepContext.Shape,
  words: Words,
  happened: ReadonlyArray<Field>
): { readonly source: AlertSource; readonly fields: ReadonlyArray<Field> } => {
  const { annotations, attempt, params, pipelineName, runName, stepKey, stepName, stepPath } = context
  return {
    source: sourceOf(context),
    fields: [
      { name: words.pipeline, value: pipelineName },
      { name: words.run, value: runName },
      ...(stepPath.length === 0 ? [] : [{ name: words.step, value: stepLabel(stepName, stepKey) }]),
      ...(attempt > 1 ? [{ name: words.attempt, value: String(attempt) }] : []),
      ...happened,
      ...Object.entries(params).map(([name, value]) => ({ name, value: text(value) })),
      ...Object.entries(annotations).map(([name, value]) => ({ name, value: text(value) }))
    ]
  }
}

/** Returns the alert of the standard hooks. */
export const alertOf = (
  { cause, context, evaluation, millis, outcome, reason, severity, signal, words }: Ended
): Alert => {
  const isRun = context.stepPath.length === 0
  const { fields, source } = aboutContext(context, words, [
    { name: words.tookTime, value: formatDuration(millis, words.duration) },
    // the command of `exec` has an annotation for that
    ...(signal === undefined || Object.hasOwn(context.annotations, "signal")
      ? []
      : [{ name: words.signal, value: signal }]),
    ...(isRun && evaluation !== undefined && outcome !== "success" ? failedField(evaluation.run, words) : []),
    ...(evaluation !== undefined && outcome !== "success" ? rollbackFields(evaluation, words) : [])
  ])
  const refusal = cause === undefined ? undefined : refusalIn(cause)
  const headline = cause === undefined ? undefined : causeHeadline(cause)
  const whole = cause === undefined ? undefined : causeDetail(cause, { fields: false })
  // a text without a stack has no more to say
  const detail = whole === headline ? undefined : whole
  return Alert.make({
    title: words[refusal === undefined ? titles[outcome] : refusals[refusal]](subjectText(source)),
    severity: refusal === undefined ? severity : "warning",
    resolves: outcome === "success" && (evaluation === undefined || resolvesAtOnce(evaluation)),
    body: headline ?? reason,
    fields: cause === undefined ? fields : [...fields, ...errorFields(cause, fields, words)],
    detail: outcome === "success" || outcome === "skip" ? detail : withLastLines(detail, evaluation, words),
    // the same for a failure and the success that follows it, by which a channel recognizes a recovery
    dedupeKey: subjectKey(source),
    tags: outcome === "interrupt"
      ? [interruptedTag]
      : outcome === "skip"
      ? ["skipped"]
      : cause === undefined
      ? []
      : causeTags(cause),
    source
  })
}

/** Ends a detail with the last lines of the log, where these are kept. */
export const withLastLines = (
  detail: string | undefined,
  evaluation: Occurrence | undefined,
  words: Words
): string | undefined => {
  const lines = evaluation?.run.stepLogs?.lastLines(evaluation, words.lastLines)
  return lines === undefined || detail === undefined ? lines ?? detail : `${detail}\n\n${lines}`
}

/** Returns the field that names the steps of a run that failed. */
const failedField = (run: OccurrenceRun, words: Words): ReadonlyArray<Field> => {
  const failed = failedSteps(run)
  if (failed.length === 0) return []
  const names = listed(failed.map(({ step }) => stepText(step)), words)
  // as of a command, whose one step has its name
  if (names === run.pipelineName) return []
  return [{ name: words.failedSteps(failed.length), value: names }]
}

/** Returns the fields of the error. One that is named as another field of the alert gets a longer name. */
const errorFields = (
  cause: Cause.Cause<unknown>,
  others: ReadonlyArray<Field>,
  words: Words
): ReadonlyArray<Field> => {
  // an attempt of the error's own is none of the step, whose alert has one after a retry
  const taken = new Set([words.attempt, ...others.map(({ name }) => name)])
  // of a time limit: the steps that were running
  const isLimit = causeTags(cause).includes("TimeoutError")
  return causeFields(cause).map(({ name, value }) => ({
    name: taken.has(name) ? words.errorsField(name) : isLimit && name === "running" ? words.running : name,
    value
  }))
}
