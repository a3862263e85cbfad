/**
 * Reads the runs of a cluster in its tables, `cluster_messages` and `cluster_replies`: `effect/cluster` itself has no
 * way to list them. A run is the message `run` of an entity; its activities and completed deferreds are other messages
 * of that.
 */
import * as Snowflake from "effect/cluster/Snowflake"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import type { StoredRun } from "../../../../internal/model/storedRun.ts"
import { type ActivityRow, statusOf, type StoredExit, whyOf } from "../../runs/recorded.ts"
import { limitClock } from "../../stored/records.ts"

type Rows<A> = Effect.Effect<ReadonlyArray<A>, SqlError>

/** A run, as the tables have it. */
export interface RunRow {
  /** The number of its message: later ones have higher numbers. */
  readonly id: string
  readonly entity: string
  readonly execution: string
  readonly shard: string
  readonly payload: string
  readonly reply_id: string | null
  readonly reply: string | null
}

/** The end of a message, as JSON: the result of a run or an activity, or the exit of a deferred. */
interface Reply extends StoredExit {
  readonly value?: { readonly _tag?: "Complete" | "Suspended"; readonly exit?: StoredExit }
}

/** The payload of an activity's message. */
interface ActivityRequest {
  readonly name: string
  readonly attempt: number
}

/** A deferred that was completed. */
export interface DeferredRow {
  readonly name: string
  /** Its exit, as JSON. */
  readonly exit: string
}

const prefix = "Workflow/"

/** The entity of a pipeline. */
export const entityOf = (pipelineName: string): string => `${prefix}${pipelineName}`

/** The entity of all clocks. Those of a run have its id. */
export const clocks = "Workflow/-/DurableClock"

/** Where the cluster notes in a payload which run has started this one, and may wait for it. */
export const parentKey = "~effect/cluster/ClusterWorkflowEngine/payloadParentKey"

/** A number of a message or a reply is longer than numbers of JavaScript, and drivers differ in how they return it. */
const digits = (text: string): string => text.trim()

const timeOf = (id: string): DateTime.Utc => Snowflake.dateTime(Snowflake.Snowflake(digits(id)))

/** Returns how a run has ended; `undefined` for one that has not. */
export const endOf = (
  { reply, reply_id }: RunRow
): { readonly at: DateTime.Utc; readonly exit: StoredExit } | undefined => {
  if (reply === null || reply_id === null) return undefined
  const stored: Reply = JSON.parse(reply)
  const exit = stored._tag === "Failure" ? stored : stored.value?.exit
  return exit === undefined ? undefined : { at: timeOf(reply_id), exit }
}

/** Returns a run as those see it who look after it. */
export const toRun = (row: RunRow, clock: NextClock | undefined, retryOf: string | undefined): StoredRun => {
  const end = endOf(row)
  const isWaiting = end === undefined && row.reply !== null && clock?.isSetAside !== true
  return {
    pipelineName: row.entity.slice(prefix.length),
    runId: row.execution,
    status: end !== undefined
      ? statusOf(end.exit)
      : row.reply === null
      ? "running"
      : clock?.isSetAside === true
      ? "setAside"
      : "waiting",
    submittedAt: timeOf(row.id),
    endedAt: end?.at,
    retryOf,
    why: whyOf(end?.exit),
    waitsUntil: isWaiting && clock !== undefined ? DateTime.makeUnsafe(clock.due) : undefined
  }
}

export class Tables {
  private readonly sql: SqlClient

  constructor(client: SqlClient) {
    this.sql = client.withoutTransforms()
  }

  /** Returns runs, the newest first, from before a number on. */
  runs(where: Fragment | undefined, before: string | undefined, limit: number): Rows<RunRow> {
    const { sql } = this
    const conditions = [
      sql`m.tag = 'run'`,
      sql`m.kind = 0`,
      sql`m.entity_type LIKE 'Workflow/%'`,
      sql`m.entity_type <> ${clocks}`,
      ...where === undefined ? [] : [where],
      ...before === undefined ? [] : [sql`m.id < ${digits(before)}`]
    ]
    return sql<RunRow>`SELECT CAST(m.id AS CHAR(20)) AS id, m.entity_type AS entity, m.entity_id AS execution,
        m.shard_id AS shard, m.payload AS payload, CAST(r.id AS CHAR(20)) AS reply_id, r.payload AS reply
      FROM cluster_messages m LEFT JOIN cluster_replies r ON r.request_id = m.request_id AND r.kind = 0
      WHERE ${sql.and(conditions)} ORDER BY m.id DESC LIMIT ${sql.literal(String(limit))}`
  }

  /** The condition of {@link runs} for those of pipelines. */
  ofPipelines(names: ReadonlyArray<string> | undefined): Fragment | undefined {
    return names === undefined ? undefined : this.sql.in("m.entity_type", names.map(entityOf))
  }

  /** Returns a run of a pipeline. */
  run(entity: string, execution: string): Effect.Effect<RunRow | undefined, SqlError> {
    const { sql } = this
    const where = sql`m.entity_type = ${entity} AND m.entity_id = ${execution}`
    return Effect.map(this.runs(where, undefined, 1), ([row]) => row)
  }

  /** Returns the run with this id, or up to two whose ids begin so. */
  find(runId: string): Rows<RunRow> {
    const { sql } = this
    return Effect.flatMap(
      this.runs(sql`m.entity_id = ${runId}`, undefined, 1),
      (exact) =>
        exact.length > 0 || runId === ""
          ? Effect.succeed(exact)
          : this.runs(
            sql`SUBSTR(m.entity_id, 1, ${sql.literal(String(runId.length))}) = ${runId}`,
            undefined,
            2
          )
    )
  }

  private messages(entity: string, execution: string, tag: string) {
    const { sql } = this
    return sql<{ readonly request: string; readonly reply: string | null }>`
      SELECT m.payload AS request, r.payload AS reply
      FROM cluster_messages m LEFT JOIN cluster_replies r ON r.request_id = m.request_id AND r.kind = 0
      WHERE m.entity_type = ${entity} AND m.entity_id = ${execution} AND m.tag = ${tag}`
  }

  /** Returns the activities of a run that have begun, with the exits of those that have ended. */
  activities(
    entity: string,
    execution: string
  ): Rows<Omit<ActivityRow, "exit"> & { readonly exit: string | undefined }> {
    return Effect.map(this.messages(entity, execution, "activity"), (rows) =>
      rows.map(({ reply, request }) => {
        const { attempt, name }: ActivityRequest = JSON.parse(request)
        const stored: Reply | undefined = reply === null ? undefined : JSON.parse(reply)
        const exit = stored?.value?.exit
        return { name, attempt, exit: exit === undefined ? undefined : JSON.stringify(exit) }
      }))
  }

  /** Returns the deferreds of a run that were completed. */
  deferreds(entity: string, execution: string): Rows<DeferredRow> {
    return Effect.map(this.messages(entity, execution, "deferred"), (rows) =>
      rows.map(({ request }) => {
        const { exit, name }: { readonly name: string; readonly exit: StoredExit } = JSON.parse(request)
        return { name, exit: JSON.stringify(exit) }
      }))
  }

  /** Returns, for each of these runs that waits for a clock, the next one. */
  nextClocks(executions: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, NextClock>, SqlError> {
    const { sql } = this
    if (executions.length === 0) return Effect.succeed(new Map())
    return Effect.map(
      sql<{ readonly execution: string; readonly payload: string; readonly due: string }>`
        SELECT m.entity_id AS execution, m.payload AS payload, CAST(m.deliver_at AS CHAR(20)) AS due
        FROM cluster_messages m
        WHERE m.entity_type = ${clocks} AND m.kind = 0 AND ${sql.in("m.entity_id", executions)}
        AND NOT EXISTS (SELECT 1 FROM cluster_replies r WHERE r.request_id = m.request_id)`,
      (rows) => {
        const next = new Map<string, NextClock>()
        for (const { due, execution, payload } of rows) {
          const { name }: { readonly name: string } = JSON.parse(payload)
          if (name === limitClock) continue
          const known = next.get(execution)
          next.set(execution, {
            due: Math.min(known?.due ?? Infinity, Number(digits(due))),
            isSetAside: known?.isSetAside === true || name.startsWith(setAsidePrefix)
          })
        }
        return next
      }
    )
  }
}

/** The clocks of a run that have not gone off. */
export interface NextClock {
  /** When the first of them goes off, in milliseconds since 1970. */
  readonly due: number
  /** Whether one of them is that of a run that is set aside. */
  readonly isSetAside: boolean
}

/** How the names of clocks begin for which runs wait that are set aside. */
export const setAsidePrefix = "set-aside/"
