/** Tells that a step or a run is overdue: at each of its limits, while its body is running. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { onOverdue as overdueHook } from "../model/hookKinds.ts"
import {
  type Deadline as RunDeadline,
  nextTime,
  type Overdue,
  type OverdueLimit,
  ToldElsewhere,
  type Watching
} from "../model/overdue.ts"
import { CurrentOverdueWatcher, type OverdueWatcher, type WatchedLimit } from "../model/overdueWatcher.ts"
import type { Body } from "../model/owner.ts"
import type { PlannedLimit } from "../model/plan.ts"
import { utc } from "../text/utc.ts"
import type { Evaluation } from "./evaluation.ts"
import { postTold } from "./hookLimits.ts"
import { runHook } from "./hookRunner.ts"
import { overdueSpanEvent } from "./spans.ts"
import type { Deadline, Watchdog } from "./watchdog.ts"

/**
 * The longest wait for a time of day, in milliseconds. The monotonic clock may stand still while the machine sleeps, and
 * the wall clock may be set: a deadline that is looked at again is told late by no more than this.
 */
const longestWait = 15 * 60_000

/** How long a body that is evaluated anew may take to read that it has ended, in milliseconds. */
const replayTime = 1_000

/** A limit of one evaluation. */
interface Watched extends Pick<PlannedLimit, "hooks"> {
  /** Names it among those of the evaluation. */
  readonly key: string
  /** In milliseconds since the start of the body. */
  readonly after: number
  readonly every: number | undefined
  readonly deadline: DateTime.Zoned | undefined
  times: number
  /** When it is told next, in milliseconds since the start of the body. */
  next: number
  /** Whether hooks that it has called have not ended. */
  busy: boolean
}

const around = (evaluation: Evaluation, limits: ReadonlyArray<PlannedLimit>, body: Body): Body =>
  Effect.withFiber((fiber) => {
    const watch = new OverdueWatch(evaluation, fiber, limits)
    return Effect.onExit(body, () => watch.end())
  })

/** Watches a step that nobody evaluates, from now on. */
export const watch = (evaluation: Evaluation, limits: ReadonlyArray<PlannedLimit>): Watch =>
  new OverdueWatch(evaluation, evaluation.fiber, limits)

/** A watch that goes on until it is ended. */
export interface Watch {
  /** Ends the watch, once the hooks that are running have ended. Those that wait are not called. */
  readonly end: () => Effect.Effect<void>
}

const isDeadline = (limit: OverdueLimit | RunDeadline): limit is RunDeadline => "next" in limit

class OverdueWatch implements Watch {
  private readonly evaluation: Evaluation
  /** The fiber that evaluates the body, in the span of the step. */
  private readonly body: Fiber.Fiber<unknown, unknown>
  private readonly watchdog: Watchdog
  private readonly startedMillis: number
  /** The start of the body on the monotonic clock, in milliseconds. */
  private readonly origin: number
  private readonly watcher: OverdueWatcher | undefined
  private readonly timers = new Map<Watched, Deadline>()
  /** The calls of hooks that wait for those before them. */
  private readonly queue: Array<() => Effect.Effect<void>> = []
  private running: Fiber.Fiber<void> | undefined

  constructor(
    evaluation: Evaluation,
    body: Fiber.Fiber<unknown, unknown>,
    limits: ReadonlyArray<PlannedLimit>
  ) {
    const { fiber, keeper, run } = evaluation
    const kept = keeper.overdueKept
    if (kept !== undefined) evaluation.approved(kept.since ??= evaluation.bodyMillis)
    const { bodyMillis } = evaluation
    // the steps that begin from now on are those that may be running at the limits
    run.open ??= new Set()
    this.evaluation = evaluation
    this.body = body
    this.watchdog = run.watchdog(fiber)
    this.startedMillis = bodyMillis
    const { clock } = this.watchdog
    // a durable body may have begun in another process
    this.origin = this.watchdog.now() - Math.max(0, clock.currentTimeMillisUnsafe() - bodyMillis)
    this.watcher = fiber.getRef(CurrentOverdueWatcher)
    for (const { hooks, limit } of limits) {
      // observers are told, too
      if (hooks.length === 0 && run.telling === undefined) continue
      const deadline = isDeadline(limit) ? limit.next(run.startedMillis) : undefined
      const after = isDeadline(limit) ? DateTime.toEpochMillis(deadline!) - bodyMillis : limit.after
      if (after === Infinity) continue
      const { every } = limit
      const key = isDeadline(limit) ? `deadline ${after} ${every}` : `${after} ${every}`
      const times = kept?.told.get(key) ?? 0
      const watched = { key, hooks, after, every, deadline, times, next: after, busy: false }
      if (times === 0 || this.plan(watched, this.elapsed)) this.wait(watched)
    }
    this.report()
  }

  /** Says when which limit is told next, for a process that supervises this one. */
  private report(): void {
    this.watcher?.begun(
      this.evaluation,
      [...this.timers.keys()].flatMap((watched) => watched.hooks.length === 0 ? [] : [this.limitOf(watched)])
    )
  }

  /** Describes a limit for another process, by the wall clock. */
  private limitOf({ after, deadline, every, next }: Watched): WatchedLimit {
    return {
      dueAt: this.startedMillis + next,
      limitMillis: Math.max(0, after),
      every,
      deadline: deadline && DateTime.formatIsoZoned(deadline)
    }
  }

  private get elapsed(): number {
    return this.watchdog.now() - this.origin
  }

  /** How long it is until a limit is told next. A deadline is a time of day, by the wall clock. */
  private remaining({ deadline, next, times }: Watched): number {
    return deadline !== undefined && times === 0
      ? DateTime.toEpochMillis(deadline) - this.watchdog.clock.currentTimeMillisUnsafe()
      : next - this.elapsed
  }

  private wait(watched: Watched): void {
    const soonest = this.evaluation.keeper.overdueKept === undefined ? 0 : replayTime
    const remaining = Math.max(soonest, this.remaining(watched))
    const delay = watched.deadline === undefined ? remaining : Math.min(remaining, longestWait)
    this.timers.set(watched, this.watchdog.add(delay, () => this.look(watched)))
  }

  private look(watched: Watched): void {
    // a timer may be a fraction of a millisecond early
    if (this.remaining(watched) > 1) return this.wait(watched)
    const elapsed = Math.max(this.elapsed, watched.deadline === undefined ? watched.next : 0)
    // what comes while its hooks are still running would be told late and all at once
    const isSkipped = watched.busy
    if (!isSkipped) {
      watched.times++
      this.evaluation.keeper.overdueKept?.told.set(watched.key, watched.times)
      const late = elapsed - Math.max(0, watched.next)
      const isTold = watched.hooks.length > 0 &&
        this.watcher?.tells(this.evaluation, this.limitOf(watched), late) === true
      this.tell(watched, elapsed, isTold)
    }
    if (this.plan(watched, elapsed)) this.wait(watched)
    else this.timers.delete(watched)
    if (isSkipped) this.report()
  }

  /** Sets when a limit is told next, and returns whether it is. */
  private plan(watched: Watched, elapsed: number): boolean {
    const { after, every } = watched
    if (every === undefined) return false
    watched.next = nextTime(Math.max(after, 0), every, elapsed)
    return true
  }

  private tell(watched: Watched, elapsed: number, isTold: boolean): void {
    const { evaluation } = this
    const described = this.describe(watched, elapsed)
    const overdue = isTold ? { ...described, [ToldElsewhere]: true } : described
    evaluation.run.telling?.overdue(evaluation, overdue)
    overdueSpanEvent(this.body, overdue, () => this.watchdog.clock.currentTimeNanosUnsafe())
    if (watched.hooks.length === 0) return
    watched.busy = true
    this.queue.push(() => {
      evaluation.forgetApplied("overdue")
      return Effect.andThen(
        Effect.forEach(
          watched.hooks,
          (planned) =>
            Effect.suspend(() =>
              (evaluation.leavesOut(planned.hook) ? undefined : runHook(evaluation, planned, overdue)) ?? Effect.void
            ),
          { discard: true }
        ),
        Effect.sync(() => {
          watched.busy = false
        })
      )
    })
    this.callNext()
  }

  private callNext(): void {
    if (this.running !== undefined) return
    for (let call = this.queue.shift(); call !== undefined; call = this.queue.shift()) {
      const fiber = Effect.runForkWith(this.evaluation.hookContext)(call())
      if (fiber.pollUnsafe() !== undefined) continue
      this.running = fiber
      fiber.addObserver(() => {
        this.running = undefined
        this.callNext()
      })
      return
    }
  }

  private describe({ after, deadline, every, times }: Watched, elapsed: number): Overdue {
    const { attempt, labels, owner, path } = this.evaluation
    return {
      elapsed: Duration.millis(elapsed),
      limit: Duration.millis(Math.max(0, after)),
      every: every === undefined ? undefined : Duration.millis(every),
      deadline,
      times,
      startedAt: utc(this.startedMillis),
      attempt,
      stepName: owner.name,
      stepKey: owner.label === "Step" ? owner.key : undefined,
      stepPath: path,
      stepLabels: labels
    }
  }

  end(): Effect.Effect<void> {
    return Effect.suspend(() => {
      for (const timer of this.timers.values()) timer.cancel()
      this.queue.length = 0
      const { evaluation, running } = this
      if (running === undefined) return Effect.void
      evaluation.endBody()
      return Effect.asVoid(Fiber.await(running))
    })
  }
}

/** Posts how an evaluation ended of which an alert has told that it is overdue, unless one of its hooks has. */
export const tellEnd = (evaluation: Evaluation, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { lateness } = evaluation
    return lateness === undefined || lateness.endTold
      ? Effect.void
      : postTold(Effect.suspend(() => lateness.tellEnd(exit)), `"${evaluation.label}" has ended`)
  })

/** Comes with limits and overdue hooks: a program without any loads none of this. */
export const watching: Watching = {
  // the casts: the engine calls it, with an evaluation and the limits of its plan
  around: (evaluation, limits, body) => around(evaluation as Evaluation, limits as ReadonlyArray<PlannedLimit>, body),
  tellEnd: (evaluation, exit) => tellEnd(evaluation as Evaluation, exit)
}

/** The constructor of overdue hooks. */
export const onOverdue: (...args: ReadonlyArray<any>) => any = overdueHook(watching)
