/** The table of outboxes, in SQLite, Postgres or MySQL. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** An effect on the table. */
export type Effected<A> = Effect.Effect<A, SqlError>

/**
 * - `waiting`: to be delivered, or being delivered;
 * - `aside`: it is not tried again until somebody asks for that;
 * - `done`: it was delivered; the row remains, so that an alert with the same key is not stored again;
 * - `dropped`: somebody has given it up.
 */
export type State = "waiting" | "aside" | "done" | "dropped"

/** @internal */
export const tableName = "effect_epilogue_alerts"

/**
 * Makes the table where it is missing. `run` is what removes the rows of a run with the run: the part of the alert's key
 * before the first slash.
 */
export const prepare = (sql: SqlClient): Effected<void> => {
  const table = sql(tableName)
  const text = sql.literal(sql.onDialectOrElse({ mysql: () => "MEDIUMTEXT", orElse: () => "TEXT" }))
  const index = sql.onDialectOrElse({
    mysql: () => Effect.void,
    orElse: () =>
      Effect.andThen(
        sql`CREATE INDEX IF NOT EXISTS effect_epilogue_alerts_waiting ON ${table} (queue, due) WHERE state = 'waiting'`,
        Effect.asVoid(sql`CREATE INDEX IF NOT EXISTS effect_epilogue_alerts_run ON ${table} (run)`)
      )
  })
  const make = sql`CREATE TABLE IF NOT EXISTS ${table} (
    id VARCHAR(32) PRIMARY KEY,
    queue VARCHAR(255) NOT NULL,
    run VARCHAR(255) NOT NULL,
    state VARCHAR(10) NOT NULL,
    alert ${text} NOT NULL,
    attempts INTEGER NOT NULL,
    refusals INTEGER NOT NULL,
    failure ${text},
    due BIGINT NOT NULL,
    stored_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    claim VARCHAR(22),
    claimed_by VARCHAR(400),
    claimed_until BIGINT
    ${sql.literal(sql.onDialectOrElse({ mysql: () => ", INDEX (queue, state, due), INDEX (run)", orElse: () => "" }))}
  )`
  // Postgres may fail where two processes make the table at once
  return Effect.retry(Effect.andThen(make, index), { times: 3 })
}

/** Returns the time in milliseconds since 1970. The processes on one file share a clock; those on a server may not. */
export const nowOf = (sql: SqlClient): Effected<number> => {
  const asked = (query: Effected<ReadonlyArray<{ readonly now: number | string }>>) =>
    Effect.map(query, ([row]) => Number(row?.now))
  return sql.onDialectOrElse({
    pg: () => asked(sql`SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now`),
    mysql: () => asked(sql`SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS now`),
    orElse: (): Effected<number> => Clock.currentTimeMillis
  })
}
