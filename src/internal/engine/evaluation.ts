/** One evaluation of a step, or of a pipeline: from its start to the end of its hooks. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { StepContext } from "../model/context.ts"
import type { Outcome, StepInfo } from "../model/events.ts"
import type { Occasion } from "../model/hook.ts"
import type { HookError } from "../model/hookError.ts"
import { empty, type Table } from "../model/hooks.ts"
import type { Occurrence } from "../model/occurrence.ts"
import { CurrentOverrides, type Override } from "../model/overrides.ts"
import type { PipelineOwner, StepOwner } from "../model/owner.ts"
import { type Plan, plan as makePlan, type Planned } from "../model/plan.ts"
import { runAll, runAllNow, runHook, runRequired } from "./hookRunner.ts"
import { outcomeOf, type RequiredFailures, withFailed } from "./outcome.ts"
import { noAnnotations, Run, toDuration } from "./run.ts"
import { tellEnded, tellStarted } from "./telling.ts"
import { currentView, View } from "./view.ts"

/**
 * A finalizer that has nothing left to do. `Effect.onExit` takes `undefined` for
 * that, as `Effect.provideService` has it, and then spends nothing on combining
 * causes, which takes a third of the time of a step that fails. Its public type does
 * not say so: hence it is asked first.
 */
const nothing: Effect.Effect<void> = (() => {
  const none = undefined as unknown as Effect.Effect<void>
  const failed = Effect.onExit(Effect.fail("asked"), () => none)
  return Exit.isSuccess(Effect.runSyncExit(Effect.onExit(Effect.exit(failed), () => none))) ? none : Effect.void
})()

/** What most evaluations are never asked for: one field in place of several makes each of them cheaper. */
export interface Details {
  path: ReadonlyArray<string> | undefined
  params: Readonly<Record<string, unknown>> | undefined
  notes: Readonly<Record<string, unknown>> | undefined
}

/** Chosen anew only where a step is evaluated under other pipeline hooks than last time. */
const planFor = (owner: StepOwner | PipelineOwner, under: Table): Plan => {
  const { cache } = owner
  if (cache.under !== under || cache.plan === undefined) {
    cache.plan = makePlan(owner, under)
    cache.under = under
  }
  return cache.plan
}

const overridden = <A extends StepOwner | PipelineOwner>(
  override: Override<A>,
  owner: A,
  view: View | undefined
): A =>
  view === undefined ? override(owner, undefined, false) : override(owner, View.evaluation(view), View.inHook(view))

/**
 * As an Effect, it is the body in the step's context: whatever may interrupt the
 * fiber before the first operation, `settle` has been registered already.
 */
export class Evaluation extends Effectable.Class<unknown, unknown, unknown> implements Occurrence {
  readonly owner: StepOwner | PipelineOwner
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly parent: Evaluation | undefined
  readonly run: Run
  plan: Plan
  index: number
  /** Whether the run is this evaluation's own, to be ended with it. */
  readonly ownsRun: boolean
  /** Whether it is evaluated inside a hook, however deep. */
  readonly inHook: boolean
  attempt = 1
  startedMillis: number
  startedNanos: number | undefined
  /** Only where hooks may run long after. */
  endedMillis: number | undefined = undefined
  private before: Context.Context<never> | undefined
  private outer: Context.Context<never> | undefined
  protected details: Details | undefined
  protected lazyHookContext: Context.Context<never> | undefined

  constructor(owner: StepOwner | PipelineOwner, fiber: Fiber.Fiber<unknown, unknown>) {
    super()
    this.fiber = fiber
    if (owner.label === "Pipeline") {
      const overrides = fiber.getRef(CurrentOverrides)
      const own = overrides === undefined ? owner : overridden(overrides.run, owner, currentView(fiber))
      this.owner = own
      this.parent = undefined
      this.ownsRun = true
      this.inHook = false
      this.run = new Run(fiber, own.name, own.stepHooks.hooks, own.annotations, own.givenName, own.runId)
      this.plan = planFor(own, empty.hooks)
      this.index = -1
      this.startedMillis = this.run.startedMillis
    } else {
      const view = currentView(fiber)
      this.parent = view === undefined ? undefined : View.evaluation(view)
      this.run = this.parent === undefined ? new Run(fiber, owner.name) : this.parent.run
      this.ownsRun = this.parent === undefined || this.run.ended
      // What outlives its run, a finalizer say, is a run of its own under the same hooks.
      if (this.run.ended) this.run = this.run.again(fiber)
      this.inHook = view !== undefined && View.inHook(view)
      const { overrides } = this.run
      this.owner = overrides === undefined ? owner : overridden(overrides.step, owner, view)
      this.plan = planFor(this.owner, this.inHook ? empty.hooks : this.run.stepHooks)
      this.index = this.run.steps++
      this.startedMillis = this.ownsRun ? this.run.startedMillis : this.run.clock.currentTimeMillisUnsafe()
    }
  }

  get isRun(): boolean {
    return this.owner.label === "Pipeline"
  }

  protected get detailed(): Details {
    return this.details ??= { path: undefined, params: undefined, notes: undefined }
  }

  get path(): ReadonlyArray<string> {
    return this.detailed.path ??= this.isRun ? [] : [...(this.parent?.path ?? []), this.owner.name]
  }

  get info(): StepInfo | undefined {
    if (this.isRun) return undefined
    const { parent } = this
    return {
      stepName: this.owner.name,
      stepPath: this.path,
      index: this.index,
      parent: parent === undefined || parent.isRun ? undefined : parent.index
    }
  }

  get params(): Readonly<Record<string, unknown>> {
    if (this.owner.label === "Pipeline" || this.owner.params.length === 0) return noAnnotations
    return this.detailed.params ??= Object.fromEntries(
      this.owner.params.map((service) => [service.key, service.describe(Context.getUnsafe(this.outerContext, service))])
    )
  }

  get annotations(): Readonly<Record<string, unknown>> {
    const own = this.isRun ? noAnnotations : this.owner.annotations
    const notes = this.details?.notes
    // most have none
    if (notes === undefined && this.run.annotations === noAnnotations && own === noAnnotations) return noAnnotations
    return { ...this.run.annotations, ...own, ...notes }
  }

  progress(done: number, total: number | undefined): void {
    if (this.run.observers === undefined) return
    const info = this.info
    if (info !== undefined) this.run.emit({ _tag: "StepProgress", ...info, done, total })
  }

  annotate(values: Readonly<Record<string, unknown>>): void {
    if (this.isRun) {
      this.run.annotations = { ...this.run.annotations, ...values }
    } else {
      this.detailed.notes = { ...this.detailed.notes, ...values }
    }
  }

  /** That of the fiber, and what is provided over it. */
  private surroundings(): Context.Context<never> {
    const { provided } = this.owner
    return provided === undefined ? this.fiber.context : Context.merge(this.fiber.context, provided)
  }

  private get outerContext(): Context.Context<never> {
    return this.outer ?? this.surroundings()
  }

  get hookContext(): Context.Context<never> {
    return this.lazyHookContext ??= Context.add(this.outerContext, StepContext, this.hookView)
  }

  protected lazyHookView: View | undefined
  get hookView(): View {
    return this.lazyHookView ??= new View(this, true)
  }

  override asEffect(): Effect.Effect<unknown, unknown, unknown> {
    this.before = this.fiber.context
    this.outer = this.surroundings()
    const view = new View(this, this.inHook)
    const context = Context.add(this.outer, StepContext, view)
    this.fiber.setContext(context)
    // The hooks see the same where a step in them would inherit nothing anyway.
    if (this.inHook || this.run.stepHooks === empty.hooks) {
      this.lazyHookView = view
      this.lazyHookContext = context
    }
    if (this.run.observers !== undefined) this.emitStarted()
    return this.plan.starts ? this.startThenBody() : this.body
  }

  protected get body(): Effect.Effect<unknown, unknown, any> {
    return this.owner.body
  }

  /** Runs one hook; `undefined` means that it is over and well. */
  runHook(planned: Planned, occasion: Occasion): Effect.Effect<Cause.Cause<unknown> | undefined> | undefined {
    return runHook(this, planned, occasion)
  }

  /** The start hooks, the required ones first: where one of these fails, neither the others nor the body run. */
  private startThenBody(): Effect.Effect<unknown, unknown, unknown> {
    const { requiredStart, start } = this.plan
    return Effect.flatMap(
      Effect.uninterruptible(
        Effect.flatMap(runRequired(this, requiredStart, undefined), (failed) =>
          failed === undefined
            ? Effect.as(runAll(this, start, undefined), undefined)
            : Effect.succeed(failed))
      ),
      (failed) => {
        if (failed !== undefined) return Effect.failCause(failed)
        const { gate } = this.owner
        return gate === undefined ? this.body : Effect.andThen(gate, this.body)
      }
    )
  }

  /** Called with the exit of the body, on a fiber that can't be interrupted now. */
  settle(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void, HookError> {
    this.leave()
    const outcome = outcomeOf(exit)
    if (this.isRun || this.plan.required[outcome].length > 0) return this.settleFully(exit, outcome)
    const observed = this.run.observers !== undefined
    if (observed) {
      // interrupted before its first operation: it started and ended at once
      if (this.startedNanos === undefined) this.emitStarted()
      this.emitEnded(exit, outcome)
    }
    const pending = runAllNow(this, this.plan.ordinary[outcome], exit)
    if (!this.ownsRun) return pending ?? nothing
    if (pending === undefined && !observed && !this.run.hasBackground) {
      this.run.ended = true
      return nothing
    }
    return Effect.andThen(pending ?? Effect.void, this.endOwnRun(exit, outcome))
  }

  private endOwnRun(exit: Exit.Exit<unknown, unknown>, outcome: Outcome): Effect.Effect<void> {
    return this.run.observers === undefined
      ? this.run.end
      : Effect.andThen(this.run.end, this.endRun(exit, outcome))
  }

  /** As `Effect.provideService` does. Nobody else can tell that the body is over. */
  protected leave(): void {
    if (this.before !== undefined) this.fiber.setContext(this.before)
  }

  protected settleFully(exit: Exit.Exit<unknown, unknown>, outcome: Outcome): Effect.Effect<void, HookError> {
    // interrupted before its first operation: it started and ended at once
    if (this.run.observers !== undefined && this.startedNanos === undefined) this.emitStarted()
    const end = Effect.flatMap(
      this.settleRequired(exit, outcome),
      (failed) => {
        const final = withFailed(exit, failed)
        // A required hook can fail a success. It can't make a failure of an interruption.
        const finalOutcome = outcome === "success" && failed !== undefined ? "failure" : outcome
        if (this.run.observers !== undefined && !this.isRun) this.emitEnded(final, finalOutcome)
        const rest = runAll(this, this.plan.ordinary[finalOutcome], final)
        const ended = this.ownsRun
          ? Effect.andThen(rest, this.endOwnRun(final, finalOutcome))
          : rest
        return failed === undefined ? ended : Effect.andThen(ended, Effect.failCause(failed))
      }
    )
    // The run's own hooks come last, when no hook of a step is running any more.
    return this.isRun ? Effect.andThen(this.run.awaitBackground(), end) : end
  }

  /** The errors of the required hooks that failed, if any: those of the outcome, then those of the exit. */
  private settleRequired(
    exit: Exit.Exit<unknown, unknown>,
    outcome: Outcome
  ): Effect.Effect<RequiredFailures> {
    const required = this.plan.required[outcome]
    if (required.length === 0) return Effect.undefined
    const ofOutcome = required.filter(({ hook }) => hook.kind !== "exit")
    const ofExit = required.filter(({ hook }) => hook.kind === "exit")
    return Effect.flatMap(
      runRequired(this, ofOutcome, exit),
      (failed) =>
        Effect.flatMap(
          this.settleFailedAfterAll(exit, outcome, failed),
          (failed) =>
            Effect.flatMap(runRequired(this, ofExit, withFailed(exit, failed)), (late) =>
              failed === undefined
                ? this.settleFailedAfterAll(exit, outcome, late)
                : Effect.succeed(late === undefined ? failed : Cause.combine(failed, late)))
        )
    )
  }

  /** Where a required hook failed a success, the required failure hooks have their turn. */
  private settleFailedAfterAll(
    exit: Exit.Exit<unknown, unknown>,
    outcome: Outcome,
    failed: RequiredFailures
  ): Effect.Effect<RequiredFailures> {
    if (failed === undefined || outcome !== "success") return Effect.succeed(failed)
    const onFailure = this.plan.required.failure.filter(({ hook }) => hook.kind === "failure")
    return Effect.map(
      runRequired(this, onFailure, withFailed(exit, failed)),
      (more) => more === undefined ? failed : Cause.combine(failed, more)
    )
  }

  protected emitStarted(): void {
    const now = this.run.nanos()
    this.startedNanos = now
    if (this.ownsRun) this.run.emit({ _tag: "RunStarted" })
    if (!this.isRun) tellStarted(this, now)
  }

  protected emitEnded(exit: Exit.Exit<unknown, unknown>, outcome: Outcome): void {
    if (this.isRun) return
    const now = this.run.nanos()
    tellEnded(this, exit, outcome, now, this.nanosUntil(now))
  }

  protected endRun(exit: Exit.Exit<unknown, unknown>, outcome: Outcome): Effect.Effect<void> {
    return Effect.sync(() =>
      this.run.emit({
        _tag: "RunEnded",
        outcome,
        exit,
        duration: toDuration(this.nanosUntil(this.run.nanos())),
        steps: this.run.steps,
        hookFailures: this.run.hookFailures,
        annotations: this.run.annotations
      })
    )
  }

  /** How long it took, on the monotonic clock. */
  protected nanosUntil(now: number): number {
    return now - this.startedNanos!
  }
}
