/**
 * What a step's body and its hooks can know about the step: its name, its run,
 * the attempt, its parameters, its annotations.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as internal from "./internal/model/context.ts"

const Base: Context.ServiceClass<StepContext, "effect-epilogue/StepContext", StepContext.Shape> = Context.Service<
  StepContext,
  StepContext.Shape
>()("effect-epilogue/StepContext")

/**
 * The context of the step (or, in the body and the hooks of a pipeline itself,
 * of the run) that is being evaluated. Steps and pipelines provide it; elsewhere
 * asking for it does not compile.
 *
 * @example
 * ```ts
 * import { Step, StepContext } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const load = Step.make("load", Effect.gen(function*() {
 *   const context = yield* StepContext
 *   yield* StepContext.annotate("rows", 1461)
 *   return `${context.stepName}, attempt ${context.attempt}`
 * }))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class StepContext extends Base {
  /**
   * Notes something about the step, to be seen by its hooks and in alerts: it
   * appears in `annotations` from then on. In the body of a pipeline, outside its
   * steps, it is noted about the run, for the run's hooks and all steps'. Secrets
   * belong in a `Redacted`.
   */
  static annotate(key: string, value: unknown): Effect.Effect<void, never, StepContext>
  static annotate(values: Readonly<Record<string, unknown>>): Effect.Effect<void, never, StepContext>
  static annotate(
    ...args: [key: string, value: unknown] | [values: Readonly<Record<string, unknown>>]
  ): Effect.Effect<void, never, StepContext> {
    const values = args.length === 1 ? args[0] : { [args[0]]: args[1] }
    return StepContext.useSync((context) => internal.annotate(context, values))
  }

  /** The time since the step started. */
  static readonly elapsed: Effect.Effect<Duration.Duration, never, StepContext> = internal.elapsed(Base)
}

/**
 * @category services
 * @since 0.1.0
 */
export declare namespace StepContext {
  /**
   * What the service holds.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    readonly pipelineName: string
    /** Unique to the run (a UUID). */
    readonly runId: string
    /** For people: set by `Pipeline.runName`, else the pipeline's name and when the run started. */
    readonly runName: string
    /** The pipeline's name where the context is that of a run. */
    readonly stepName: string
    /** The names of the steps this one runs in, outermost first, and its own. Empty for a run. */
    readonly stepPath: ReadonlyArray<string>
    /** Which attempt runs, or, in terminal hooks, ran last. 1 is the first. */
    readonly attempt: number
    readonly startedAt: DateTime.Utc
    /** By the key of each parameter service, encoded as JSON values, secrets as `"<redacted>"`. */
    readonly params: Readonly<Record<string, unknown>>
    /** The pipeline's and the step's own, the latter over the former. */
    readonly annotations: Readonly<Record<string, unknown>>
  }
}
