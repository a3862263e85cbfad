/** Locks a database file for one process; the lock is free once the process is dead. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { SqlError } from "effect/sql/SqlError"
import type { DatabaseSync } from "node:sqlite"
import { codeOf, isLink, LinkError, makeFile, type Warnings } from "../../../internal/files/private.ts"
import { selfExplained } from "../../../internal/text/selfExplained.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { failure, isBusy, load } from "./nodeSqlite.ts"

const Base: new(fields: { readonly filename: string }) => Cause.YieldableError & {
  readonly _tag: "DatabaseInUse"
  readonly filename: string
} = selfExplained(Data.TaggedError("DatabaseInUse")<{ readonly filename: string }>)

export class DatabaseInUse extends Base {
  override get message(): string {
    return `another process has the database ${this.filename} open, and only one may`
  }
}

/** A lock that is held, and what could not be made private of its file. */
interface Lock {
  readonly file: DatabaseSync
  readonly warnings: Warnings
}

/** Logs what could not be made private. */
export const logAll = (warnings: Warnings): Effect.Effect<void> =>
  Effect.forEach(warnings, (warning) => Writer.logWarning(warning), { discard: true })

/** Waits up to 3 seconds for a process that is shutting down. */
const retries = { schedule: Schedule.spaced("100 millis"), times: 30 }

/**
 * Takes an exclusive lock on the file `FILENAME.lock` by way of SQLite: an operating system's lock, which `kill -9`
 * releases, and for which Node has no function of its own.
 */
const acquire = (filename: string): Effect.Effect<Lock, DatabaseInUse | SqlError> =>
  Effect.flatMap(load, ({ sqlite }) =>
    Effect.try({
      try: () => {
        // a file of its own, so that other programs can still read the database
        const lock = `${filename}.lock`
        if (isLink(lock)) throw new LinkError()
        // SQLite would let others read it, which is all that they need to hold the lock
        const warnings = makeFile(lock)
        const file = new sqlite.DatabaseSync(lock, { timeout: 0 })
        try {
          file.prepare("PRAGMA locking_mode = EXCLUSIVE").all()
          file.prepare("BEGIN EXCLUSIVE").all()
          return { file, warnings }
        } catch (error) {
          file.close()
          throw error
        }
      },
      catch: (cause) =>
        isBusy(cause)
          ? new DatabaseInUse({ filename })
          : failure(cause, "connect", `can't make the lock ${filename}.lock: ${codeOf(cause)}`)
    }))

const release = ({ file }: Lock): Effect.Effect<void> => Effect.sync(() => file.close())

/** Locks the database at `filename` as long as the layer lives. */
export const layer = (filename: string): Layer.Layer<never, DatabaseInUse | SqlError> =>
  Layer.effectDiscard(
    Effect.acquireRelease(
      Effect.retry(acquire(filename), { ...retries, while: (error) => error._tag === "DatabaseInUse" }),
      release
    ).pipe(Effect.tap(({ warnings }) => logAll(warnings)))
  )

/** Whether another process has locked it. Takes the lock for a moment; a process that starts then waits for it. */
export const isHeld = (filename: string): Effect.Effect<boolean, SqlError> =>
  acquire(filename).pipe(
    Effect.flatMap(release),
    Effect.as(false),
    Effect.catchTag("DatabaseInUse", () => Effect.succeed(true))
  )
