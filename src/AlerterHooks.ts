/**
 * The standard hooks: they post to whatever {@link Alerter} the environment has.
 *
 * An alert says which pipeline, run, step and attempt it is about, how long the
 * step took, its parameters (encoded, without secrets) and its annotations, and
 * for a failure why. A post that fails is the hook's failure: it is logged and
 * counted, and changes nothing about the step.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import { Alert } from "./Alert.ts"
import { Alerter } from "./Alerter.ts"
import * as Hook from "./Hook.ts"
import * as Hooks from "./Hooks.ts"
import { failWith } from "./internal/alerts/alerter.ts"
import { AlerterError, AlerterErrorReason } from "./internal/model/alerterError.ts"
import { formatDuration } from "./internal/text/duration.ts"
import { text } from "./internal/text/redact.ts"
import { StepContext } from "./StepContext.ts"

/**
 * Posts that the step (or the run) succeeded.
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
 * @category hooks
 * @since 0.1.0
 */
export const success: Hook.Hook<unknown, unknown, Alerter | StepContext> = Hook.named(
  successWith((alert) => alert),
  "AlerterHooks.success"
)

/**
 * Posts that the step (or the run) failed, with the pretty-printed cause.
 *
 * @category hooks
 * @since 0.1.0
 */
export const failure: Hook.Hook<unknown, unknown, Alerter | StepContext> = Hook.named(
  failureWith((alert) => alert),
  "AlerterHooks.failure"
)

/**
 * {@link success}, with the alert changed before it is posted.
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
 * {@link failure}, with the alert changed before it is posted.
 *
 * @example
 * ```ts
 * import { AlerterHooks } from "effect-epilogue"
 *
 * const page = AlerterHooks.failureWith((alert) => alert.with({ severity: "critical" }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export function failureWith<E = unknown>(
  adjust: (alert: Alert, cause: Cause.Cause<E>) => Alert
): Hook.Hook<unknown, E, Alerter | StepContext> {
  return Hook.named(
    Hook.onFailure((cause: Cause.Cause<E>) => post("failure", cause, (alert) => adjust(alert, cause))),
    "AlerterHooks.failureWith"
  )
}

/**
 * Both.
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
    const elapsed = yield* StepContext.elapsed
    yield* Effect.catchCause(
      Effect.suspend(() => alerter.post(adjust(alertOf(context, outcome, elapsed, cause)))),
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
  const { annotations, attempt, params, pipelineName, runId, runName, stepName, stepPath } = context
  const isRun = stepPath.length === 0
  // a step outside of any pipeline is a run under its own name, which is not repeated
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
    // the same for a failure and the success that follows it, by which a channel recognizes a recovery
    dedupeKey: [pipelineName, ...stepPath].join("/"),
    tags: cause === undefined ? [] : tagsOf(cause),
    source: { pipeline: pipelineName, runId, runName, stepPath, attempt }
  })
}

/** Returns the tags of the tagged errors in a cause. */
const tagsOf = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => [
  ...new Set(
    cause.reasons.flatMap((reason) => {
      const error = Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : undefined
      return hasProperty(error, "_tag") && typeof error._tag === "string" ? [error._tag] : []
    })
  )
]

/** Returns the first error of a cause on one line. */
const summary = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.prettyErrors(cause)[0]
  return error === undefined ? "unknown failure" : `${error.name}: ${error.message}`.split("\n")[0]!
}
