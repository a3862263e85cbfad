/**
 * Evaluates a step, or a run, whose progress is recorded: each part of it is an activity of a workflow, which is not
 * executed again once its result is recorded. The code around it is evaluated anew whenever the workflow resumes, after
 * a crash or a suspension, and reads what is recorded already.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { type Details, Evaluation } from "../../../internal/engine/evaluation.ts"
import { goOnWithout, type HookFailure } from "../../../internal/engine/hookRunner.ts"
import { isInterrupted, outcomeOf, withFailed } from "../../../internal/engine/outcome.ts"
import type { Occasion } from "../../../internal/model/hook.ts"
import type { PipelineOwner, StepOwner } from "../../../internal/model/owner.ts"
import type { Plan, Planned } from "../../../internal/model/plan.ts"
import { BegunRecord, type EndRecord, type PendingHook, StartRecord, toJson } from "../stored/records.ts"
import type { ActivityOwner } from "./activityFibers.ts"
import { Cancellation } from "./cancellation.ts"
import { recordHook } from "./hooks.ts"
import { matchPending, toPending } from "./pendingHooks.ts"
import { type DurableRun, finishAbandoned, markInterrupted, type OpenEvaluation } from "./run.ts"
import { escapePart } from "./stepKeys.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** How the end of a step or run is stored, and the step's key. */
export interface StorageOptions {
  /** The schema of an `EndRecord`. */
  readonly end: Schema.Top
  readonly key: string | undefined
}

const activityKey = (name: string, attempt: number): string => `${name}/${attempt}`

export class DurableEvaluation extends Evaluation implements ActivityOwner, OpenEvaluation {
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
    super(owner, fiber)
    this.durable = durable
    this.storage = storage
    // `Durable.step` requires the instance, and a workflow's body has one
    this.instance = Context.getUnsafe(fiber.context, WorkflowInstance)
    if (this.isRun) {
      this.key = "run"
    } else {
      const next = durable.keys.next(this.owner.name, storage.key, fiber)
      this.key = `step/${"key" in next ? next.key : this.owner.name}`
      if ("mistake" in next) {
        this.plan = {
          ...this.plan,
          defect: new TypeError(`Step ${JSON.stringify(this.owner.name)}: ${next.mistake}`)
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

  get sharedDetails(): Details {
    return this.detailed
  }

  /** Adopts the state of the evaluation that started the activity which this one waits for. */
  join(earlier: ActivityOwner): void {
    this.joined = earlier
    this.cancellation = earlier.cancellation
    this.details = earlier.sharedDetails
    this.attempt = earlier.attempt
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
      Effect.asVoid(this.begunRecord(Effect.succeed({ startedAt: this.startedMillis })))
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
    if (!this.hasBegun && this.joined?.begun === true) this.restore({ startedAt: this.joined.startedMillis })
    return this.hasBegun
  }

  /** Called by its first activity: reports the start to observers, once, and returns its time. */
  begin(): number {
    if (!this.begun) {
      this.hasBegun = true
      super.emitStarted()
    }
    return this.startedMillis
  }

  /** Does nothing: {@link begin} reports the start. */
  protected override emitStarted(): void {}

  protected override emitEnded(...args: Parameters<Evaluation["emitEnded"]>): void {
    if (this.unreported) super.emitEnded(...args)
    this.markReported()
  }

  protected override endRun(...args: Parameters<Evaluation["endRun"]>): Effect.Effect<void> {
    return this.unreported ? super.endRun(...args) : Effect.void
  }

  protected override nanosUntil(): number {
    return Math.max(0, (this.endedMillis ?? this.startedMillis) - this.startedMillis) * 1e6
  }

  /** Takes the start from a record: the clock of this process may differ. */
  restore({ startedAt }: { readonly startedAt: number }): void {
    this.hasBegun = true
    this.startedMillis = startedAt
    if (this.isRun) this.run.startedMillis = startedAt
  }

  restoreEnd(end: EndRecord): void {
    this.restore(end)
    this.attempt = end.attempts
    this.detailed.params = end.params
    this.detailed.notes = end.annotations
  }

  endRecordOf(
    exit: Exit.Exit<unknown, unknown>,
    endedAt: number,
    pendingHooks: ReadonlyArray<PendingHook>
  ): EndRecord {
    return {
      exit,
      startedAt: this.begin(),
      endedAt,
      attempts: this.attempt,
      params: toJson(this.params),
      annotations: toJson(this.details?.notes ?? {}),
      pendingHooks
    }
  }

  /**
   * Lists the hooks that may run after an exit: after a success that has required hooks also those for a failure, since
   * a required hook can fail it.
   */
  pendingAfter(exit: Exit.Exit<unknown, unknown>): ReadonlyArray<PendingHook> {
    const { ordinary, required } = this.plan
    const outcome = outcomeOf(exit)
    const outcomes = outcome === "success" && required.success.length > 0 ? [outcome, "failure" as const] : [outcome]
    const planned = outcomes.flatMap((outcome) => [...required[outcome], ...ordinary[outcome]])
    return [...new Set(planned)].map(toPending)
  }

  override asEffect(): Effect.Effect<unknown, unknown, unknown> {
    const effect = super.asEffect()
    // hooks never share the view of the body: in the body of a run a plain step is a mistake, in a hook it is not
    this.lazyHookView = undefined
    this.lazyHookContext = undefined
    // Without start hooks the first attempt records the start, which saves an activity.
    if (!this.isRun && !this.plan.starts) return effect
    const start = this.record(`${this.key}/start`, StartRecord, Effect.sync(() => ({ startedAt: this.begin() })))
    return Effect.flatMap(start, (started) => {
      this.restore(started)
      return effect
    })
  }

  protected override get body(): Effect.Effect<unknown, unknown, any> {
    return this.attempts?.() ?? super.body
  }

  /** Runs the attempts of a step's body, each of them recorded. `undefined` for a run. */
  attempts: (() => AnyEffect) | undefined

  override runHook(planned: Planned, occasion: Occasion): Effect.Effect<HookFailure> | undefined {
    if (this.currentAttempt !== undefined) return super.runHook(planned, occasion)
    const recorded = recordHook(this, planned, occasion)
    return planned.hook.background ? goOnWithout(this, recorded) : recorded
  }

  /** Evaluates the body, and then runs the hooks. */
  get bodyAndHooks(): AnyEffect {
    return Effect.suspend(() => {
      this.durable.open.add(this)
      return Effect.onExit(
        Effect.flatMap(
          Effect.exit(this),
          (exit) =>
            this.isSuspended(exit)
              ? exit
              : this.onOwnFiber(() =>
                Effect.andThen(this.isRun ? finishAbandoned(this.durable, this) : Effect.void, this.finish(exit))
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
      this.leave()
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

  /** Whether the exit is the engine's suspension of the run, and no end of the step. */
  private isSuspended(exit: Exit.Exit<unknown, unknown>): boolean {
    return (this.instance.suspended || this.durable.instance.suspended) && isInterrupted(exit)
  }

  /**
   * Records the end, unless an attempt has recorded it, and runs the pending hooks. Returns the exit for the caller.
   * `cancelled` says that the code around the step interrupted it.
   */
  finish(exit: Exit.Exit<unknown, unknown>, cancelled = false): AnyEffect {
    this.leave()
    if (this.plan.defect !== undefined) return Effect.die(this.plan.defect)
    return Effect.flatMap(
      this.recordedEnd === undefined ? this.recordEnd(exit, cancelled) : Effect.succeed(this.recordedEnd),
      (end) => {
        this.restoreEnd(end)
        this.endedMillis = end.endedAt
        const recorded = end.exit as Exit.Exit<unknown, unknown>
        const original = this.originalExit
        const shown = original !== undefined && Exit.isFailure(original) ? original : recorded
        return Effect.flatMap(
          Effect.andThen(
            this.keepPending(end.pendingHooks),
            Effect.suspend(() => Effect.exit(this.settleFully(shown, outcomeOf(shown))))
          ),
          (hooks) => {
            this.settled = true
            this.markReported()
            this.durable.open.delete(this)
            const ended = Exit.isSuccess(hooks) ? recorded : withFailed(recorded, hooks.cause)
            return this.isRun && isInterrupted(recorded)
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
    const { ordinary, required, retry } = this.plan
    const all = [retry, ...[ordinary, required].flatMap((table) => Object.values(table))].flat()
    const { found, missing } = matchPending(all, pending)
    const keep = (planned: ReadonlyArray<Planned>) => planned.flatMap((one) => found.get(one) ?? [])
    const byOutcome = (table: Plan["ordinary"]): Plan["ordinary"] => ({
      success: keep(table.success),
      failure: keep(table.failure),
      interrupt: keep(table.interrupt)
    })
    this.plan = {
      ...this.plan,
      ordinary: byOutcome(ordinary),
      required: byOutcome(required)
    }
    return missing.length === 0 ? Effect.void : Effect.logWarning(
      `effect-epilogue: ${this.owner.label} "${this.owner.name}" skips pending hooks that the code no longer has: ${
        missing.map(({ kind, name }) => `${name} (${kind})`).join(", ")
      }`
    )
  }
}
