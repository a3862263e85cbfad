/** The file of SQLite that policies of several processes keep their states in. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { DatabaseSync } from "node:sqlite"
import { isLink, isOwn, LinkError, makeFolderOf, type Warnings, withWords } from "../../../internal/files/private.ts"
import {
  codeOf,
  damaged,
  fileIdentity,
  isBusy,
  load,
  memory,
  missing,
  open,
  type OpenFailure,
  retryWhileBusy,
  whyUnopened
} from "../../../internal/files/sqlite.ts"
import { refusedPath } from "../../../internal/text/databaseAddress.ts"
import { deniedText } from "../../../internal/text/denied.ts"
import { formatDuration } from "../../../internal/text/duration.ts"
import * as Writer from "../../../internal/text/writer.ts"

/** The tables. Their names tell whose they are, as other programs may keep tables in the same file. */
const tables = [
  `CREATE TABLE IF NOT EXISTS effect_epilogue_states (
    name TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS effect_epilogue_entries (
    state TEXT NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (state, key)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS effect_epilogue_unreadable (
    id INTEGER PRIMARY KEY, state TEXT NOT NULL, key TEXT NOT NULL, entry TEXT NOT NULL, at TEXT NOT NULL
  ) STRICT`
]

/** A database that several states of a process share. */
export interface Database {
  readonly filename: string
  /**
   * Runs synchronous work in a transaction that no other connection can get between, and undoes it where it fails.
   * Waits while the file is locked. A `generation` that the work has not seen before is that of an empty file: the one
   * before it was deleted.
   */
  readonly transact: <B>(work: (db: DatabaseSync, generation: number) => B) => Effect.Effect<B, unknown>
}

interface Connection {
  readonly db: DatabaseSync
  /** The identity of the file. */
  readonly file: string | undefined
  readonly close: Effect.Effect<void>
}

/** Why a file can't be a store, as the end of a sentence. `shows` is whether the sentence may name the file. */
export interface Refusal {
  readonly detail: string
  readonly cause: unknown
  readonly shows: boolean
}

const refusal = (detail: string, cause: unknown, shows = true): Refusal => ({ detail, cause, shows })

const warn = (warnings: Warnings) => Effect.forEach(warnings, (text) => Writer.logWarning(text), { discard: true })

/** Runs work between `BEGIN IMMEDIATE`, which takes the lock that a writer needs, and the commit. */
const transaction = <B>(db: DatabaseSync, millis: number, work: () => B): Effect.Effect<B, unknown> => {
  let begun = false
  const attempt = () => {
    db.prepare("BEGIN IMMEDIATE").all()
    begun = true
    try {
      const result = work()
      db.prepare("COMMIT").all()
      return result
    } catch (cause) {
      // SQLite has ended the transaction itself after some errors
      if (db.isTransaction) db.prepare("ROLLBACK").all()
      throw cause
    }
  }
  return Effect.mapError(
    retryWhileBusy(attempt, millis, () => begun),
    (cause) => isBusy(cause) ? new Error(`it was locked for more than ${formatDuration(millis)}`) : cause
  )
}

/** Returns the identity of the file of a database, or `undefined` where it was deleted. */
const identityOf = (filename: string): string | undefined => filename === memory ? memory : fileIdentity(filename)

/** Opens the database, which is closed with the scope. Makes the file and its folder where they are missing. */
export const make = (filename: string, millis: number): Effect.Effect<Database, Refusal, Scope.Scope> =>
  Effect.gen(function*() {
    const refused = filename === memory ? undefined : refusedPath(filename)
    if (refused !== undefined) return yield* Effect.fail(refusal(`: ${refused}`, new Error(refused), false))
    const sqlite = yield* Effect.mapError(load, (cause) => refusal(`: ${missing}`, cause))

    const prepared = Effect.gen(function*() {
      yield* checkPlace(filename)
      const db = yield* Effect.mapError(open(sqlite, { filename, millis, synchronous: "full" }, warn), refusalOf)
      yield* Effect.mapError(
        transaction(db, millis, () => tables.forEach((table) => db.prepare(table).all())),
        (cause) => refusalOf({ cause, detail: whyUnopened(cause) })
      )
      return db
    })
    const connect: Effect.Effect<Connection, Refusal> = Effect.gen(function*() {
      const own = yield* Scope.make()
      const db = yield* Effect.onError(
        Effect.provideService(prepared, Scope.Scope, own),
        (cause) => Scope.close(own, Exit.failCause(cause))
      )
      return { db, file: identityOf(filename), close: Scope.close(own, Exit.void) }
    })

    let connection = yield* connect
    let generation = 0
    let isClosed = false
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        isClosed = true
        return connection.close
      })
    )

    /** Opens the file anew if it was deleted or replaced: what is written to a deleted file is lost. */
    const current = Effect.gen(function*() {
      if (isClosed) return yield* Effect.fail(new Error("it is closed"))
      const found = identityOf(filename)
      if (found !== undefined && found === connection.file) return connection.db
      const next = yield* Effect.mapError(
        connect,
        ({ detail }) => new Error(`it was deleted, and can't be made again${detail}`)
      )
      yield* connection.close
      connection = next
      generation++
      return next.db
    })

    const lock = Semaphore.makeUnsafe(1)
    return {
      filename,
      transact: (work) =>
        Effect.flatMap(current, (db) => transaction(db, millis, () => work(db, generation))).pipe(
          lock.withPermits(1)
        )
    }
  })

const refusalOf = ({ cause, detail }: Pick<OpenFailure, "cause" | "detail">): Refusal => {
  const denied = deniedText(cause)
  if (denied !== undefined) return refusal(`: ${denied}`, cause)
  return refusal(detail === damaged ? `${damaged}; move it away, and an empty one is made` : detail, cause)
}

/** Makes the folder of the file. Fails where a link stands in the place of either. */
const checkPlace = (filename: string): Effect.Effect<void, Refusal> =>
  Effect.suspend(() => {
    if (filename === memory) return Effect.void
    try {
      const warnings = makeFolderOf(filename)
      if (isOwn(filename) && isLink(filename)) throw new LinkError()
      return warn(warnings)
    } catch (cause) {
      const code = codeOf(cause)
      const detail = cause instanceof LinkError
        ? cause.message
        : code === undefined
        ? deniedText(cause)
        : withWords(code)
      return Effect.fail(refusal(detail === undefined ? "" : `: ${detail}`, cause))
    }
  })
