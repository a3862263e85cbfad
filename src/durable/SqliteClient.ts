/**
 * effect's `SqlClient` on `node:sqlite`, which Bun, Deno and Node have of their own: a file
 * in which workflows, queues and the like are kept, without a package to install.
 *
 * It stands in for `@effect/sql-sqlite-bun` and `@effect/sql-sqlite-node`. Those published
 * so far import paths that Effect 4.0 renamed; once there are some that fit 4.1, they take
 * its place. What is built on it asks for a `SqlClient`, and so takes any other as well.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as internal from "./internal/engine/sqlite.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface SqliteClientOptions {
  /**
   * The path of the file, or `":memory:"`, which is lost with the layer. Where the file is
   * missing it is made, to be read by nobody else; its folder has to be there.
   */
  readonly filename: string
  /** How long to wait where others have locked the file. 5 seconds unless set. */
  readonly busyTimeout?: Duration.Input | undefined
  /**
   * What outlives a power cut. In either case the file stays whole, and nothing that was
   * committed is lost where the process is killed, be it with `kill -9`.
   *
   * - `"full"`, unless set: nothing is lost, since each commit waits for the disk
   * - `"normal"`: a commit takes a fraction of the time, and the last ones may be lost
   */
  readonly synchronous?: "full" | "normal" | undefined
}

/**
 * A `SqlClient` with one connection, in WAL mode, with foreign keys on. It is closed with
 * the layer; the last to close the file brings it up to date and removes its `-wal`.
 *
 * **Several at once.** Layers, processes and runtimes on one machine can share a file, not
 * one on a network drive. Who reads does not wait. Who writes waits for its turn, at most
 * `busyTimeout`, and then fails with a `LockTimeoutError`; meanwhile everything else in the
 * process goes on. Transactions start with `BEGIN IMMEDIATE`, so what one has read is not
 * changed by others until it ends; for one that only reads, provide
 * `SqlClient.BeginTransaction` with `"BEGIN"`. The wait for its start can't be interrupted.
 *
 * **One after the other.** Within a layer a transaction or a stream has the connection until
 * it ends. To run a statement while a stream is open, put both in a transaction. `node:sqlite`
 * is synchronous: while a statement runs, nothing else does. A stream reads 128 rows at a
 * time; on Deno 2.9 all at once, since there it would end, and not fail, at a row that fails.
 *
 * **Values.** `boolean` is kept as 1 or 0, `Date` as ISO 8601, `undefined` and `NaN` as
 * `NULL`, an `ArrayBuffer` or a view on one as a blob, which comes back as `Uint8Array`.
 * Whole numbers are integers, others floats. An integer beyond what a number holds fails,
 * unless `SqlClient.SafeIntegers` is provided, which makes each a `bigint`. On Deno 2.9
 * and Node 22, a text is read only up to a NUL in it.
 *
 * **Failures** are `SqlError`s, classified as effect does. None holds a parameter; one of
 * opening has the file's path. A text with more than one statement fails.
 *
 * @example
 * ```ts
 * import { SqliteClient } from "effect-epilogue/durable"
 * import { Effect } from "effect"
 * import { SqlClient } from "effect/sql"
 *
 * const program = Effect.gen(function*() {
 *   const sql = yield* SqlClient.SqlClient
 *   yield* sql`CREATE TABLE IF NOT EXISTS runs (name TEXT PRIMARY KEY, ended INTEGER)`
 *   yield* sql`INSERT INTO runs ${sql.insert({ name: "nightly", ended: Date.now() })}`
 *   return yield* sql<{ name: string }>`SELECT name FROM runs`
 * }).pipe(Effect.provide(SqliteClient.layer({ filename: "runs.db" })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: SqliteClientOptions): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  Layer.effect(SqlClient.SqlClient, internal.make(options)).pipe(Layer.provide(Reactivity.layer))
