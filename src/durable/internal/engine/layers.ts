/** Layers of workflow engines, built from those of `effect/cluster`. */
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import type { MessageStorage } from "effect/cluster/MessageStorage"
import { RunnerAddress } from "effect/cluster/RunnerAddress"
import type { Sharding } from "effect/cluster/Sharding"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as SingleRunner from "effect/cluster/SingleRunner"
import type { ConfigError } from "effect/Config"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { layerMemory, type WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { LinkError, makeFolder } from "../../../internal/files/private.ts"
import type { RunnerOptions, SingleOptions } from "../../Options.ts"
import { withQuestions } from "../questions/engine.ts"
import { refusedPath } from "./databaseAddress.ts"
import * as DatabaseLock from "./databaseLock.ts"
import { failure } from "./nodeSqlite.ts"
import * as SqliteClient from "./sqliteClient.ts"
import { check, type UntrustedNetwork } from "./trustedNetwork.ts"

type Engine = WorkflowEngine | Sharding | MessageStorage

/** @internal */
export const memory = withQuestions(layerMemory)

/** @internal */
export const cluster = withQuestions(ClusterWorkflowEngine.layer)

/** @internal */
export const clusterAt = <E, R>(
  { host, listenHost = host, port, trustedNetwork = false }: RunnerOptions,
  runner: (
    config: Pick<ShardingConfig["Service"], "runnerAddress" | "runnerListenAddress">
  ) => Layer.Layer<Sharding | MessageStorage, E, R>
): Layer.Layer<Engine, E | UntrustedNetwork, R> => {
  const address = (host: string) => Option.some(RunnerAddress.make({ host, port }))
  const checked = Effect.map(
    check([host, listenHost], trustedNetwork),
    () => runner({ runnerAddress: address(host), runnerListenAddress: address(listenHost) })
  )
  return Layer.provideMerge(cluster, Layer.unwrap(checked))
}

/**
 * Waits without a limit until the pipelines of stored runs are registered, unless the environment sets a limit. By
 * default a runner fails a stored run for good when its pipeline is not registered within a minute; in a single process
 * that happens to every run of a pipeline whose layer the script does not include this time.
 */
const registrationSettings = (): Partial<ShardingConfig["Service"]> =>
  process.env["ENTITY_REGISTRATION_TIMEOUT"] === undefined ? { entityRegistrationTimeout: Infinity } : {}

/** @internal */
export const single = (
  runnerStorage: "memory" | "sql",
  options: SingleOptions | undefined
): Layer.Layer<Engine, ConfigError, SqlClient> =>
  cluster.pipe(
    Layer.provideMerge(
      SingleRunner.layer({ runnerStorage, shardingConfig: { ...registrationSettings(), ...options?.shardingConfig } })
    ),
    Layer.provide(Digest.layerWebCrypto)
  )

/** @internal */
export const sqlite = (
  filename: string,
  options: SingleOptions
): Layer.Layer<Engine | SqlClient, ConfigError | SqlError | DatabaseLock.DatabaseInUse> => {
  // The lock on the file makes this the only runner, so the runner's locks stay in memory: in the database they would
  // outlive a crash, and the next process would have to wait until they expire.
  const engine = single("memory", options).pipe(Layer.provideMerge(SqliteClient.layer({ filename })))
  // A name that the client refuses gets no folder and no lock, whose names would show what it holds.
  if (filename === SqliteClient.memory || refusedPath(filename) !== undefined) return engine
  return engine.pipe(
    Layer.provide(DatabaseLock.layer(filename)),
    (locked) => Layer.provide(locked, Layer.effectDiscard(makeFolderOf(filename)))
  )
}

/** Makes the folder of the file. Of the errors only that of a link counts: opening the file says more about others. */
const makeFolderOf = (filename: string): Effect.Effect<void, SqlError> =>
  Effect.suspend(() => {
    try {
      return DatabaseLock.logAll(makeFolder(process.getBuiltinModule("node:path").dirname(filename)))
    } catch (cause) {
      return cause instanceof LinkError
        ? Effect.fail(failure(cause, "connect", `can't make the folder of ${filename}: ${cause.message}`))
        : Effect.void
    }
  })
