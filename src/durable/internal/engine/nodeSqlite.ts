/** Loads `node:sqlite`, classifies its errors, and waits while a database is locked. */
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import type * as Sqlite from "node:sqlite"

/** Returns SQLite's error number, which `node:sqlite` puts into `errcode`. */
const errcodeOf = (cause: unknown): number | undefined =>
  hasProperty(cause, "errcode") && typeof cause.errcode === "number" ? cause.errcode : undefined

/** Returns the `code` of an error of Node's. */
export const codeOf = (cause: unknown): string | undefined =>
  hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : undefined

/** @internal */
export const detailOf = (cause: unknown): string => cause instanceof Error ? `: ${cause.message}` : ""

/** Classifies an error as effect does, which looks for SQLite's number in `errno`. */
export const failure = (cause: unknown, operation: string, message: string, errno = errcodeOf(cause)): SqlError => {
  if (cause instanceof Error && errno !== undefined) Object.assign(cause, { errno })
  return new SqlError({ reason: classifySqliteError(cause, { message, operation }) })
}

/** Result codes of SQLite, from https://www.sqlite.org/rescode.html */
export const CANTOPEN = 14
const BUSY = 5
/** The transaction has read outdated rows, and can't write however long it waits. */
const BUSY_SNAPSHOT = 517

/** Whether the database is locked, so that another try may succeed. */
export const isBusy = (cause: unknown): boolean => {
  const errcode = errcodeOf(cause)
  return errcode !== undefined && (errcode & 0xff) === BUSY && errcode !== BUSY_SNAPSHOT
}

/** Waits on the machine's clock: the lock may be another process's, whose clock no test adjusts. */
const pause = (millis: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/** The pauses between tries in milliseconds, those of SQLite's own busy handler; the last one repeats. */
const pauses = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100]

/**
 * Retries for up to `millis` milliseconds while the database is locked, unless `isFinal`. SQLite's own wait would block
 * the thread, and with it a holder of the lock in this process. A retry is safe, since SQLite undoes a refused statement.
 */
export const retryWhileBusy = <A>(attempt: () => A, millis: number, isFinal = () => false): Effect.Effect<A, unknown> =>
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

/** @internal */
export interface Modules {
  readonly sqlite: typeof Sqlite
}

/**
 * Loads `node:sqlite` without Node 22's warning that it is experimental. Other warnings pass. The replaced function is in
 * place only during the synchronous load, so no other code can call it.
 */
export const load = Effect.try({
  try: (): Modules => {
    const { emitWarning } = process
    process.emitWarning = (...args: ReadonlyArray<unknown>): void => {
      if (!String(args[0]).startsWith("SQLite is an experimental feature")) Reflect.apply(emitWarning, process, args)
    }
    try {
      const sqlite = process.getBuiltinModule("node:sqlite")
      // `undefined` where the runtime has no SQLite, which its type leaves out
      if (sqlite === undefined) throw new Error("no such module")
      return { sqlite }
    } finally {
      process.emitWarning = emitWarning
    }
  },
  catch: noSqlite
})

/** Differences between the runtimes' versions of `node:sqlite`, found by trying. */
export interface Abilities {
  /** Whether an iterator fails at a row that fails. On Deno 2.9 it ends there, as if there were no more rows. */
  readonly iterates: boolean
  /**
   * Whether a prepared statement notices that its table was altered. On Node 22 and Deno 2.9 it keeps the column names
   * that it was prepared with, so that values get the names of other columns.
   */
  readonly adapts: boolean
}

let abilities: Abilities | undefined

/** @internal */
export const abilitiesOf = ({ DatabaseSync }: typeof Sqlite): Abilities => {
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
