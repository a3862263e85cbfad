/**
 * The engines that run durable pipelines: in memory, on a SQLite file, and those of `effect/cluster`.
 *
 * @since 0.1.0
 */
import type { MessageStorage } from "effect/cluster/MessageStorage"
import type { Sharding } from "effect/cluster/Sharding"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import type { ConfigError } from "effect/Config"
import type * as Layer from "effect/Layer"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { DatabaseRefused } from "./internal/engine/embedded/layer.ts"
import type { DatabaseInUse } from "./internal/engine/embedded/lock.ts"
import * as engines from "./internal/engine/layers.ts"
import type { UntrustedNetwork } from "./internal/engine/trustedNetwork.ts"
import type { ClusterOptions, RunnerOptions, SingleOptions, SqliteOptions } from "./Options.ts"

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
): Layer.Layer<WorkflowEngine | Sharding | MessageStorage, ConfigError, SqlClient> => engines.single(options)

/**
 * The embedded engine: one process runs what is in a SQLite file, which is made with its folder where it is missing. It
 * also provides the file's `SqlClient`, for an `Outbox` and for queries of your own.
 *
 * **Details**
 *
 * Each end of a step and of a hook is one transaction. Where something depends on it the run waits until the disk has
 * it, unless `synchronous` says otherwise. A run that waits for a clock or an answer is a row of the file, and nothing
 * in memory. After a crash, or `kill -9`, the next process resumes the runs at once. Other processes submit, answer,
 * interrupt and look with {@link layerSqliteClient}, and are heard within a tenth of a second.
 *
 * The client is `node:sqlite`, which Bun, Deno and Node 22.19 or later include. The file and what is beside it can be
 * read by their owner only: rights of others are taken away, since whoever can read the file can lock it. Transactions
 * start with `BEGIN IMMEDIATE`. Integers that a number can't represent fail, unless `SqlClient.SafeIntegers` is provided.
 *
 * **Gotchas**
 *
 * While one process runs what is in the file, under whatever name, another one fails with {@link DatabaseInUse}. The file
 * must not be on a network drive.
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
 * @see {@link layerSqliteClient} for other processes
 * @see {@link layerCluster} for several processes that run
 * @category engines
 * @since 0.1.0
 */
export const layerSqlite = (
  options: SqliteOptions
): Layer.Layer<WorkflowEngine | SqlClient, SqlError | DatabaseInUse | DatabaseRefused> => engines.sqlite(options)

/**
 * The embedded engine of a process that runs nothing: it submits runs to the file, answers and interrupts them, and looks
 * at what became of them, while another process runs them with {@link layerSqlite}, or before one does.
 *
 * **When to use**
 *
 * For a page that answers questions with `Approval.answer`, or a server that submits runs to a worker.
 *
 * **Gotchas**
 *
 * The layers of pipelines do nothing with this engine.
 *
 * @example
 * ```ts
 * import { Approval, Durable } from "effect-epilogue/durable"
 * import { Effect } from "effect"
 *
 * const approve = (token: string) =>
 *   Approval.answer(token, { approve: true, by: { id: "U123", name: "Ada" } }).pipe(
 *     Effect.provide(Durable.layerSqliteClient({ filename: ".epilogue/durable.db" }))
 *   )
 * ```
 *
 * @see {@link layerSqlite} for the process that runs them
 * @category engines
 * @since 0.1.0
 */
export const layerSqliteClient = (
  options: SqliteOptions
): Layer.Layer<WorkflowEngine | SqlClient, SqlError | DatabaseRefused> => engines.sqliteClient(options)

/**
 * The engine on a cluster of `effect/cluster`: several processes, on one machine or many, that share a database.
 *
 * **Details**
 *
 * While the database fails, its runs wait, and go on by themselves when it is well again: the methods of the
 * `MessageStorage` are replaced by ones that wait.
 *
 * `NodeClusterSocket.layer({ storage: "sql" })` of `@effect/platform-node` makes the cluster, on Bun, Deno and Node, with
 * the `SqlClient` of `@effect/sql-pg`.
 *
 * @see {@link layerSingle} for one process
 * @category engines
 * @since 0.1.0
 */
export const layerCluster: Layer.Layer<WorkflowEngine, never, Sharding | MessageStorage> = engines.cluster()

/**
 * {@link layerCluster} with settings.
 *
 * @example
 * ```ts
 * import { NodeClusterSocket } from "@effect/platform-node"
 * import { Durable } from "effect-epilogue/durable"
 * import { Layer } from "effect"
 *
 * const engine = Durable.layerClusterWith({ patience: "10 minutes" }).pipe(
 *   Layer.provide(NodeClusterSocket.layer({ storage: "sql" }))
 * )
 * ```
 *
 * @see {@link layerClusterAt} for a runner at an address
 * @category engines
 * @since 0.1.0
 */
export const layerClusterWith = (
  options: ClusterOptions
): Layer.Layer<WorkflowEngine, never, Sharding | MessageStorage> => engines.clusterWith(options)

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
   * The error of {@link layerSqlite} while another process runs what is in the database.
   *
   * @category errors
   * @since 0.1.0
   */
  DatabaseInUse
} from "./internal/engine/embedded/lock.ts"

export {
  /**
   * The error of {@link layerSqlite} for a database that it can't use, with what to do: another version has written it
   * and left unfinished runs, or the file is mounted without its folder.
   *
   * @category errors
   * @since 0.1.0
   */
  DatabaseRefused
} from "./internal/engine/embedded/layer.ts"

export {
  /**
   * The error of those who wait for a run whose storage has failed for longer than the `patience` of its engine, or is
   * lost: the disk is full, the file was deleted or is corrupt, the server can't be reached.
   *
   * **Details**
   *
   * The run has not ended, since its end could not be recorded. Where the process goes on, as a worker does, the run waits
   * there, and goes on when the storage is well again; otherwise it does so in the next process. Its failure hooks run
   * when the patience is over, in memory, once for each time that the storage fails.
   *
   * @see {@link SqliteOptions} for the patience, and {@link ClusterOptions} for that of a cluster
   * @category errors
   * @since 0.1.0
   */
  StorageFailed
} from "./internal/storage/storageFailed.ts"
export type {
  /**
   * The fields of a {@link StorageFailed}.
   *
   * @category errors
   * @since 0.1.0
   */
  StorageFailedFields
} from "./internal/storage/storageFailed.ts"
