/** Layers of workflow engines: those of `effect/cluster`, and the embedded one. */
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import type { MessageStorage } from "effect/cluster/MessageStorage"
import { RunnerAddress } from "effect/cluster/RunnerAddress"
import type { Sharding } from "effect/cluster/Sharding"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as SingleRunner from "effect/cluster/SingleRunner"
import type { ConfigError } from "effect/Config"
import * as Digest from "effect/crypto/Digest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { layerMemory, type WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { memory as memoryName } from "../../../internal/files/sqlite.ts"
import { checked, type Known, optionalText, text, wholeMistakes } from "../../../internal/model/options.ts"
import { refusedPath } from "../../../internal/text/databaseAddress.ts"
import type { ClusterOptions, RunnerOptions, SingleOptions, SqliteOptions } from "../../Options.ts"
import { withCrashes } from "../crashes/sql.ts"
import { withQuestions } from "../questions/engine.ts"
import { withHealth } from "./cluster/health.ts"
import { withRuns } from "./cluster/runs.ts"
import * as Embedded from "./embedded/layer.ts"
import type { DatabaseInUse } from "./embedded/lock.ts"
import * as SqliteClient from "./sqliteClient.ts"
import { makeFolderOf } from "./sqliteFile.ts"
import { check, type UntrustedNetwork } from "./trustedNetwork.ts"

type Engine = WorkflowEngine | Sharding | MessageStorage

/** @internal */
export const memory = withQuestions(layerMemory)

/** @internal */
export const cluster = (
  patience?: Duration.Input
): Layer.Layer<WorkflowEngine, never, Sharding | MessageStorage> =>
  withHealth(withRuns(withCrashes(withQuestions(ClusterWorkflowEngine.layer))), patience)

/** @internal */
export const clusterAt = <E, R>(
  options: RunnerOptions,
  runner: (
    config: Pick<ShardingConfig["Service"], "runnerAddress" | "runnerListenAddress">
  ) => Layer.Layer<Sharding | MessageStorage, E, R>
): Layer.Layer<Engine, E | UntrustedNetwork, R> => {
  const { host, listenHost = host, patience, port, trustedNetwork = false } = options
  const address = (host: string) => Option.some(RunnerAddress.make({ host, port }))
  const allowed = Effect.map(
    Effect.suspend(() => {
      checked("Durable.layerClusterAt", options, {
        host: text,
        port: (what, value) => wholeMistakes(what, value ?? NaN, 0, 65_535),
        listenHost: optionalText,
        trustedNetwork: 0,
        patience: 0
      })
      return check([host, listenHost], trustedNetwork)
    }),
    () => runner({ runnerAddress: address(host), runnerListenAddress: address(listenHost) })
  )
  return Layer.provideMerge(cluster(patience), Layer.unwrap(allowed))
}

/**
 * Waits without a limit until the pipelines of stored runs are registered, unless the environment sets a limit. By
 * default a runner fails a stored run for good when its pipeline is not registered within a minute; in a single process
 * that happens to every run of a pipeline whose layer the script does not include this time.
 */
const registrationSettings = (): Partial<ShardingConfig["Service"]> =>
  process.env["ENTITY_REGISTRATION_TIMEOUT"] === undefined ? { entityRegistrationTimeout: Infinity } : {}

/** @internal */
export const clusterWith = (
  options: ClusterOptions
): Layer.Layer<WorkflowEngine, never, Sharding | MessageStorage> =>
  Layer.unwrap(Effect.sync(() => cluster(checked("Durable.layerClusterWith", options, { patience: 0 }).patience)))

/** @internal */
export const single = (options: SingleOptions = {}): Layer.Layer<Engine, ConfigError, SqlClient> =>
  Layer.unwrap(Effect.sync(() => {
    const { patience, shardingConfig } = checked("Durable.layerSingle", options, { patience: 0, shardingConfig: 0 })
    return Layer.provideMerge(
      cluster(patience),
      SingleRunner.layer({ runnerStorage: "sql", shardingConfig: { ...registrationSettings(), ...shardingConfig } })
    )
  })).pipe(Layer.provide(Digest.layerWebCrypto))

const ofSqlite: Known<SqliteOptions> = { filename: text, synchronous: 0, drain: 0, patience: 0, keep: 0 }

/** The layer of the embedded engine, with the client of its file. */
const onFile = <E>(
  of: string,
  options: SqliteOptions,
  embedded: (options: SqliteOptions) => Layer.Layer<WorkflowEngine, E, SqlClient>
): Layer.Layer<WorkflowEngine | SqlClient, E | SqlError> =>
  Layer.unwrap(Effect.sync(() => {
    const { filename, synchronous } = checked(of, options, ofSqlite)
    const engine = withQuestions(embedded(options)).pipe(
      Layer.provideMerge(SqliteClient.layer({ filename, synchronous }))
    )
    // a name that the client refuses gets no folder, whose name would show what it holds
    return filename === memoryName || refusedPath(filename) !== undefined
      ? engine
      : Layer.provide(engine, Layer.effectDiscard(makeFolderOf(filename)))
  }))

/** @internal */
export const sqlite = (
  options: SqliteOptions
): Layer.Layer<WorkflowEngine | SqlClient, Embedded.OpenError | DatabaseInUse> =>
  onFile("Durable.layerSqlite", options, Embedded.runner)

/** @internal */
export const sqliteClient = (
  options: SqliteOptions
): Layer.Layer<WorkflowEngine | SqlClient, Embedded.OpenError> =>
  onFile("Durable.layerSqliteClient", options, Embedded.client)
