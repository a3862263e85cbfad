/** Looks up the requests of a run that the engine has stored in the database. */
import type { PersistenceError } from "effect/cluster/ClusterError"
import * as EntityAddress from "effect/cluster/EntityAddress"
import * as EntityId from "effect/cluster/EntityId"
import * as EntityType from "effect/cluster/EntityType"
import { MessageStorage } from "effect/cluster/MessageStorage"
import { Sharding } from "effect/cluster/Sharding"
import type { Snowflake } from "effect/cluster/Snowflake"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

/** Returns the id of the request of a run itself (`"run"`, with an empty `id`), of an activity or of a deferred in it. */
export const requestIdOf = (
  pipelineName: string,
  runId: string,
  tag: "run" | "activity" | "deferred",
  id: string
): Effect.Effect<Option.Option<Snowflake>, PersistenceError, MessageStorage | Sharding> =>
  Effect.gen(function*() {
    const sharding = yield* Sharding
    const storage = yield* MessageStorage
    const entityId = EntityId.make(runId)
    const address = EntityAddress.make({
      entityType: EntityType.make(`Workflow/${pipelineName}`),
      entityId,
      // not a part of the primary key
      shardId: sharding.getShardId(entityId, "default")
    })
    return yield* storage.requestIdForPrimaryKey({ address, tag, id })
  })
