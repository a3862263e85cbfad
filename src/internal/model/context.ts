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
 * The context of the step that is being evaluated, for its body and its hooks. In the body of a pipeline outside
 * of its steps, and in the pipeline's own hooks, it is the context of the run.
 *
 * **Details**
 *
 * Steps and pipelines provide it. Using it elsewhere does not compile.
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
 * @see `Step.params` for the parameters in it
 * @see `Step.annotate` and `Pipeline.annotate` for annotations from outside of the body
 *
 * @category services
 * @since 0.1.0
 */
export class StepContext extends Base {
  /**
   * Adds annotations to the step, which its hooks, alerts and events show from then on. In the body of a
   * pipeline outside of its steps it annotates the run, whose hooks and those of all its steps show them.
   *
   * **Gotchas**
   *
   * Alerts, events and records show annotations: wrap a secret in a `Redacted`.
   *
   * @see `Step.annotate` for values that are known before the step runs
   */
  static annotate(key: string, value: unknown): Effect.Effect<void, never, StepContext>
  /** Adds several annotations, by their names. */
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
   * Reports from a step's body how much of its work is done, and how much there is in all where that is known.
   *
   * **Details**
   *
   * Observers receive a `StepProgress` event, from which `effect-epilogue/report` draws a bar, a rate and the
   * time left. Without observers it costs nothing. In the body of a pipeline outside of its steps it does
   * nothing.
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

  /** The time since the step started. In a hook that runs after the step, the time that the step took. */
  static readonly elapsed: Effect.Effect<Duration.Duration, never, StepContext> = Effect.flatMap(
    Base,
    (context) =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        // a wall clock can be set back
        Duration.millis(Math.max(0, Math.min(now, endOf(context)) - DateTime.toEpochMillis(context.startedAt))))
  )
}

/**
 * The types of the service.
 *
 * @category services
 * @since 0.1.0
 */
export declare namespace StepContext {
  /**
   * The context of a step or a run.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    /** The name of the pipeline, or that of the outermost step outside of any pipeline. */
    readonly pipelineName: string
    /** The id of the run, which no other run has: a UUID, or the execution id of a durable run. */
    readonly runId: string
    /**
     * The name of the run for people: that of `Pipeline.runName`, else the pipeline's name and the time of the
     * start.
     */
    readonly runName: string
    /** The name of the step, or that of the pipeline if the context is a run's. */
    readonly stepName: string
    /** The key of the step, which `Step.key` sets, as text. `undefined` for a step without one, and for a run. */
    readonly stepKey: string | undefined
    /** The names of the steps from the outermost to this one. Empty for a run. */
    readonly stepPath: ReadonlyArray<string>
    /** The names of `stepPath` as people are shown them: with their keys, as in `fetch-page[7]`. */
    readonly stepLabels: ReadonlyArray<string>
    /** The number of the current attempt, in hooks of the step's outcome that of the last one. 1 is the first. */
    readonly attempt: number
    /** The time at which the step started, by the wall clock. */
    readonly startedAt: DateTime.Utc
    /**
     * The parameters by the key of their service, encoded as JSON values, secrets as `"<redacted>"`. Only those
     * that `Step.params` declares.
     */
    readonly params: Readonly<Record<string, unknown>>
    /** The annotations of the pipeline and the step. The step's take precedence. */
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
