/**
 * Names Effects as pipelines. A pipeline gives hooks to all steps that are evaluated in it, and has hooks for
 * the run itself.
 *
 * **Details**
 *
 * A `Pipeline<A, E, R>` is an `Effect<A, E, R>`. Each evaluation is a run of its own with an id; runs share
 * nothing. A pipeline inside the body of another is a run of its own too, and its steps inherit the hooks of the
 * inner pipeline only.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type { Needs, Pipeline } from "./internal/model/step.ts"
import { combinator } from "./internal/steps/combinator.ts"
import type { Fn } from "./internal/steps/fn.ts"
import { provide as provideLayer } from "./internal/steps/provide.ts"
import * as internal from "./internal/steps/step.ts"
import type { TimeoutOptions } from "./Step.ts"

export type { Pipeline } from "./internal/model/step.ts"

/**
 * Returns whether a value is a pipeline.
 *
 * @see `Step.isStep` for steps
 *
 * @category guards
 * @since 0.1.0
 */
export const isPipeline: (u: unknown) => u is Pipeline<unknown, unknown, unknown> = internal.isPipeline as (
  u: unknown
) => u is Pipeline<unknown, unknown, unknown>

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Makes a pipeline from a name and an Effect. All steps that the Effect evaluates, on whatever fiber, belong to
 * its run.
 *
 * **Gotchas**
 *
 * An empty name is a mistake in the program: the run dies before its body runs.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const extract = Step.make("extract", Effect.succeed([1, 2, 3]))
 * const load = (rows: ReadonlyArray<number>) => Step.make("load", Effect.log(rows))
 *
 * const etl = Pipeline.make("etl", Effect.flatMap(extract, load)).pipe(
 *   Pipeline.stepHooks(AlerterHooks.failure)
 * )
 * ```
 *
 * @see {@link named} for the form that takes the Effect first
 * @see {@link fn} for pipelines with arguments
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: <A, E = never, R = never>(
  name: string,
  effect: Effect.Effect<A, E, R>
) => Pipeline<A, E, Needs<R>, never> = internal.makePipeline

/**
 * Makes a pipeline from an Effect and a name, to be piped into.
 *
 * @example
 * ```ts
 * import { Pipeline } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const etl = Effect.log("loading").pipe(Pipeline.named("etl"))
 * ```
 *
 * @see {@link make} for the form that takes the name first
 *
 * @category constructors
 * @since 0.1.0
 */
export const named: {
  (name: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Pipeline<A, E, Needs<R>, never>
  <A, E, R>(self: Effect.Effect<A, E, R>, name: string): Pipeline<A, E, Needs<R>, never>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, name: string) => make(name, self))

/**
 * Makes a function whose calls return pipelines of that name, as `Effect.fn` makes one whose calls return
 * Effects. Combinators receive the pipeline, followed by the arguments of the call.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Pipeline } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const train = Pipeline.fn("train")(
 *   function*(epochs: number) {
 *     yield* Effect.log(`${epochs} epochs`)
 *   },
 *   Pipeline.stepHooks(AlerterHooks.failure),
 *   (pipeline, epochs) => Pipeline.annotate(pipeline, { epochs })
 * )
 * ```
 *
 * @see {@link make} for pipelines without arguments
 *
 * @category constructors
 * @since 0.1.0
 */
export const fn: (name: string) => Fn<"Pipeline"> = internal.fn(internal.makePipeline)

export type { Fn, FnBody, FnCombinator, FnResult } from "./internal/steps/fn.ts"

// -----------------------------------------------------------------------------
// hooks
// -----------------------------------------------------------------------------

export type { DeadlineOptions } from "./internal/steps/deadline.ts"
export {
  deadline,
  type FitsAnyStep,
  hooks,
  layerDefault,
  onExit,
  onFailure,
  onFailureTag,
  onInterrupt,
  onOverdue,
  onSkip,
  onStart,
  onSuccess,
  overdue,
  stepHooks
} from "./internal/steps/pipelineHooks.ts"

// -----------------------------------------------------------------------------
// the run
// -----------------------------------------------------------------------------

/**
 * Adds annotations to the run, which hooks, alerts and events of the run and of its steps show.
 *
 * @see `Step.annotate` for annotations of one step
 * @see `StepContext.annotate` for values that a body finds out
 *
 * @category combinators
 * @since 0.1.0
 */
export const annotate: {
  (values: Readonly<Record<string, unknown>>): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R, H>
  <A, E, R, H>(self: Pipeline<A, E, R, H>, values: Readonly<Record<string, unknown>>): Pipeline<A, E, R, H>
} = combinator(2, internal.annotate)

/**
 * Limits the time of the run: when it is exceeded, its steps are interrupted and the run fails with a
 * `Cause.TimeoutError`. The time of the run's own hooks does not count.
 *
 * **Details**
 *
 * Steps that are running end with an interruption, and their hooks for it run; then the failure hooks of the run do. A
 * body that has not stopped at the end of the `grace`, which is 5 seconds unless set, is left behind: a warning is
 * logged, and the run fails. In a durable run the time counts from the start of the run, by the wall clock, through
 * restarts.
 *
 * **Gotchas**
 *
 * `Effect.timeout` around a pipeline interrupts the run, and runs its hooks for an interruption instead.
 *
 * A negative limit is a mistake in the program: the run dies before its body runs.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const nightly = Pipeline.make("nightly", Step.make("load", Effect.sleep("1 day"))).pipe(
 *   Pipeline.timeout("6 hours"),
 *   Pipeline.hooks(AlerterHooks.failure)
 * )
 * ```
 *
 * @see `Step.timeout` for the time limit of a step
 *
 * @category combinators
 * @since 0.1.0
 */
export const timeout: {
  (
    duration: Duration.Input,
    options?: TimeoutOptions
  ): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E | Cause.TimeoutError, R, H>
  <A, E, R, H>(
    self: Pipeline<A, E, R, H>,
    duration: Duration.Input,
    options?: TimeoutOptions
  ): Pipeline<A, E | Cause.TimeoutError, R, H>
} = internal.timeout

/**
 * Builds a layer inside the run and provides it to the body, so that a layer that fails is a failure of the run, with its
 * hooks.
 *
 * **When to use**
 *
 * For what the steps need: a database, a client, a file. Where the layer is provided with `Effect.provide`, around the
 * pipeline, its failure ends the program before the run begins, and no hook tells anybody. What the run's own hooks
 * need, as the `Alerter`, goes around the pipeline with `Effect.provide`.
 *
 * **Details**
 *
 * - The layer is built after the start hooks, and released after the body and the background hooks of the steps, before
 *   the other hooks of the run. A time limit of the run includes building it.
 * - Steps and their hooks, those of `Pipeline.stepHooks` included, get the services.
 * - The hooks of the run itself do not get the services, whether they are attached before or after, since there are none
 *   where the layer fails. What these hooks require, the caller provides, even where the layer has it.
 * - The layer may require parameters that a config file sets, and `StepContext`, that of the run.
 *
 * **Gotchas**
 *
 * Observers, as those of `Report.layerProgress`, go around the pipeline: inside they would miss the start of the run.
 *
 * @example
 * ```ts
 * import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
 * import { Context, Effect, Layer } from "effect"
 *
 * class Db extends Context.Service<Db, { readonly count: Effect.Effect<number> }>()("Db") {}
 *
 * const DbLive = Layer.effect(Db, Effect.fail("connection refused"))
 *
 * const nightly = Pipeline.make("nightly", Step.make("count", Effect.flatMap(Db, (db) => db.count))).pipe(
 *   Pipeline.hooks(AlerterHooks.failure), // "nightly failed: connection refused"
 *   Pipeline.provide(DbLive)
 * )
 *
 * const program = nightly.pipe(Effect.provide(Alerter.layerConsole))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const provide: {
  <const Layers extends [Layer.Any, ...Array<Layer.Any>]>(
    layers: Layers
  ): <A, E, R, H>(
    self: Pipeline<A, E, R, H>
  ) => Pipeline<
    A,
    E | Layer.Error<Layers[number]>,
    Exclude<R, Layer.Success<Layers[number]>> | Needs<Layer.Services<Layers[number]>> | H,
    H
  >
  <ROut, E2, RIn>(
    layer: Layer.Layer<ROut, E2, RIn>
  ): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E | E2, Exclude<R, ROut> | Needs<RIn> | H, H>
  <A, E, R, H, const Layers extends [Layer.Any, ...Array<Layer.Any>]>(
    self: Pipeline<A, E, R, H>,
    layers: Layers
  ): Pipeline<
    A,
    E | Layer.Error<Layers[number]>,
    Exclude<R, Layer.Success<Layers[number]>> | Needs<Layer.Services<Layers[number]>> | H,
    H
  >
  <A, E, R, H, ROut, E2, RIn>(
    self: Pipeline<A, E, R, H>,
    layer: Layer.Layer<ROut, E2, RIn>
  ): Pipeline<A, E | E2, Exclude<R, ROut> | Needs<RIn> | H, H>
} = provideLayer

/**
 * Names the run for people. A run without a name is called by its pipeline and the second of its start (UTC), as
 * in `etl-2026_11_23-09_42_06`.
 *
 * **Gotchas**
 *
 * Names need not be unique: `StepContext.runId` identifies a run.
 *
 * @see `StepContext` for the run's name and id
 *
 * @category combinators
 * @since 0.1.0
 */
export const runName: {
  (name: string): <A, E, R, H>(self: Pipeline<A, E, R, H>) => Pipeline<A, E, R, H>
  <A, E, R, H>(self: Pipeline<A, E, R, H>, name: string): Pipeline<A, E, R, H>
} = combinator(2, internal.runName)
