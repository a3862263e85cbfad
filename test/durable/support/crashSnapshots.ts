/**
 * Simulates crashes of a process: copies its database at each write, so that a test can resume from any of the copies as
 * if the process had died there.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Durable } from "../../../src/durable/index.ts"
import { CurrentWatch } from "../../../src/durable/internal/engine/watch.ts"
import type { Storage } from "./engine.ts"

/** A copy of the database at a moment at which the process could have died. */
export interface Snapshot {
  /** The path of the copy. */
  readonly file: string
  /** How many calls had been noted by then. */
  readonly noted: number
}

const copy = (from: string, to: string) => {
  for (const suffix of ["", "-wal"]) {
    if (fs.existsSync(`${from}${suffix}`)) fs.copyFileSync(`${from}${suffix}`, `${to}${suffix}`)
  }
}

const writes = /^\s*(?:INSERT|UPDATE|DELETE|COMMIT|WITH)/i

/** The length that the `-wal` file, and so each copy, may have. */
const longest = 64 * 1024

/** Makes the storage of a SQLite file that takes a snapshot before each statement that writes. */
export const snapshotting = (
  file: string,
  noted: () => number
): Effect.Effect<
  { readonly storage: Storage; readonly snapshots: Array<Snapshot> },
  never,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const snapshots: Array<Snapshot> = []
    const own = yield* Effect.acquireRelease(
      Effect.sync(() => new DatabaseSync(file)),
      (db) => Effect.sync(() => db.close())
    )
    const snapshot = (sql: string) => {
      if (!writes.test(sql)) return
      if ((fs.statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > longest) {
        // does nothing in the middle of a transaction
        own.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all()
      }
      const copied = `${file}-${snapshots.length}`
      copy(file, copied)
      snapshots.push({ file: copied, noted: noted() })
    }
    const storage = Durable.layerSqlite({ filename: file, synchronous: "normal" }).pipe(
      Layer.provide(Layer.succeed(CurrentWatch, { statement: snapshot }))
    )
    return { storage: Layer.orDie(storage), snapshots }
  })

/** Copies a snapshot to a file that a process can resume from, and returns its path. */
export const restoreSnapshot = ({ file }: Snapshot, name: string): string => {
  const restored = path.join(path.dirname(file), name)
  copy(file, restored)
  return restored
}

const query = <A>(file: string, sql: string): ReadonlyArray<A> => {
  const db = new DatabaseSync(file)
  try {
    return db.prepare(sql).all() as ReadonlyArray<unknown> as ReadonlyArray<A>
  } finally {
    db.close()
  }
}

const hasTable = (file: string, name: string): boolean =>
  query<{ name: string }>(file, "SELECT name FROM sqlite_master").some((row) => row.name === name)

/** Returns the activities whose result is recorded in a file, as `name/attempt`. */
export const recordedActivities = (file: string): ReadonlySet<string> => {
  if (!hasTable(file, "effect_epilogue_activities")) return new Set()
  const rows = query<{ name: string; attempt: number }>(
    file,
    "SELECT name, attempt FROM effect_epilogue_activities WHERE exit IS NOT NULL"
  )
  return new Set(rows.map(({ attempt, name }) => `${name}/${attempt}`))
}

export interface QueuedAlert {
  readonly id: string
  readonly state: string
}

/** Returns the alerts in the outbox of a file. */
export const queuedAlerts = (file: string): ReadonlyArray<QueuedAlert> =>
  hasTable(file, "effect_epilogue_alerts")
    ? query<QueuedAlert>(file, "SELECT id, state FROM effect_epilogue_alerts")
    : []
