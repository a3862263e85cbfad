/** The alert that tells of a step's end. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import { Alert } from "../../Alert.ts"
import { Alerter, AlerterError, AlerterErrorReason, isAlerterError } from "../../Alerter.ts"
import { StepContext } from "../../StepContext.ts"
import { formatDuration } from "../text/duration.ts"
import { text } from "../text/redact.ts"
import { failWith } from "./alerter.ts"

/** @internal */
export const post = (
  outcome: "success" | "failure",
  cause: Cause.Cause<unknown> | undefined,
  adjust: (alert: Alert) => Alert
): Effect.Effect<void, AlerterError, Alerter | StepContext> =>
  Effect.gen(function*() {
    const context = yield* StepContext
    const alerter = yield* Alerter
    const elapsed = yield* StepContext.elapsed
    yield* Effect.catchCause(
      Effect.suspend(() => alerter.post(adjust(alertOf(context, outcome, elapsed, cause)))),
      // An alerter that dies may say to which address it was posting.
      (cause) =>
        failWith(cause, isAlerterError, (detail) =>
          new AlerterError({ channel: "alerter", reason: AlerterErrorReason.Rejected({ detail }) }))
    )
  })

const alertOf = (
  context: StepContext.Shape,
  outcome: "success" | "failure",
  elapsed: Duration.Duration,
  cause: Cause.Cause<unknown> | undefined
): Alert => {
  const { annotations, attempt, params, pipelineName, runId, runName, stepName, stepPath } = context
  // the path is empty where the hook is the run's own
  const isRun = stepPath.length === 0
  // a step outside any pipeline runs under one of its own name
  const subject = (stepPath[0] === pipelineName ? stepPath : [pipelineName, ...stepPath]).join(" › ")
  return Alert.make({
    title: `${subject} ${outcome === "success" ? "succeeded" : "failed"}`,
    severity: outcome === "success" ? "success" : "error",
    body: cause === undefined ? undefined : summary(cause),
    fields: [
      { name: "pipeline", value: pipelineName },
      { name: "run", value: runName },
      ...(isRun ? [] : [{ name: "step", value: stepName }, { name: "attempt", value: String(attempt) }]),
      { name: "duration", value: formatDuration(Duration.toMillis(elapsed)) },
      ...Object.entries(params).map(([name, value]) => ({ name, value: text(value) })),
      ...Object.entries(annotations).map(([name, value]) => ({ name, value: text(value) }))
    ],
    detail: cause === undefined ? undefined : Cause.pretty(cause),
    // the same for the failure and the success that follows, so that a channel can tell of recovery
    dedupeKey: [pipelineName, ...stepPath].join("/"),
    tags: cause === undefined ? [] : tagsOf(cause),
    source: { pipeline: pipelineName, runId, runName, stepPath, attempt }
  })
}

/** The tags of the tagged errors in a cause. */
const tagsOf = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => [
  ...new Set(
    cause.reasons.flatMap((reason) => {
      const error = Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : undefined
      return hasProperty(error, "_tag") && typeof error._tag === "string" ? [error._tag] : []
    })
  )
]

/** What went wrong, on one line. */
const summary = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.prettyErrors(cause)[0]
  return error === undefined ? "unknown failure" : `${error.name}: ${error.message}`.split("\n")[0]!
}
