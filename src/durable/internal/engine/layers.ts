/** Engines of `effect/workflow`, put together. */
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import type { MessageStorage } from "effect/cluster/MessageStorage"
import type { Sharding } from "effect/cluster/Sharding"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import * as SingleRunner from "effect/cluster/SingleRunner"
import type { ConfigError } from "effect/Config"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { SingleOptions } from "../../Durable.ts"
import * as SqliteClient from "../../SqliteClient.ts"
import * as Lock from "./databaseLock.ts"

type Engine = WorkflowEngine | Sharding | MessageStorage

/** @internal */
export const cluster = ClusterWorkflowEngine.layer

/**
 * A runner fails the stored runs of a pipeline that it does not know for a minute, for good: in one process that is a
 * script whose layers do not all have the same pipelines. The environment's word counts, as for all of effect's settings.
 */
export const patient = (): Partial<ShardingConfig["Service"]> =>
  process.env["ENTITY_REGISTRATION_TIMEOUT"] === undefined ? { entityRegistrationTimeout: Infinity } : {}

/** @internal */
export const single = (
  runnerStorage: "memory" | "sql",
  options: SingleOptions | undefined
): Layer.Layer<Engine, ConfigError, SqlClient> =>
  cluster.pipe(
    Layer.provideMerge(
      SingleRunner.layer({ runnerStorage, shardingConfig: { ...patient(), ...options?.shardingConfig } })
    ),
    Layer.provide(Digest.layerWebCrypto)
  )

/** @internal */
export const sqlite = (
  filename: string,
  options: SingleOptions
): Layer.Layer<Engine | SqlClient, ConfigError | SqlError | Lock.DatabaseInUse> => {
  // Who holds the file runs all that is in the database, so no locks are needed inside, which would outlive a crash.
  const engine = single("memory", options).pipe(Layer.provideMerge(SqliteClient.layer({ filename })))
  return filename === ":memory:" ? engine : engine.pipe(
    Layer.provide(Lock.layer(filename)),
    (held) => Layer.provide(held, Layer.effectDiscard(makeFolderOf(filename)))
  )
}

const makeFolderOf = (filename: string): Effect.Effect<void> =>
  Effect.promise(async () => {
    const [{ mkdir }, { dirname }] = await Promise.all([import("node:fs/promises"), import("node:path")])
    // whoever opens the file in it says what is wrong
    await mkdir(dirname(filename), { recursive: true }).catch(() => {})
  })
