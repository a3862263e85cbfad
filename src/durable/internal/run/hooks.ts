/** Runs hooks as activities: each is recorded when it has ended, and a recorded hook does not run again. */
import * as Cause from "effect/Cause"
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { Alert } from "../../../Alert.ts"
import { Alerter } from "../../../Alerter.ts"
import type { FailedAttempt } from "../../../Hook.ts"
import { fromJson, toJson } from "../../../internal/alerts/json.ts"
import { markTold, toldPositions } from "../../../internal/alerts/once.ts"
import { settleWith } from "../../../internal/alerts/settle.ts"
import type { Evaluation, HookEnd } from "../../../internal/engine/evaluation.ts"
import { report, start, withinLimit } from "../../../internal/engine/hookRunner.ts"
import { type Occasion, skipped } from "../../../internal/model/hook.ts"
import type { Planned } from "../../../internal/model/plan.ts"
import { collectingAlerts, withAlertKeys } from "../outbox/alertKeys.ts"
import { outboxOf } from "../outbox/typeId.ts"
import { HookRecord } from "../stored/records.ts"
import type { DurableRun } from "./run.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** The keeper of the step, or run, whose hooks are recorded. */
interface HookKeeper {
  readonly evaluation: Evaluation
  readonly durable: DurableRun
  readonly key: string
  readonly record: (name: string, schema: Schema.Top, execute: AnyEffect) => AnyEffect
  readonly runActivity: (name: string, activity: AnyEffect) => AnyEffect
}

/** Returns the field of a record that says which errors of an exit have been told. */
export const toldField = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>
): { readonly told?: ReadonlyArray<number> } => {
  const told = toldPositions(evaluation, exit)
  return told.length === 0 ? {} : { told }
}

/** Names a hook's activity by step, kind and index; a retry hook runs once for each failed attempt. */
const nameOf = (keeper: HookKeeper, { hook, index }: Planned, occasion: Occasion): string => {
  const name = `${keeper.key}/hook/${hook.kind}/${index}`
  // the cast: the occasion of a retry hook is a failed attempt
  return hook.kind === "retry" ? `${name}/${(occasion as FailedAttempt<unknown>).attempt}` : name
}

/** @internal */
export const recordHook = (
  keeper: HookKeeper,
  planned: Planned,
  occasion: Occasion
): HookEnd => {
  const name = nameOf(keeper, planned, occasion)
  let executed = false
  const execute = Effect.suspend(() => {
    executed = true
    return runOnce(keeper, planned, occasion, `${keeper.durable.executionId}/${name}`)
  })
  const recorded = Effect.gen(function*() {
    const { alerts, applied = true, error, outcome, settles, told }: HookRecord = yield* keeper.record(
      name,
      HookRecord,
      execute
    )
    if (planned.decides && outcome !== "skipped" && applied) keeper.evaluation.apply(planned.hook)
    if (Exit.isExit(occasion)) markTold(keeper.evaluation, occasion, told, "own")
    if (settles !== undefined) {
      const alert = fromJson(settles).with({ idempotencyKey: `${keeper.durable.executionId}/${name}/well` })
      const alerter = alerterOf(keeper)
      if (alerter !== undefined) settleWith({ step: keeper.evaluation, alert, post: alerter.post })
    }
    if (alerts !== undefined) yield* queue(keeper, `${name}/alerts`, alerts.map(fromJson))
    if (outcome !== "failed") return undefined
    if (!executed) keeper.evaluation.run.hookFailures++
    return Cause.fail(error)
  })
  // An error of the engine is a defect of the run, and no failure of the hook. The cast: in a workflow the engine and
  // the instance are in the context.
  return Effect.orDie(recorded) as HookEnd
}

/** Runs the hook as in memory: isolated, on a fiber of its own, under its time limit. */
const runOnce = (
  keeper: HookKeeper,
  planned: Planned,
  occasion: Occasion,
  key: string
): Effect.Effect<HookRecord, never, WorkflowInstance> =>
  Effect.contextWith((activity: Context.Context<WorkflowInstance>) =>
    Effect.gen(function*() {
      const collected: Array<Alert> = []
      const context = contextOf(keeper, activity, key, collected)
      const { evaluation } = keeper
      const { telling } = evaluation.run
      const since = telling?.nanos()
      const started = start(evaluation, planned, occasion, context)
      if (!Exit.isExit(started)) telling?.hookStarted(evaluation, planned)
      const exit = Exit.isExit(started) ? started : yield* withinLimit(planned.hook, started)
      yield* report(evaluation, planned, exit, since) ?? Effect.void
      const waiting = [...evaluation.run.settlements?.values() ?? []].find(({ step }) => step === evaluation)
      const more = {
        ...(planned.decides && Exit.isFailure(exit) && !evaluation.hasApplied(planned.hook)
          ? { applied: false }
          : undefined),
        ...(waiting === undefined ? undefined : { settles: toJson(waiting.alert) }),
        ...(collected.length === 0 ? undefined : { alerts: collected.map(toJson) }),
        ...(Exit.isExit(occasion) ? toldField(evaluation, occasion) : undefined)
      }
      return Exit.isFailure(exit)
        ? { outcome: "failed", error: Cause.squash(exit.cause), ...more }
        : { outcome: exit.value === skipped ? "skipped" : "ended", ...more }
    })
  )

/**
 * Returns the context of the step's hooks with the instance of this activity, and with an alerter that gives alerts the
 * same keys whenever the hook runs. Alerts for an outbox are collected into `collected`, to be recorded with the hook.
 */
const contextOf = (
  keeper: HookKeeper,
  activity: Context.Context<WorkflowInstance>,
  key: string,
  collected: Array<Alert>
): Context.Context<never> => {
  const context = Context.add(
    Context.merge(activity, keeper.evaluation.hookContext),
    WorkflowInstance,
    Context.get(activity, WorkflowInstance)
  )
  const alerter = Context.getOrUndefined(context as Context.Context<never>, Alerter)
  if (alerter === undefined) return context
  return Context.add(
    context,
    Alerter,
    outboxOf(alerter) === undefined ? withAlertKeys(alerter, key) : collectingAlerts(key, collected, alerter)
  )
}

const alerterOf = (keeper: HookKeeper): Alerter["Service"] | undefined =>
  Context.getOrUndefined(keeper.evaluation.hookContext, Alerter)

/**
 * Moves the alerts of a recorded hook to the outbox. Where the engine and the outbox share a database, the queue's rows
 * and the record of this activity are written in one transaction; elsewhere the alerts' keys prevent duplicates.
 */
const queue = (keeper: HookKeeper, name: string, alerts: ReadonlyArray<Alert>): Effect.Effect<void> => {
  const alerter = alerterOf(keeper)
  const outbox = alerter === undefined ? undefined : outboxOf(alerter)
  const offer = outbox === undefined
    // the hook ran in a process with an outbox, and this one has none
    ? Effect.forEach(alerts, (alert) => alerter?.post(alert) ?? Effect.void, { discard: true })
    : Effect.forEach(alerts, outbox.offer, { discard: true })
  const activity = Activity.make({ name, execute: Effect.orDie(offer) }).annotate(ClusterSchema.WithTransaction, true)
  return keeper.runActivity(name, activity) as Effect.Effect<void> // the cast: as in `recordHook`
}
