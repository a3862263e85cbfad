/**
 * Provides standard hooks that post alerts about steps and runs through the `Alerter` of the environment.
 *
 * **Details**
 *
 * An alert names the pipeline, run and step that it is about, after a retry also the attempt, and contains the duration
 * of the body, the parameters (encoded, secrets redacted) and the annotations of the step, and after a failure the
 * cause. A post that fails is a failure of the hook: it is logged and counted, and does not change the step.
 *
 * A cause is rendered in bounded text, whatever it holds: the fields of tagged errors, redacted as parameters are; the
 * first ten causes of a chain; the user's frames of a stack, and the number of the others. What can't be read is shown
 * as `<unreadable: why>`. A step that nobody approved is told as "not approved", with the severity `warning`.
 *
 * An error is alerted once in a run, by the innermost step whose failure hook posts about it: its alert has the path.
 * The hooks of the steps around it, and of the run, post about errors that have not been alerted, and do nothing where
 * all have. An alert that was not delivered, or that a policy dropped, counts for nothing.
 *
 * The alert of a success says whether it `resolves` earlier failures: that of a run, or of a step with a key
 * (`Step.key`), does. A step without a key may be evaluated several times in a run. Alerters that keep failures, such as
 * `recovered` and `PagerDuty`, learn at the end of the run that it is well, provided that none of its evaluations ended
 * in failure. A step value that failed and is evaluated again, by a retry around it, has succeeded once it succeeds.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { Alert, type AlertSource, type Field, type Severity } from "./Alert.ts"
import { Alerter } from "./Alerter.ts"
import * as Hook from "./Hook.ts"
import * as Hooks from "./Hooks.ts"
import { failWith } from "./internal/alerts/alerter.ts"
import { failedSteps, listed, stepText } from "./internal/alerts/failedSteps.ts"
import { once } from "./internal/alerts/once.ts"
import { runSummary } from "./internal/alerts/runSummary.ts"
import { resolvesAtOnce, settleLater } from "./internal/alerts/settle.ts"
import { isRunInterrupted } from "./internal/engine/interrupting.ts"
import { outcomeOf } from "./internal/engine/outcome.ts"
import { AlerterError, AlerterErrorReason } from "./internal/model/alerterError.ts"
import type { Outcome } from "./internal/model/events.ts"
import { measuring } from "./internal/model/hook.ts"
import { evaluatedIn, type Occurrence, type OccurrenceRun } from "./internal/model/occurrence.ts"
import { CurrentGuard } from "./internal/model/secrets.ts"
import { formatDuration } from "./internal/text/duration.ts"
import { causeDetail, causeFields, causeHeadline, causeTags, refusalIn } from "./internal/text/errors.ts"
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
    Hook.onSuccess((value: A) => post("success", undefined, (alert) => adjust(alert, value), settle)),
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
 * Posts an alert after the step or run was interrupted. The innermost step posts, and neither the steps around it nor the
 * run post about the same interruption.
 *
 * **Details**
 *
 * The severity is `warning` where the whole run is interrupted, by a signal for example, and `info` where the run goes
 * on, as after a race that the step has lost.
 *
 * @see {@link interruptWith} for changing the alert
 * @see {@link all} for all outcomes
 *
 * @category hooks
 * @since 0.1.0
 */
export const interrupt: Hook.Hook<unknown, unknown, Alerter | StepContext> = Hook.named(
  interruptWith((alert) => alert),
  "AlerterHooks.interrupt"
)

/**
 * Makes a hook that posts the alert of {@link interrupt} after a function has changed it.
 *
 * @example
 * ```ts
 * import { AlerterHooks } from "effect-epilogue"
 *
 * const stopped = AlerterHooks.interruptWith((alert) => alert.with({ severity: "error" }))
 * ```
 *
 * @see {@link failureWith} for failures
 *
 * @category constructors
 * @since 0.1.0
 */
export function interruptWith(
  adjust: (alert: Alert) => Alert
): Hook.Hook<unknown, unknown, Alerter | StepContext> {
  return Hook.named(
    Hook.onInterrupt((cause) =>
      StepContext.use((context) => {
        const posted = post("interrupt", undefined, adjust)
        const evaluation = evaluatedIn(context)
        // an alert about a step whose run goes on says nothing about the run
        return evaluation === undefined || isRunInterrupted(evaluation) ? once(cause, false, () => posted) : posted
      })
    ),
    "AlerterHooks.interruptWith"
  )
}

/**
 * Posts one alert after a run, however it ended: how many steps succeeded and failed, the duration, the steps that
 * failed with the first lines of their errors, and the slowest steps.
 *
 * **When to use**
 *
 * On `Pipeline.hooks`, for a message each night, also about steps that failed though the run went on.
 *
 * **Details**
 *
 * The severity is `error` if the run failed, `warning` if it was interrupted or if steps failed and have not succeeded
 * since, and else `success`. Ten steps are named, and the five slowest. It posts beside {@link failure}, and repeats what
 * the alerts of the steps have told.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const nightly = Pipeline.make("nightly", Effect.exit(Step.make("load", Effect.fail("no such file")))).pipe(
 *   Pipeline.hooks(AlerterHooks.summary)
 * )
 * // nightly succeeded, though 1 of 1 step failed
 * ```
 *
 * @see {@link summaryWith} for changing the alert
 *
 * @category hooks
 * @since 0.1.0
 */
export const summary: Hook.Hook<unknown, unknown, Alerter | StepContext> = Hook.named(
  summaryWith((alert) => alert),
  "AlerterHooks.summary"
)

/**
 * Makes a hook that posts the alert of {@link summary} after a function has changed it. The function receives the exit of
 * the run.
 *
 * @see {@link failureWith} for the alert of a failure
 *
 * @category constructors
 * @since 0.1.0
 */
export function summaryWith<A = unknown, E = unknown>(
  adjust: (alert: Alert, exit: Exit.Exit<A, E>) => Alert
): Hook.Hook<A, E, Alerter | StepContext> {
  return Hook.named(
    measuring(Hook.onExit((exit: Exit.Exit<A, E>) => {
      const outcome = outcomeOf(exit)
      const cause = exit._tag === "Failure" && outcome === "failure" ? exit.cause : undefined
      return Effect.flatMap(CurrentGuard, (guard) =>
        post(
          outcome,
          cause,
          (alert, { run }) =>
            adjust(
              run === undefined ? alert : summarized(alert, outcome, run, (cause) => guard?.cause(cause) ?? cause),
              exit
            )
        ))
    })),
    "AlerterHooks.summaryWith"
  )
}

/** Turns the alert of a run that ended into that of its summary. */
const summarized = (
  alert: Alert,
  outcome: Outcome,
  run: OccurrenceRun,
  shown: (cause: Cause.Cause<unknown>) => Cause.Cause<unknown>
): Alert => {
  const { fields, hasFailed, lines, title } = runSummary(run, ({ cause }) => causeHeadline(shown(cause)))
  const own = alert.body === undefined ? [] : [alert.body]
  const body = [...own, ...lines].join("\n")
  const severity = outcome === "success" ? (hasFailed ? "warning" : "success") : alert.severity
  return alert.with({
    title: `${alert.title}${outcome === "success" && hasFailed ? ", though " : ": "}${title}`,
    severity,
    resolves: severity === "success",
    body: body === "" ? undefined : body,
    fields: [...alert.fields.filter(({ name }) => !name.startsWith("failed step")), ...fields]
  })
}

/**
 * Posts an alert after any outcome: {@link success}, {@link failure} and {@link interrupt} together.
 *
 * @see `Pipeline.stepHooks` for posting about every step
 * @see `Pipeline.hooks` for posting about the run
 *
 * @category hooks
 * @since 0.1.0
 */
export const all: Hooks.Hooks<unknown, unknown, Alerter | StepContext> = Hooks.make(success, failure, interrupt)

/** Posts the alert of a step or a run that ended. */
const post = (
  outcome: Outcome,
  cause: Cause.Cause<unknown> | undefined,
  adjust: (alert: Alert, about: { readonly run: OccurrenceRun | undefined }) => Alert,
  then: (evaluation: Occurrence, alert: Alert, alerter: Alerter["Service"]) => void = () => {}
): Effect.Effect<void, AlerterError, Alerter | StepContext> =>
  Effect.gen(function*() {
    const context = yield* StepContext
    const alerter = yield* Alerter
    const guard = yield* CurrentGuard
    const started = DateTime.toEpochMillis(context.startedAt)
    const before = Math.max(0, (evaluatedIn(context)?.bodyMillis ?? started) - started)
    const millis = Math.max(0, Duration.toMillis(yield* StepContext.elapsed) - before)
    yield* Effect.catchCause(
      Effect.suspend(() => {
        // before the body is cut to its first line, and again, since the hook's own changes may add some
        const shown = cause === undefined || guard === undefined ? cause : guard.cause(cause)
        const evaluation = evaluatedIn(context)
        const made = adjust(alertOf(context, outcome, millis, shown, evaluation), { run: evaluation?.run })
        const alert = guard?.alert(made) ?? made
        if (evaluation !== undefined) then(evaluation, alert, alerter)
        return alerter.post(alert)
      }),
      // the message of an alerter that dies may contain the address that it was posting to
      (cause) =>
        failWith(cause, (detail) =>
          new AlerterError({ channel: "alerter", reason: AlerterErrorReason.Rejected({ detail }) }))
    )
  })

/** Keeps the alert of a success that does not resolve yet until the end of its run. */
const settle = (evaluation: Occurrence, alert: Alert, alerter: Alerter["Service"]): void => {
  if (!alert.resolves) settleLater(evaluation, alert, alerter)
}

const words = { success: "succeeded", failure: "failed", interrupt: "was interrupted" }

const severityOf = (outcome: Outcome, evaluation: Occurrence | undefined): Severity =>
  outcome === "success"
    ? "success"
    : outcome === "failure"
    ? "error"
    : evaluation === undefined || isRunInterrupted(evaluation)
    ? "warning"
    : "info"

const alertOf = (
  context: StepContext.Shape,
  outcome: Outcome,
  millis: number,
  cause: Cause.Cause<unknown> | undefined,
  evaluation: Occurrence | undefined
): Alert => {
  const { annotations, attempt, params, pipelineName, runId, runName, stepKey, stepName, stepPath } = context
  const isRun = stepPath.length === 0
  const source: AlertSource = { pipeline: pipelineName, runId, runName, ...placeOf(context), attempt }
  const fields = [
    { name: "pipeline", value: pipelineName },
    { name: "run", value: runName },
    ...(isRun ? [] : [{ name: "step", value: stepLabel(stepName, stepKey) }]),
    ...(attempt > 1 ? [{ name: "attempt", value: String(attempt) }] : []),
    { name: "duration", value: formatDuration(millis) },
    ...(isRun && evaluation !== undefined && outcome !== "success" ? failedField(evaluation.run) : []),
    ...Object.entries(params).map(([name, value]) => ({ name, value: text(value) })),
    ...Object.entries(annotations).map(([name, value]) => ({ name, value: text(value) }))
  ]
  const refusal = cause === undefined ? undefined : refusalIn(cause)
  const headline = cause === undefined ? undefined : causeHeadline(cause)
  const detail = cause === undefined ? undefined : causeDetail(cause, { fields: false })
  return Alert.make({
    title: `${subjectText(source)} ${refusal ?? words[outcome]}`,
    severity: refusal === undefined ? severityOf(outcome, evaluation) : "warning",
    resolves: outcome === "success" && (evaluation === undefined || resolvesAtOnce(evaluation)),
    body: headline,
    fields: cause === undefined ? fields : [...fields, ...errorFields(cause, fields)],
    // a text without a stack has no more to say
    detail: detail === headline ? undefined : detail,
    // the same for a failure and the success that follows it, by which a channel recognizes a recovery
    dedupeKey: subjectKey(source),
    tags: outcome === "interrupt" ? ["interrupted"] : cause === undefined ? [] : causeTags(cause),
    source
  })
}

/** Returns the field that names the steps of a run that failed. */
const failedField = (run: OccurrenceRun): ReadonlyArray<Field> => {
  const failed = failedSteps(run)
  if (failed.length === 0) return []
  const names = listed(failed.map(({ step }) => stepText(step)), ", ")
  return [{ name: failed.length === 1 ? "failed step" : "failed steps", value: names }]
}

/** Returns the fields of the error. One that is named as another field of the alert gets a longer name. */
const errorFields = (cause: Cause.Cause<unknown>, others: ReadonlyArray<Field>): ReadonlyArray<Field> => {
  const taken = new Set(others.map(({ name }) => name))
  return causeFields(cause).map(({ name, value }) => ({ name: taken.has(name) ? `error's ${name}` : name, value }))
}
