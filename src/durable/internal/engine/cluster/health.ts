/** Follows the failures of the database of a cluster. */
import { EntityAddress } from "effect/cluster/EntityAddress"
import { EntityId } from "effect/cluster/EntityId"
import { EntityType } from "effect/cluster/EntityType"
import { MessageStorage } from "effect/cluster/MessageStorage"
import { Sharding } from "effect/cluster/Sharding"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { SqlClient } from "effect/sql/SqlClient"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { keepResults } from "../../run/keptResults.ts"
import { guard } from "../../storage/guard.ts"
import { Health } from "../../storage/health.ts"
import { guardMessages } from "../../storage/messages.ts"

/** Makes an engine wait while the database of its cluster fails, and its callers until the patience is over. */
export const withHealth = <A, E, R>(
  engine: Layer.Layer<A | WorkflowEngine, E, R>,
  patience: Duration.Input | undefined
): Layer.Layer<A | WorkflowEngine, E, R | Sharding | MessageStorage> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const engine = yield* WorkflowEngine
    const sharding = yield* Sharding
    const storage = yield* MessageStorage
    const { requestIdForPrimaryKey } = storage
    const client = Option.getOrUndefined(yield* Effect.serviceOption(SqlClient))
    const health = guardMessages(storage, sharding, client, new Health("the database of the cluster", patience))
    guard(engine, health)
    keepResults(engine)
    const entityId = EntityId.make("-")
    const address = EntityAddress.make({
      entityType: EntityType.make("effect-epilogue/probe"),
      entityId,
      shardId: sharding.getShardId(entityId, "default")
    })
    yield* Effect.forkScoped(health.probe(requestIdForPrimaryKey({ address, tag: "probe", id: "" })))
  })).pipe(Layer.provideMerge(engine))
