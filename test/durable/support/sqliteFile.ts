/** Databases for the tests of the SQLite client. */
import { Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import * as path from "node:path"
import * as SqliteClient from "../../../src/durable/internal/engine/sqliteClient.ts"
import { folder } from "./engine.ts"

/** In a folder of its own. */
export const file = Effect.map(folder, (folder) => path.join(folder, "test.db"))

/** A client of its own, open until the test ends. */
export const client = (filename = ":memory:", options: Omit<SqliteClient.Options, "filename"> = {}) =>
  Effect.flatMap(
    Layer.build(Layer.fresh(SqliteClient.layer({ filename, ...options }))),
    (services) => Effect.provide(SqlClient.SqlClient, services)
  )

/** Why it failed, as programs and as people read it. */
export const reasonOf = <A, R>(failing: Effect.Effect<A, SqlError.SqlError, R>) =>
  Effect.map(Effect.flip(failing), ({ message, reason }) => [reason._tag, message] as const)

/** As many rows as that. */
export const countUp = (upTo: number) =>
  `WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${upTo}) SELECT i FROM n`
