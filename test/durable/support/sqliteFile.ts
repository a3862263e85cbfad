/** Clients and files for the tests of the SQLite client. */
import { Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import * as path from "node:path"
import * as SqliteClient from "../../../src/durable/internal/engine/sqliteClient.ts"
import { temporaryFolder } from "./engine.ts"

/** Returns the path of a database file in a temporary folder of its own. */
export const file = Effect.map(temporaryFolder, (folder) => path.join(folder, "test.db"))

/** Opens a new client, which is closed when the test ends. */
export const client = (filename = ":memory:", options: Omit<SqliteClient.Options, "filename"> = {}) =>
  Effect.flatMap(
    Layer.build(Layer.fresh(SqliteClient.layer({ filename, ...options }))),
    (services) => Effect.provide(SqlClient.SqlClient, services)
  )

/** Returns the tag and the message of the error that the effect fails with. */
export const reasonOf = <A, R>(failing: Effect.Effect<A, SqlError.SqlError, R>) =>
  Effect.map(Effect.flip(failing), ({ message, reason }) => [reason._tag, message] as const)

/** Returns a query for the numbers from 1 to `upTo`. */
export const countUp = (upTo: number) =>
  `WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${upTo}) SELECT i FROM n`
