/**
 * Steps and pipelines whose runs survive the process, on Effect's workflow engine.
 *
 * A durable pipeline is a `Workflow` of `effect/workflow`, and {@link step} makes a step of it durable. When a step ends,
 * its result is recorded together with the hooks that must still run, and each hook is recorded when it has run. When a
 * run resumes, after a crash or a wait, its body is evaluated anew and reads the results of the steps that have ended.
 * So side effects belong in steps. A step or a pipeline in the body that is not durable would run again at each
 * resumption: it is a mistake, on which the run dies. All that happens inside of a step, nested steps included, is one
 * activity, in which steps are evaluated as in memory.
 *
 * **Guarantees**
 *
 * - A step's end is recorded once, with its pending hooks, and a recorded step does not run again. A step that was cut
 *   off before that runs again from its beginning.
 * - A hook's end is recorded once, and a recorded hook does not run again. A hook that was cut off before that runs
 *   again, so a post that had arrived may arrive a second time. Its alert has the same `idempotencyKey` then (run, step,
 *   kind and index), by which the receiver can drop the duplicate.
 * - With an `Outbox`, alerts are rows of a database: none is lost, and none is queued twice.
 * - Observers are told of each event once, in the process in which it happens; records that are read at a replay cause
 *   no events. A crash between a record and its event loses the event, and nothing else.
 *
 * **Gotchas**
 *
 * `Effect.sleep` in the body starts anew after a crash; `DurableClock.sleep` of `effect/workflow` does not, and may take
 * days. So may the answer to `Approver.ask`, with an approver of `Approval`.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import type * as Workflow from "effect/workflow/Workflow"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { Step } from "../Step.ts"
import type { StepContext } from "../StepContext.ts"
import type { CrashedTooOften } from "./internal/crashes/crashedTooOften.ts"
import * as interruption from "./internal/run/interruptNow.ts"
import * as pipelines from "./internal/run/pipeline.ts"
import * as steps from "./internal/run/step.ts"
import type { StorageFailed } from "./internal/storage/storageFailed.ts"
import type { LibraryError } from "./internal/stored/errors.ts"
import type { Unstorable } from "./internal/stored/unstorable.ts"
import type { Fits, PayloadOf, Pipeline, PipelineOptions, SchemaServices, StepOptions } from "./Options.ts"

export type {
  /**
   * The errors that the library adds to those of a step: the error of a required hook, of a time limit, of an approval,
   * of an alerter, of a skip, of crashes, or of a value that can't be stored. They are stored without a schema of yours.
   *
   * @category models
   * @since 0.1.0
   */
  LibraryError
} from "./internal/stored/errors.ts"

export * from "./Engines.ts"
export type * from "./Options.ts"
export * from "./Runs.ts"
export * from "./Ui.ts"

/**
 * Makes a step durable: in the body of a {@link pipeline} its result, a success or a failure, is recorded, and its body
 * does not run again after that.
 *
 * **Details**
 *
 * - The step keeps its hooks, retries, time limit and approval. Each attempt and each hook is recorded. A delay between
 *   attempts of more than 10 seconds needs no process.
 * - A `Step.timeout` after the `Step.retry` counts from the start of the first attempt, by the wall clock, through
 *   restarts.
 * - Of several retries in a pipe the last one is recorded; those before it are part of each attempt.
 * - The answer to the predicate of `Step.when` is recorded, and so is a skip. The schemas are those of the value and the
 *   errors at this place in the pipe: `Schema.Option` after `Step.when`. The error of a predicate that is attached later
 *   can't be stored.
 *
 * **Gotchas**
 *
 * Steps of one name that do not run one after another in the pipeline's body, as in `Effect.forEach` with concurrency,
 * each need a key of `Step.key` that is the same when the run resumes after a crash.
 *
 * A step whose body was running when its process ended begins again, at most `crashes` times: then it fails with a
 * {@link CrashedTooOften}, which no retry follows, and its failure hooks run.
 *
 * The caller and the hooks get the value that the schemas decode. Outside of a durable pipeline's body the step is
 * evaluated in memory, as if it were not durable.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Durable } from "effect-epilogue/durable"
 * import { Effect, Schema } from "effect"
 *
 * const count = Step.make("count", Effect.succeed(1461)).pipe(
 *   Step.retry({ times: 3 }),
 *   Step.onSuccess((rows) => Effect.log(`${rows} rows`)),
 *   Durable.step({ success: Schema.Int })
 * )
 * ```
 *
 * @see {@link pipeline} for the pipeline around it
 * @see `Step.key` for telling steps of one name apart
 * @category constructors
 * @since 0.1.0
 */
export const step: {
  <S extends Schema.Top = Schema.Void, X extends Schema.Top = Schema.Never>(
    options?: StepOptions<S, X>
  ): <A, E extends X["Type"] | LibraryError, R>(
    self: Step<A, E, R> & Fits<A, S>
  ) => Step<
    S["Type"],
    E | CrashedTooOften | Unstorable,
    R | SchemaServices<S> | SchemaServices<X> | WorkflowEngine | WorkflowInstance
  >
  <
    A,
    E extends X["Type"] | LibraryError,
    R,
    S extends Schema.Top = Schema.Void,
    X extends Schema.Top = Schema.Never
  >(
    self: Step<A, E, R> & Fits<A, S>,
    options?: StepOptions<S, X>
  ): Step<
    S["Type"],
    E | CrashedTooOften | Unstorable,
    R | SchemaServices<S> | SchemaServices<X> | WorkflowEngine | WorkflowInstance
  >
} = steps.step

/**
 * Makes a pipeline whose runs survive the process: a `Workflow`, and the layer that runs it.
 *
 * **Details**
 *
 * The body is a function that takes the payload, and the execution id, and returns an Effect. Where that is a `Pipeline`
 * of the in-memory kind, its hooks, annotations and run name are kept. The hooks of the run are recorded as those of
 * steps are.
 *
 * **Gotchas**
 *
 * The body is evaluated anew whenever the run resumes. Steps and pipelines in it must be durable.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Alerter, Pipeline, Step } from "effect-epilogue"
 * import { Durable } from "effect-epilogue/durable"
 * import { Effect, Layer, Schema } from "effect"
 *
 * const extract = (day: string) => Step.make("extract", Effect.succeed(day.length)).pipe(
 *   Durable.step({ success: Schema.Int })
 * )
 *
 * const nightly = Durable.pipeline("nightly", {
 *   payload: { day: Schema.String },
 *   success: Schema.Int,
 *   idempotencyKey: ({ day }) => day
 * }, ({ day }) => Pipeline.make("nightly", extract(day)).pipe(Pipeline.stepHooks(AlerterHooks.all)))
 *
 * const program = nightly.workflow.execute({ day: "2026-11-25" }).pipe(
 *   Effect.provide(nightly.layer.pipe(
 *     Layer.provideMerge(Durable.layerMemory),
 *     Layer.provide(Alerter.layerConsole)
 *   ))
 * )
 * ```
 *
 * @see {@link step} for the steps in it
 * @category constructors
 * @since 0.1.0
 */
export const pipeline: <
  const Name extends string,
  const P extends Schema.Struct.Fields | Workflow.AnyStructSchema,
  A,
  E extends X["Type"] | LibraryError,
  R,
  S extends Schema.Top = Schema.Void,
  X extends Schema.Top = Schema.Never
>(
  name: Name,
  options: PipelineOptions<P, S, X>,
  body: (payload: PayloadOf<P>["Type"], executionId: string) => Effect.Effect<A, E, R> & Fits<A, S>
) => Pipeline<
  Name,
  PayloadOf<P>,
  S,
  Schema.Codec<E | StorageFailed | Unstorable, unknown, X["DecodingServices"], X["EncodingServices"]>,
  | Exclude<R, StepContext | WorkflowEngine | WorkflowInstance | Workflow.Execution<Name> | Scope>
  | SchemaServices<PayloadOf<P>>
  | SchemaServices<S>
  | SchemaServices<X>
> = pipelines.make

/**
 * Interrupts a run and the bodies of its steps that are running, wherever they are. Their finalizers run, then the
 * interrupt hooks of the steps, and then those of the run.
 *
 * **When to use**
 *
 * `workflow.interrupt` lets a step that is running come to its end, and takes effect when the run next waits or comes to
 * a step. This is for steps that take too long for that.
 *
 * **Gotchas**
 *
 * A hook that is running is cut off, too, and runs again from its beginning.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Durable } from "effect-epilogue/durable"
 * import { Effect, Schema } from "effect"
 *
 * const train = Durable.pipeline("train", {
 *   payload: { model: Schema.String },
 *   idempotencyKey: ({ model }) => model
 * }, () => Durable.step(Step.make("fit", Effect.sleep("3 hours"))))
 *
 * const stop = (runId: string) =>
 *   Durable.interruptNow(train, runId).pipe(
 *     Effect.provide(Durable.layerSqliteClient({ filename: ".epilogue/durable.db" }))
 *   )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const interruptNow: (
  pipeline: { readonly workflow: Workflow.Any },
  runId: string
) => Effect.Effect<void, never, WorkflowEngine> = interruption.interruptNow

export {
  /**
   * The error of a {@link step} whose process has ended too often while its body was running, as where each attempt takes
   * more memory than there is. A hook that ends its process as often is recorded as failed with it.
   *
   * @see {@link StepOptions} for how often that is
   * @category errors
   * @since 0.1.0
   */
  CrashedTooOften
} from "./internal/crashes/crashedTooOften.ts"
export type {
  /**
   * The fields of a {@link CrashedTooOften}.
   *
   * @category errors
   * @since 0.1.0
   */
  CrashedTooOftenFields
} from "./internal/crashes/crashedTooOften.ts"

export {
  /**
   * The error of a {@link step} or a {@link pipeline} whose result or error can't be stored as JSON, though its schema lets
   * it pass: a bigint, a function or a cycle through `Schema.Any`, or a getter or a `toJSON` that throws. It says where.
   * Their failure hooks run, and it is the same with each engine, `layerMemory` included.
   *
   * **Details**
   *
   * A run whose payload can't be stored dies with it before it is submitted. A value that its schema does not fit is a
   * defect.
   *
   * @category errors
   * @since 0.1.0
   */
  Unstorable
} from "./internal/stored/unstorable.ts"
export type {
  /**
   * The fields of an {@link Unstorable}.
   *
   * @category errors
   * @since 0.1.0
   */
  UnstorableFields
} from "./internal/stored/unstorable.ts"

export {
  /**
   * The error that {@link step} and {@link pipeline} throw where a schema has a `Redacted`: what is stored of a run is
   * stored as its schema encodes it, and the value would stand in the database for all who can read that.
   *
   * **When to use**
   *
   * Store the name of a secret and read its value in a step. Where the value itself has to be stored, encrypt it in a
   * schema of your own (`Schema.decodeTo`), and annotate that with `{ sealed: true }`.
   *
   * @category errors
   * @since 0.1.0
   */
  StoredSecret
} from "./internal/stored/secrets.ts"
export type {
  /**
   * The fields of a {@link StoredSecret}.
   *
   * @category errors
   * @since 0.1.0
   */
  StoredSecretFields
} from "./internal/stored/secrets.ts"
