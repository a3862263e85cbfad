/**
 * Provides standard hooks that post alerts about steps and runs through the `Alerter` of the environment.
 *
 * **Details**
 *
 * An alert names the pipeline, run, step and attempt that it is about, and contains the duration, the parameters
 * (encoded, secrets redacted) and the annotations of the step, and after a failure the cause. A post that fails
 * is a failure of the hook: it is logged and counted, and does not change the step.
 *
 * An error is alerted once in a run, by the innermost step whose failure hook posts about it: its alert has the path.
 * The hooks of the steps around it, and of the run, post about errors that have not been alerted, and do nothing where
 * all have. An alert that was not delivered, or that a policy dropped, counts for nothing.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Alert, type AlertSource, type Field } from "./Alert.ts"
import { Alerter } from "./Alerter.ts"
import * as Hook from "./Hook.ts"
import * as Hooks from "./Hooks.ts"
import { failWith } from "./internal/alerts/alerter.ts"
import { failedSteps, listed, stepText } from "./internal/alerts/failedSteps.ts"
import { once } from "./internal/alerts/once.ts"
import { AlerterError, AlerterErrorReason } from "./internal/model/alerterError.ts"
import { evaluatedIn } from "./internal/model/occurrence.ts"
import { CurrentGuard } from "./internal/model/secrets.ts"
import { formatDuration } from "./internal/text/duration.ts"
import { causeDetail, causeFields, causeHeadline, causeTags } from "./internal/text/errors.ts"
import { text } from "./internal/text/redact.ts"
import { placeOf, stepLabel, subjectKey, subjectText } from "./internal/text/stepLabel.ts"
import { StepContext } from "./StepContext.ts"

/**
 * Posts an alert after the step or run succeeded.
 *
 * @example
 * ```ts
 * import { Alerter, AlerterHooks, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const step = Step.make("load", Effect.void).pipe(
 *   Step.hooks(AlerterHooks.success),
 *   Effect.provide(Alerter.layerConsole)
 * )
 * ```
 *
 * @see {@link successWith} for changing the alert
 * @see {@link all} for both outcomes
 *
 * @category hooks
 * @since 0.1.0
 */
export const success: Hook.Hook<unknown, unknown, Alerter | StepContext> = Hook.named(
  successWith((alert) => alert),
  "AlerterHooks.success"
)

/**
 * Posts an alert after the step or run failed, with the error in its body and the whole cause, stack traces
 * included, as its detail. It posts nothing about errors that the hook of an inner step has told. The alert of a run
 * names the steps that failed.
 *
 * @see {@link failureWith} for changing the alert
 * @see {@link all} for both outcomes
 *
 * @category hooks
 * @since 0.1.0
 */
export const failure: Hook.Hook<unknown, unknown, Alerter | StepContext> = Hook.named(
  failureWith((alert) => alert),
  "AlerterHooks.failure"
)

/**
 * Makes a hook that posts the alert of {@link success} after a function has changed it. The function receives
 * the step's value.
 *
 * @example
 * ```ts
 * import { AlerterHooks } from "effect-epilogue"
 *
 * const loaded = AlerterHooks.successWith((alert, rows: ReadonlyArray<string>) =>
 *   alert.with({ body: `${rows.length} rows` })
 * )
 * ```
 *
 * @see {@link failureWith} for failures
 *
 * @category constructors
 * @since 0.1.0
 */
export function successWith<A = unknown>(
  adjust: (alert: Alert, value: A) => Alert
): Hook.Hook<A, unknown, Alerter | StepContext> {
  return Hook.named(
    Hook.onSuccess((value: A) => post("success", undefined, (alert) => adjust(alert, value))),
    "AlerterHooks.successWith"
  )
}

/**
 * Options of {@link failureWith}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FailureOptions {
  /**
   * `"each"` posts about errors that the hook of an inner step has told, too. `"once"`, the default, does not.
   */
  readonly nested?: "once" | "each" | undefined
}

/**
 * Makes a hook that posts the alert of {@link failure} after a function has changed it. The function receives
 * the step's cause.
 *
 * **Details**
 *
 * An error is the same where it is passed on by reference, also as the `cause` or in a field of another error, as a
 * member of an `AggregateError` or of a list, as a defect, and in a durable run that continues in another process.
 * Errors without a reference, such as texts, are the same if they are equal and come from an inner step. A cause whose
 * errors have been told in part is alerted with the others. The hooks of one step each post.
 *
 * A step value that is evaluated again and fails with the very same object is not alerted again.
 *
 * @example
 * ```ts
 * import { AlerterHooks } from "effect-epilogue"
 *
 * const page = AlerterHooks.failureWith((alert) => alert.with({ severity: "critical" }))
 * ```
 *
 * @see {@link successWith} for successes
 *
 * @category constructors
 * @since 0.1.0
 */
export function failureWith<E = unknown>(
  adjust: (alert: Alert, cause: Cause.Cause<E>) => Alert,
  options?: FailureOptions
): Hook.Hook<unknown, E, Alerter | StepContext> {
  const each = options?.nested === "each"
  return Hook.named(
    Hook.onFailure((cause: Cause.Cause<E>) =>
      once(cause, each, (untold) => post("failure", untold, (alert) => adjust(alert, cause)))
    ),
    "AlerterHooks.failureWith"
  )
}

/**
 * Posts an alert after success and after failure: {@link success} and {@link failure} together.
 *
 * @see `Pipeline.stepHooks` for posting about every step
 * @see `Pipeline.hooks` for posting about the run
 *
 * @category hooks
 * @since 0.1.0
 */
export const all: Hooks.Hooks<unknown, unknown, Alerter | StepContext> = Hooks.make(success, failure)

/** Posts the alert of a step or a run that ended. */
const post = (
  outcome: "success" | "failure",
  cause: Cause.Cause<unknown> | undefined,
  adjust: (alert: Alert) => Alert
): Effect.Effect<void, AlerterError, Alerter | StepContext> =>
  Effect.gen(function*() {
    const context = yield* StepContext
    const alerter = yield* Alerter
    const guard = yield* CurrentGuard
    const elapsed = yield* StepContext.elapsed
    yield* Effect.catchCause(
      Effect.suspend(() => {
        // before the body is cut to its first line, and again, since the hook's own changes may add some
        const shown = cause === undefined || guard === undefined ? cause : guard.cause(cause)
        const alert = adjust(alertOf(context, outcome, elapsed, shown))
        return alerter.post(guard?.alert(alert) ?? alert)
      }),
      // the message of an alerter that dies may contain the address that it was posting to
      (cause) =>
        failWith(cause, (detail) =>
          new AlerterError({ channel: "alerter", reason: AlerterErrorReason.Rejected({ detail }) }))
    )
  })

const alertOf = (
  context: StepContext.Shape,
  outcome: "success" | "failure",
  elapsed: Duration.Duration,
  cause: Cause.Cause<unknown> | undefined
): Alert => {
  const { annotations, attempt, params, pipelineName, runId, runName, stepKey, stepName, stepPath } = context
  const isRun = stepPath.length === 0
  const source: AlertSource = { pipeline: pipelineName, runId, runName, ...placeOf(context), attempt }
  const fields = [
    { name: "pipeline", value: pipelineName },
    { name: "run", value: runName },
    ...(isRun
      ? []
      : [{ name: "step", value: stepLabel(stepName, stepKey) }, { name: "attempt", value: String(attempt) }]),
    { name: "duration", value: formatDuration(Duration.toMillis(elapsed)) },
    ...(isRun && cause !== undefined ? failedField(context) : []),
    ...Object.entries(params).map(([name, value]) => ({ name, value: text(value) })),
    ...Object.entries(annotations).map(([name, value]) => ({ name, value: text(value) }))
  ]
  const headline = cause === undefined ? undefined : causeHeadline(cause)
  const detail = cause === undefined ? undefined : causeDetail(cause, { fields: false })
  return Alert.make({
    title: `${subjectText(source)} ${outcome === "success" ? "succeeded" : "failed"}`,
    severity: outcome === "success" ? "success" : "error",
    body: headline,
    fields: cause === undefined ? fields : [...fields, ...errorFields(cause, fields)],
    // a text without a stack has no more to say
    detail: detail === headline ? undefined : detail,
    // the same for a failure and the success that follows it, by which a channel recognizes a recovery
    dedupeKey: subjectKey(source),
    tags: cause === undefined ? [] : causeTags(cause),
    source
  })
}

/** Returns the field that names the steps of a run that failed. */
const failedField = (context: StepContext.Shape): ReadonlyArray<Field> => {
  const run = evaluatedIn(context)?.run
  const failed = run === undefined ? [] : failedSteps(run)
  if (failed.length === 0) return []
  const names = listed(failed.map(({ step }) => stepText(step)), ", ")
  return [{ name: failed.length === 1 ? "failed step" : "failed steps", value: names }]
}

/** Returns the fields of the error. One that is named as another field of the alert gets a longer name. */
const errorFields = (cause: Cause.Cause<unknown>, others: ReadonlyArray<Field>): ReadonlyArray<Field> => {
  const taken = new Set(others.map(({ name }) => name))
  return causeFields(cause).map(({ name, value }) => ({ name: taken.has(name) ? `error's ${name}` : name, value }))
}
