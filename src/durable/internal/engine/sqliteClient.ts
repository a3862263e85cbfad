/**
 * effect's `SqlClient` on `node:sqlite`, which Bun, Deno and Node include: for `Durable.layerSqlite`, until a version of
 * `@effect/sql-sqlite-node` fits this `effect`.
 *
 * A client has one connection, in WAL mode, with foreign keys on. The connection is closed with the layer; the last one
 * to close the file checkpoints it and removes its `-wal` file.
 *
 * **Concurrency.** Layers, processes and runtimes on one machine can share a file, but not one on a network drive.
 * Readers do not wait. A writer waits for its turn, at most `busyTimeout`, without blocking the thread, and then fails
 * with a `LockTimeoutError`. Transactions start with `BEGIN IMMEDIATE`, so that no other connection changes what one has
 * read before it ends; for one that only reads, provide `SqlClient.BeginTransaction` with `"BEGIN"`. The wait for the
 * start of a transaction can't be interrupted.
 *
 * **One connection.** A transaction or a stream has the connection until it ends. To run a statement while a stream is
 * open, put both in a transaction. `node:sqlite` is synchronous: while a statement runs, nothing else does. A stream reads
 * 128 rows at a time; on Deno 2.9 all at once, since there an iterator ends, instead of failing, at a row that fails.
 *
 * **Values.** `boolean` is stored as 1 or 0, `Date` as ISO 8601, `undefined` and `NaN` as `NULL`, an `ArrayBuffer` or a
 * view on one as a blob, which is read as `Uint8Array`. Whole numbers are stored as integers, others as floats. An integer
 * that a number can't represent fails, unless `SqlClient.SafeIntegers` is provided, which reads integers as `bigint`. On
 * Deno 2.9 and Node 22, a text is read only up to its first NUL.
 *
 * **Errors** are `SqlError`s, classified as effect does. They contain no parameter of a statement; those of opening
 * contain the file's path. A text with more than one statement fails.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { ConnectionError, SqlError, UnknownError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import type * as Sqlite from "node:sqlite"
import { codeOf, detailOf, isBusy, retryWhileBusy, type Settings } from "../../../internal/files/sqlite.ts"
import { formatDuration } from "../../../internal/text/duration.ts"
import { type Abilities, abilitiesOf, failure, load } from "./nodeSqlite.ts"
import { open } from "./sqliteFile.ts"
import {
  caching,
  chunkSize,
  type Prepare,
  preparing,
  refreshing,
  type Row,
  take,
  toParam,
  toRow
} from "./sqliteStatement.ts"
import { CurrentWatch, type Watch } from "./watch.ts"

/** @internal */
export interface Options {
  /**
   * The path of the file, or `":memory:"` for a database that is lost with the layer. A missing file is made, readable
   * by its owner only; its folder has to exist.
   */
  readonly filename: string
  /** How long to wait while another connection has locked the file. 5 seconds unless set. */
  readonly busyTimeout?: Duration.Input | undefined
  /**
   * The commits that survive a power cut. Either way the file stays whole, and no commit is lost when the process is
   * killed, `kill -9` included.
   *
   * - `"full"`, unless set: all, since each commit waits for the disk
   * - `"normal"`: all but the last ones; a commit takes a fraction of the time
   */
  readonly synchronous?: "full" | "normal" | undefined
}

type TransformRows = Parameters<Connection["execute"]>[2]

const connect = (
  db: Sqlite.DatabaseSync,
  { filename, millis }: Settings,
  { adapts, iterates }: Abilities,
  watch: Watch
): Connection => {
  const prepare = adapts ? preparing(db) : refreshing(db, preparing(db))
  const prepareCached = adapts ? caching(prepare, 256) : prepare

  const failed = (cause: unknown): SqlError => {
    if (!db.isOpen) {
      const message = `the database ${filename} is closed`
      return new SqlError({ reason: new ConnectionError({ cause, message, operation: "execute" }) })
    }
    if (codeOf(cause) === "ERR_OUT_OF_RANGE") {
      // the runtime's own message contains the value, which may be confidential
      const message = "the result has an integer that a number can't represent: provide SqlClient.SafeIntegers"
      return new SqlError({
        reason: new UnknownError({ cause: new RangeError(message), message, operation: "execute" })
      })
    }
    const message = isBusy(cause)
      ? `the database ${filename} was locked for more than ${formatDuration(millis)}`
      : `can't run the statement${detailOf(cause)}`
    return failure(cause, "execute", message)
  }

  const run = <A>(
    prepare: Prepare,
    sql: string,
    params: ReadonlyArray<unknown>,
    use: (statement: Sqlite.StatementSync, params: ReadonlyArray<Sqlite.SQLInputValue>) => A,
    arrays = false
  ): Effect.Effect<A, SqlError> =>
    Effect.withFiber((fiber) => {
      const bigints = fiber.getRef(SqlClient.SafeIntegers)
      const attempt = () => {
        watch.statement?.(sql)
        const statement = prepare(sql)
        // set at each use: a cached statement keeps the settings of its last one
        statement.setReadBigInts(bigints)
        statement.setReturnArrays(arrays)
        return use(statement, params.map(toParam))
      }
      return Effect.mapError(retryWhileBusy(attempt, millis), failed)
    })

  const execute = (prepare: Prepare): Connection["execute"] => (sql, params, transformRows) =>
    run(prepare, sql, params, (statement, params) => {
      const rows = statement.all(...params).map(toRow)
      return transformRows === undefined ? rows : transformRows(rows)
    })

  const executeValues = (prepare: Prepare): Connection["executeValues"] => (sql, params) =>
    run(
      prepare,
      sql,
      params,
      // the cast: the type says objects, and with `setReturnArrays` rows are arrays
      (statement, params) =>
        statement.all(...params) as ReadonlyArray<unknown> as ReadonlyArray<ReadonlyArray<unknown>>,
      true
    )

  const stream = (sql: string, params: ReadonlyArray<unknown>, transformRows: TransformRows) =>
    Effect.gen(function*() {
      const bigints = yield* SqlClient.SafeIntegers
      let rows: Iterator<Row> | undefined
      let begun = false
      let ended = false
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          // an open iterator would keep its read transaction, and so the file
          if (db.isOpen) rows?.return?.()
        })
      )
      const start = (): Iterator<Row> => {
        // not a cached statement: another use of it would end this stream
        const statement = prepare(sql)
        statement.setReadBigInts(bigints)
        const bound = params.map(toParam)
        return iterates ? statement.iterate(...bound) : statement.all(...bound).values()
      }
      const next = () => {
        // on Node 22 an iterator that has ended runs its statement again when it is asked for more rows
        if (ended) return []
        // starts anew where the first row was refused by a lock; later rows are not retried
        if (!begun) {
          rows?.return?.()
          rows = start()
        }
        const taken = rows === undefined ? [] : take(rows)
        begun = true
        ended = taken.length < chunkSize
        return taken
      }
      const pull = retryWhileBusy(next, millis, () => begun).pipe(
        Effect.mapError(failed),
        Effect.flatMap((taken) => {
          const transformed = transformRows === undefined ? taken : transformRows(taken)
          return Arr.isReadonlyArrayNonEmpty(transformed) ? Effect.succeed(transformed) : Cause.done()
        })
      )
      return Stream.fromPull(Effect.succeed(pull))
    })

  return {
    execute: execute(prepareCached),
    executeUnprepared: execute(prepare),
    executeValues: executeValues(prepareCached),
    executeValuesUnprepared: executeValues(prepare),
    executeRaw: (sql, params) =>
      run(
        prepareCached,
        sql,
        params,
        (statement, params) => statement.columns().length === 0 ? statement.run(...params) : statement.all(...params)
      ),
    executeStream: (sql, params, transformRows) => Stream.unwrap(stream(sql, params, transformRows))
  }
}

const make = (
  { busyTimeout = "5 seconds", filename, synchronous = "full" }: Options
): Effect.Effect<SqlClient.SqlClient, SqlError, Reactivity.Reactivity | Scope.Scope> =>
  Effect.gen(function*() {
    const settings = { filename, millis: Duration.toMillis(busyTimeout), synchronous }
    const sqlite = yield* load
    const db = yield* open(sqlite, settings)
    const connection = connect(db, settings, abilitiesOf(sqlite), yield* CurrentWatch)
    return yield* SqlClient.make({
      ...SqlClient.makeSqliteAcquirers({
        connection: Effect.succeed(connection),
        semaphore: yield* Semaphore.make(1),
        // `isTransaction` of a closed database throws
        isTransaction: () => db.isOpen && db.isTransaction
      }),
      compiler: Statement.makeCompilerSqlite(),
      driver: "node:sqlite",
      spanAttributes: [["db.system.name", "sqlite"]],
      // takes the write lock first: with BEGIN, a transaction that reads and then writes fails where another one wrote
      // in between
      beginTransaction: "BEGIN IMMEDIATE",
      prepareTransactionControls: true,
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`
    })
  })

/** @internal */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))
