/** Runs hooks as activities: each is recorded when it has ended, and a recorded hook does not run again. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { Alert } from "../../../Alert.ts"
import { Alerter } from "../../../Alerter.ts"
import type { FailedAttempt } from "../../../Hook.ts"
import { fromJson } from "../../../internal/alerts/json.ts"
import { markTold, toldPositions } from "../../../internal/alerts/once.ts"
import { settleWith } from "../../../internal/alerts/settle.ts"
import type { Evaluation, HookEnd } from "../../../internal/engine/evaluation.ts"
import { withinLimit } from "../../../internal/engine/hookLimits.ts"
import { report, start } from "../../../internal/engine/hookRunner.ts"
import { stop } from "../../../internal/engine/pending.ts"
import { type Occasion, skipped } from "../../../internal/model/hook.ts"
import type { Planned } from "../../../internal/model/plan.ts"
import { Collected, withAlertKeys } from "../outbox/alertKeys.ts"
import { storable } from "../outbox/stored.ts"
import { outboxOf } from "../outbox/typeId.ts"
import { HookRecord } from "../stored/records.ts"
import type { RecordOptions } from "./activity.ts"
import { Alongside, hasAlongside } from "./alongside.ts"
import { counted } from "./counted.ts"
import { deferrable } from "./deferrable.ts"
import type { DurableRun } from "./run.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** The keeper of the step, or run, whose hooks are recorded. */
interface HookKeeper {
  readonly evaluation: Evaluation
  readonly durable: DurableRun
  readonly crashLimit: number
  readonly key: string
  startHookEndedAt: number | undefined
  readonly record: (
    name: string,
    schema: Schema.Top,
    execute: AnyEffect,
    options?: RecordOptions
  ) => AnyEffect
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
  const recorded = Effect.gen(function*() {
    const collected = new Collected()
    const alongside = alongsideOf(alerterOf(keeper, planned), yield* WorkflowEngine, collected)
    const execute = counted<HookRecord, never, WorkflowInstance>(
      keeper,
      { name, attempt: 1, hook: planned.hook.name },
      Effect.suspend(() => {
        executed = true
        const key = `${keeper.durable.executionId}/${name}`
        return runOnce(keeper, planned, occasion, key, collected, alongside !== undefined)
      }),
      (error) =>
        Effect.suspend(() => {
          executed = true
          const reported = report(keeper.evaluation, planned, Exit.fail(error), undefined) ?? Effect.void
          return Effect.as(reported, { outcome: "failed", error })
        })
    )
    const { alerts, applied = true, endedAt, error, outcome, settles, told }: HookRecord = yield* keeper.record(
      name,
      HookRecord,
      execute,
      { annotations: annotationsOf(planned, alongside) }
    )
    if (endedAt !== undefined) keeper.startHookEndedAt = endedAt
    if (planned.decides && outcome !== "skipped" && applied) keeper.evaluation.apply(planned.hook)
    if (Exit.isExit(occasion)) markTold(keeper.evaluation, occasion, told, "own")
    if (settles !== undefined) {
      const alert = fromJson(settles).with({ idempotencyKey: `${keeper.durable.executionId}/${name}/well` })
      const alerter = alerterOf(keeper, planned)
      if (alerter !== undefined) settleWith({ step: keeper.evaluation, alert, post: alerter.post })
    }
    if (alerts !== undefined) yield* queue(keeper, planned, `${name}/alerts`, alerts.map(fromJson), collected)
    if (outcome !== "failed") return undefined
    if (!executed) keeper.evaluation.run.hookFailures++
    return Cause.fail(error)
  })
  // An error of the engine is a defect of the run, and no failure of the hook. The cast: in a workflow the engine and
  // the instance are in the context.
  return Effect.orDie(recorded) as HookEnd
}

/** Whether the body of the step, or of the run, waits for the hook. */
const isBeforeBody = ({ hook: { background, kind } }: Planned): boolean => kind === "start" && !background

/** How long a hook that is cut off may take to stop. */
const stopTime = "1 second"

/** Runs the hook as in memory: isolated, under its time limit. */
const runOnce = (
  keeper: HookKeeper,
  planned: Planned,
  occasion: Occasion,
  key: string,
  collected: Collected,
  isAlongside: boolean
): Effect.Effect<HookRecord, never, WorkflowInstance> =>
  Effect.contextWith((activity: Context.Context<WorkflowInstance>) =>
    Effect.gen(function*() {
      const context = contextOf(keeper, planned, activity, key, collected)
      const { evaluation } = keeper
      const { telling } = evaluation.run
      const since = telling?.nanos()
      const started = start(evaluation, planned, occasion, context)
      if (!Exit.isExit(started)) telling?.hookStarted(evaluation, planned)
      const ended = Exit.isExit(started) ? started : yield* Effect.onInterrupt(
        withinLimit(planned.hook, started),
        // cut off, to run again: otherwise it would go on beside that, without a limit
        () => Effect.timeoutOption(stop(started), stopTime)
      )
      const waiting = [...evaluation.run.settlements?.values() ?? []].find(({ step }) => step === evaluation)
      // an alert that can't be stored fails the hook: in the record it would fail the run
      const settles = waiting === undefined ? undefined : yield* Effect.exit(storable(waiting.alert))
      const exit = Exit.isSuccess(ended) && settles?._tag === "Failure" ? settles : ended
      yield* report(evaluation, planned, exit, since) ?? Effect.void
      const alerts = collected.seal()
      const withoutSecret = (error: unknown) => evaluation.run.guard?.value(error) ?? error
      const more = {
        ...(planned.decides && Exit.isFailure(exit) && !evaluation.hasApplied(planned.hook)
          ? { applied: false }
          : undefined),
        ...(isBeforeBody(planned) ? { endedAt: yield* Clock.currentTimeMillis } : undefined),
        ...(settles?._tag === "Success" ? { settles: settles.value } : undefined),
        ...(alerts.length === 0 || isAlongside ? undefined : { alerts }),
        ...(Exit.isExit(occasion) ? toldField(evaluation, occasion) : undefined)
      }
      return Exit.isFailure(exit)
        ? { outcome: "failed", error: withoutSecret(Cause.squash(exit.cause)), ...more }
        : { outcome: exit.value === skipped ? "skipped" : "ended", ...more }
    })
  )

/**
 * Returns the context of the step's hooks with the instance of this activity, and with an alerter that gives alerts the
 * same keys whenever the hook runs. Alerts for an outbox are collected into `collected`, to be recorded with the hook.
 */
const contextOf = (
  keeper: HookKeeper,
  { hook }: Planned,
  activity: Context.Context<WorkflowInstance>,
  key: string,
  collected: Collected
): Context.Context<never> => {
  // not merged with the context of the activity, which has no more services: that would copy both for each hook
  const context = Context.add(
    keeper.evaluation.hookContextOf(hook),
    WorkflowInstance,
    Context.get(activity, WorkflowInstance)
  )
  const alerter = Context.getOrUndefined(context as Context.Context<never>, Alerter)
  if (alerter === undefined) return context
  return Context.add(
    context,
    Alerter,
    outboxOf(alerter) === undefined ? withAlertKeys(alerter, key) : collected.alerter(alerter, key)
  )
}

/**
 * Returns the annotation by which the engine moves collected alerts to the outbox in the transaction that records the hook;
 * `undefined` where it can't, or where there is no outbox.
 */
const alongsideOf = (
  alerter: Alerter["Service"] | undefined,
  engine: WorkflowEngine["Service"],
  collected: Collected
): typeof Alongside.Service | undefined => {
  const outbox = alerter === undefined ? undefined : outboxOf(alerter)
  if (outbox === undefined || !hasAlongside(engine)) return undefined
  return () => {
    const alerts = collected.seal().map(fromJson)
    return alerts.length === 0
      ? undefined
      : Effect.forEach(alerts, collected.offeredTo(outbox), { discard: true })
  }
}

/** Of a required hook the exit of its step depends, so that its record has to be there before the run goes on. */
const annotationsOf = (
  { hook }: Planned,
  alongside: typeof Alongside.Service | undefined
): Context.Context<never> | undefined => {
  const annotations = hook.required ? undefined : deferrable
  return alongside === undefined ? annotations : Context.add(annotations ?? Context.empty(), Alongside, alongside)
}

const alerterOf = (keeper: HookKeeper, { hook }: Planned): Alerter["Service"] | undefined =>
  Context.getOrUndefined(keeper.evaluation.hookContextOf(hook), Alerter)

/**
 * Moves the alerts of a recorded hook to the outbox. Where the engine and the outbox share a database, the queue's rows
 * and the record of this activity are written in one transaction; elsewhere the alerts' keys prevent duplicates.
 */
const queue = (
  keeper: HookKeeper,
  planned: Planned,
  name: string,
  alerts: ReadonlyArray<Alert>,
  collected: Collected
): Effect.Effect<void> => {
  const alerter = alerterOf(keeper, planned)
  const outbox = alerter === undefined ? undefined : outboxOf(alerter)
  const offer = outbox === undefined
    // the hook ran in a process with an outbox, and this one has none
    ? Effect.forEach(alerts, (alert) => alerter?.post(alert) ?? Effect.void, { discard: true })
    : Effect.forEach(alerts, collected.offeredTo(outbox), { discard: true })
  const activity = Activity.make({ name, execute: Effect.orDie(offer) }).annotate(ClusterSchema.WithTransaction, true)
  return keeper.runActivity(name, activity) as Effect.Effect<void> // the cast: as in `recordHook`
}
