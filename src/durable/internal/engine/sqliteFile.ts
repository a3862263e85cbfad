/** Opens the SQLite files of durable runs, and says why one can't be opened as `SqlError`s. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SqlError } from "effect/sql/SqlError"
import type * as Sqlite from "node:sqlite"
import * as privately from "../../../internal/files/private.ts"
import { memory, open as openFile, type Settings } from "../../../internal/files/sqlite.ts"
import { refusedPath } from "../../../internal/text/databaseAddress.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { failure } from "./nodeSqlite.ts"

/** Logs what could not be made private. */
const logAll = (warnings: privately.Warnings): Effect.Effect<void> =>
  Effect.forEach(warnings, (warning) => Writer.logWarning(warning), { discard: true })

/** Tells nothing: the client of the file, which is opened before all else of it, has. */
export const alreadyTold = (): Effect.Effect<void> => Effect.void

/**
 * Opens the file, and closes it with the scope. A missing file is made; its folder has to exist. `warn` is told what could
 * not be made private.
 */
export const open = (
  sqlite: typeof Sqlite,
  settings: Settings,
  warn: (warnings: privately.Warnings) => Effect.Effect<void> = logAll
): Effect.Effect<Sqlite.DatabaseSync, SqlError, Scope.Scope> => {
  const { filename } = settings
  const refused = filename === memory ? undefined : refusedPath(filename)
  if (refused !== undefined) {
    return Effect.fail(failure(new Error(refused), "connect", `can't open the database: ${refused}`))
  }
  return Effect.mapError(
    openFile(sqlite, settings, warn),
    ({ cause, detail, errcode }) => failure(cause, "connect", `can't open the database ${filename}${detail}`, errcode)
  )
}

/** Makes the folder of a file. Of the errors only that of a link counts: opening the file says more about others. */
export const makeFolderOf = (filename: string): Effect.Effect<void, SqlError> =>
  Effect.suspend(() => {
    try {
      return logAll(privately.makeFolderOf(filename))
    } catch (cause) {
      return cause instanceof privately.LinkError
        ? Effect.fail(failure(cause, "connect", `can't make the folder of ${filename}: ${cause.message}`))
        : Effect.void
    }
  })
