/** Describes one evaluation of a step, or of a pipeline: its run, its step, and the data that it collects. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type * as Fiber from "effect/Fiber"
import { StepContext } from "../model/context.ts"
import type { StepInfo } from "../model/events.ts"
import type { HookImpl, Occasion } from "../model/hook.ts"
import { empty, type Table } from "../model/hooks.ts"
import type { Occurrence } from "../model/occurrence.ts"
import { CurrentOverrides } from "../model/overrides.ts"
import type { Body, PipelineOwner, StepOwner } from "../model/owner.ts"
import { type Plan, plan as makePlan, type Planned } from "../model/plan.ts"
import { readOr } from "../text/read.ts"
import { stepLabel } from "../text/stepLabel.ts"
import { noAnnotations, Run } from "./run.ts"
import { Slowest } from "./slowest.ts"
import { currentView, View } from "./view.ts"

/**
 * Decides how the parts of an evaluation run: in memory each as it is (see `life.ts`), in a durable run each as an
 * activity that is recorded. The order of the parts is the same for all keepers.
 */
export interface Keeper {
  /** Whether hooks may get the context of the body, where the two would be equal otherwise: it saves making one. */
  readonly sharesContext: boolean
  /** The end of the body in milliseconds, where hooks may run long after it. */
  readonly endedMillis?: number | undefined
  /** Runs the start hooks and the body. */
  readonly start: (evaluation: Evaluation) => Body
  /** Runs one hook. `undefined` means that it has ended without a failure, and that there is nothing to wait for. */
  readonly hook: (evaluation: Evaluation, planned: Planned, occasion: Occasion) => HookEnd | undefined
  /** Posts, at the end of a run, that steps are well again. */
  readonly settle: (evaluation: Evaluation, posts: Effect.Effect<void>) => Effect.Effect<void>
  /**
   * Returns the time in nanoseconds that the step or the run took until `now`, on the monotonic clock; `undefined` where
   * observers know of its end already. Called when the end is reported.
   */
  readonly duration: (evaluation: Evaluation, now: number) => number | undefined
}

/** A hook that is running. Its value is the cause of its failure, or `undefined`. */
export type HookEnd = Effect.Effect<Cause.Cause<unknown> | undefined>

/** The fields that most evaluations never need. One object in place of several fields makes an evaluation cheaper. */
export interface Details {
  path: ReadonlyArray<string> | undefined
  labels: ReadonlyArray<string> | undefined
  params: Readonly<Record<string, unknown>> | undefined
  notes: Readonly<Record<string, unknown>> | undefined
  attemptFrom: number | undefined
  /** The start of the body in milliseconds, where start hooks or an approval came before it. */
  bodyMillis: number | undefined
  /** The end of the body in milliseconds, where hooks run after it that take time. */
  endedMillis: number | undefined
}

/** Returns the plan of an owner. A new one is made only under other pipeline hooks than last time. */
const planFor = (owner: StepOwner | PipelineOwner, under: Table): Plan => {
  const { cache } = owner
  if (cache.under !== under || cache.plan === undefined) {
    cache.plan = makePlan(owner, under)
    cache.under = under
  }
  return cache.plan
}

/** The longest path that an evaluation keeps: those of many nested steps would take quadratic memory. */
const maxKeptPath = 64

const nameOf = ({ owner }: Evaluation): string => owner.name

const labelOf = ({ owner }: Evaluation): string =>
  owner.label === "Step" && owner.key !== undefined ? stepLabel(owner.name, owner.key) : owner.name

/** Computes the paths of a step when they are read, and keeps none: an observer may keep all events of a run. */
const deepInfo = (
  evaluation: Evaluation,
  rest: Omit<StepInfo, "stepPath" | "stepLabels">
): StepInfo => ({
  ...rest,
  get stepPath() {
    return evaluation.path
  },
  get stepLabels() {
    return evaluation.labels
  }
})

/** Returns a text of each step from the outermost to this one. Without recursion: steps may be nested however deep. */
const along = (evaluation: Evaluation, text: (evaluation: Evaluation) => string): ReadonlyArray<string> => {
  const texts: Array<string> = []
  for (let at: Evaluation | undefined = evaluation; at !== undefined && !at.isRun; at = at.parent) texts.push(text(at))
  return texts.toReversed()
}

/**
 * As an Effect, an evaluation is the start hooks and the body, in the step's context. The caller registers what follows
 * them before it runs this: otherwise an interruption could end the fiber in between.
 */
export class Evaluation extends Effectable.Class<unknown, unknown, unknown> implements Occurrence {
  readonly owner: StepOwner | PipelineOwner
  readonly fiber: Fiber.Fiber<unknown, unknown>
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
  /** The start on the monotonic clock, once it has been reported. */
  startedNanos: number | undefined
  details: Details | undefined
  /** The conditional hooks that had something to do, and the callbacks for those that may have yet. */
  private applied: Set<HookImpl> | undefined
  private appliedCallbacks: Map<HookImpl, () => void> | undefined
  private contextBefore: Context.Context<never> | undefined
  private outerContext: Context.Context<never> | undefined
  private lazyHookView: View | undefined
  private lazyHookContext: Context.Context<never> | undefined

  constructor(owner: StepOwner | PipelineOwner, fiber: Fiber.Fiber<unknown, unknown>, keeper: Keeper) {
    super()
    this.fiber = fiber
    this.keeper = keeper
    const view = currentView(fiber)
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
      this.plan = planFor(own, empty.hooks)
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
      this.plan = planFor(this.owner, inHook ? empty.hooks : this.run.stepHooks)
      this.index = this.run.steps++
      this.startedMillis = this.ownsRun ? this.run.startedMillis : this.run.clock.currentTimeMillisUnsafe()
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

  get around(): Occurrence | undefined {
    return this.parent ?? this.run.around
  }

  get isRun(): boolean {
    return this.owner.label === "Pipeline"
  }

  get endedMillis(): number | undefined {
    return this.keeper.endedMillis ?? this.details?.endedMillis
  }

  get bodyMillis(): number {
    return this.details?.bodyMillis ?? this.startedMillis
  }

  /** Notes that the body begins, some time after the evaluation began. */
  beginBody(): void {
    this.detailed.bodyMillis = this.run.clock.currentTimeMillisUnsafe()
  }

  /** Notes that the body has ended. Called for each hook after it that takes time. */
  endBody(): void {
    this.detailed.endedMillis ??= this.run.clock.currentTimeMillisUnsafe()
  }

  /** The details, made where there are none yet. */
  get detailed(): Details {
    return this.details ??= {
      path: undefined,
      labels: undefined,
      params: undefined,
      notes: undefined,
      attemptFrom: undefined,
      bodyMillis: undefined,
      endedMillis: undefined
    }
  }

  get path(): ReadonlyArray<string> {
    return this.depth > maxKeptPath ? along(this, nameOf) : this.detailed.path ??= along(this, nameOf)
  }

  get labels(): ReadonlyArray<string> {
    return this.depth > maxKeptPath ? along(this, labelOf) : this.detailed.labels ??= this.pathWithKeys
  }

  /** The path itself where no step on it has a key, as is usual. */
  private get pathWithKeys(): ReadonlyArray<string> {
    const { path } = this
    const labels = along(this, labelOf)
    return labels.every((label, i) => label === path[i]) ? path : labels
  }

  get label(): string {
    return labelOf(this)
  }

  get info(): StepInfo | undefined {
    if (this.owner.label === "Pipeline") return undefined
    const { owner: { key, name }, parent } = this
    const place = { index: this.index, parent: parent === undefined || parent.isRun ? undefined : parent.index }
    return this.depth > maxKeptPath
      ? deepInfo(this, { stepName: name, stepKey: key, ...place })
      : { stepName: name, stepKey: key, stepPath: this.path, stepLabels: this.labels, ...place }
  }

  get params(): Readonly<Record<string, unknown>> {
    if (this.owner.label === "Pipeline" || this.owner.params.length === 0) return noAnnotations
    return this.detailed.params ??= Object.fromEntries(
      this.owner.params.map((service) => [service.key, describeParams(service, this.surroundings)])
    )
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
  private get surroundings(): Context.Context<never> {
    if (this.outerContext !== undefined) return this.outerContext
    const { provided } = this.owner
    return provided === undefined ? this.fiber.context : Context.merge(this.fiber.context, provided)
  }

  /** Whether another hook runs in place of this one. */
  isReplaced({ unless }: HookImpl): boolean {
    const { applied } = this
    return unless !== undefined && applied !== undefined && unless.some((hook) => applied.has(hook))
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

  /** Forgets what conditional hooks did. Retry hooks run for each failed attempt, and decide each time. */
  forgetApplied(): void {
    this.applied = undefined
  }

  get hookView(): View {
    return this.lazyHookView ??= new View(this, true)
  }

  get hookContext(): Context.Context<never> {
    return this.lazyHookContext ??= Context.add(this.surroundings, StepContext, this.hookView)
  }

  override asEffect(): Effect.Effect<unknown, unknown, unknown> {
    this.contextBefore = this.fiber.context
    this.outerContext = this.surroundings
    const view = new View(this, this.inHook)
    const context = Context.add(this.outerContext, StepContext, view)
    this.fiber.setContext(context)
    // Without pipeline hooks that a step in a hook must not inherit, the two views are equal.
    if (this.keeper.sharesContext && (this.inHook || this.run.stepHooks === empty.hooks)) {
      this.lazyHookView = view
      this.lazyHookContext = context
    }
    return this.keeper.start(this)
  }

  /** Restores the fiber's context after the body, as `Effect.provideService` does. */
  leave(): void {
    if (this.contextBefore !== undefined) this.fiber.setContext(this.contextBefore)
  }
}

/** Describes the value of a service. A body that needs a missing one fails itself, and its hooks must still run. */
const describeParams = (service: StepOwner["params"][number], context: Context.Context<never>): unknown => {
  const value = Context.getOrUndefined(context, service)
  return value === undefined ? "<not provided>" : readOr("<unreadable>", () => service.describe(value))
}

/** Returns the evaluation that a view is of. */
export const evaluationOf = (view: View): Evaluation => View.viewed(view) as Evaluation // only evaluations make views
