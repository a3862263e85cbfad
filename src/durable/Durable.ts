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
import type { MessageStorage } from "effect/cluster/MessageStorage"
import type { Sharding } from "effect/cluster/Sharding"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import type { ConfigError } from "effect/Config"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type * as Workflow from "effect/workflow/Workflow"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { Step } from "../Step.ts"
import type { StepContext } from "../StepContext.ts"
import type { DatabaseInUse } from "./internal/engine/databaseLock.ts"
import * as engines from "./internal/engine/layers.ts"
import type { UntrustedNetwork } from "./internal/engine/trustedNetwork.ts"
import * as pipelines from "./internal/run/pipeline.ts"
import * as steps from "./internal/run/step.ts"
import type { LibraryError } from "./internal/stored/errors.ts"
import type {
  Fits,
  PayloadOf,
  Pipeline,
  PipelineOptions,
  RunnerOptions,
  SchemaServices,
  SingleOptions,
  StepOptions
} from "./Options.ts"

export type {
  /**
   * The errors that the library adds to those of a step: the error of a required hook, of a time limit, of an approval
   * or of an alerter. They are stored without a schema of yours.
   *
   * @category models
   * @since 0.1.0
   */
  LibraryError
} from "./internal/stored/errors.ts"

export type * from "./Options.ts"

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
 *
 * **Gotchas**
 *
 * Steps of one name that do not run one after another in the pipeline's body, as in `Effect.forEach` with concurrency,
 * each need a key of `Step.key` that is the same when the run resumes after a crash.
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
  ) => Step<S["Type"], E, R | SchemaServices<S> | SchemaServices<X> | WorkflowEngine | WorkflowInstance>
  <
    A,
    E extends X["Type"] | LibraryError,
    R,
    S extends Schema.Top = Schema.Void,
    X extends Schema.Top = Schema.Never
  >(
    self: Step<A, E, R> & Fits<A, S>,
    options?: StepOptions<S, X>
  ): Step<S["Type"], E, R | SchemaServices<S> | SchemaServices<X> | WorkflowEngine | WorkflowInstance>
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
  Schema.Codec<E, unknown, X["DecodingServices"], X["EncodingServices"]>,
  | Exclude<R, StepContext | WorkflowEngine | WorkflowInstance | Workflow.Execution<Name> | Scope>
  | SchemaServices<PayloadOf<P>>
  | SchemaServices<S>
  | SchemaServices<X>
> = pipelines.make

// -----------------------------------------------------------------------------
// engines
// -----------------------------------------------------------------------------

/**
 * An engine that keeps everything in memory.
 *
 * **When to use**
 *
 * For tests, and for scripts that need approvals or interruption but need not survive the process.
 *
 * @see {@link layerSqlite} for an engine that survives it
 * @category engines
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<WorkflowEngine> = engines.memory

/**
 * An engine for one process that keeps everything in the database of any `SqlClient`. After a crash the next process
 * with this layer resumes the runs. Locks in the database prevent two processes from running the same workflows: a second
 * process waits until the locks of the first have expired.
 *
 * @see {@link layerSqlite} for a database without a package to install
 * @category engines
 * @since 0.1.0
 */
export const layerSingle = (
  options?: SingleOptions
): Layer.Layer<WorkflowEngine | Sharding | MessageStorage, ConfigError, SqlClient> => engines.single("sql", options)

/**
 * The embedded engine: one process, and a SQLite file, which is made with its folder where it is missing. It also
 * provides the file's `SqlClient`, for an `Outbox` and for queries of your own.
 *
 * **Details**
 *
 * The client is `node:sqlite`, which Bun, Deno and Node 22.19 or later include. The file, its
 * lock and what SQLite puts beside it can be read by their owner only: rights of others are taken away, since whoever can
 * read the file can lock it. After a crash, or `kill -9`, the next process resumes the runs at once. Transactions start with `BEGIN
 * IMMEDIATE`. Integers that a number can't represent fail, unless `SqlClient.SafeIntegers` is provided.
 *
 * **Gotchas**
 *
 * While one process has the file open, another one fails with {@link DatabaseInUse}. The file must not be on a network
 * drive.
 *
 * A `filename` that may be the address of a database, such as a URL or `key=value` pairs, fails with an error that does
 * not repeat it. Begin a path that has any of `: @ = ? # % & ; ,` in it with `./` or `/`.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-epilogue/durable"
 *
 * const engine = Durable.layerSqlite({ filename: ".epilogue/durable.db" })
 * ```
 *
 * @see {@link layerCluster} for several processes
 * @category engines
 * @since 0.1.0
 */
export const layerSqlite = (
  options: SingleOptions & { readonly filename: string }
): Layer.Layer<
  WorkflowEngine | Sharding | MessageStorage | SqlClient,
  ConfigError | SqlError | DatabaseInUse
> => engines.sqlite(options.filename, options)

/**
 * The engine on a cluster of `effect/cluster`: several processes, on one machine or many, that share a database.
 *
 * **Details**
 *
 * `NodeClusterSocket.layer({ storage: "sql" })` of `@effect/platform-node` makes the cluster, on Bun, Deno and Node, with
 * the `SqlClient` of `@effect/sql-pg`.
 *
 * @see {@link layerSingle} for one process
 * @category engines
 * @since 0.1.0
 */
export const layerCluster: Layer.Layer<WorkflowEngine, never, Sharding | MessageStorage> = engines.cluster

/**
 * {@link layerCluster} with a runner at an address. A host that others than this machine can reach is refused with
 * {@link UntrustedNetwork}, unless `trustedNetwork` says that only runners can reach it.
 *
 * **Details**
 *
 * The protocol of `effect/cluster` has no authentication: whoever reaches the port can start runs with any payload,
 * interrupt them, and end their waits. An approval is not among that: answers are read from the database.
 *
 * **Gotchas**
 *
 * With {@link layerCluster} alone the address is that of `effect/cluster`'s own settings, which are not checked.
 *
 * @example
 * ```ts
 * import { NodeClusterSocket } from "@effect/platform-node"
 * import { Durable } from "effect-epilogue/durable"
 *
 * const engine = Durable.layerClusterAt(
 *   { host: "10.0.0.7", port: 34431, trustedNetwork: true },
 *   (shardingConfig) => NodeClusterSocket.layer({ storage: "sql", shardingConfig })
 * )
 * ```
 *
 * @see {@link layerCluster} for a cluster that is set up otherwise
 * @category engines
 * @since 0.1.0
 */
export const layerClusterAt = <E, R>(
  address: RunnerOptions,
  cluster: (
    shardingConfig: Pick<ShardingConfig["Service"], "runnerAddress" | "runnerListenAddress">
  ) => Layer.Layer<Sharding | MessageStorage, E, R>
): Layer.Layer<WorkflowEngine | Sharding | MessageStorage, E | UntrustedNetwork, R> =>
  engines.clusterAt(address, cluster)

export {
  /**
   * The error of {@link layerClusterAt} for a host that others than this machine can reach.
   *
   * @category errors
   * @since 0.1.0
   */
  UntrustedNetwork
} from "./internal/engine/trustedNetwork.ts"

export {
  /**
   * The error of {@link layerSqlite} while another process has the database open.
   *
   * @category errors
   * @since 0.1.0
   */
  DatabaseInUse
} from "./internal/engine/databaseLock.ts"

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
