/**
 * Keeps the fibers of a run's activities across evaluations of its body. When something arrives that a run waits for,
 * the engine interrupts the evaluation of the body and starts another one, even while steps and hooks run on other
 * fibers. These fibers keep running, and the next evaluation joins them.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import { isInterrupted } from "../../../internal/engine/outcome.ts"
import type { OverdueKept } from "../../../internal/model/overdue.ts"
import { OpenQuestions } from "../questions/open.ts"
import type { Cancellation } from "./cancellation.ts"

type AnyEffect = Effect.Effect<any, unknown, any>
type AnyExit = Exit.Exit<any, unknown>

/** The state of an evaluation that a later evaluation of the same step adopts when it joins its activity. */
export interface ActivityOwner {
  readonly durable: { readonly preempted: boolean; readonly released: boolean }
  readonly begun: boolean
  readonly cancellation: Cancellation
  readonly evaluation: Pick<Evaluation, "attempt" | "detailed" | "run" | "startedMillis">
  join(earlier: ActivityOwner): void
}

interface RunningActivity {
  readonly fiber: Fiber.Fiber<any, unknown>
  /** The evaluation that started it. */
  readonly owner: ActivityOwner
  /** Whether it is an attempt of a step's body. */
  readonly isBody: boolean
  readonly isHook: boolean
  /** Whether an evaluation waits for it. */
  awaited: boolean
}

/** The data that a process keeps of a run across evaluations of its body. */
export interface KeptOfRun {
  /** The limits at which the run and its steps are overdue, by the keys of their evaluations. */
  readonly overdue: Map<string, OverdueKept>
  /** The run of the latest evaluation. */
  run: Evaluation["run"] | undefined
}

/** Returns what is known of the limits of an evaluation with a key. */
export const overdueOf = ({ overdue }: KeptOfRun, key: string): OverdueKept => {
  const kept = overdue.get(key) ?? { since: undefined, told: new Map<string, number>() }
  overdue.set(key, kept)
  return kept
}

/** The activities of one run that are running in this process. */
export class ActivityFibers {
  private readonly running = new Map<string, RunningActivity>()
  /** The questions of steps that are waited for: their attempts may outlive an evaluation of the body. */
  readonly questions = new OpenQuestions()
  /** Exits that were recorded in this process and have not been reported to observers, by the activity's name. */
  readonly unreported: Map<string, AnyExit> = new Map()

  /** The keys of steps whose start this process has told observers of, and not their end. */
  readonly started: Set<string>

  constructor(started: Set<string> = new Set()) {
    this.started = started
  }

  get isEmpty(): boolean {
    return this.running.size === 0 && this.unreported.size === 0 && this.started.size === 0
  }

  /** Notes that observers are told of a step's start. Returns whether they were not told before. */
  isNewStart(key: string): boolean {
    if (this.started.has(key)) return false
    this.started.add(key)
    return true
  }

  /** Notes that observers are told of the step's end. Returns whether they were told of its start, and not of its end. */
  forgetStart(key: string): boolean {
    return this.started.delete(key)
  }

  /**
   * Starts an activity, or joins the fiber that an earlier evaluation left running. Interrupting the waiting fiber
   * cancels the activity, unless the engine is about to evaluate the body anew.
   */
  run(name: string, activity: AnyEffect, owner: ActivityOwner, isBody: boolean): AnyEffect {
    return Effect.contextWith((context: Context.Context<WorkflowInstance>) => {
      const instance = Context.get(context, WorkflowInstance)
      const started = awaitActivity(this.start(name, activity, owner, isBody), owner)
      const left = this.running.get(name)
      if (left !== undefined && left.owner !== owner) owner.join(left.owner)
      const exit = left === undefined ? started : Effect.flatMap(
        // a joined activity counts as one that was started here: otherwise the run would suspend while it is running
        Workflow.wrapActivityResult(awaitActivity(Effect.succeed(left), owner), () => false),
        // an interrupted activity is not recorded, so it starts again
        (exit) => isInterrupted(exit) ? started : Effect.succeed(exit)
      )
      return Effect.flatMap(
        exit,
        (exit) => instance.suspended && isInterrupted(exit) ? Workflow.suspend(instance) : exit
      )
    })
  }

  private start(
    name: string,
    activity: AnyEffect,
    owner: ActivityOwner,
    isBody: boolean
  ): Effect.Effect<RunningActivity> {
    const forked = Effect.forkDetach(Effect.interruptible(activity), { startImmediately: true })
    return Effect.map(forked, (fiber) => {
      const running = { fiber, owner, isBody, isHook: name.includes("/hook/"), awaited: true }
      if (fiber.pollUnsafe() === undefined) {
        this.running.set(name, running)
        fiber.addObserver(() => this.running.delete(name))
      }
      return running
    }) as Effect.Effect<RunningActivity> // the context of a workflow has the services that its activities need
  }

  private interrupt(which: (activity: RunningActivity, name: string) => boolean): Effect.Effect<void> {
    return Effect.suspend(() =>
      Fiber.interruptAll(
        [...this.running].flatMap(([name, activity]) =>
          !activity.awaited && which(activity, name) ? [activity.fiber] : []
        )
      )
    )
  }

  /** Interrupts the activities that no evaluation waits for. */
  get interruptUnawaited(): Effect.Effect<void> {
    return this.interrupt(() => true)
  }

  /** Interrupts the attempts and delays of steps that no evaluation waits for; hooks keep running. */
  get interruptUnawaitedSteps(): Effect.Effect<void> {
    return this.interrupt(({ isHook }, name) => !isHook && !name.startsWith("run/"))
  }

  /** Waits for the hooks of steps. */
  get hooksOfSteps(): Effect.Effect<void> {
    return Effect.suspend(() =>
      Effect.forEach(
        [...this.running].flatMap(([name, { fiber, isHook }]) => isHook && !name.startsWith("run/") ? [fiber] : []),
        Fiber.await,
        { discard: true }
      )
    )
  }

  /** Interrupts the attempts of bodies that no evaluation waits for; hooks keep running. */
  get interruptUnawaitedBodies(): Effect.Effect<void> {
    return this.interrupt(({ isBody }) => isBody)
  }
}

/** Waits for the exit of an activity. */
const awaitActivity = (
  activity: Effect.Effect<RunningActivity>,
  { durable }: ActivityOwner
): Effect.Effect<AnyExit> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(activity, (running) => {
      const ended = running.fiber.pollUnsafe()
      // most end at once, and need no wait
      if (ended !== undefined) return Effect.succeed(ended)
      running.awaited = true
      return Effect.onInterrupt(restore(Fiber.await(running.fiber)), () => {
        running.awaited = !durable.preempted
        if (!running.awaited) return Effect.void
        // A hook runs to its end though its step is cancelled. It must be recorded too, or it would run again.
        return running.isHook && !durable.released
          ? Effect.asVoid(Fiber.await(running.fiber))
          : Fiber.interrupt(running.fiber)
      })
    })
  )

/** The largest number of runs that went to another process of which is known what was told here: most do not come back. */
const mostLeft = 1_000

/** The activity fibers of all runs of a pipeline in this process. */
export class ActivityFibersByRun {
  private readonly runs = new Map<string, ActivityFibers>()
  /** The steps of {@link ActivityFibers.started}, by the run, of runs that went to another process and may come back. */
  private readonly left = new Map<string, Set<string>>()
  private readonly kept = new Map<string, KeptOfRun>()
  /** Whether the process is shutting down: no later evaluation can join an activity then. */
  closed = false
  /** Tells the text of the pipeline's body from others. */
  readonly mark: string
  /** The names of steps of which was told that changed code may have mixed them up. */
  readonly told = new Set<string>()

  constructor(mark: string) {
    this.mark = mark
  }

  of(executionId: string): ActivityFibers {
    const found = this.runs.get(executionId)
    if (found !== undefined) return found
    const made = new ActivityFibers(this.left.get(executionId))
    this.left.delete(executionId)
    this.runs.set(executionId, made)
    return made
  }

  /** Returns what this process keeps of a run across evaluations of its body. */
  keptOf(executionId: string): KeptOfRun {
    const kept = this.kept.get(executionId) ?? { overdue: new Map<string, OverdueKept>(), run: undefined }
    this.kept.set(executionId, kept)
    return kept
  }

  /**
   * Called when an evaluation of a run's body is over. Keeps the fibers where another evaluation follows in this
   * process (`reevaluates`) and can join them; otherwise interrupts them.
   */
  release(executionId: string, reevaluates: boolean): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!reevaluates) this.kept.delete(executionId)
      const activities = this.runs.get(executionId)
      if (activities === undefined || (reevaluates && !activities.isEmpty)) return Effect.void
      this.runs.delete(executionId)
      if (activities.started.size > 0) {
        this.left.set(executionId, activities.started)
        for (const oldest of this.left.keys()) {
          if (this.left.size <= mostLeft) break
          this.left.delete(oldest)
        }
      }
      return activities.interruptUnawaited
    })
  }

  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.closed = true
      return Effect.forEach([...this.runs.keys()], (executionId) => this.release(executionId, false), {
        discard: true
      })
    })
  }
}
