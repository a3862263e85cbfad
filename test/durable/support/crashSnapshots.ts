/** Crashes, without one: before each write the file is copied as it is then, and a process goes on from the copy. */
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
import { type Place, quick } from "./engine.ts"

/** A moment at which a process could have died. */
export interface Moment {
  /** The file as it was. */
  readonly file: string
  /** How much had been noted by then. */
  readonly noted: number
}

const copy = (from: string, to: string) => {
  for (const suffix of ["", "-wal"]) {
    if (fs.existsSync(`${from}${suffix}`)) fs.copyFileSync(`${from}${suffix}`, `${to}${suffix}`)
  }
}

const writes = /^\s*(?:INSERT|UPDATE|DELETE|COMMIT|WITH)/i

/** A place in a file that remembers each moment before something is written to it, and each after something was. */
export const remembering = (
  file: string,
  noted: () => number
): { readonly place: Place; readonly moments: Array<Moment> } => {
  const moments: Array<Moment> = []
  const remember = (sql: string) => {
    if (!writes.test(sql)) return
    const moment = `${file}-${moments.length}`
    copy(file, moment)
    moments.push({ file: moment, noted: noted() })
  }
  const watched = (connection: Connection): Connection => ({
    execute: (sql, params, transform) =>
      Effect.suspend(() => (remember(sql), connection.execute(sql, params, transform))),
    executeUnprepared: (sql, params, transform) =>
      Effect.suspend(() => (remember(sql), connection.executeUnprepared(sql, params, transform))),
    executeValues: (sql, params) => Effect.suspend(() => (remember(sql), connection.executeValues(sql, params))),
    executeValuesUnprepared: (sql, params) =>
      Effect.suspend(() => (remember(sql), connection.executeValuesUnprepared(sql, params))),
    executeRaw: (sql, params) => Effect.suspend(() => (remember(sql), connection.executeRaw(sql, params))),
    executeStream: connection.executeStream
  })
  const client = Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function*() {
      const inner = yield* SqlClient.SqlClient
      // lest there is much to copy
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
  const place = Durable.layerCluster.pipe(
    Layer.provide(SingleRunner.layer({ runnerStorage: "memory", shardingConfig: quick })),
    Layer.provide(Digest.layerWebCrypto),
    Layer.provideMerge(client)
  )
  return { place: Layer.orDie(place), moments }
}

/** A moment's file by itself, for a process to go on with. */
export const revive = ({ file }: Moment, name: string): string => {
  const revived = path.join(path.dirname(file), name)
  copy(file, revived)
  return revived
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

/** What is recorded in a file, by the name and the attempt of the activity. */
export const recorded = (file: string): ReadonlySet<string> => {
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

export interface Queued {
  readonly id: string
  readonly state: string
  /** Since when somebody delivers it, who may be dead by now. */
  readonly acquired_at: string | null
}

/** The alerts in an outbox. */
export const queued = (file: string): ReadonlyArray<Queued> =>
  hasTable(file, "effect_epilogue_outbox")
    ? query<Queued>(file, "SELECT id, state, acquired_at FROM effect_epilogue_outbox")
    : []
