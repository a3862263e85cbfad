/** The contexts that bodies and hooks get from an evaluation. */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import type * as Fiber from "effect/Fiber"
import { Annotate, Ended, Progress, StepContext } from "../model/context.ts"
import type { Evaluation } from "./evaluation.ts"

/**
 * The value of the `StepContext` service. An evaluation has two views, one for its body
 * and one for its hooks, which differ in `inHook` alone: a step that runs inside a hook,
 * at any depth, does not inherit the pipeline's hooks. Otherwise a failure hook that runs
 * a step that fails would call itself for ever.
 */
export class View implements StepContext.Shape {
  // private at run time too, so that printing a context does not print its run
  readonly #evaluation: Evaluation
  readonly #inHook: boolean
  constructor(evaluation: Evaluation, inHook: boolean) {
    this.#evaluation = evaluation
    this.#inHook = inHook
  }
  static evaluation(view: View): Evaluation {
    return view.#evaluation
  }
  static inHook(view: View): boolean {
    return view.#inHook
  }
  get pipelineName(): string {
    return this.#evaluation.run.pipelineName
  }
  get runId(): string {
    return this.#evaluation.run.id
  }
  get runName(): string {
    return this.#evaluation.run.name
  }
  get stepName(): string {
    return this.#evaluation.owner.name
  }
  get stepPath(): ReadonlyArray<string> {
    return this.#evaluation.path
  }
  get attempt(): number {
    return this.#evaluation.attempt
  }
  get startedAt(): DateTime.Utc {
    return DateTime.makeUnsafe(this.#evaluation.startedMillis)
  }
  get params(): Readonly<Record<string, unknown>> {
    return this.#evaluation.params
  }
  get annotations(): Readonly<Record<string, unknown>> {
    return this.#evaluation.annotations
  }
  get [Ended](): number | undefined {
    return this.#evaluation.endedMillis
  }
  [Progress](done: number, total: number | undefined): void {
    this.#evaluation.progress(done, total)
  }
  [Annotate](values: Readonly<Record<string, unknown>>): void {
    this.#evaluation.annotate(values)
  }
  toJSON(): StepContext.Shape {
    const { annotations, attempt, params, pipelineName, runId, runName, startedAt, stepName, stepPath } = this
    return { pipelineName, runId, runName, stepName, stepPath, attempt, startedAt, params, annotations }
  }
}

/** Returns the view of the step or run that a fiber is in, or `undefined` outside of any. */
export const currentView = (fiber: Fiber.Fiber<unknown, unknown>): View | undefined => {
  const context = Context.getOrUndefined(fiber.context, StepContext)
  return context instanceof View ? context : undefined
}
