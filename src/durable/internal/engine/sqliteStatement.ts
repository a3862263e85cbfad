/** Prepares and caches statements of `node:sqlite`, and converts their parameters and rows. */
import type * as Sqlite from "node:sqlite"

/** @internal */
export type Row = Record<string, unknown>

/** @internal */
export type Prepare = (sql: string) => Sqlite.StatementSync

/**
 * Returns whether a text has no statement from an offset on: only white space, semicolons and comments, of which the
 * last may lack its end. By hand and in one pass, since a pattern for this tries each way to split a row of dashes into
 * comments: 44 of them took half a minute.
 */
const isBlank = (sql: string, from = 0): boolean => {
  let at = from
  while (at < sql.length) {
    if (sql.startsWith("--", at)) at = after(sql, "\n", at)
    else if (sql.startsWith("/*", at)) at = after(sql, "*/", at + 2)
    else if (sql[at] === ";" || sql[at]!.trim() === "") at++
    else return false
  }
  return true
}

/** Returns the offset after the next `end` of a comment, or that of the end of the text. */
const after = (sql: string, end: string, from: number): number => {
  const found = sql.indexOf(end, from)
  return found < 0 ? sql.length : found + end.length
}

/** @internal */
export const preparing = (db: Sqlite.DatabaseSync): Prepare => (sql) => {
  // SQLite makes no statement of such a text, and Deno crashes when `sourceSQL` of that is read
  if (isBlank(sql)) throw new Error("there is no statement")
  if (sql.includes("\0")) throw new Error("a statement ends at a NUL")
  const statement = db.prepare(sql)
  // SQLite prepares the first statement only, and ignores the rest without an error
  if (!isBlank(sql, statement.sourceSQL.length)) throw new Error("there is more than one statement")
  return statement
}

/**
 * Reloads the schema before each preparation. Otherwise a statement has the old columns of a table that another
 * connection has altered.
 */
export const refreshing = (db: Sqlite.DatabaseSync, prepare: Prepare): Prepare => {
  let reload: Sqlite.StatementSync | undefined
  return (sql) => {
    reload ??= db.prepare("SELECT 1 FROM sqlite_schema LIMIT 0")
    reload.all()
    return prepare(sql)
  }
}

/** Caches the statements that were used last, up to `limit` of them. */
export const caching = (prepare: Prepare, limit: number): Prepare => {
  const cached = new Map<string, Sqlite.StatementSync>()
  return (sql) => {
    const statement = cached.get(sql) ?? prepare(sql)
    cached.delete(sql)
    cached.set(sql, statement)
    for (const oldest of cached.keys()) {
      if (cached.size <= limit) break
      cached.delete(oldest)
    }
    return statement
  }
}

/**
 * Converts a parameter. Whole numbers are bound as integers, since a number is bound as a float, which a text column
 * stores as `3.0`. Objects are rejected: as the first parameter, one would be taken for named parameters.
 */
export const toParam = (value: unknown, index: number): Sqlite.SQLInputValue => {
  switch (typeof value) {
    case "undefined":
      return null
    case "boolean":
      return value ? 1n : 0n
    case "number":
      return Number.isSafeInteger(value) ? BigInt(value) : value
    case "bigint":
    case "string":
      return value
  }
  if (value === null) return value
  if (value instanceof Date) return value.toISOString()
  const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value
  if (ArrayBuffer.isView(bytes)) {
    // A new array, since Node 22 binds an empty one as NULL once its `buffer` was accessed. The cast: views on shared
    // memory can be bound, though their type says no.
    return bytes.byteLength === 0 ? new Uint8Array(0) : bytes as NodeJS.ArrayBufferView
  }
  throw new TypeError(`parameter ${index + 1} is of a type that SQLite does not have`)
}

/** Returns a plain object: `node:sqlite`'s rows have no prototype, so they print and compare badly. */
export const toRow = (row: Row): Row => ({ ...row })

/** @internal */
export const chunkSize = 128

/** Returns the next rows of a stream, fewer than `chunkSize` at its end. */
export const take = (rows: Iterator<Row>): ReadonlyArray<Row> => {
  const taken: Array<Row> = []
  while (taken.length < chunkSize) {
    const next = rows.next()
    if (next.done === true) break
    taken.push(toRow(next.value))
  }
  return taken
}
