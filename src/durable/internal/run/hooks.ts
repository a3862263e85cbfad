/** Hooks as activities: each runs once, and its end is stored. */
import * as Cause from "effect/Cause"
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Activity from "effect/workflow/Activity"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { Alert } from "../../../Alert.ts"
import { Alerter } from "../../../Alerter.ts"
import type { FailedAttempt } from "../../../Hook.ts"
import { fromJson, toJson } from "../../../internal/alerts/json.ts"
import { type Failed, goesOn, report, start, withinLimit } from "../../../internal/engine/hookRunner.ts"
import { type Occasion, skipped } from "../../../internal/model/hook.ts"
import type { Planned } from "../../../internal/model/hooks.ts"
import { keeping, stamping } from "../outbox/alertKeys.ts"
import { outboxOf } from "../outbox/typeId.ts"
import { HookRecord } from "../stored/records.ts"
import type { DurableEvaluation } from "./evaluation.ts"

/** Run, step, kind and place: a hook that reacts to attempts runs once for each. */
const nameOf = (evaluation: DurableEvaluation, { hook, index }: Planned, occasion: Occasion): string => {
  const name = `${evaluation.key}/hook/${hook.kind}/${index}`
  // the occasion of this kind is a failed attempt
  return hook.kind === "retry" ? `${name}/${(occasion as FailedAttempt<unknown>).attempt}` : name
}

/** @internal */
export const recordHook = (
  evaluation: DurableEvaluation,
  planned: Planned,
  occasion: Occasion
): Effect.Effect<Failed> => {
  const name = nameOf(evaluation, planned, occasion)
  let fresh = false
  const execute = Effect.suspend(() => {
    fresh = true
    return runOnce(evaluation, planned, occasion, `${evaluation.durable.executionId}/${name}`)
  })
  const recorded = Effect.gen(function*() {
    const { alerts, error, outcome }: HookRecord = yield* evaluation.record(name, HookRecord, execute)
    if (alerts !== undefined) yield* queue(evaluation, `${name}/alerts`, alerts.map(fromJson))
    if (outcome !== "failed") return undefined
    if (!fresh) evaluation.run.hookFailures++
    return Cause.fail(error)
  })
  // What the engine itself can't do is a defect of the run's, and no failure of the hook's.
  return Effect.orDie(recorded) as Effect.Effect<Failed> // an engine and an instance are there: this is a workflow
}

/** As in memory: isolated, on a fiber of its own, under its time limit. */
const runOnce = (
  evaluation: DurableEvaluation,
  planned: Planned,
  occasion: Occasion,
  key: string
): Effect.Effect<HookRecord, never, WorkflowInstance> =>
  Effect.contextWith((activity: Context.Context<WorkflowInstance>) =>
    Effect.gen(function*() {
      const kept: Array<Alert> = []
      const context = surroundings(evaluation, activity, key, kept)
      const since = evaluation.run.observers === undefined ? undefined : evaluation.run.nanos()
      const started = start(evaluation, planned, occasion, context)
      if (!Exit.isExit(started)) goesOn(evaluation, planned)
      const exit = Exit.isExit(started) ? started : yield* withinLimit(planned.hook, started)
      yield* report(evaluation, planned, exit, since) ?? Effect.void
      const alerts = kept.length === 0 ? undefined : { alerts: kept.map(toJson) }
      return Exit.isFailure(exit)
        ? { outcome: "failed", error: Cause.squash(exit.cause), ...alerts }
        : { outcome: exit.value === skipped ? "skipped" : "ended", ...alerts }
    })
  )

/** The context of the step's hooks, in this activity, with an alerter whose alerts are known again. */
const surroundings = (
  evaluation: DurableEvaluation,
  activity: Context.Context<WorkflowInstance>,
  key: string,
  kept: Array<Alert>
): Context.Context<never> => {
  const context = Context.add(
    Context.merge(activity, evaluation.hookContext),
    WorkflowInstance,
    Context.get(activity, WorkflowInstance)
  )
  const alerter = Context.getOrUndefined(context as Context.Context<never>, Alerter)
  if (alerter === undefined) return context
  return Context.add(
    context,
    Alerter,
    outboxOf(alerter) === undefined ? stamping(alerter, key) : keeping(key, kept)
  )
}

/**
 * Moves a hook's alerts to the outbox. Where the engine and the outbox share a database, the rows and the record that
 * they are there are one transaction; elsewhere their keys keep them from being queued twice.
 */
const queue = (evaluation: DurableEvaluation, name: string, alerts: ReadonlyArray<Alert>): Effect.Effect<void> => {
  const alerter = Context.getOrUndefined(evaluation.hookContext, Alerter)
  const outbox = alerter === undefined ? undefined : outboxOf(alerter)
  const offer = outbox === undefined
    // the script had an outbox when the hook ran, and has none now
    ? Effect.forEach(alerts, (alert) => alerter?.post(alert) ?? Effect.void, { discard: true })
    : Effect.forEach(alerts, outbox.offer, { discard: true })
  const activity = Activity.make({ name, execute: Effect.orDie(offer) }).annotate(ClusterSchema.WithTransaction, true)
  return evaluation.once(name, activity) as Effect.Effect<void> // as in `recordHook`
}
