/**
 * The evaluation of a step, or of a run, whose moves are stored: each of them is an activity of a workflow, which is
 * not executed again once it is recorded. The code around it is evaluated anew whenever the workflow goes on, after a
 * crash or a suspension, and finds what is recorded already.
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
import { Evaluation, type PipelineOwner, type StepOwner } from "../../../internal/engine/evaluation.ts"
import { type Failed, goOnWithout } from "../../../internal/engine/hookRunner.ts"
import { isInterrupted, outcomeOf, withFailed } from "../../../internal/engine/outcome.ts"
import type { Occasion } from "../../../internal/model/hook.ts"
import type { Plan, Planned } from "../../../internal/model/hooks.ts"
import { Begun, type Fact, type Owed, Started, toJson } from "../stored/records.ts"
import { LeftOff } from "./cancellation.ts"
import { recordHook } from "./hooks.ts"
import { findOwed, toOwed } from "./pendingHooks.ts"
import { type DurableRun, endInterrupted, endLeftBehind } from "./run.ts"
import { part } from "./stepKeys.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** How an owner's moves are stored. */
export interface Storing {
  readonly fact: Schema.Top
  readonly key: string | undefined
}

const moveOf = (name: string, attempt: number): string => `${name}/${attempt}`

export class DurableEvaluation extends Evaluation {
  readonly durable: DurableRun
  readonly storing: Storing
  /** That of the run, or a copy, as an arm of a durable race has one of its own. */
  readonly instance: WorkflowInstance["Service"]
  /** What its activities are called by. */
  readonly key: string
  private begunHere = false
  /** The evaluation before this one, which began what this one joined. */
  private joined: DurableEvaluation | undefined
  /** What its last move that was recorded is called by. */
  private recalled = ""
  /** While an attempt runs, which is one activity with all that it does: which one. */
  attemptUnderWay: number | undefined = undefined
  leftOff = new LeftOff()
  /** The first attempt that is not recorded yet. */
  attempting = 1
  /** How often each question has been come to. */
  readonly asked: Map<string, number> = new Map()
  /** Whether its end has been seen to, hooks and all. */
  settled = false
  fact: Fact | undefined
  /** The exit of its body as it was before it was stored: an error still has its stack. */
  original: Exit.Exit<unknown, unknown> | undefined

  constructor(
    owner: StepOwner | PipelineOwner,
    fiber: Fiber.Fiber<unknown, unknown>,
    durable: DurableRun,
    storing: Storing
  ) {
    super(owner, fiber)
    this.durable = durable
    this.storing = storing
    // a workflow's body has one: types say so
    this.instance = Context.getUnsafe(fiber.context, WorkflowInstance)
    if (this.isRun) {
      this.key = "run"
    } else {
      const next = durable.keys.next(this.owner.name, storing.key, fiber)
      this.key = `step/${"key" in next ? next.key : this.owner.name}`
      if ("mistake" in next) {
        this.plan = {
          ...this.plan,
          defect: new TypeError(`Step ${JSON.stringify(this.owner.name)}: ${next.mistake}`)
        }
      }
    }
  }

  /** Does something once: afterwards its result is read. */
  record(name: string, schema: Schema.Top, execute: AnyEffect, attempt = 1): AnyEffect {
    // What an activity's execution fails with is the engine's own interruption.
    const activity = Activity.make({ name, success: schema, execute: execute as Effect.Effect<any, never, any> })
    const move = Effect.provideService(activity, Activity.CurrentAttempt, attempt)
    // attempts have the name of the step, and what ends one in its place
    return this.once(moveOf(name, attempt), move, name === this.key)
  }

  /** From what is recorded: how it ended, before that was stored. It is known here until observers are told. */
  keepUntold(name: string, attempt: number, exit: Exit.Exit<unknown, unknown>): void {
    this.durable.ongoing.untold.set(moveOf(name, attempt), exit)
  }

  recallUntold(name: string, attempt: number): void {
    this.recalled = moveOf(name, attempt)
    this.original = this.durable.ongoing.untold.get(this.recalled)
  }

  /** Whether its end came in this process, and observers have not been told: it is not read from a record. */
  get fresh(): boolean {
    return this.durable.ongoing.untold.has(this.recalled)
  }

  told(): void {
    this.durable.ongoing.untold.delete(this.recalled)
  }

  /** An activity, which goes on where the next evaluation of the run follows at once. */
  once(name: string, activity: AnyEffect, isBody = false): AnyEffect {
    return this.durable.ongoing.once(name, activity, this, isBody)
  }

  /** It is the same step: what goes on is begun and annotated there, and left off here. */
  join(by: DurableEvaluation): void {
    this.joined = by
    this.leftOff = by.leftOff
    this.details = by.detailed
    this.attempt = by.attempt
  }

  /** What a question is stored by: a body that has to run again asks the same, the attempt after it asks anew. */
  questionName(title: string): string {
    const name = `${this.key}/ask/${this.attemptUnderWay ?? "-"}/${part(title)}`
    const times = (this.asked.get(name) ?? 0) + 1
    this.asked.set(name, times)
    return times === 1 ? name : `${name}#${times}`
  }

  private begunMark(execute: Effect.Effect<typeof Begun.Type>): AnyEffect {
    return this.record(`${this.key}/begun`, Begun, execute)
  }

  /** For an attempt that waits for something: nothing else that is stored says that it runs. */
  get markBegun(): Effect.Effect<void> {
    // what is stored can be, and an engine is there
    return Effect.orDie(
      Effect.asVoid(this.begunMark(Effect.succeed({ startedAt: this.startedMillis })))
    ) as Effect.Effect<void>
  }

  /** When the run is at its end: whether the step is marked as begun. */
  get askBegun(): AnyEffect {
    return this.begun ? Effect.void : Effect.map(
      this.begunMark(Effect.succeed({})),
      ({ startedAt }: typeof Begun.Type) => {
        if (startedAt !== undefined) this.restore({ startedAt })
      }
    )
  }

  /** Whether anything of it is recorded or under way. */
  get begun(): boolean {
    if (!this.begunHere && this.joined?.begun === true) this.restore({ startedAt: this.joined.startedMillis })
    return this.begunHere
  }

  /** From its first activity: observers are told that it started. */
  begin(): number {
    if (!this.begun) {
      this.begunHere = true
      super.emitStarted()
    }
    return this.startedMillis
  }

  /** Observers are told by {@link begin}, once. */
  protected override emitStarted(): void {}

  protected override emitEnded(...args: Parameters<Evaluation["emitEnded"]>): void {
    if (this.fresh) super.emitEnded(...args)
    this.told()
  }

  protected override endRun(...args: Parameters<Evaluation["endRun"]>): Effect.Effect<void> {
    return this.fresh ? super.endRun(...args) : Effect.void
  }

  protected override nanosUntil(): number {
    return Math.max(0, (this.endedMillis ?? this.startedMillis) - this.startedMillis) * 1e6
  }

  /** What is recorded holds, whatever this process makes of it. */
  restore({ startedAt }: { readonly startedAt: number }): void {
    this.begunHere = true
    this.startedMillis = startedAt
    if (this.isRun) this.run.startedMillis = startedAt
  }

  restoreFact(fact: Fact): void {
    this.restore(fact)
    this.attempt = fact.attempts
    this.detailed.params = fact.params
    this.detailed.notes = fact.annotations
  }

  /** What is to be recorded of an exit. */
  factOf(exit: Exit.Exit<unknown, unknown>, endedAt: number, owes: ReadonlyArray<Owed>): Fact {
    return {
      exit,
      startedAt: this.begin(),
      endedAt,
      attempts: this.attempt,
      params: toJson(this.params),
      annotations: toJson(this.details?.notes ?? {}),
      owes
    }
  }

  /** The hooks that follow an exit: all that may, since a required one can make a failure of a success. */
  owedAfter(exit: Exit.Exit<unknown, unknown>): ReadonlyArray<Owed> {
    const { ordinary, required } = this.plan
    const outcome = outcomeOf(exit)
    const outcomes = outcome === "success" && required.success.length > 0 ? [outcome, "failure" as const] : [outcome]
    const planned = outcomes.flatMap((outcome) => [...required[outcome], ...ordinary[outcome]])
    return [...new Set(planned)].map(toOwed)
  }

  override asEffect(): Effect.Effect<unknown, unknown, unknown> {
    const effect = super.asEffect()
    // never those of the body, in which other things are right and wrong
    this.lazyHookView = undefined
    this.lazyHookContext = undefined
    // A step with nothing before its body starts with its first attempt.
    if (!this.isRun && !this.plan.starts) return effect
    const start = this.record(`${this.key}/start`, Started, Effect.sync(() => ({ startedAt: this.begin() })))
    return Effect.flatMap(start, (started) => {
      this.restore(started)
      return effect
    })
  }

  protected override get body(): Effect.Effect<unknown, unknown, any> {
    return this.attempts?.() ?? super.body
  }

  /** The attempts of a step's body, each of them recorded. */
  attempts: (() => AnyEffect) | undefined

  override runHook(planned: Planned, occasion: Occasion): Effect.Effect<Failed> | undefined {
    if (this.attemptUnderWay !== undefined) return super.runHook(planned, occasion)
    const recorded = recordHook(this, planned, occasion)
    return planned.hook.background ? goOnWithout(this, recorded) : recorded
  }

  /** The body, and then its hooks. */
  get whole(): AnyEffect {
    return Effect.suspend(() => {
      this.durable.open.add(this)
      return Effect.onExit(
        Effect.flatMap(
          Effect.exit(this),
          (exit) =>
            this.isParked(exit)
              ? exit
              : this.apart(() =>
                Effect.andThen(this.isRun ? endLeftBehind(this.durable, this) : Effect.void, this.finish(exit))
              )
        ),
        (exit) => {
          // It was interrupted by the code around it, as whoever loses a race is, and by nothing from without.
          const alone = isInterrupted(exit) && !this.settled &&
            !this.isParked(exit) && !this.durable.released && !this.durable.instance.interrupted
          return alone ? Effect.asVoid(Effect.exit(this.apart(() => this.finish(exit, true)))) : Effect.void
        }
      )
    })
  }

  /**
   * On a fiber of its own: what interrupts the code around a step waits until its hooks have run, and only what lets go
   * of the run ends them. On one that has been interrupted no activity could run.
   */
  private apart(ending: () => AnyEffect): AnyEffect {
    return Effect.uninterruptible(Effect.suspend(() => {
      this.leave()
      return Effect.flatMap(
        Effect.forkDetach(Effect.interruptible(Effect.suspend(ending)), { startImmediately: true }),
        (fiber) => {
          this.durable.ending.add(fiber)
          fiber.addObserver(() => this.durable.ending.delete(fiber))
          return Effect.flatMap(
            Fiber.await(fiber),
            (exit) => this.isParked(exit) ? Workflow.suspend(this.instance) : exit
          )
        }
      )
    }))
  }

  /** Whether it waits for something that may take days. What it did so far is recorded; the rest is done anew then. */
  private isParked(exit: Exit.Exit<unknown, unknown>): boolean {
    return (this.instance.suspended || this.durable.instance.suspended) && isInterrupted(exit)
  }

  /** Records how it ended, unless an attempt did so, and runs the hooks that this owes. Gives what the caller gets. */
  finish(exit: Exit.Exit<unknown, unknown>, leftOff = false): AnyEffect {
    this.leave()
    if (this.plan.defect !== undefined) return Effect.die(this.plan.defect)
    return Effect.flatMap(
      this.fact === undefined ? this.recordEnd(exit, leftOff) : Effect.succeed(this.fact),
      (fact) => {
        this.restoreFact(fact)
        this.endedMillis = fact.endedAt
        const recorded = fact.exit as Exit.Exit<unknown, unknown>
        const shown = this.original !== undefined && Exit.isFailure(this.original) ? this.original : recorded
        return Effect.flatMap(
          Effect.andThen(
            this.keepOwed(fact.owes),
            Effect.suspend(() => Effect.exit(this.settleFully(shown, outcomeOf(shown))))
          ),
          (hooks) => {
            this.settled = true
            this.told()
            this.durable.open.delete(this)
            const ended = Exit.isSuccess(hooks) ? recorded : withFailed(recorded, hooks.cause)
            return this.isRun && isInterrupted(recorded)
              ? Effect.andThen(endInterrupted(this.durable), ended)
              : ended
          }
        )
      }
    )
  }

  private recordEnd(exit: Exit.Exit<unknown, unknown>, leftOff: boolean): Effect.Effect<Fact, unknown, any> {
    // recorded as the attempt that was left off, or would have been next, lest it run
    const name = leftOff ? this.key : `${this.key}/end`
    const attempt = leftOff ? this.attempting : 1
    const ended = (exit: Exit.Exit<unknown, unknown>) =>
      Effect.map(Clock.currentTimeMillis, (now): Fact => {
        this.keepUntold(name, attempt, exit)
        return { ...this.factOf(exit, now, this.owedAfter(exit)), ...leftOff ? { leftOff } : undefined }
      })
    const execute = ended(exit)
    if (leftOff) this.leftOff.end(execute)
    // What can't be stored is a defect. It is the end all the same.
    const end = Effect.catchDefect(
      this.record(name, this.storing.fact, execute, attempt),
      (defect) => ended(Exit.die(defect))
    )
    return Effect.map(end, (fact) => {
      this.recallUntold(name, attempt)
      return fact
    })
  }

  /** The hooks that the record names are those that run, also where the code has others by now. */
  keepOwed(owes: ReadonlyArray<Owed>): Effect.Effect<void> {
    const { ordinary, required, retry } = this.plan
    const all = [retry, ...[ordinary, required].flatMap((table) => Object.values(table))].flat()
    const { found, gone } = findOwed(all, owes)
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
    return gone.length === 0 ? Effect.void : Effect.logWarning(
      `effect-epilogue: ${this.owner.label} "${this.owner.name}" owes hooks that the code no longer has: ${
        gone.map(({ kind, name }) => `${name} (${kind})`).join(", ")
      }`
    )
  }
}
