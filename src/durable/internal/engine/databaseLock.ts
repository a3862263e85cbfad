/** A file that one process holds, and that nobody holds once it is dead. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { SqlError } from "effect/sql/SqlError"
import type { DatabaseSync } from "node:sqlite"
import { failure, isBusy, load } from "./sqlite.ts"

const Base: new(fields: { readonly filename: string }) => Cause.YieldableError & {
  readonly _tag: "DatabaseInUse"
  readonly filename: string
} = Data.TaggedError("DatabaseInUse")<{ readonly filename: string }>

export class DatabaseInUse extends Base {
  override get message(): string {
    return `another process has the database ${this.filename} open, which is for one`
  }
}

/** So long a process that is about to end may take. */
const patience = { schedule: Schedule.spaced("100 millis"), times: 30 }

/** SQLite's lock is the system's, on all three runtimes, where Node has none of its own, and `kill -9` lets go of it. */
const acquire = (filename: string): Effect.Effect<DatabaseSync, DatabaseInUse | SqlError> =>
  Effect.flatMap(load, ({ sqlite }) =>
    Effect.try({
      try: () => {
        // a file beside the database, which others may read and write
        const file = new sqlite.DatabaseSync(`${filename}.lock`, { timeout: 0 })
        try {
          file.prepare("PRAGMA locking_mode = EXCLUSIVE").all()
          file.prepare("BEGIN EXCLUSIVE").all()
          return file
        } catch (error) {
          file.close()
          throw error
        }
      },
      catch: (cause) =>
        isBusy(cause)
          ? new DatabaseInUse({ filename })
          : failure(cause, "connect", `can't make the lock ${filename}.lock`)
    }))

const release = (file: DatabaseSync): Effect.Effect<void> => Effect.sync(() => file.close())

/** Holds the database at `filename` for this process. */
export const layer = (filename: string): Layer.Layer<never, DatabaseInUse | SqlError> =>
  Layer.effectDiscard(
    Effect.acquireRelease(
      Effect.retry(acquire(filename), { ...patience, while: (error) => error._tag === "DatabaseInUse" }),
      release
    )
  )

/** Whether another process holds it. It is asked for here for a moment, which whoever starts right then waits for. */
export const isHeld = (filename: string): Effect.Effect<boolean, SqlError> =>
  acquire(filename).pipe(
    Effect.flatMap(release),
    Effect.as(false),
    Effect.catchTag("DatabaseInUse", () => Effect.succeed(true))
  )
