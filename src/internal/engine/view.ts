/** What bodies and hooks see of an evaluation. */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import type * as Fiber from "effect/Fiber"
import { StepContext } from "../../StepContext.ts"
import { Annotate, Ended, Progress } from "../model/context.ts"
import type { Evaluation } from "./evaluation.ts"

/**
 * The value of the `StepContext` service. A step has two: the one its body sees
 * and the one its hooks see. They differ in one thing: a step that runs inside a
 * hook, or inside such a step, does not inherit the pipeline's hooks, or a failure
 * hook that itself runs a step that fails would call itself for ever.
 */
export class View implements StepContext.Shape {
  // not a property with a value, so that printing a context does not print its run
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

/** The step or run that a fiber is in, if any. */
export const currentView = (fiber: Fiber.Fiber<unknown, unknown>): View | undefined => {
  const context = Context.getOrUndefined(fiber.context, StepContext)
  return context instanceof View ? context : undefined
}
