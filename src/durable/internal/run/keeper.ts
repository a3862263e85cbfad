/**
 * Evaluates a step, or a run, whose progress is recorded: each part of it is an activity of a workflow, which is not
 * executed again once its result is recorded. The code around it is evaluated anew whenever the workflow resumes, after
 * a crash or a suspension, and reads what is recorded already.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { markTold, toldPositions } from "../../../internal/alerts/once.ts"
import { Evaluation, type HookEnd, type Keeper } from "../../../internal/engine/evaluation.ts"
import { runHook, runInBackground } from "../../../internal/engine/hookRunner.ts"
import { withWaitInterrupted } from "../../../internal/engine/interruption.ts"
import { reportStart, settleFully, startThenBody } from "../../../internal/engine/life.ts"
import { isInterrupted, outcomeOf, withFailed } from "../../../internal/engine/outcome.ts"
import type { Occasion } from "../../../internal/model/hook.ts"
import type { PipelineOwner, StepOwner } from "../../../internal/model/owner.ts"
import type { Plan, Planned } from "../../../internal/model/plan.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { BegunRecord, type EndRecord, type PendingHook, StartRecord, toJson } from "../stored/records.ts"
import type { ActivityOwner } from "./activityFibers.ts"
import { Cancellation } from "./cancellation.ts"
import { recordHook, toldField } from "./hooks.ts"
import { matchPending, toPending } from "./pendingHooks.ts"
import { type DurableRun, finishAbandoned, markInterrupted, type OpenEvaluation } from "./run.ts"
import { limitedRun } from "./runLimit.ts"
import { escapePart } from "./stepKeys.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** How the end of a step or run is stored. */
export interface StorageOptions {
  /** The schema of an `EndRecord`. */
  readonly end: Schema.Top
}

const activityKey = (name: string, attempt: number): string => `${name}/${attempt}`

/** The keeper of one evaluation of a step, or of a run: it records the parts of that. */
export class DurableKeeper implements Keeper, ActivityOwner, OpenEvaluation {
  readonly evaluation: Evaluation
  /** Never: in the body of a run a plain step is a mistake, and in one of its hooks it is not. */
  readonly sharesContext = false
  /** The recorded end. */
  endedMillis: number | undefined
  readonly durable: DurableRun
  readonly storage: StorageOptions
  /** The run's instance, or the copy that each arm of a durable race has. */
  readonly instance: WorkflowInstance["Service"]
  /** The prefix of the names of its activities. */
  readonly key: string
  private hasBegun = false
  /** The earlier evaluation of the same step whose activity this one joined. */
  private joined: ActivityOwner | undefined
  /** The key of the activity that recorded its latest end. */
  private endActivity = ""
  /** The attempt that is running, if one is: all that happens in it is part of one activity. */
  currentAttempt: number | undefined = undefined
  cancellation = new Cancellation()
  /** The first attempt that is not recorded yet. */
  nextAttempt = 1
  /** How many times each question has been asked in the current attempt, or outside of attempts. */
  readonly timesAsked: Map<string, number> = new Map()
  /** Whether its end is recorded and its hooks have run. */
  settled = false
  recordedEnd: EndRecord | undefined
  /** The exit of the body before it was stored: its errors still have their stacks. */
  originalExit: Exit.Exit<unknown, unknown> | undefined

  constructor(
    owner: StepOwner | PipelineOwner,
    fiber: Fiber.Fiber<unknown, unknown>,
    durable: DurableRun,
    storage: StorageOptions
  ) {
    const evaluation = new Evaluation(owner, fiber, this)
    this.evaluation = evaluation
    this.durable = durable
    this.storage = storage
    // `Durable.step` requires the instance, and a workflow's body has one
    this.instance = Context.getUnsafe(fiber.context, WorkflowInstance)
    if (evaluation.owner.label === "Pipeline") {
      this.key = "run"
    } else {
      const next = durable.keys.next(owner.name, evaluation.owner.key, fiber)
      this.key = `step/${"key" in next ? next.key : owner.name}`
      if ("mistake" in next) {
        evaluation.plan = {
          ...evaluation.plan,
          defect: new TypeError(`Step ${JSON.stringify(owner.name)}: ${next.mistake}`)
        }
      }
    }
  }

  /** Executes an effect as an activity; once its result is recorded, reads that instead. */
  record(name: string, schema: Schema.Top, execute: AnyEffect, attempt = 1): AnyEffect {
    // the cast: `execute` fails only when the engine itself interrupts it
    const activity = Activity.make({ name, success: schema, execute: execute as Effect.Effect<any, never, any> })
    const attempted = Effect.provideService(activity, Activity.CurrentAttempt, attempt)
    // attempts, and the cancellation of one, are recorded under the evaluation's own key
    return this.runActivity(activityKey(name, attempt), attempted, name === this.key)
  }

  /** Keeps the original exit, with its stack, until observers have been told. */
  keepOriginal(name: string, attempt: number, exit: Exit.Exit<unknown, unknown>): void {
    this.durable.activities.unreported.set(activityKey(name, attempt), exit)
  }

  recallOriginal(name: string, attempt: number): void {
    this.endActivity = activityKey(name, attempt)
    this.originalExit = this.durable.activities.unreported.get(this.endActivity)
  }

  /** Whether its latest end was recorded by this process and observers have not been told of it yet. */
  get unreported(): boolean {
    return this.durable.activities.unreported.has(this.endActivity)
  }

  markReported(): void {
    this.durable.activities.unreported.delete(this.endActivity)
  }

  /** Runs an activity that keeps running where the body is evaluated anew at once; the next evaluation joins it. */
  runActivity(name: string, activity: AnyEffect, isBody = false): AnyEffect {
    return this.durable.activities.run(name, activity, this, isBody)
  }

  /** Adopts the state of the evaluation that started the activity which this one waits for. */
  join(earlier: ActivityOwner): void {
    this.joined = earlier
    this.cancellation = earlier.cancellation
    this.evaluation.details = earlier.evaluation.detailed
    this.evaluation.attempt = earlier.evaluation.attempt
  }

  /**
   * Returns the name under which a question is recorded. A body that runs again after a crash finds its own questions;
   * the next attempt asks new ones.
   */
  questionName(title: string): string {
    const name = `${this.key}/ask/${this.currentAttempt ?? "-"}/${escapePart(title)}`
    const times = (this.timesAsked.get(name) ?? 0) + 1
    this.timesAsked.set(name, times)
    return times === 1 ? name : `${name}#${times}`
  }

  private begunRecord(execute: Effect.Effect<typeof BegunRecord.Type>): AnyEffect {
    return this.record(`${this.key}/begun`, BegunRecord, execute)
  }

  /** Records that the step has begun, for an attempt that suspends: until it ends no other record says so. */
  get recordBegun(): Effect.Effect<void> {
    // the cast: the engine is in a workflow's context, and this record can always be encoded
    return Effect.orDie(
      Effect.asVoid(this.begunRecord(Effect.succeed({ startedAt: this.evaluation.startedMillis })))
    ) as Effect.Effect<void>
  }

  /** Restores whether the step had begun, for a run that ends before its body comes to the step again. */
  get recallBegun(): AnyEffect {
    return this.begun ? Effect.void : Effect.map(
      this.begunRecord(Effect.succeed({})),
      ({ startedAt }: typeof BegunRecord.Type) => {
        if (startedAt !== undefined) this.restore({ startedAt })
      }
    )
  }

  /** Whether one of its activities is recorded or running. */
  get begun(): boolean {
    if (!this.hasBegun && this.joined?.begun === true) this.restore({ startedAt: this.joined.evaluation.startedMillis })
    return this.hasBegun
  }

  /** Called by its first activity: reports the start to observers, once, and returns its time. */
  begin(): number {
    if (!this.begun) {
      this.hasBegun = true
      const { telling } = this.evaluation.run
      if (telling !== undefined) reportStart(this.evaluation, telling)
    }
    return this.evaluation.startedMillis
  }

  /** Returns the recorded duration in nanoseconds, once: the end of a recorded step is reported by one process only. */
  duration({ startedMillis }: Evaluation): number | undefined {
    if (!this.unreported) return undefined
    this.markReported()
    return Math.max(0, (this.endedMillis ?? startedMillis) - startedMillis) * 1e6
  }

  /** Takes the start from a record: the clock of this process may differ. */
  restore({ startedAt }: { readonly startedAt: number }): void {
    const { evaluation } = this
    this.hasBegun = true
    evaluation.startedMillis = startedAt
    if (evaluation.isRun) evaluation.run.startedMillis = startedAt
  }

  restoreEnd(end: EndRecord): void {
    this.restore(end)
    this.evaluation.attempt = end.attempts
    const { detailed } = this.evaluation
    detailed.params = end.params
    // of this replay, and not of the attempt that is recorded
    detailed.bodyMillis = undefined
    detailed.notes = end.annotations
  }

  endRecordOf(
    exit: Exit.Exit<unknown, unknown>,
    endedAt: number,
    pendingHooks: ReadonlyArray<PendingHook>
  ): EndRecord {
    const { guard } = this.evaluation.run
    const shown = (values: Readonly<Record<string, unknown>>) => toJson(guard?.record(values) ?? values)
    return {
      exit,
      startedAt: this.begin(),
      endedAt,
      attempts: this.evaluation.attempt,
      params: shown(this.evaluation.params),
      annotations: shown(this.evaluation.details?.notes ?? {}),
      pendingHooks,
      ...toldField(this.evaluation, exit)
    }
  }

  /**
   * Lists the hooks that may run after an exit: after a success or an interruption that has required hooks also those
   * for a failure, since a required hook can make it one.
   */
  pendingAfter(exit: Exit.Exit<unknown, unknown>): ReadonlyArray<PendingHook> {
    const { ordinary, required } = this.evaluation.plan
    const outcome = outcomeOf(exit)
    const outcomes = outcome !== "failure" && required[outcome].length > 0 ? [outcome, "failure" as const] : [outcome]
    const planned = outcomes.flatMap((outcome) => [...required[outcome], ...ordinary[outcome]])
    return [...new Set(planned)].map(toPending)
  }

  /** Records the start, and then runs the start hooks and the body. */
  start(evaluation: Evaluation): AnyEffect {
    const { isRun, owner, plan } = evaluation
    const body = owner.label === "Pipeline"
      ? limitedRun({ evaluation, durable: this.durable, record: (...args) => this.record(...args) }, owner)
      : this.attempts?.() ?? owner.body
    const effect = startThenBody(evaluation, body)
    // Without start hooks the first attempt records the start, which saves an activity.
    if (!isRun && !plan.starts) return effect
    const start = this.record(`${this.key}/start`, StartRecord, Effect.sync(() => ({ startedAt: this.begin() })))
    return Effect.flatMap(start, (started) => {
      this.restore(started)
      return effect
    })
  }

  /** Runs the attempts of a step's body, each of them recorded. `undefined` for a run. */
  attempts: (() => AnyEffect) | undefined

  settle(evaluation: Evaluation, posts: Effect.Effect<void>): Effect.Effect<void> {
    // an error of the engine is a defect of the run; the cast: in a workflow the engine is in the context
    return evaluation.isRun
      ? Effect.orDie(this.record("run/settled", Schema.Void, posts)) as Effect.Effect<void>
      : posts
  }

  hook(evaluation: Evaluation, planned: Planned, occasion: Occasion): HookEnd | undefined {
    if (this.currentAttempt !== undefined) return runHook(evaluation, planned, occasion)
    const recorded = recordHook(this, planned, occasion)
    return planned.hook.background ? runInBackground(evaluation, planned, recorded) : recorded
  }

  /** Evaluates the body, and then runs the hooks. */
  get bodyAndHooks(): AnyEffect {
    return Effect.suspend(() => {
      this.durable.open.add(this)
      return Effect.onExit(
        Effect.flatMap(
          Effect.exit(this.evaluation),
          (exit) =>
            this.isSuspended(exit)
              ? exit
              : this.onOwnFiber(() =>
                Effect.andThen(
                  this.evaluation.isRun ? finishAbandoned(this.durable, this) : Effect.void,
                  this.finish(this.asEnd(exit))
                )
              )
        ),
        (exit) => {
          // The code around the step interrupted it, as the loser of a race, and not the engine.
          const cancelled = isInterrupted(exit) && !this.settled &&
            !this.isSuspended(exit) && !this.durable.released && !this.durable.instance.interrupted
          return cancelled ? Effect.asVoid(Effect.exit(this.onOwnFiber(() => this.finish(exit, true)))) : Effect.void
        }
      )
    })
  }

  /**
   * Runs the end of the step on a fiber of its own. An interruption of the code around the step waits until its hooks
   * have run; only `endingFibers` are interrupted when the run is released. On a fiber that has been interrupted, as the
   * step's own may be, no activity could run.
   */
  private onOwnFiber(ending: () => AnyEffect): AnyEffect {
    return Effect.uninterruptible(Effect.suspend(() => {
      this.evaluation.leave()
      return Effect.flatMap(
        Effect.forkDetach(Effect.interruptible(Effect.suspend(ending)), { startImmediately: true }),
        (fiber) => {
          this.durable.endingFibers.add(fiber)
          fiber.addObserver(() => this.durable.endingFibers.delete(fiber))
          return Effect.flatMap(
            Fiber.await(fiber),
            (exit) => this.isSuspended(exit) ? Workflow.suspend(this.instance) : exit
          )
        }
      )
    }))
  }

  /** Returns an exit with a defect where something that the body waited for was interrupted, and nothing else. */
  private asEnd(exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> {
    const { instance, released } = this.durable
    // an attempt has decided on its own fiber
    return this.recordedEnd !== undefined || released || instance.interrupted
      ? exit
      : withWaitInterrupted(this.evaluation.fiber, exit)
  }

  /**
   * Returns the exit of a step that was interrupted as the interruption of the fiber that evaluates it, as in memory. For
   * the code around it would otherwise be the interruption of another fiber, which is a failure.
   */
  private asOwn(exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> {
    return isInterrupted(exit) ? Exit.failCause(Cause.interrupt(this.evaluation.fiber.id)) : exit
  }

  /** Whether the exit is the engine's suspension of the run, and no end of the step. */
  private isSuspended(exit: Exit.Exit<unknown, unknown>): boolean {
    return (this.instance.suspended || this.durable.instance.suspended) && isInterrupted(exit)
  }

  /**
   * Records the end, unless an attempt has recorded it, and runs the pending hooks. Returns the exit for the caller.
   * `cancelled` says that the code around the step interrupted it.
   */
  finish(exit: Exit.Exit<unknown, unknown>, cancelled = false): AnyEffect {
    const { evaluation } = this
    evaluation.leave()
    if (evaluation.plan.defect !== undefined) return Effect.die(evaluation.plan.defect)
    return Effect.flatMap(
      this.recordedEnd === undefined ? this.recordEnd(exit, cancelled) : Effect.succeed(this.recordedEnd),
      (end) => {
        this.restoreEnd(end)
        this.endedMillis = end.endedAt
        const recorded = this.asOwn(end.exit as Exit.Exit<unknown, unknown>)
        const original = this.originalExit
        const shown = original !== undefined && Exit.isFailure(original) ? original : recorded
        const { questions } = this.durable.activities
        markTold(evaluation, recorded, end.told, "inner")
        return Effect.flatMap(
          Effect.andThen(
            Effect.andThen(
              questions.withdraw(evaluation.isRun ? "" : `${this.key}/`),
              this.keepPending(end.pendingHooks)
            ),
            Effect.suspend(() => Effect.exit(settleFully(evaluation, shown, outcomeOf(shown))))
          ),
          (hooks) => {
            // the code around gets the recorded errors, which are other objects than those that the hooks have told of
            if (shown !== recorded) markTold(evaluation, recorded, toldPositions(evaluation, shown), "own")
            this.settled = true
            this.markReported()
            this.durable.open.delete(this)
            const ended = Exit.isSuccess(hooks) ? recorded : withFailed(recorded, hooks.cause)
            return evaluation.isRun && isInterrupted(recorded)
              ? Effect.andThen(markInterrupted(this.durable), ended)
              : ended
          }
        )
      }
    )
  }

  private recordEnd(exit: Exit.Exit<unknown, unknown>, cancelled: boolean): Effect.Effect<EndRecord, unknown, any> {
    // A cancellation is recorded as the result of the attempt that is running, or would be next: otherwise a replay
    // would run that attempt.
    const name = cancelled ? this.key : `${this.key}/end`
    const attempt = cancelled ? this.nextAttempt : 1
    const ended = (exit: Exit.Exit<unknown, unknown>) =>
      Effect.map(Clock.currentTimeMillis, (now): EndRecord => {
        this.keepOriginal(name, attempt, exit)
        return {
          ...this.endRecordOf(exit, now, this.pendingAfter(exit)),
          ...cancelled ? { cancelled } : undefined
        }
      })
    const execute = ended(exit)
    if (cancelled) this.cancellation.cancel(execute)
    // An exit that its schema does not fit can't be stored: the step ends with that defect.
    const end = Effect.catchDefect(
      this.record(name, this.storage.end, execute, attempt),
      (defect) => ended(Exit.die(defect))
    )
    return Effect.map(end, (recorded) => {
      this.recallOriginal(name, attempt)
      return recorded
    })
  }

  /** Restricts the plan to the hooks that the record names, and warns of those that the code no longer has. */
  keepPending(pending: ReadonlyArray<PendingHook>): Effect.Effect<void> {
    const { evaluation } = this
    const { ordinary, required, retry } = evaluation.plan
    const all = [retry, ...[ordinary, required].flatMap((table) => Object.values(table))].flat()
    const { found, missing } = matchPending(all, pending)
    const keep = (planned: ReadonlyArray<Planned>) => planned.flatMap((one) => found.get(one) ?? [])
    const byOutcome = (table: Plan["ordinary"]): Plan["ordinary"] => ({
      success: keep(table.success),
      failure: keep(table.failure),
      interrupt: keep(table.interrupt)
    })
    evaluation.plan = {
      ...evaluation.plan,
      ordinary: byOutcome(ordinary),
      required: byOutcome(required)
    }
    return missing.length === 0 ? Effect.void : Writer.logWarning(
      `effect-epilogue: ${evaluation.owner.label} "${evaluation.owner.name}" skips pending hooks that the code no longer has: ${
        missing.map(({ kind, name }) => `${name} (${kind})`).join(", ")
      }`
    )
  }
}
