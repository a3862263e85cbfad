/** Loads `node:sqlite` for the client, and classifies its errors as effect does. */
import * as Effect from "effect/Effect"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import type * as Sqlite from "node:sqlite"
import { errcodeOf, load as loadSqlite, missing } from "../../../internal/files/sqlite.ts"

/** Classifies an error as effect does, which looks for SQLite's number in `errno`. */
export const failure = (cause: unknown, operation: string, message: string, errno = errcodeOf(cause)): SqlError => {
  if (cause instanceof Error && errno !== undefined) Object.assign(cause, { errno })
  return new SqlError({ reason: classifySqliteError(cause, { message, operation }) })
}

/** Loads `node:sqlite` without Node 22's warning that it is experimental. */
export const load: Effect.Effect<typeof Sqlite, SqlError> = Effect.mapError(
  loadSqlite,
  (cause) => failure(cause, "connect", missing)
)

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
