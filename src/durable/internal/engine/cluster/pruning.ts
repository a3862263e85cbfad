/** Removes runs of a cluster that have ended, with all that is stored of them. */
import * as Clock from "effect/Clock"
import { EntityAddress } from "effect/cluster/EntityAddress"
import { EntityId } from "effect/cluster/EntityId"
import { EntityType } from "effect/cluster/EntityType"
import * as ShardId from "effect/cluster/ShardId"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Prune } from "../../../../internal/model/storedRun.ts"
import { sha256 } from "../../sha256.ts"
import type { Cluster } from "./cluster.ts"
import { clocks, endOf, entityOf, parentKey, type RunRow } from "./tables.ts"

/**
 * How long a run stays after its end, whatever the options say, in milliseconds. For some seconds its runner has it in
 * memory, and would take a new run of the same payload for the old one.
 */
const rest = 60_000

/** How many runs are read at once. */
const page = 500

interface Ended extends Pick<RunRow, "entity" | "execution" | "shard"> {
  readonly endedAt: number
  /** The run that has started this one, and may wait for it. */
  readonly parent: { readonly workflowName: string; readonly executionId: string } | undefined
}

/** Returns all runs that have ended, those that ended last first. */
const endedRuns = ({ tables }: Cluster, pipelines: Prune["pipelines"]): Effect.Effect<Array<Ended>, SqlError> =>
  Effect.gen(function*() {
    const found: Array<Ended> = []
    let before: string | undefined
    while (true) {
      const rows = yield* tables.runs(tables.ofPipelines(pipelines), before, page)
      for (const row of rows) {
        const end = endOf(row)
        if (end === undefined) continue
        const { entity, execution, payload, shard } = row
        const parent = payload.includes(parentKey) ? JSON.parse(payload)[parentKey] : undefined
        found.push({ entity, execution, shard, endedAt: DateTime.toEpochMillis(end.at), parent })
      }
      before = rows.at(-1)?.id
      if (rows.length < page) return found.toSorted((a, b) => b.endedAt - a.endedAt)
    }
  })

/** Returns those that no option keeps. */
const expired = (
  ended: ReadonlyArray<Ended>,
  { keep = 0, olderThan = 0 }: Prune,
  now: number
): ReadonlyArray<Ended> => {
  const before = now - Math.max(rest, Duration.toMillis(olderThan))
  const counts = new Map<string, number>()
  return ended.filter(({ endedAt, entity }) => {
    const nth = (counts.get(entity) ?? 0) + 1
    counts.set(entity, nth)
    return nth > keep && endedAt < before
  })
}

/** Returns a function that removes one run, in one transaction. */
const removing = ({ client, retries, storage, tables }: Cluster) =>
  Effect.gen(function*() {
    const sql = client.withoutTransforms()
    /** A table may be missing that is made when it is needed first. */
    const has = (table: string) => Effect.isSuccess(sql`SELECT 1 FROM ${sql(table)} WHERE 1 = 0`)
    const hasAlerts = yield* has("effect_epilogue_alerts")
    const hasBegun = yield* has("effect_epilogue_begun")
    const asked = Map.groupBy(
      (yield* has("effect_epilogue_questions"))
        ? yield* sql<{ id: string; question: string }>`SELECT id, question FROM effect_epilogue_questions`
        : [],
      ({ question }) => {
        const { executionId, workflowName }: Record<string, string> = JSON.parse(question)
        return `${entityOf(workflowName ?? "")}\0${executionId}`
      }
    )
    return ({ entity, execution, shard }: Ended) =>
      client.withTransaction(Effect.gen(function*() {
        const questions = (asked.get(`${entity}\0${execution}`) ?? []).map(({ id }) => id)
        if (hasAlerts) {
          yield* sql`DELETE FROM effect_epilogue_alerts WHERE state IN ('done', 'dropped')
            AND ${sql.in("run", [execution, ...questions])}`
        }
        if (questions.length > 0) yield* sql`DELETE FROM effect_epilogue_questions WHERE ${sql.in("id", questions)}`
        if (hasBegun) {
          const workflow = entity.slice(entityOf("").length)
          const names = new Set((yield* tables.activities(entity, execution)).map(({ name }) => name))
          const parts = yield* Effect.forEach(names, (name) => sha256(JSON.stringify([workflow, execution, name])))
          if (parts.length > 0) yield* sql`DELETE FROM effect_epilogue_begun WHERE ${sql.in("part", parts)}`
        }
        yield* retries.remove(entity, execution)
        for (const entityType of [clocks, entity]) {
          yield* Effect.orDie(storage.clearAddress(EntityAddress.make({
            entityType: EntityType.make(entityType),
            entityId: EntityId.make(execution),
            shardId: ShardId.fromString(shard)
          })))
        }
      }))
  })

/** Removes runs that have ended, and returns how many they were. */
export const prune = (cluster: Cluster, options: Prune): Effect.Effect<number, SqlError> =>
  Effect.gen(function*() {
    if (options.olderThan === undefined && options.keep === undefined) return 0
    const runs = expired(yield* endedRuns(cluster, options.pipelines), options, yield* Clock.currentTimeMillis)
    // most looks find nothing, and what is removed with a run need not be looked for
    if (runs.length === 0) return 0
    const remove = yield* removing(cluster)
    let removed = 0
    for (const run of runs) {
      if (run.parent !== undefined) {
        const parent = yield* cluster.tables.run(entityOf(run.parent.workflowName), run.parent.executionId)
        // a run that an unfinished run waits for is a part of that
        if (parent !== undefined && endOf(parent) === undefined) continue
      }
      yield* remove(run)
      removed++
    }
    return removed
  })
