/**
 * Evaluates a step, or a run, whose progress is recorded: each part of it is an activity of a workflow, which is not
 * executed again once its result is recorded. The code around it is evaluated anew whenever the workflow resumes, after
 * a crash or a suspension, and reads what is recorded already.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { Evaluation, type HookEnd, type Keeper } from "../../../internal/engine/evaluation.ts"
import { runHook, runInBackground } from "../../../internal/engine/hookRunner.ts"
import { withWaitInterrupted } from "../../../internal/engine/interruption.ts"
import { reportStart, runStartHooks, startThenBody } from "../../../internal/engine/life.ts"
import { isInterrupted, type RequiredFailures } from "../../../internal/engine/outcome.ts"
import { Rollback } from "../../../internal/engine/rollback.ts"
import { closeOpen } from "../../../internal/engine/rollingBack.ts"
import { linkSpan, spanReference } from "../../../internal/engine/spans.ts"
import { currentView } from "../../../internal/engine/view.ts"
import type { Occasion } from "../../../internal/model/hook.ts"
import type { OverdueKept } from "../../../internal/model/overdue.ts"
import type { PipelineOwner, StepOwner } from "../../../internal/model/owner.ts"
import type { Planned } from "../../../internal/model/plan.ts"
import { activityKey } from "../activityKey.ts"
import { type EndRecord, type InterruptedBy, type Placed, StartRecord } from "../stored/records.ts"
import type { Problem } from "../stored/unstorable.ts"
import { withoutSecrets } from "../stored/withoutSecrets.ts"
import { activity, type RecordOptions } from "./activity.ts"
import { type ActivityOwner, overdueOf } from "./activityFibers.ts"
import { recallBegun } from "./begun.ts"
import { Cancellation } from "./cancellation.ts"
import { aboutOf } from "./codeChanges.ts"
import { recordCondition } from "./condition.ts"
import { deferrable } from "./deferrable.ts"
import { Ending } from "./ending.ts"
import { recordHook } from "./hooks.ts"
import { Originals } from "./originals.ts"
import { onOwnFiber } from "./ownFiber.ts"
import { orSetAside, replayed, tellOneOfMany } from "./replay.ts"
import { type DurableRun, finishAbandoned, type OpenEvaluation, placeOf } from "./run.ts"
import { limitedRun } from "./runLimit.ts"
import { escapePart } from "./stepKeys.ts"
import { unstorableEnd } from "./unstorableEnd.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** How the end of a step or run is stored. */
export interface StorageOptions {
  /** The schema of an `EndRecord`. */
  readonly end: Schema.Top
  /** The schema of the exit of a step's condition. A run has none. */
  readonly condition?: Schema.Top | undefined
  /** How many crashes a step may have and begin again, if that is set. */
  readonly crashes?: number | undefined
}

/** The keeper of one evaluation of a step, or of a run: it records the parts of that. */
export class DurableKeeper implements Keeper, ActivityOwner, OpenEvaluation {
  readonly evaluation: Evaluation
  /** Never: in the body of a run a plain step is a mistake, and in one of its hooks it is not. */
  readonly sharesContext = false
  readonly isRecorded = true
  /** The recorded end. */
  endedMillis: number | undefined
  readonly durable: DurableRun
  readonly storage: StorageOptions
  /** The run's instance, or the copy that each arm of a durable race has. */
  readonly instance: WorkflowInstance["Service"]
  /** The prefix of the names of its activities. */
  readonly key: string
  /** The place of the step in the body, as a field of its records. */
  placed: Placed = {}
  /** Whether nothing but its order tells it from an evaluation of its name before it. */
  private isOneOfMany = false
  private hasBegun = false
  /** The earlier evaluation of the same step whose activity this one joined. */
  private joined: ActivityOwner | undefined
  readonly originals: Originals
  /** The attempt that is running, if one is: all that happens in it is part of one activity. */
  currentAttempt: number | undefined = undefined
  cancellation = new Cancellation()
  /** The first attempt that is not recorded yet. */
  nextAttempt = 1
  /** How many times each question has been asked in the current attempt, or outside of attempts. */
  readonly timesAsked: Map<string, number> = new Map()
  /** The start of the first attempt, from which the time limit of all counts, through crashes too. */
  firstStartedAt: number | undefined
  /** The recorded end of the last start hook, and the start of the body after that, once it has begun. */
  startHookEndedAt: number | undefined
  private bodyFrom: number | undefined
  private readonly ending: Ending = new Ending(this)
  /** Whether its end is recorded and its hooks have run. */
  settled = false
  recordedEnd: EndRecord | undefined

  constructor(
    owner: StepOwner | PipelineOwner,
    fiber: Fiber.Fiber<unknown, unknown>,
    durable: DurableRun,
    storage: StorageOptions
  ) {
    const evaluation = new Evaluation(owner, fiber, this, currentView(fiber))
    this.evaluation = evaluation
    this.durable = durable
    this.originals = new Originals(durable.activities)
    this.storage = storage
    // `Durable.step` requires the instance, and a workflow's body has one
    this.instance = Context.getUnsafe(fiber.context, WorkflowInstance)
    if (evaluation.owner.label === "Pipeline") {
      this.key = "run"
      const { run } = evaluation
      run.rollback = new Rollback(true)
      // what an earlier evaluation of the body has made secret is in the records, and this one may come to it later
      const guard = durable.kept.run?.guard
      if (guard !== undefined) run.guardBy(guard)
      durable.kept.run = run
    } else {
      const next = durable.keys.next(owner.name, evaluation.owner.key, fiber)
      this.key = `step/${"key" in next ? next.key : owner.name}`
      const about = aboutOf(evaluation)
      const place = "mistake" in next
        ? new TypeError(`Step ${JSON.stringify(owner.name)}: ${next.mistake}`)
        : placeOf(durable, next.key, fiber, about)
      this.isOneOfMany = about === undefined && evaluation.owner.key === undefined && "key" in next &&
        next.key.endsWith("#2")
      if (typeof place === "object") evaluation.plan = { ...evaluation.plan, defect: place }
      else if (place !== undefined) this.placed = { order: place, ...(about === undefined ? {} : { about }) }
    }
  }

  /** Of this process: a restart tells once more. */
  get overdueKept(): OverdueKept {
    return overdueOf(this.durable.kept, this.key)
  }

  get crashLimit(): number {
    return this.storage.crashes ?? this.durable.crashLimit
  }

  /** Executes an effect as an activity; once its result is recorded, reads that instead. */
  record(
    name: string,
    schema: Schema.Top,
    execute: AnyEffect,
    options: RecordOptions = {}
  ): AnyEffect {
    const key = activityKey(name, options.attempt ?? 1)
    const executed = activity({ ...options, name, schema, execute })
    // attempts, and the cancellation of one, are recorded under the evaluation's own key
    const recorded = this.runActivity(key, executed, name === this.key)
    return this.durable.replay.has(key) ? orSetAside(this, name, recorded) : recorded
  }

  /** Records the end of the step or of an attempt. One that can't be stored is replaced by the failure that says so. */
  recordEndOf(
    name: string,
    execute: AnyEffect,
    attempt: number,
    annotations?: Context.Context<never>
  ): AnyEffect {
    const replace = (end: EndRecord) => (problem: Problem) =>
      Effect.sync(() => {
        const replaced = unstorableEnd(this.evaluation, end, problem)
        this.originals.keep(name, attempt, replaced.exit as Exit.Exit<unknown, unknown>)
        return this.stored(replaced)
      })
    const stored = Effect.map(execute, (end: EndRecord) => this.stored(end))
    return this.record(name, this.storage.end, stored, { attempt, annotations, replace })
  }

  /** Returns an end as it is stored. */
  private stored(end: EndRecord): EndRecord {
    // the cast: that is what the schema of the record is of
    return { ...end, exit: withoutSecrets(end.exit as Exit.Exit<unknown, unknown>, this.evaluation.run.guard) }
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

  get recallBegun(): AnyEffect {
    return recallBegun(this)
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
      const { isRun, run: { telling } } = this.evaluation
      // an earlier evaluation may have told of a step's start that is not recorded yet
      if (telling !== undefined && (isRun || this.durable.activities.isNewStart(this.key))) {
        reportStart(this.evaluation, telling)
      }
    }
    return this.evaluation.startedMillis
  }

  /**
   * Returns the recorded duration in nanoseconds, once: the end of a recorded step is reported by the process that has
   * recorded it, and by one that has told of its start and lost the run meanwhile, as a body does that blocks the thread.
   */
  duration({ isRun, startedMillis }: Evaluation): number | undefined {
    const isOpen = this.durable.activities.forgetStart(this.key)
    if (!isOpen && !this.originals.isUnreported) return undefined
    this.originals.markReported()
    const from = isRun ? startedMillis : this.bodyFrom ?? startedMillis
    return Math.max(0, (this.endedMillis ?? from) - from) * 1e6
  }

  /** Takes the start of the body from the records of its start hooks, since the body may be evaluated anew. */
  beginBody(): number {
    this.ending.underWay = undefined
    return this.bodyFrom = this.startHookEndedAt ?? this.evaluation.startedMillis
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
    // not of this replay, but of the attempt that is recorded
    detailed.bodyMillis = end.bodyAt ?? this.bodyFrom
    detailed.notes = end.annotations
  }

  /** Records the start, and then runs the start hooks and the body. */
  start(evaluation: Evaluation): AnyEffect {
    const { isRun, owner, plan } = evaluation
    const body = owner.label === "Pipeline"
      ? limitedRun({ evaluation, durable: this.durable, record: (...args) => this.record(...args) }, owner)
      : this.attempts?.() ?? owner.body
    const evaluated = startThenBody(evaluation, isRun ? replayed(this, body) : body)
    const effect = this.isOneOfMany ? Effect.andThen(tellOneOfMany(this.durable, owner.name), evaluated) : evaluated
    // Without start hooks the first attempt records the start, which saves an activity.
    if (!isRun && !plan.starts) return effect
    const { code } = this.durable
    // read here: the activity is executed on a fiber of its own
    const span = isRun ? spanReference(evaluation.fiber) : undefined
    const execute = Effect.sync(() => ({
      startedAt: this.begin(),
      ...(isRun ? { code: code.mark } : this.placed),
      ...(span === undefined ? {} : { span })
    }))
    const start = this.record(`${this.key}/start`, StartRecord, execute, { annotations: deferrable })
    return Effect.flatMap(start, (started: typeof StartRecord.Type) => {
      this.restore(started)
      if (isRun) code.hasChanged = started.code !== undefined && started.code !== code.mark
      if (started.span !== undefined) linkSpan(evaluation.fiber, started.span)
      return effect
    })
  }

  condition(condition: AnyEffect): AnyEffect {
    return recordCondition(this, condition)
  }

  /** Runs the attempts of a step's body, each of them recorded. `undefined` for a run. */
  attempts: (() => AnyEffect) | undefined

  settle(evaluation: Evaluation, posts: Effect.Effect<void>): Effect.Effect<void> {
    // an error of the engine is a defect of the run; the cast: in a workflow the engine is in the context
    return evaluation.isRun
      ? Effect.orDie(this.record("run/settled", Schema.Void, posts, { annotations: deferrable })) as Effect.Effect<void>
      : posts
  }

  hook(evaluation: Evaluation, planned: Planned, occasion: Occasion): HookEnd | undefined {
    if (this.currentAttempt !== undefined) return runHook(evaluation, planned, occasion)
    if (planned.hook.kind === "start") this.ending.underWay ??= () => runStartHooks(evaluation)
    const recorded = planned.hook.kind === "rollback"
      // the instance of the step may have been that of an arm of a race, which has ended
      ? Effect.provideService(recordHook(this, planned, occasion), WorkflowInstance, this.durable.instance)
      : recordHook(this, planned, occasion)
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
          if (cancelled) return Effect.asVoid(Effect.exit(this.onOwnFiber(() => this.finish(exit, "caller"))))
          // where the run goes on later, nothing stays open for a rollback
          return this.evaluation.isRun && !this.durable.instance.interrupted ? closeOpen(this.evaluation) : Effect.void
        }
      )
    })
  }

  /** Called after the body. Secrets may have been given in an evaluation whose activity this one joined. */
  private leave(): void {
    const { joined, evaluation } = this
    const guard = joined?.evaluation.run.guard
    if (guard !== undefined) evaluation.run.guardBy(guard)
    evaluation.leave()
  }

  private onOwnFiber(ending: () => AnyEffect): AnyEffect {
    return Effect.suspend(() => {
      this.leave()
      return this.apart(ending)
    })
  }

  private apart(hooks: () => AnyEffect): AnyEffect {
    const { instance, released } = this.durable
    // the next evaluation ends what has not begun to end
    if (released && !instance.interrupted) return Effect.interrupt
    return onOwnFiber(this.durable, hooks, (exit) => this.isSuspended(exit) ? Workflow.suspend(this.instance) : exit)
  }

  /** Runs the hooks of a failed attempt to their end, whatever interrupts the step but the engine. */
  betweenAttempts(hooks: () => Effect.Effect<RequiredFailures>): AnyEffect {
    this.ending.underWay = hooks
    return Effect.tap(this.apart(hooks), () => Effect.sync(() => this.ending.underWay = undefined))
  }

  /** Returns an exit with a defect where something that the body waited for was interrupted, and nothing else. */
  private asEnd(exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> {
    const { instance, released } = this.durable
    // an attempt has decided on its own fiber
    return this.recordedEnd !== undefined || released || instance.interrupted
      ? exit
      : withWaitInterrupted(this.evaluation.fiber, exit)
  }

  /** Whether the exit is the engine's suspension of the run, and no end of the step. */
  private isSuspended(exit: Exit.Exit<unknown, unknown>): boolean {
    return (this.instance.suspended || this.durable.instance.suspended) && isInterrupted(exit)
  }

  /** Ends the evaluation, unless it has ended. `by` is the origin of an interruption with which no attempt has ended. */
  finish(exit: Exit.Exit<unknown, unknown>, by?: InterruptedBy): AnyEffect {
    const { plan } = this.evaluation
    this.leave()
    // a run has no attempts
    return plan.defect === undefined ? this.ending.end(exit, this.attempts && by) : Effect.die(plan.defect)
  }
}
