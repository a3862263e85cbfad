/** A file that one process holds, and that nobody holds once it is dead. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"

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

/**
 * Holds `filename`, made where it is not there. SQLite's lock is the system's, on all three runtimes, where Node has
 * none of its own, and `kill -9` lets go of it. It is a file beside the database, which others may read and write.
 */
export const layer = (filename: string): Layer.Layer<never, DatabaseInUse> =>
  Layer.effectDiscard(
    Effect.acquireRelease(
      Effect.retry(
        Effect.flatMap(Effect.promise(() => import("node:sqlite")), ({ DatabaseSync }) =>
          Effect.try({
            try: () => {
              const file = new DatabaseSync(filename)
              try {
                file.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
                return file
              } catch (error) {
                file.close()
                throw error
              }
            },
            catch: () => new DatabaseInUse({ filename })
          })),
        patience
      ),
      (file) => Effect.sync(() => file.close())
    )
  )
