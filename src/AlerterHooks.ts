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
import type * as Cause from "effect/Cause"
import type { Alert } from "./Alert.ts"
import type { Alerter } from "./Alerter.ts"
import * as Hook from "./Hook.ts"
import * as Hooks from "./Hooks.ts"
import * as internal from "./internal/alerts/hooks.ts"
import type { StepContext } from "./StepContext.ts"

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
    Hook.onSuccess((value: A) => internal.post("success", undefined, (alert) => adjust(alert, value))),
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
    Hook.onFailure((cause: Cause.Cause<E>) => internal.post("failure", cause, (alert) => adjust(alert, cause))),
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
