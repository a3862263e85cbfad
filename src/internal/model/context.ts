/** The `StepContext` service, and the keys by which the engine's contexts extend it. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"

type Values = Readonly<Record<string, unknown>>

/** The key of the method that adds annotations to a context's step. */
export const Annotate: unique symbol = Symbol.for("effect-epilogue/StepContext/Annotate")

/** The key of the method that reports the progress of a context's step. */
export const Progress: unique symbol = Symbol.for("effect-epilogue/StepContext/Progress")

/** The key of the time at which a context's step ended, in milliseconds, where its hooks may run long after that. */
export const Ended: unique symbol = Symbol.for("effect-epilogue/StepContext/Ended")

const Base: Context.ServiceClass<StepContext, "effect-epilogue/StepContext", StepContext.Shape> = Context.Service<
  StepContext,
  StepContext.Shape
>()("effect-epilogue/StepContext")

/**
 * The context of the step that is being evaluated, or of the run, in the body and
 * the hooks of a pipeline itself. Steps and pipelines provide it; elsewhere asking
 * for it does not compile.
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
   * Adds annotations to the step: they are in `annotations` from then on, for its
   * hooks and its alerts. In the body of a pipeline, outside its steps, they are
   * the run's, for the hooks of the run and of all its steps. Wrap a secret in a
   * `Redacted`.
   *
   * @see `Step.annotate` for what is known before the step runs
   */
  static annotate(key: string, value: unknown): Effect.Effect<void, never, StepContext>
  static annotate(values: Readonly<Record<string, unknown>>): Effect.Effect<void, never, StepContext>
  static annotate(
    ...args: [key: string, value: unknown] | [values: Values]
  ): Effect.Effect<void, never, StepContext> {
    const values = args.length === 1 ? args[0] : { [args[0]]: args[1] }
    return StepContext.useSync((context) => {
      // A context that a test made by hand has no such method: then the annotation is dropped.
      const extended = context as Extended
      extended[Annotate]?.(values)
    })
  }

  /**
   * Reports, from a step's body, how much of its work is done, and of how much in
   * all where that is known. Observers get a `StepProgress` event, from which
   * `effect-epilogue/report` draws a bar, a rate and the time left; without
   * observers it costs nothing. In the body of a pipeline, outside its steps, it
   * does nothing.
   *
   * @example
   * ```ts
   * import { Step, StepContext } from "effect-epilogue"
   * import { Effect } from "effect"
   *
   * const load = Step.make("load", Effect.gen(function*() {
   *   for (let i = 1; i <= 100; i++) {
   *     yield* Effect.sleep("10 millis")
   *     yield* StepContext.progress(i, 100)
   *   }
   * }))
   * ```
   */
  static progress(done: number, total?: number): Effect.Effect<void, never, StepContext> {
    return StepContext.useSync((context) => {
      const extended = context as Extended
      extended[Progress]?.(done, total)
    })
  }

  /** The time since the step started. In its hooks, the time that it took, if the hook runs long after. */
  static readonly elapsed: Effect.Effect<Duration.Duration, never, StepContext> = Effect.flatMap(
    Base,
    (context) =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        // a wall clock can be set back
        Duration.millis(Math.max(0, Math.min(now, endOf(context)) - DateTime.toEpochMillis(context.startedAt))))
  )
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
    /** The names of the steps that this one runs in, outermost first, and its own. Empty for a run. */
    readonly stepPath: ReadonlyArray<string>
    /** The number of the attempt that runs, or, in terminal hooks, that ran last. 1 is the first. */
    readonly attempt: number
    readonly startedAt: DateTime.Utc
    /** By the key of each parameter service, encoded as JSON values, secrets as `"<redacted>"`. */
    readonly params: Readonly<Record<string, unknown>>
    /** The pipeline's and the step's own, the latter over the former. */
    readonly annotations: Readonly<Record<string, unknown>>
  }
}

/** A context that the engine made: see `engine/view.ts`. */
interface Extended extends StepContext.Shape {
  readonly [Annotate]?: (values: Values) => void
  readonly [Progress]?: (done: number, total: number | undefined) => void
}

const endOf = (context: StepContext.Shape): number =>
  hasProperty(context, Ended) && typeof context[Ended] === "number" ? context[Ended] : Infinity
