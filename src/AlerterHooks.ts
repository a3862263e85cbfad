/**
 * Provides standard hooks that post alerts about steps and runs through the `Alerter` of the environment.
 *
 * **Details**
 *
 * An alert names the pipeline, run and step that it is about, after a retry also the attempt, and contains the duration
 * of the body, the parameters (encoded, secrets redacted) and the annotations of the step. A post that fails is a failure
 * of the hook: it is counted, logged (the first ten of a hook in a run, and the number of the others at its end), and
 * does not change the step.
 *
 * The hook waits until the alert has been sent, within its time limit, and for one second once the process is asked to
 * stop. What is in the mailbox of a channel then is sent all the same, and the log says so, once for a hook and a run. A
 * `required` hook fails then, since it is not known that the alert arrives.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type { Alert } from "./Alert.ts"
import { Alerter } from "./Alerter.ts"
import * as Hook from "./Hook.ts"
import * as Hooks from "./Hooks.ts"
import { post, postInterrupt, postOverdue, postSkip, postSummary, settle } from "./internal/alerts/hookPosts.ts"
import { once } from "./internal/alerts/once.ts"
import { tellsEnd, tellsFailureTo } from "./internal/alerts/recovery.ts"
import { outcomeOf } from "./internal/engine/outcome.ts"
import { type Alerting, alerting, measuring } from "./internal/model/hook.ts"
import { checked } from "./internal/model/options.ts"
import type { StepSkipped } from "./internal/model/skip.ts"
import type { StepContext } from "./StepContext.ts"

const tellsFailure = tellsFailureTo(Alerter)

const unchanged = (
  name: string,
  make: (adjust: (alert: Alert) => Alert) => Hook.Hook<unknown, unknown, Alerter | StepContext>
): Hook.Hook<unknown, unknown, Alerter | StepContext> => Hook.named(make((alert) => alert), `AlerterHooks.${name}`)

const posting = <A, E>(
  name: string,
  tells: Alerting,
  hook: Hook.Hook<A, E, Alerter | StepContext>
): Hook.Hook<A, E, Alerter | StepContext> => Hook.named(alerting(hook, tells), `AlerterHooks.${name}`)

/**
 * Posts an alert after the step or run succeeded.
 *
 * **Details**
 *
 * The alert `resolves` earlier failures where it is that of a run, or of a step with a key (`Step.key`). A step without a
 * key may be evaluated several times: alerters that keep failures, such as `recovered` and `PagerDuty`, learn at the end
 * of the run that it is well, if none of its evaluations has failed for good.
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
export const success: Hook.Hook<unknown, unknown, Alerter | StepContext> = unchanged("success", successWith)

/**
 * Posts an alert after the step or run failed, with the error in its body and the cause, stack traces included, as its
 * detail. The alert of a run names the steps that failed.
 *
 * **Details**
 *
 * - An error is alerted once in a run, by the innermost step with such a hook. Those around it post where that alert was
 *   not delivered, or a policy dropped it.
 * - The text of a cause is bounded: the first ten causes of a chain, the user's frames of a stack, and the numbers of the
 *   others. Fields of errors are redacted as parameters are, and what can't be read is `<unreadable: why>`.
 * - Where no hook posts successes, alerters that keep failures get the success all the same, by the hook
 *   `AlerterHooks.recovery`, as a quiet alert that people do not see. So it is with {@link interrupt} and {@link overdue}.
 * - The severity is `error`, and `warning` for a step that nobody approved.
 *
 * @see {@link failureWith} for changing the alert
 * @see {@link all} for both outcomes
 *
 * @category hooks
 * @since 0.1.0
 */
export const failure: Hook.Hook<unknown, unknown, Alerter | StepContext> = unchanged("failure", failureWith)

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
  return posting(
    "successWith",
    tellsEnd,
    Hook.onSuccess((value: A) =>
      Alerter.use((alerter) => post(alerter, "success", undefined, (alert) => adjust(alert, value), settle))
    )
  )
}

/**
 * Options of {@link failureWith}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FailureOptions {
  /** `"each"` posts about errors that the hook of an inner step has told, too. `"once"`, the default, does not. */
  readonly nested?: "once" | "each" | undefined
}

/**
 * Makes a hook that posts the alert of {@link failure} after a function, which gets the cause, has changed it.
 *
 * **Details**
 *
 * An error is the same where it is passed on by reference, also as the `cause` or in a field of another error, as a
 * member of an `AggregateError` or of a list, as a defect, and in a durable run that continues in another process.
 * Errors without a reference, such as texts, are the same if they are equal and come from an inner step. A cause whose
 * errors have been told in part is alerted with the others. The hooks of one step each post.
 * A step value that is evaluated again in its run and fails with the very same object is not alerted again, unless it has
 * succeeded meanwhile. If the function throws, or returns no alert, the alert stays as it was, with the error in a field.
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
  const each = checked("AlerterHooks.failureWith", options ?? {}, { nested: 0 }).nested === "each"
  return posting(
    "failureWith",
    tellsFailure,
    Hook.onFailure((cause: Cause.Cause<E>) =>
      Alerter.use((alerter) =>
        once(cause, each, (untold) => post(alerter, "failure", untold, (alert) => adjust(alert, cause)))
      )
    )
  )
}

/**
 * Posts an alert after the step or run was interrupted. The innermost step posts, and neither the steps around it nor the
 * run post about the same interruption.
 *
 * **Details**
 *
 * The severity is `warning` where the whole run is interrupted, by a signal for example, and where a step interrupts
 * itself, which ends its run unless that handles it. It is `info` where the run goes on, as after a race that the step
 * has lost.
 *
 * @see {@link interruptWith} for changing the alert
 * @see {@link all} for all outcomes
 *
 * @category hooks
 * @since 0.1.0
 */
export const interrupt: Hook.Hook<unknown, unknown, Alerter | StepContext> = unchanged("interrupt", interruptWith)

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
 * @category constructors
 * @since 0.1.0
 */
export function interruptWith(
  adjust: (alert: Alert) => Alert
): Hook.Hook<unknown, unknown, Alerter | StepContext> {
  return posting(
    "interruptWith",
    tellsFailure,
    Hook.onInterrupt((cause) => Alerter.use((alerter) => postInterrupt(alerter, cause, adjust)))
  )
}

/**
 * Posts an alert with the severity `info` after the step or run was skipped, with the reason. The innermost step posts, and
 * neither the steps around it that were skipped with it nor the run post about the same skip.
 *
 * **When to use**
 *
 * Where a skip is news: as a rule it is none, and {@link all} posts nothing about it.
 *
 * **Details**
 *
 * A skip is neither a failure nor a recovery: what is open stays so, and `afterConsecutive` leaves
 * its count as it is.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Step } from "effect-epilogue"
 *
 * const load = Step.make("load", Step.skip("no rows today")).pipe(
 *   Step.hooks(AlerterHooks.skip)
 * )
 * // load was skipped
 * // no rows today
 * ```
 *
 * @see {@link skipWith} for changing the alert
 * @see `Step.when` and `Step.skip` for skipping steps
 *
 * @category hooks
 * @since 0.1.0
 */
export const skip: Hook.Hook<unknown, unknown, Alerter | StepContext> = unchanged("skip", skipWith)

/**
 * Makes a hook that posts the alert of {@link skip} after a function has changed it. The function receives the error that
 * skipped the step, which has the reason.
 *
 * @example
 * ```ts
 * import { AlerterHooks } from "effect-epilogue"
 *
 * const skipped = AlerterHooks.skipWith((alert) => alert.with({ severity: "warning" }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export function skipWith(
  adjust: (alert: Alert, skipped: StepSkipped) => Alert
): Hook.Hook<unknown, unknown, Alerter | StepContext> {
  return Hook.named(
    Hook.onSkip((skipped) => Alerter.use((alerter) => postSkip(alerter, skipped, (alert) => adjust(alert, skipped)))),
    "AlerterHooks.skipWith"
  )
}

/**
 * Posts one alert after a run, however it ended: how many steps succeeded, failed and were skipped, the duration, the steps
 * that failed with the first lines of their errors, and the slowest steps.
 *
 * **When to use**
 *
 * On `Pipeline.hooks`, for a message each night, also about steps that failed though the run went on.
 *
 * **Details**
 *
 * The severity is `error` if the run failed, `warning` if it was interrupted or if steps failed and have not succeeded
 * since, `info` if the run was skipped, and else `success`. At most ten steps that failed are named, and the five slowest.
 * It repeats what the alerts of {@link failure} have told.
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
export const summary: Hook.Hook<unknown, unknown, Alerter | StepContext> = unchanged("summary", summaryWith)

/**
 * Makes a hook that posts the alert of {@link summary} after a function has changed it. The function receives the exit of
 * the run.
 *
 * @category constructors
 * @since 0.1.0
 */
export function summaryWith<A = unknown, E = unknown>(
  adjust: (alert: Alert, exit: Exit.Exit<A, E>) => Alert
): Hook.Hook<A, E, Alerter | StepContext> {
  return posting(
    "summaryWith",
    tellsEnd,
    measuring(
      Hook.onExit((exit: Exit.Exit<A, E>) =>
        Alerter.use((alerter) => postSummary(alerter, exit, outcomeOf(exit), (alert) => adjust(alert, exit)))
      )
    )
  )
}

/**
 * Posts an alert while the step or run is still running: when its limit is up, and again at the interval of that limit.
 *
 * **When to use**
 *
 * With a limit: of the step (`Step.overdue`), of the run (`Pipeline.overdue`, `Pipeline.deadline`), of a config file, or of
 * the hook itself (`Hook.overdueAfter`). Without one it has nothing to do.
 *
 * **Details**
 *
 * The severity is `warning`. An alert at the end, "ended after 43 min", goes to the same place, and resolves what the
 * first has opened. A failure or an interruption is told by the hook for that, or by this one where none is attached.
 *
 * **Gotchas**
 *
 * `dedupe` takes the alerts of one step at its interval for the same news, and holds them back within its window.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Hook, Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const nightly = Pipeline.make("nightly", Step.make("load", Effect.sleep("43 minutes"))).pipe(
 *   Pipeline.stepHooks(AlerterHooks.overdue.pipe(Hook.overdueAfter("10 minutes", { every: "1 hour" })))
 * )
 * // nightly › load is still running after 10 min
 * // nightly › load ended after 43 min
 * ```
 *
 * @see {@link overdueWith} for changing the alert
 * @see `Hook.onOverdue` for other reactions
 *
 * @category hooks
 * @since 0.1.0
 */
export const overdue: Hook.Hook<unknown, unknown, Alerter | StepContext> = unchanged("overdue", overdueWith)

/**
 * Makes a hook that posts the alert of {@link overdue} after a function has changed it. The alert of the end is not
 * changed.
 *
 * @example
 * ```ts
 * import { AlerterHooks } from "effect-epilogue"
 *
 * const escalating = AlerterHooks.overdueWith((alert, { times }) => times < 3 ? alert : alert.with({ severity: "critical" }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export function overdueWith(
  adjust: (alert: Alert, overdue: Hook.Overdue) => Alert
): Hook.Hook<unknown, unknown, Alerter | StepContext> {
  return posting(
    "overdueWith",
    tellsFailure,
    Hook.onOverdue((overdue) => Alerter.use((alerter) => postOverdue(alerter, overdue, adjust)))
  )
}

/**
 * Posts an alert after any outcome but a skip, and while the step or run is overdue: {@link success}, {@link failure},
 * {@link interrupt} and {@link overdue} together.
 *
 * @see `Pipeline.stepHooks` for posting about every step
 * @see `Pipeline.hooks` for posting about the run
 *
 * @category hooks
 * @since 0.1.0
 */
export const all: Hooks.Hooks<unknown, unknown, Alerter | StepContext> = Hooks.make(
  success,
  failure,
  interrupt,
  overdue
)
