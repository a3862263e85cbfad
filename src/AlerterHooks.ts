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
import type { Alerter } from "./Alerter.ts"
import * as Hook from "./Hook.ts"
import * as Hooks from "./Hooks.ts"
import * as internal from "./internal/alerterHooks.ts"
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
  Hook.onSuccess(() => internal.post("success")),
  "AlerterHooks.success"
)

/**
 * Posts that the step (or the run) failed, with the pretty-printed cause.
 *
 * @category hooks
 * @since 0.1.0
 */
export const failure: Hook.Hook<unknown, unknown, Alerter | StepContext> = Hook.named(
  Hook.onFailure((cause) => internal.post("failure", cause)),
  "AlerterHooks.failure"
)

/**
 * Both.
 *
 * @category hooks
 * @since 0.1.0
 */
export const all: Hooks.Hooks<unknown, unknown, Alerter | StepContext> = Hooks.make(success, failure)
