/**
 * Simulates crashes of a process: copies its database at each write, so that a test can resume from any of the copies as
 * if the process had died there.
 */
import * as SingleRunner from "effect/cluster/SingleRunner"
import { Digest } from "effect/crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import * as Statement from "effect/sql/Statement"
import * as fs from "node:fs"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Durable } from "../../../src/durable/index.ts"
import * as SqliteClient from "../../../src/durable/internal/engine/sqliteClient.ts"
import { fastSharding, type Storage } from "./engine.ts"

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

/** Makes the storage of a SQLite file that takes a snapshot before each statement that writes. */
export const snapshotting = (
  file: string,
  noted: () => number
): { readonly storage: Storage; readonly snapshots: Array<Snapshot> } => {
  const snapshots: Array<Snapshot> = []
  const snapshot = (sql: string) => {
    if (!writes.test(sql)) return
    const copied = `${file}-${snapshots.length}`
    copy(file, copied)
    snapshots.push({ file: copied, noted: noted() })
  }
  const watched = (connection: Connection): Connection => ({
    execute: (sql, params, transform) =>
      Effect.suspend(() => (snapshot(sql), connection.execute(sql, params, transform))),
    executeUnprepared: (sql, params, transform) =>
      Effect.suspend(() => (snapshot(sql), connection.executeUnprepared(sql, params, transform))),
    executeValues: (sql, params) => Effect.suspend(() => (snapshot(sql), connection.executeValues(sql, params))),
    executeValuesUnprepared: (sql, params) =>
      Effect.suspend(() => (snapshot(sql), connection.executeValuesUnprepared(sql, params))),
    executeRaw: (sql, params) => Effect.suspend(() => (snapshot(sql), connection.executeRaw(sql, params))),
    executeStream: connection.executeStream
  })
  const client = Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function*() {
      const inner = yield* SqlClient.SqlClient
      // keeps the -wal file, and so each copy, small
      yield* inner`PRAGMA wal_autocheckpoint = 16`
      return yield* SqlClient.make({
        acquirer: Effect.map(inner.reserve, watched),
        compiler: Statement.makeCompilerSqlite(),
        driver: "node:sqlite",
        spanAttributes: [],
        beginTransaction: "BEGIN IMMEDIATE",
        prepareTransactionControls: true,
        releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`
      })
    })
  ).pipe(Layer.provide([SqliteClient.layer({ filename: file, synchronous: "normal" }), Reactivity.layer]))
  const storage = Durable.layerCluster.pipe(
    Layer.provide(SingleRunner.layer({ runnerStorage: "memory", shardingConfig: fastSharding })),
    Layer.provide(Digest.layerWebCrypto),
    Layer.provideMerge(client)
  )
  return { storage: Layer.orDie(storage), snapshots }
}

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
  if (!hasTable(file, "cluster_replies")) return new Set()
  const rows = query<{ id: string; reply: string }>(
    file,
    `SELECT m.message_id AS id, r.payload AS reply FROM cluster_messages m
     JOIN cluster_replies r ON r.request_id = m.id WHERE m.tag = 'activity'`
  )
  return new Set(
    rows.filter(({ reply }) => reply.includes(`"Complete"`)).map(({ id }) => id.split("/activity/")[1] ?? id)
  )
}

export interface QueuedAlert {
  readonly id: string
  readonly state: string
  /** When a process took it to deliver it; that process may be dead. */
  readonly acquired_at: string | null
}

/** Returns the alerts in the outbox of a file. */
export const queuedAlerts = (file: string): ReadonlyArray<QueuedAlert> =>
  hasTable(file, "effect_epilogue_outbox")
    ? query<QueuedAlert>(file, "SELECT id, state, acquired_at FROM effect_epilogue_outbox")
    : []
