/** The life of a step that is a span: it is not evaluated, and its hooks run beside what follows it. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import type { Outcome } from "../model/events.ts"
import type { OccurrenceRun } from "../model/occurrence.ts"
import type { StepOwner } from "../model/owner.ts"
import { Evaluation } from "./evaluation.ts"
import { runAll } from "./hookRunner.ts"
import { withWaitInterrupted } from "./interruption.ts"
import { endRun, inMemory, remember, reportEnd } from "./life.ts"
import { outcomeOf } from "./outcome.ts"
import { tellEnd, type Watch, watch } from "./overdue.ts"
import { rollBack } from "./rollingBack.ts"
import { View, viewAround } from "./view.ts"

/** The start of a span, in milliseconds and on the monotonic clock in nanoseconds. */
export interface SpanStart {
  readonly millis: number
  readonly nanos: number
}

/** The runs of spans in no other run. */
const spanRuns = new WeakSet<OccurrenceRun>()

/** Hands on what is logged in the runs of spans to the loggers of those runs, which the fibers in them do not have. */
export const spanLogger: Logger.Logger<unknown, void> = Logger.make((options) => {
  const view = viewAround(options.fiber)
  const run = view && View.viewed(view).run
  if (run !== undefined && spanRuns.has(run)) run.loggers?.forEach((logger) => logger.log(options))
})

/** A step that is a span. */
export class SpanStep extends Evaluation {
  /** The view of the steps inside. */
  readonly view: View = new View(this, false)
  readonly #attributes: ReadonlyMap<string, unknown>
  readonly #forked: (fiber: Fiber.Fiber<unknown, unknown>) => void
  /** The hooks that its own hooks wait for: those of its start, and those of the spans inside. */
  readonly #pending = new Set<Fiber.Fiber<unknown, unknown>>()
  #watch: Watch | undefined

  /** `forked` is called with each fiber that runs hooks, unless they have ended at once. */
  constructor(
    owner: StepOwner,
    fiber: Fiber.Fiber<unknown, unknown>,
    around: View | undefined,
    attributes: ReadonlyMap<string, unknown>,
    forked: (fiber: Fiber.Fiber<unknown, unknown>) => void
  ) {
    super(owner, fiber, inMemory, around)
    this.#attributes = attributes
    this.#forked = forked
  }

  /** The annotations of the step, and the attributes of the span. */
  override get annotations(): Readonly<Record<string, unknown>> {
    return { ...Object.fromEntries(this.#attributes), ...super.annotations }
  }

  begin({ millis, nanos }: SpanStart): void {
    const { ownsRun, plan: { overdue, requiredStart, start }, run } = this
    const { telling } = run
    this.startedMillis = millis
    this.startedNanos = nanos
    if (ownsRun) {
      run.startedMillis = millis
      spanRuns.add(run)
    }
    run.open?.add(this)
    if (telling !== undefined) {
      if (ownsRun) telling.runStarted(millis)
      telling.stepStarted(this, nanos, millis)
    }
    if (overdue !== undefined) this.#watch = watch(this, overdue)
    if (requiredStart.length + start.length > 0) {
      const fiber = this.#fork(runAll(this, [...requiredStart, ...start], undefined))
      if (fiber !== undefined) this.#waitFor(fiber)
    }
  }

  /** Ends the step with the exit of its span, on the fiber that ended that. */
  end(own: Exit.Exit<unknown, unknown>, endedBy: Fiber.Fiber<unknown, unknown> | undefined): void {
    const exit = endedBy === undefined ? own : withWaitInterrupted(endedBy, own)
    const outcome = outcomeOf(exit)
    const { ordinary, overdue, required } = this.plan
    this.leave()
    this.endBody()
    reportEnd(this, exit, outcome)
    remember(this, exit)
    const planned = [...required[outcome], ...ordinary[outcome]]
    if (planned.length === 0 && overdue === undefined && this.#pending.size === 0 && !this.ownsRun) return
    const hooks = Effect.suspend(() => runAll(this, planned, exit))
    const told = overdue === undefined ? hooks : Effect.andThen(hooks, tellEnd(this, exit))
    const ended = this.ownsRun ? this.#endRun(told, exit, outcome) : told
    const fiber = this.#fork(Effect.andThen(this.#watch?.end() ?? Effect.void, Effect.andThen(this.#before(), ended)))
    if (fiber === undefined || this.ownsRun) return
    this.run.addBackground(fiber)
    // so that the hooks of the spans around know which errors have been alerted
    for (let at = this.parent; at !== undefined; at = at.parent) {
      if (at instanceof SpanStep) return at.#waitFor(fiber)
    }
  }

  /** Ends the run after the hooks of the outermost span, and undoes its steps before where it has failed. */
  #endRun(hooks: Effect.Effect<unknown>, exit: Exit.Exit<unknown, unknown>, outcome: Outcome): Effect.Effect<void> {
    const ended = Effect.andThen(hooks, endRun(this, exit, outcome))
    return exit._tag === "Success" || outcome === "skip" ? ended : Effect.andThen(rollBack(this, exit.cause), ended)
  }

  #before(): Effect.Effect<void> {
    return this.#pending.size === 0 ? Effect.void : Effect.asVoid(Fiber.awaitAll(this.#pending))
  }

  #waitFor(fiber: Fiber.Fiber<unknown, unknown>): void {
    this.#pending.add(fiber)
    fiber.addObserver(() => this.#pending.delete(fiber))
  }

  /** Starts to run hooks, and returns their fiber unless they have ended. */
  #fork(effect: Effect.Effect<unknown>): Fiber.Fiber<unknown> | undefined {
    const fiber = Effect.runForkWith(this.hookContext)(effect)
    if (fiber.pollUnsafe() !== undefined) return undefined
    this.#forked(fiber)
    return fiber
  }
}
