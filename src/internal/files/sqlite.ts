/** Opens files of SQLite through `node:sqlite`, for their owner alone, and waits while they are locked. */
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type * as Sqlite from "node:sqlite"
import { LinkError, makeFile, protectFile, type Warnings, withWords } from "./private.ts"

/** Returns SQLite's error number, which `node:sqlite` puts into `errcode`. */
export const errcodeOf = (cause: unknown): number | undefined =>
  hasProperty(cause, "errcode") && typeof cause.errcode === "number" ? cause.errcode : undefined

/** Returns the `code` of an error of Node's. */
export const codeOf = (cause: unknown): string | undefined =>
  hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : undefined

/** Returns the message of an error, after a colon. */
export const detailOf = (cause: unknown): string => cause instanceof Error ? `: ${cause.message}` : ""

/** The detail of a file that SQLite opens, and can't read. */
export const damaged = ": it is damaged, or no database"

/** Returns why a database can't be opened, after a colon. */
export const whyUnopened = (cause: unknown): string =>
  /not a database|malformed/.test(detailOf(cause)) ? damaged : detailOf(cause)

/** Result codes of SQLite, from https://www.sqlite.org/rescode.html */
const CANTOPEN = 14
const BUSY = 5
/** The transaction has read outdated rows, and can't write however long it waits. */
const BUSY_SNAPSHOT = 517

/** Whether the database is locked, so that another try may succeed. */
export const isBusy = (cause: unknown): boolean => {
  const errcode = errcodeOf(cause)
  return errcode !== undefined && (errcode & 0xff) === BUSY && errcode !== BUSY_SNAPSHOT
}

/** Waits on the machine's clock: the lock may be another process's, whose clock no test adjusts. */
export const pause = (millis: number): Effect.Effect<void> =>
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

/** The requirement of a runtime, for the message where `node:sqlite` is missing. */
export const missing = "node:sqlite is missing: it needs Bun, Deno, or Node 22.19 or later"

/**
 * Loads `node:sqlite` without Node 22's warning that it is experimental. Other warnings pass. The replaced function is in
 * place only during the synchronous load, so no other code can call it.
 */
export const load: Effect.Effect<typeof Sqlite, unknown> = Effect.try({
  try: () => {
    const { emitWarning } = process
    process.emitWarning = (...args: ReadonlyArray<unknown>): void => {
      if (!String(args[0]).startsWith("SQLite is an experimental feature")) Reflect.apply(emitWarning, process, args)
    }
    try {
      const sqlite = process.getBuiltinModule("node:sqlite")
      // `undefined` where the runtime has no SQLite, which its type leaves out
      if (sqlite === undefined) throw new Error("no such module")
      return sqlite
    } finally {
      process.emitWarning = emitWarning
    }
  },
  catch: (cause) => cause
})

/** The name of a database without a file. */
export const memory = ":memory:"

/** How a database is opened. */
export interface Settings {
  readonly filename: string
  /** For how many milliseconds to wait while another connection has locked the file. */
  readonly millis: number
  /** The commits that survive a power cut: all, or all but the last ones. */
  readonly synchronous: "full" | "normal"
}

/** Why a database could not be opened. */
export interface OpenFailure {
  /** The text after the name of the database: a colon and the reason, if that is known. */
  readonly detail: string
  readonly cause: unknown
  /** SQLite's error number, where the error has none. */
  readonly errcode: number | undefined
}

/** Returns the path of the file that a link leads to, beside which SQLite makes its files. */
export const resolved = (filename: string): string => {
  try {
    return process.getBuiltinModule("node:fs").realpathSync(filename)
  } catch {
    return filename
  }
}

/** Returns what tells a file from one that stands in its place later, or `undefined` where there is none. */
export const fileIdentity = (path: string): string | undefined => {
  const stat = process.getBuiltinModule("node:fs").statSync(path, { throwIfNoEntry: false, bigint: true })
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`
}

const isFolder = (path: string): boolean =>
  process.getBuiltinModule("node:fs").statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** Why what is neither a file nor a folder is no database: SQLite would speak of an error of the disk. */
const special = "it is a device or a pipe, and a file is needed"

const isSpecial = (path: string): boolean => {
  const stat = process.getBuiltinModule("node:fs").statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && !stat.isFile() && !stat.isDirectory()
}

/** The files that SQLite makes beside a database, with the mode that the database has. */
const besides = ["-wal", "-shm", "-journal"]

/**
 * Takes the rights of others away from a database: what is stored may be confidential, and whoever can read it can lock
 * it. Called once SQLite has read it, since a file that is none, which was named by mistake, keeps its rights.
 */
const protect = (filename: string): Warnings =>
  filename === memory ? [] : ["", ...besides].flatMap((end) => protectFile(`${resolved(filename)}${end}`))

const journal = "PRAGMA journal_mode = WAL"
const synchronous = { full: "PRAGMA synchronous = FULL", normal: "PRAGMA synchronous = NORMAL" }

/**
 * Opens a database in WAL mode, and closes it with the scope. `warn` is told what could not be made private. A missing
 * file is made; its folder has to exist.
 */
export const open = (
  sqlite: typeof Sqlite,
  { filename, millis, ...settings }: Settings,
  warn: (warnings: Warnings) => Effect.Effect<void>
): Effect.Effect<Sqlite.DatabaseSync, OpenFailure, Scope.Scope> => {
  const failed = (detail: string, cause: unknown, errcode?: number): OpenFailure => ({ detail, cause, errcode })
  const opened = Effect.suspend(() => {
    let code: string | undefined
    try {
      if (filename !== memory) {
        makeFile(filename)
        if (isSpecial(filename)) return Effect.fail(failed(`: ${special}`, new Error(special), CANTOPEN))
      }
    } catch (cause) {
      // SQLite would make what the link leads to, with rights for others
      if (cause instanceof LinkError) return Effect.fail(failed(`: ${cause.message}`, cause))
      // Deno's SQLite would say that it can't open the file, and nothing of the permission
      if (cause instanceof Error && cause.name === "NotCapable") return Effect.fail(failed(detailOf(cause), cause))
      code = codeOf(cause)
    }
    return Effect.try({
      // no timeout: `retryWhileBusy` waits for locks without blocking the thread
      try: () => new sqlite.DatabaseSync(filename, { timeout: 0, enableForeignKeyConstraints: true }),
      catch: (cause) => {
        // Deno's error has no `errcode` here, and repeats the path in its message
        const unopened = codeOf(cause) === "ERR_SQLITE_ERROR"
        const known = code ?? (unopened && isFolder(filename) ? "EISDIR" : undefined)
        const other = unopened ? "unable to open database file" : undefined
        const detail = known === undefined ? other : withWords(known)
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
      retryWhileBusy(() => {
        for (const pragma of [journal, synchronous[settings.synchronous]]) db.prepare(pragma).all()
      }, millis).pipe(
        Effect.mapError((cause) => failed(whyUnopened(cause), cause)),
        Effect.andThen(Effect.suspend(() => warn(protect(filename))))
      )
  )
}
