/** Looks up whether a process has begun a run that is stored in the database. */
import * as EntityAddress from "effect/cluster/EntityAddress"
import * as EntityId from "effect/cluster/EntityId"
import * as EntityType from "effect/cluster/EntityType"
import { MessageStorage } from "effect/cluster/MessageStorage"
import { Sharding } from "effect/cluster/Sharding"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import { activityKey } from "../../durable/internal/activityKey.ts"

/** The first activity of every run. */
const start = { name: "run/start", attempt: 1 }

interface Lookup {
  /** Whether a process has begun the run of a pipeline with this id. */
  readonly begun: (pipelineName: string, runId: string) => Effect.Effect<boolean, unknown>
  /** Stores how a process ended, for the steps and hooks that were under way in it. */
  readonly died: (process: string, death: string) => Effect.Effect<void, unknown>
}

/** The lookup of an engine. */
export class Runs extends Context.Service<Runs, Lookup>()("effect-epilogue/cli/Runs") {}

/** Looks into the tables of the embedded engine. */
export const layerSqlite: Layer.Layer<Runs, never, SqlClient> = Layer.effect(
  Runs,
  Effect.map(SqlClient, (sql): Lookup => ({
    begun: (pipelineName, runId) =>
      Effect.map(
        sql`SELECT 1 FROM effect_epilogue_activities WHERE name = ${start.name} AND attempt = ${start.attempt} AND run =
          (SELECT id FROM effect_epilogue_runs WHERE workflow = ${pipelineName} AND execution = ${runId})`,
        (rows) => rows.length > 0
      ),
    died: (process, death) =>
      Effect.asVoid(
        sql`UPDATE effect_epilogue_activities SET died = ${death} WHERE process = ${process} AND exit IS NULL`
      )
  }))
)

/** Looks for requests to the engine on a cluster. */
export const layerCluster: Layer.Layer<Runs, never, MessageStorage | Sharding | SqlClient> = Layer.effect(
  Runs,
  Effect.gen(function*() {
    const sharding = yield* Sharding
    const storage = yield* MessageStorage
    const sql = yield* SqlClient
    const lookup: Lookup = {
      begun: (pipelineName, runId) => {
        const entityId = EntityId.make(runId)
        const address = EntityAddress.make({
          entityType: EntityType.make(`Workflow/${pipelineName}`),
          entityId,
          // not a part of the primary key
          shardId: sharding.getShardId(entityId, "default")
        })
        const id = activityKey(start.name, start.attempt)
        return Effect.map(
          storage.requestIdForPrimaryKey({ address, tag: "activity", id }),
          ({ _tag }) => _tag === "Some"
        )
      },
      died: (process, death) =>
        Effect.asVoid(sql`UPDATE effect_epilogue_begun SET died = ${death} WHERE process = ${process}`)
    }
    return lookup
  })
)
