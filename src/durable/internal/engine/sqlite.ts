/** effect's SqlClient on `node:sqlite`. */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type { Reactivity } from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, ConnectionError, SqlError, UnknownError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import type * as FileSystem from "node:fs"
import type * as Sqlite from "node:sqlite"
import { formatDuration } from "../../../internal/text/duration.ts"
import type { SqliteClientOptions } from "../../SqliteClient.ts"
import {
  chunkSize,
  keeping,
  type Prepare,
  preparing,
  refreshing,
  type Row,
  take,
  toParam,
  toRow
} from "./sqliteStatement.ts"

type TransformRows = Parameters<Connection["execute"]>[2]

/** SQLite's number of what went wrong. It stands under a name of its own, which effect does not look at. */
const errcodeOf = (cause: unknown): number | undefined =>
  hasProperty(cause, "errcode") && typeof cause.errcode === "number" ? cause.errcode : undefined

const codeOf = (cause: unknown): string | undefined =>
  hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : undefined

const detailOf = (cause: unknown): string => cause instanceof Error ? `: ${cause.message}` : ""

/** @internal */
export const failure = (cause: unknown, operation: string, message: string, errno = errcodeOf(cause)): SqlError => {
  if (cause instanceof Error && errno !== undefined) Object.assign(cause, { errno })
  return new SqlError({ reason: classifySqliteError(cause, { message, operation }) })
}

const CANTOPEN = 14
const BUSY = 5
/** What was read is out of date, so that the transaction can't write, however long it waits. */
const BUSY_SNAPSHOT = 517

/** @internal */
export const isBusy = (cause: unknown): boolean => {
  const errcode = errcodeOf(cause)
  return errcode !== undefined && (errcode & 0xff) === BUSY && errcode !== BUSY_SNAPSHOT
}

/** On the machine's clock: a lock is another process's, which no test clock moves. */
const pause = (millis: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/** In milliseconds, as SQLite itself waits. */
const pauses = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100]

/**
 * Tries until the database is not locked. SQLite would wait too, but with it the whole runtime, and whoever holds the
 * lock, if it is in this process. It takes back what a statement did before it was refused.
 */
const patiently = <A>(attempt: () => A, millis: number, isFinal = () => false): Effect.Effect<A, unknown> =>
  Effect.suspend(() => {
    const end = performance.now() + millis
    const from = (tries: number): Effect.Effect<A, unknown> => {
      try {
        return Effect.succeed(attempt())
      } catch (cause) {
        const left = end - performance.now()
        if (!isBusy(cause) || left <= 0 || isFinal()) return Effect.fail(cause)
        const next = pauses[Math.min(tries, pauses.length - 1)] ?? 0
        return Effect.flatMap(pause(Math.min(next, left)), () => from(tries + 1))
      }
    }
    return from(0)
  })

const noSqlite = (cause: unknown): SqlError =>
  failure(cause, "connect", "node:sqlite is missing: it needs Bun, Deno, or Node 22.19 or later")

interface Modules {
  readonly sqlite: typeof Sqlite
  readonly fs: typeof FileSystem
}

/**
 * Node 22 warns that SQLite is experimental. That one warning is left out; any other passes, and since the module
 * loads at once nobody else meets the function that stands in.
 */
export const load = Effect.try({
  try: (): Modules => {
    const { emitWarning } = process
    process.emitWarning = (...args: ReadonlyArray<unknown>): void => {
      if (!String(args[0]).startsWith("SQLite is an experimental feature")) Reflect.apply(emitWarning, process, args)
    }
    try {
      const sqlite = process.getBuiltinModule("node:sqlite")
      // typed as if it were there always
      if (sqlite === undefined) throw new Error("no such module")
      return { sqlite, fs: process.getBuiltinModule("node:fs") }
    } finally {
      process.emitWarning = emitWarning
    }
  },
  catch: noSqlite
})

interface Abilities {
  /** Whether an iterator fails where a row does. On Deno 2.9 it ends there, as if there were no more rows. */
  readonly iterates: boolean
  /**
   * Whether a statement sees that its table was altered. On Node 22 and Deno 2.9 it goes on with the columns that it
   * was prepared with, so that values come under the names of others.
   */
  readonly adapts: boolean
}

let abilities: Abilities | undefined

const abilitiesOf = ({ DatabaseSync }: typeof Sqlite): Abilities => {
  if (abilities !== undefined) return abilities
  const db = new DatabaseSync(":memory:")
  const iterates = () => {
    try {
      db.prepare("SELECT abs(-9223372036854775808)").iterate().next()
      return false
    } catch {
      return true
    }
  }
  const adapts = () => {
    db.prepare("CREATE TABLE altered (a)").all()
    db.prepare("INSERT INTO altered VALUES (1)").all()
    const read = db.prepare("SELECT * FROM altered")
    read.all()
    db.prepare("ALTER TABLE altered ADD COLUMN b").all()
    return read.all().every((row) => Object.keys(row).length === 2)
  }
  try {
    return abilities = { iterates: iterates(), adapts: adapts() }
  } finally {
    db.close()
  }
}

/** For its owner alone, since stored payloads may tell more than others should read. Gives why it can't be made. */
const create = (fs: Modules["fs"], filename: string): string | undefined => {
  if (filename === ":memory:") return undefined
  try {
    // only where it is missing: a file that is opened and closed loses SQLite's locks on it
    fs.writeFileSync(filename, "", { flag: "wx", mode: 0o600 })
    return undefined
  } catch (cause) {
    const code = codeOf(cause)
    return code === "EEXIST" ? undefined : code
  }
}

const journal = "PRAGMA journal_mode = WAL"
const synchronous = { full: "PRAGMA synchronous = FULL", normal: "PRAGMA synchronous = NORMAL" }

const invalid = (filename: string): string | undefined =>
  filename === "" ? "it has no name" : filename.startsWith("file:") ? "it is a URI, and not a path" : undefined

interface Settings {
  readonly filename: string
  readonly millis: number
  readonly synchronous: "full" | "normal"
}

const open = (
  { fs, sqlite }: Modules,
  { filename, millis, ...settings }: Settings
): Effect.Effect<Sqlite.DatabaseSync, SqlError, Scope.Scope> => {
  const refused = invalid(filename)
  if (refused !== undefined) {
    // a URI may hold a key
    return Effect.fail(failure(new Error(refused), "connect", `can't open the database: ${refused}`))
  }
  const failed = (detail: string, cause: unknown, errno?: number) =>
    failure(cause, "connect", `can't open the database ${filename}${detail}`, errno)
  const opened = Effect.suspend(() => {
    const code = create(fs, filename)
    return Effect.try({
      // locks are waited for by `patiently`
      try: () => new sqlite.DatabaseSync(filename, { timeout: 0, enableForeignKeyConstraints: true }),
      catch: (cause) => {
        // Deno gives no number here, and the path a second time
        const unopened = codeOf(cause) === "ERR_SQLITE_ERROR"
        const detail = code ?? (unopened ? "unable to open database file" : undefined)
        return failed(detail === undefined ? detailOf(cause) : `: ${detail}`, cause, unopened ? CANTOPEN : undefined)
      }
    })
  })
  return Effect.tap(
    Effect.acquireRelease(opened, (db) =>
      Effect.sync(() => {
        if (db.isOpen) db.close()
      })),
    (db) =>
      Effect.mapError(
        patiently(() => {
          for (const pragma of [journal, synchronous[settings.synchronous]]) db.prepare(pragma).all()
        }, millis),
        (cause) => failed(detailOf(cause), cause)
      )
  )
}

const connect = (
  db: Sqlite.DatabaseSync,
  { filename, millis }: Settings,
  { adapts, iterates }: Abilities
): Connection => {
  const prepare = adapts ? preparing(db) : refreshing(db, preparing(db))
  const prepareKept = adapts ? keeping(prepare, 256) : prepare

  const failed = (cause: unknown): SqlError => {
    if (!db.isOpen) {
      const message = `the database ${filename} is closed`
      return new SqlError({ reason: new ConnectionError({ cause, message, operation: "execute" }) })
    }
    if (codeOf(cause) === "ERR_OUT_OF_RANGE") {
      // the runtime's own message has the value
      const message = "a number does not hold an integer of the result: provide SqlClient.SafeIntegers"
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
        const statement = prepare(sql)
        // for each, since a kept one has those of its last use
        statement.setReadBigInts(bigints)
        statement.setReturnArrays(arrays)
        return use(statement, params.map(toParam))
      }
      return Effect.mapError(patiently(attempt, millis), failed)
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
      // typed as objects, which rows as arrays are not
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
          // a statement in the middle of its rows would hold what it reads, and the file
          if (db.isOpen) rows?.return?.()
        })
      )
      const start = (): Iterator<Row> => {
        // not a kept one: another use of it would end this
        const statement = prepare(sql)
        statement.setReadBigInts(bigints)
        const bound = params.map(toParam)
        return iterates ? statement.iterate(...bound) : statement.all(...bound).values()
      }
      const next = () => {
        // asked once more than it has rows, an iterator of Node 22 runs its statement again
        if (ended) return []
        // begun anew where it was refused before its first row; after it there is no second try
        if (!begun) {
          rows?.return?.()
          rows = start()
        }
        const taken = rows === undefined ? [] : take(rows)
        begun = true
        ended = taken.length < chunkSize
        return taken
      }
      const pull = patiently(next, millis, () => begun).pipe(
        Effect.mapError(failed),
        Effect.flatMap((taken) => {
          const transformed = transformRows === undefined ? taken : transformRows(taken)
          return Arr.isReadonlyArrayNonEmpty(transformed) ? Effect.succeed(transformed) : Cause.done()
        })
      )
      return Stream.fromPull(Effect.succeed(pull))
    })

  return {
    execute: execute(prepareKept),
    executeUnprepared: execute(prepare),
    executeValues: executeValues(prepareKept),
    executeValuesUnprepared: executeValues(prepare),
    executeRaw: (sql, params) =>
      run(
        prepareKept,
        sql,
        params,
        (statement, params) => statement.columns().length === 0 ? statement.run(...params) : statement.all(...params)
      ),
    executeStream: (sql, params, transformRows) => Stream.unwrap(stream(sql, params, transformRows))
  }
}

/** @internal */
export const make = (
  { busyTimeout = "5 seconds", filename, synchronous = "full" }: SqliteClientOptions
): Effect.Effect<SqlClient.SqlClient, SqlError, Reactivity | Scope.Scope> =>
  Effect.gen(function*() {
    const settings = { filename, millis: Duration.toMillis(busyTimeout), synchronous }
    const modules = yield* load
    const db = yield* open(modules, settings)
    const connection = connect(db, settings, abilitiesOf(modules.sqlite))
    return yield* SqlClient.make({
      ...SqlClient.makeSqliteAcquirers({
        connection: Effect.succeed(connection),
        semaphore: yield* Semaphore.make(1),
        // that of a closed one throws
        isTransaction: () => db.isOpen && db.isTransaction
      }),
      compiler: Statement.makeCompilerSqlite(),
      driver: "node:sqlite",
      spanAttributes: [["db.system.name", "sqlite"]],
      // one that reads and then writes would be refused in the middle where another wrote in between
      beginTransaction: "BEGIN IMMEDIATE",
      prepareTransactionControls: true,
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`
    })
  })
