/** Describes one evaluation of a step, or of a pipeline: its run, its step, and the data that it collects. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type * as Fiber from "effect/Fiber"
import { StepContext } from "../model/context.ts"
import type { StepInfo } from "../model/eventInfo.ts"
import type { HookImpl, Occasion } from "../model/hook.ts"
import { empty, type Table } from "../model/hooks.ts"
import { monotonicMillis, monotonicNanos } from "../model/monotonic.ts"
import { hasKey, type Lateness, maxKeptPath, type Occurrence } from "../model/occurrence.ts"
import type { OverdueKept } from "../model/overdue.ts"
import { CurrentOverrides } from "../model/overrides.ts"
import type { Body, PipelineOwner, StepOwner } from "../model/owner.ts"
import type { Plan, Planned } from "../model/plan.ts"
import { CurrentGuard, guarded } from "../model/secrets.ts"
import { spanTracerOf } from "../model/spanTracers.ts"
import { describeAll } from "./describeParams.ts"
import { type Details, noDetails } from "./details.ts"
import { along, deepInfo, labelOf, nameOf, noPath } from "./paths.ts"
import { planFor, stepDefaultsOf } from "./planning.ts"
import { lateGuardOf, noAnnotations, Run } from "./run.ts"
import { Slowest } from "./slowest.ts"
import { View } from "./view.ts"

/**
 * Decides how the parts of an evaluation run: in memory each as it is (see `life.ts`), in a durable run each as an
 * activity that is recorded. The order of the parts is the same for all keepers.
 */
export interface Keeper {
  /** Whether hooks may get the context of the body, where the two would be equal otherwise: it saves making one. */
  readonly sharesContext: boolean
  /** Whether the parts are recorded, and survive a crash. */
  readonly isRecorded: boolean
  /** The end of the body in milliseconds, where hooks may run long after it. */
  readonly endedMillis?: number | undefined
  /** The limits at which it is overdue, as earlier evaluations have told them, where a body may be evaluated anew. */
  readonly overdueKept?: OverdueKept | undefined
  /** Runs the start hooks and the body. */
  readonly start: (evaluation: Evaluation) => Body
  /** Called where the body begins. Returns when it did, in milliseconds, where that is recorded. */
  readonly beginBody?: () => number
  /** Runs the condition of a step as something that is recorded. It fails where the step is skipped. */
  readonly condition?: (condition: Body) => Body
  /** Runs one hook. `undefined` means that it has ended without a failure, and that there is nothing to wait for. */
  readonly hook: (evaluation: Evaluation, planned: Planned, occasion: Occasion) => HookEnd | undefined
  /** Posts, at the end of a run, that steps are well again. */
  readonly settle: (evaluation: Evaluation, posts: Effect.Effect<void>) => Effect.Effect<void>
  /**
   * Returns how long a body or a run took, in nanoseconds: the time between two readings of the monotonic clock, or what
   * is recorded. `undefined` where observers know of its end already. Called when the end is reported.
   */
  readonly duration: (evaluation: Evaluation, begun: number, ended: number) => number | undefined
}

/** A hook that is running. Its value is the cause of its failure, or `undefined`. */
export type HookEnd = Effect.Effect<Cause.Cause<unknown> | undefined>

const hasAny = (applied: ReadonlySet<HookImpl>, hooks: ReadonlyArray<HookImpl>): boolean =>
  hooks.some((hook) => applied.has(hook))

/**
 * As an Effect, an evaluation is the start hooks and the body, in the step's context. The caller registers what follows
 * them before it runs this: otherwise an interruption could end the fiber in between.
 */
export class Evaluation extends Effectable.Class<unknown, unknown, unknown> implements Occurrence {
  readonly owner: StepOwner | PipelineOwner
  /** The fiber that evaluates it or, in the rollback of its run, that of the run. */
  fiber: Fiber.Fiber<unknown, unknown>
  readonly keeper: Keeper
  readonly parent: Evaluation | undefined
  readonly run: Run
  plan: Plan
  readonly index: number
  /** Whether the run is this evaluation's own, and ends with it. */
  readonly ownsRun: boolean
  readonly inHook: boolean
  readonly depth: number
  attempt = 1
  startedMillis: number
  /** When it was made, on the monotonic clock, where observers will be told. */
  readonly begunNanos: number | undefined
  /** The start on the monotonic clock, once it has been reported. */
  startedNanos: number | undefined
  details: Details | undefined
  /** The conditional hooks that had something to do, and the callbacks for those that may have yet. */
  private applied: Set<HookImpl> | undefined
  private appliedCallbacks: Map<HookImpl, () => void> | undefined
  private contextBefore: Context.Context<never> | undefined
  private outerContext: Context.Context<never> | undefined
  private bodyContext: Context.Context<never> | undefined
  /** The end of the body on the monotonic clock, where observers are told or hooks run after it that take time. */
  private bodyEnded: number | undefined
  private lazyInfo: StepInfo | undefined
  private lazyHookView: View | undefined
  private lazyHookContext: Context.Context<never> | undefined

  constructor(
    owner: StepOwner | PipelineOwner,
    fiber: Fiber.Fiber<unknown, unknown>,
    keeper: Keeper,
    view: View | undefined
  ) {
    super()
    this.fiber = fiber
    this.keeper = keeper
    const around = view === undefined ? undefined : evaluationOf(view)
    const inHook = view !== undefined && View.inHook(view)
    if (owner.label === "Pipeline") {
      const own = fiber.getRef(CurrentOverrides)?.run(owner, around, inHook) ?? owner
      this.owner = own
      this.parent = undefined
      this.ownsRun = true
      this.inHook = false
      this.depth = 0
      this.run = new Run(fiber, own.name, own.stepHooks.hooks, own.annotations, own.givenName, own.runId)
      this.run.around = around
      // a limit around the run names its steps, too
      if (!inHook) this.run.open = around?.run.open
      this.plan = planFor(own, empty.hooks, this.run.defaults?.runs)
      if (this.plan.measures) this.run.slowest = new Slowest()
      this.index = -1
      this.startedMillis = this.run.startedMillis
    } else {
      this.parent = around
      const run = around === undefined ? new Run(fiber, owner.name) : around.run
      this.ownsRun = around === undefined || run.ended
      // a step that outlives its run, as a finalizer may, gets a run of its own under the same hooks
      this.run = run.ended ? run.again(fiber) : run
      this.inHook = inHook
      this.depth = around === undefined ? 1 : around.depth + 1
      this.owner = this.run.overrides?.step(owner, around, inHook) ?? owner
      const defaults = around === undefined
        ? this.run.defaults?.steps
        : fiber.context === around.bodyContext
        // spares most steps a look-up, which takes a tenth of the time of one
        ? around.stepDefaults
        : stepDefaultsOf(fiber, around.stepDefaults, inHook)
      this.plan = planFor(this.owner, inHook ? empty.hooks : this.run.stepHooks, defaults)
      this.index = this.run.steps++
      const { clock, telling } = this.run
      if (this.ownsRun) {
        this.startedMillis = this.run.startedMillis
      } else if (telling === undefined) {
        this.startedMillis = clock.currentTimeMillisUnsafe()
      } else {
        // one reading of the clock for both, since it takes longer than all else that is done here
        this.begunNanos = telling.nanos()
        this.startedMillis = telling.millisAt(this.begunNanos)
      }
    }
  }

  get attemptFrom(): number {
    return this.details?.attemptFrom ?? this.index + 1
  }

  /** Begins the next attempt. */
  nextAttempt(): void {
    this.attempt++
    this.detailed.attemptFrom = this.run.steps
  }

  /** Takes back that an attempt begins. */
  leaveOutAttempt(): void {
    this.attempt--
  }

  /** The hooks that layers give to the steps in its body. */
  get stepDefaults(): Table | undefined {
    return this.isRun ? this.run.defaults?.steps : this.plan.defaults
  }

  get around(): Occurrence | undefined {
    return this.parent ?? this.run.around
  }

  get isRun(): boolean {
    return this.owner.label === "Pipeline"
  }

  get endedMillis(): number | undefined {
    const { bodyEnded, keeper: { endedMillis }, run: { clock } } = this
    if (bodyEnded === undefined || endedMillis !== undefined) return endedMillis
    return Math.round(clock.currentTimeMillisUnsafe() - (monotonicMillis(clock) - bodyEnded / 1e6))
  }

  get bodyMillis(): number {
    return this.details?.bodyMillis ?? this.startedMillis
  }

  /** The start of the body, or of an approval before it, on the monotonic clock, once observers know of the step. */
  get bodyNanos(): number | undefined {
    return this.details?.bodyNanos ?? this.startedNanos
  }

  /** Notes that the body begins, some time after the evaluation began. */
  beginBody(): void {
    this.detailed.bodyNanos = this.run.telling?.nanos()
    this.approved(this.keeper.beginBody?.())
  }

  /** Notes that the body begins after an approval, for which people took the time. Observers are told of that time, too. */
  approved(at = this.run.clock.currentTimeMillisUnsafe()): void {
    this.detailed.bodyMillis = at
  }

  /** Notes that the body has ended by `now`, and returns when it had. Called for each hook after it that takes time. */
  endBody(now = monotonicNanos(this.run.clock)): number {
    return this.bodyEnded ??= now
  }

  /** The details, made where there are none yet. */
  get detailed(): Details {
    return this.details ??= noDetails()
  }

  get path(): ReadonlyArray<string> {
    if (this.depth > maxKeptPath) return along(this, nameOf)
    return this.isOutermost ? this.outermostPath : this.detailed.path ??= [...this.parent!.path, this.owner.name]
  }

  get labels(): ReadonlyArray<string> {
    if (this.depth > maxKeptPath) return along(this, labelOf)
    return this.isOutermost && !hasKey(this) ? this.outermostPath : this.detailed.labels ??= this.keptLabels
  }

  /** Whether it is a run, or a step in no other step. */
  private get isOutermost(): boolean {
    return this.parent === undefined || this.parent.isRun
  }

  /** The path of a step in no other step is the same for all its evaluations, which share one. */
  private get outermostPath(): ReadonlyArray<string> {
    if (this.isRun) return noPath
    const { cache, name } = this.owner
    if (cache.path?.[0] !== name) cache.path = [name]
    return cache.path
  }

  /** The path itself where no step on it has a key, as is usual. */
  private get keptLabels(): ReadonlyArray<string> {
    const { label, parent, path } = this
    if (this.isOutermost) return [label]
    return !hasKey(this) && parent!.labels === parent!.path ? path : [...parent!.labels, label]
  }

  get label(): string {
    return labelOf(this)
  }

  get info(): StepInfo | undefined {
    if (this.owner.label === "Pipeline") return undefined
    const { owner: { key, name }, parent } = this
    const around = parent === undefined || parent.isRun ? undefined : parent.index
    const { index } = this
    return this.depth > maxKeptPath
      ? deepInfo(this, { stepName: name, stepKey: key, index, parent: around })
      : this.lazyInfo ??= {
        stepName: name,
        stepKey: key,
        stepPath: this.path,
        stepLabels: this.labels,
        index,
        parent: around
      }
  }

  get params(): Readonly<Record<string, unknown>> {
    if (this.owner.label === "Pipeline" || this.owner.params.length === 0) return noAnnotations
    return this.detailed.params ??= describeAll(this.owner.params, this.surroundings)
  }

  get annotations(): Readonly<Record<string, unknown>> {
    const own = this.isRun ? noAnnotations : this.owner.annotations
    const notes = this.details?.notes
    // most evaluations have no annotations, and need no object for them
    if (notes === undefined && this.run.annotations === noAnnotations && own === noAnnotations) return noAnnotations
    return { ...this.run.annotations, ...own, ...notes }
  }

  annotate(values: Readonly<Record<string, unknown>>): void {
    if (this.isRun) {
      this.run.annotations = { ...this.run.annotations, ...values }
    } else {
      this.detailed.notes = { ...this.detailed.notes, ...values }
    }
  }

  progress(done: number, total: number | undefined): void {
    this.run.telling?.stepProgress(this, done, total)
  }

  /** The context around the step, and the services that are provided over it. */
  get surroundings(): Context.Context<never> {
    const { provided } = this.owner
    const { context } = this.fiber
    const outer = this.outerContext ?? (provided === undefined ? context : Context.merge(context, provided))
    const guard = lateGuardOf(this.run)
    if (guard === undefined || Context.get(outer, CurrentGuard) === guard) return outer
    this.lazyHookContext = undefined
    return this.outerContext = guarded(outer, guard)
  }

  /** Whether a hook has nothing to do: another runs in its place, or there is nobody for whom it does something. */
  leavesOut({ alerting, services, unless }: HookImpl): boolean {
    if (unless !== undefined && this.applied !== undefined && hasAny(this.applied, unless)) return true
    if (alerting?.wanted === undefined) return false
    // the context of the hook is not made for a hook that does not run
    return !alerting.wanted(services?.hookContext(this.surroundings, this.hookView) ?? this.surroundings)
  }

  /** Keeps that a conditional hook has something to do. */
  apply({ original }: HookImpl): void {
    this.applied = (this.applied ?? new Set()).add(original)
    this.appliedCallbacks?.get(original)?.()
  }

  hasApplied({ original }: HookImpl): boolean {
    return this.applied?.has(original) === true
  }

  /** Calls back when a conditional hook has something to do, at once if it has already. */
  whenApplied(hook: HookImpl, callback: () => void): void {
    if (this.hasApplied(hook)) return callback()
    this.appliedCallbacks = (this.appliedCallbacks ?? new Map()).set(hook.original, callback)
  }

  /** Forgets what conditional hooks of a kind did that run several times, and decide each time. */
  forgetApplied(kind: "retry" | "overdue"): void {
    for (const hook of this.applied ?? []) if (hook.kind === kind) this.applied!.delete(hook)
  }

  get lateness(): Lateness | undefined {
    return this.details?.lateness
  }

  set lateness(lateness: Lateness | undefined) {
    this.detailed.lateness = lateness
  }

  get hookView(): View {
    return this.lazyHookView ??= new View(this, true)
  }

  get hookContext(): Context.Context<never> {
    // read first, as a guard that has been set since leaves nothing of it
    const outer = this.surroundings
    return this.lazyHookContext ??= Context.addUnsafe(outer, StepContext.key, this.hookView)
  }

  /** Returns the context of a hook, which may bring services along. */
  hookContextOf({ services }: HookImpl): Context.Context<never> {
    return services === undefined ? this.hookContext : services.hookContext(this.surroundings, this.hookView)
  }

  override asEffect(): Effect.Effect<unknown, unknown, unknown> {
    this.contextBefore = this.fiber.context
    this.outerContext = this.surroundings
    if (this.run.open !== undefined && !this.isRun && !this.inHook) this.run.open.add(this)
    const view = new View(this, this.inHook)
    const context = Context.addUnsafe(this.outerContext, StepContext.key, view)
    this.bodyContext = context
    this.fiber.setContext(context)
    // Where nothing tells what runs in a hook from what runs in a body, one view serves both: the second one takes a tenth of
    // the time of a step.
    const mayBeEqual = this.keeper.sharesContext && this.plan.rollback.length === 0 &&
      (this.stepDefaults ?? spanTracerOf(this.fiber.cache.tracer)) === undefined &&
      (this.inHook || (this.owner.wraps ?? this.run.overrides ?? this.run.open) === undefined)
    if (mayBeEqual && (this.inHook || this.run.stepHooks === empty.hooks)) {
      this.lazyHookView = view
      this.lazyHookContext = context
    }
    return this.keeper.start(this)
  }

  /** Called after the body. Restores the fiber's context, as `Effect.provideService` does. */
  leave(): void {
    this.run.open?.delete(this)
    if (this.contextBefore !== undefined) this.fiber.setContext(this.contextBefore)
  }
}

/** Returns the evaluation that a view is of. */
export const evaluationOf = (view: View): Evaluation => View.viewed(view) as Evaluation // only evaluations make views
