/** The contexts that bodies and hooks get from an evaluation. */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Fiber from "effect/Fiber"
import { Annotate, Ended, Progress, StepContext } from "../model/context.ts"
import { Evaluated, type Occurrence } from "../model/occurrence.ts"
import { innerContext } from "../model/spanTracers.ts"
import { utc } from "../text/utc.ts"

/** An evaluation, as far as its views need it. */
export interface Viewed extends Occurrence {
  progress(done: number, total: number | undefined): void
  annotate(values: Readonly<Record<string, unknown>>): void
}

/**
 * The value of the `StepContext` service. An evaluation has two views, one for its body
 * and one for its hooks, which differ in `inHook` alone: a step that runs inside a hook,
 * at any depth, does not inherit the pipeline's hooks. Otherwise a failure hook that runs
 * a step that fails would call itself for ever.
 */
export class View implements StepContext.Shape {
  // private at run time too, so that printing a context does not print its run
  readonly #viewed: Viewed
  readonly #inHook: boolean
  constructor(viewed: Viewed, inHook: boolean) {
    this.#viewed = viewed
    this.#inHook = inHook
  }
  static viewed(view: View): Viewed {
    return view.#viewed
  }
  static inHook(view: View): boolean {
    return view.#inHook
  }
  get pipelineName(): string {
    return this.#viewed.run.pipelineName
  }
  get runId(): string {
    return this.#viewed.run.id
  }
  get runName(): string {
    return this.#viewed.run.name
  }
  get stepName(): string {
    return this.#viewed.owner.name
  }
  get stepKey(): string | undefined {
    const { owner } = this.#viewed
    return owner.label === "Step" ? owner.key : undefined
  }
  get stepPath(): ReadonlyArray<string> {
    return this.#viewed.path
  }
  get stepLabels(): ReadonlyArray<string> {
    return this.#viewed.labels
  }
  get attempt(): number {
    return this.#viewed.attempt
  }
  get startedAt(): DateTime.Utc {
    return utc(this.#viewed.startedMillis)
  }
  get params(): Readonly<Record<string, unknown>> {
    return this.#viewed.params
  }
  get annotations(): Readonly<Record<string, unknown>> {
    return this.#viewed.annotations
  }
  get [Evaluated](): Occurrence {
    return this.#viewed
  }
  get [Ended](): number | undefined {
    return this.#viewed.endedMillis
  }
  [Progress](done: number, total: number | undefined): void {
    this.#viewed.progress(done, total)
  }
  [Annotate](values: Readonly<Record<string, unknown>>): void {
    this.#viewed.annotate(values)
  }
  toJSON(): StepContext.Shape {
    const { annotations, attempt, params, pipelineName, runId, runName, startedAt } = this
    const { stepKey, stepLabels, stepName, stepPath } = this
    const step = { stepName, stepKey, stepPath, stepLabels }
    return { pipelineName, runId, runName, ...step, attempt, startedAt, params, annotations }
  }
}

/** Returns the view of the step or run that evaluates what a fiber runs, or `undefined` outside of any. */
export const currentView = (fiber: Fiber.Fiber<unknown, unknown>): View | undefined =>
  asView(Context.getOrUndefined(fiber.context, StepContext))

/** Returns the view of the step or run that a fiber is in, whether that is evaluated or a span around. */
export const viewAround = (fiber: Fiber.Fiber<unknown, unknown>): View | undefined =>
  asView(innerContext(fiber, Context.getOrUndefined(fiber.context, StepContext)))

/** Returns a context that the engine made. */
export const asView = (context: StepContext.Shape | undefined): View | undefined =>
  context instanceof View ? context : undefined
