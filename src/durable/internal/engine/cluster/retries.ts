/** Keeps which runs of a cluster are retries, and what they begin with, in a table: `effect_epilogue_retries`. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { onceMade } from "../../madeTable.ts"
import type { ActivityRow } from "../../runs/recorded.ts"

/** A retry. */
export interface Retry {
  readonly retryOf: string
  /** The records of activities that it begins with. */
  readonly records: ReadonlyArray<ActivityRow>
}

interface Row {
  readonly execution: string
  readonly retry_of: string
}

/** Whether a run may be a retry, by its id. */
export const mayBeRetry = (execution: string): boolean => /~\d+$/.test(execution)

export class Retries {
  private readonly sql: SqlClient
  private readonly inTable: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, SqlError>

  constructor(client: SqlClient) {
    const sql = this.sql = client.withoutTransforms()
    this.inTable = onceMade(sql`CREATE TABLE IF NOT EXISTS effect_epilogue_retries (
      entity VARCHAR(150) NOT NULL,
      execution VARCHAR(255) NOT NULL,
      retry_of VARCHAR(255) NOT NULL,
      records TEXT NOT NULL,
      PRIMARY KEY (entity, execution)
    )`)
  }

  /** Stores a retry. Fails where there is one with this id. */
  add(entity: string, execution: string, { records, retryOf }: Retry): Effect.Effect<void, SqlError> {
    const { sql } = this
    const row = { entity, execution, retry_of: retryOf, records: JSON.stringify(records) }
    return Effect.asVoid(this.inTable(sql`INSERT INTO effect_epilogue_retries ${sql.insert(row)}`))
  }

  find(entity: string, execution: string): Effect.Effect<Retry | undefined, SqlError> {
    const { sql } = this
    return Effect.map(
      this.inTable(sql<Row & { readonly records: string }>`SELECT execution, retry_of, records
        FROM effect_epilogue_retries WHERE entity = ${entity} AND execution = ${execution}`),
      ([row]) => row === undefined ? undefined : { retryOf: row.retry_of, records: JSON.parse(row.records) }
    )
  }

  /** Returns of which runs these are retries. */
  originals(executions: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, string>, SqlError> {
    const { sql } = this
    const retries = executions.filter(mayBeRetry)
    return retries.length === 0 ? Effect.succeed(new Map()) : Effect.map(
      this.inTable(sql<Row>`SELECT execution, retry_of FROM effect_epilogue_retries
        WHERE ${sql.in("execution", retries)}`),
      (rows) => new Map(rows.map(({ execution, retry_of }) => [execution, retry_of]))
    )
  }

  /** Returns the retries of a run. */
  of(entity: string, execution: string): Effect.Effect<ReadonlyArray<string>, SqlError> {
    const { sql } = this
    return Effect.map(
      this.inTable(sql<Row>`SELECT execution, retry_of FROM effect_epilogue_retries
        WHERE entity = ${entity} AND retry_of = ${execution}`),
      // by their numbers
      (rows) => rows.map(({ execution }) => execution).toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1))
    )
  }

  remove(entity: string, execution: string): Effect.Effect<void, SqlError> {
    const { sql } = this
    return Effect.asVoid(
      this.inTable(sql`DELETE FROM effect_epilogue_retries WHERE entity = ${entity} AND execution = ${execution}`)
    )
  }
}
