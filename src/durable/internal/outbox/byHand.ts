/** Lists alerts that were not delivered, and decides about them by hand. */
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { type Effected, nowOf, prepare, tableName } from "./table.ts"

/** An alert that is stored and was not delivered. Times are in milliseconds since 1970. */
export interface Undelivered {
  readonly id: string
  readonly queue: string
  readonly alert: string
  readonly state: "waiting" | "aside"
  readonly attempts: number
  readonly failure: string | null
  readonly storedAt: number
  /** When it is tried next, at the earliest. */
  readonly due: number
  readonly isClaimed: boolean
}

const inTable = <A>(use: (sql: SqlClient) => Effected<A>): Effect.Effect<A, SqlError, SqlClient> =>
  Effect.flatMap(SqlClient, (client) => {
    const sql = client.withoutTransforms()
    return Effect.andThen(prepare(sql), use(sql))
  })

/** Returns the alerts that were not delivered, of one queue or of all, the oldest first. */
export const undelivered = (queue?: string): Effect.Effect<ReadonlyArray<Undelivered>, SqlError, SqlClient> =>
  inTable((sql) =>
    Effect.map(
      sql<Record<string, unknown>>`SELECT id, queue, alert, state, attempts, failure, stored_at, due, claim
        FROM ${sql(tableName)} WHERE state IN ('waiting', 'aside')
        ${queue === undefined ? sql.literal("") : sql`AND queue = ${queue}`} ORDER BY stored_at, id`,
      (rows) =>
        rows.map(({ claim, due, stored_at: storedAt, ...row }) => ({
          // the cast: this is what the columns are
          ...row as Omit<Undelivered, "due" | "isClaimed" | "storedAt">,
          due: Number(due),
          storedAt: Number(storedAt),
          isClaimed: claim !== null
        }))
    )
  )

/** Lets alerts be tried again at once, as if they had never been. */
export const retry = (ids: ReadonlyArray<string>): Effect.Effect<void, SqlError, SqlClient> =>
  ids.length === 0 ? Effect.void : inTable((sql) =>
    Effect.flatMap(
      nowOf(sql),
      (now) =>
        Effect.asVoid(
          sql`UPDATE ${sql(tableName)} SET state = 'waiting', attempts = 0, refusals = 0, due = ${now},
            changed_at = ${now} WHERE ${sql.in("id", ids)} AND state IN ('waiting', 'aside') AND claim IS NULL`
        )
    )
  )

/** Gives an alert up. */
export const drop = (id: string): Effect.Effect<void, SqlError, SqlClient> =>
  inTable((sql) =>
    Effect.flatMap(nowOf(sql), (now) =>
      Effect.asVoid(
        sql`UPDATE ${sql(tableName)} SET state = 'dropped', alert = '', claim = NULL, claimed_by = NULL,
          claimed_until = NULL, changed_at = ${now} WHERE id = ${id} AND state IN ('waiting', 'aside')`
      ))
  )
