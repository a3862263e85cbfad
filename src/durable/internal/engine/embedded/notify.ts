/**
 * Lets processes that share a database hear of each other at once: who has written something for the runner touches a
 * small file beside the database, which the runner watches. Where the system tells nothing of that, as on some network
 * drives, the runner hears of it within a second, by SQLite's own number of changes.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SqlError } from "effect/sql/SqlError"
import { codeOf, isLink, LinkError, makeFile, protectFile } from "../../../../internal/files/private.ts"
import { resolved } from "../../../../internal/files/sqlite.ts"
import { failure } from "../nodeSqlite.ts"
import type { Database } from "./database.ts"

const fs = () => process.getBuiltinModule("node:fs")

/** Returns the path of the file that is touched: beside the database, whatever name leads to that. */
const bellOf = (filename: string): string => `${resolved(filename)}-bell`

/** Wakes the runner of a database, if there is one. */
export const ring = (filename: string): void => {
  try {
    // written over and not made: where nobody runs what is in the database there is no such file, and none is needed
    const { constants: { O_NOFOLLOW = 0, O_WRONLY } } = fs()
    const bell = fs().openSync(bellOf(filename), O_WRONLY | O_NOFOLLOW)
    try {
      fs().writeSync(bell, "!", 0)
    } finally {
      fs().closeSync(bell)
    }
  } catch {
    // the runner looks by itself before long
  }
}

/** The time between two looks at the number of changes, in milliseconds. */
const interval = 1_000

/**
 * Calls `heard` whenever another connection may have changed the database, until the scope closes. Fails where somebody
 * has put a link in the place of the file.
 */
export const listen = (
  filename: string | undefined,
  database: Database,
  heard: () => void
): Effect.Effect<void, SqlError, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.try({
      try: () => {
        const close = filename === undefined ? () => {} : watch(bellOf(filename), heard)
        const stop = watchVersion(database, heard)
        return () => {
          stop()
          close()
        }
      },
      catch: (cause) => failure(cause, "connect", `can't watch ${bellOf(filename ?? "")}: ${codeOf(cause)}`)
    }),
    (close) => Effect.sync(close)
  ))

const watchVersion = (database: Database, heard: () => void): () => void => {
  let version: number | undefined
  const timer = setInterval(() => {
    try {
      const next = database.dataVersion
      if (next !== version) heard()
      version = next
    } catch {
      // asked again in a second
    }
  }, interval)
  return () => clearInterval(timer)
}

/** Watches a file, which is made where it is missing. Returns a function that ends that. */
const watch = (bell: string, heard: () => void): () => void => {
  if (isLink(bell)) throw new LinkError()
  try {
    makeFile(bell)
    protectFile(bell)
    const watcher = fs().watch(bell, { persistent: false }, heard)
    watcher.on("error", () => watcher.close())
    return () => watcher.close()
  } catch {
    return () => {}
  }
}
