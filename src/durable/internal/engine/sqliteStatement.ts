/** Statements of `node:sqlite`: how they are prepared and kept, and what goes in and comes out. */
import type * as Sqlite from "node:sqlite"

/** @internal */
export type Row = Record<string, unknown>

/** @internal */
export type Prepare = (sql: string) => Sqlite.StatementSync

/** What may follow a statement, and is none itself. */
const blank = /^(?:\s|;|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))*$/

/** @internal */
export const preparing = (db: Sqlite.DatabaseSync): Prepare => (sql) => {
  // of nothing SQLite makes no statement, and Deno crashes where that is asked for its text
  if (blank.test(sql)) throw new Error("there is no statement")
  if (sql.includes("\0")) throw new Error("a statement ends at a NUL")
  const statement = db.prepare(sql)
  // SQLite prepares the first alone, and says nothing of the others
  if (!blank.test(sql.slice(statement.sourceSQL.length))) throw new Error("there is more than one statement")
  return statement
}

/** Looks first whether somebody else altered a table: what is prepared goes by what this connection knows of it. */
export const refreshing = (db: Sqlite.DatabaseSync, prepare: Prepare): Prepare => {
  let look: Sqlite.StatementSync | undefined
  return (sql) => {
    look ??= db.prepare("SELECT 1 FROM sqlite_schema LIMIT 0")
    look.all()
    return prepare(sql)
  }
}

/** Keeps the statements used last. */
export const keeping = (prepare: Prepare, limit: number): Prepare => {
  const kept = new Map<string, Sqlite.StatementSync>()
  return (sql) => {
    const statement = kept.get(sql) ?? prepare(sql)
    kept.delete(sql)
    kept.set(sql, statement)
    for (const oldest of kept.keys()) {
      if (kept.size <= limit) break
      kept.delete(oldest)
    }
    return statement
  }
}

/**
 * A number is bound as a float, which a text column would keep as `3.0`: whole ones go as integers. An object in the
 * first place would be taken for named parameters.
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
    // Node 22 takes an empty buffer for NULL, unless nobody has asked for it yet; the cast is for views on shared
    // memory, which can be bound too
    return bytes.byteLength === 0 ? new Uint8Array(0) : bytes as NodeJS.ArrayBufferView
  }
  throw new TypeError(`parameter ${index + 1} is of a type that SQLite does not have`)
}

/** A plain object: without a prototype it can't be printed, or compared with one that has it. */
export const toRow = (row: Row): Row => ({ ...row })

/** @internal */
export const chunkSize = 128

/** The next rows of a stream: fewer than `chunkSize` where there are no more. */
export const take = (rows: Iterator<Row>): ReadonlyArray<Row> => {
  const taken: Array<Row> = []
  while (taken.length < chunkSize) {
    const next = rows.next()
    if (next.done === true) break
    taken.push(toRow(next.value))
  }
  return taken
}
