/** Stores durable pipelines on Postgres, in an empty database for each test. */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import { after } from "node:test"
import { Durable } from "../../../src/durable/index.ts"
import { type Postgres, postgres } from "../../support/postgres.ts"
import { type Engine, fastSharding } from "./engine.ts"

const client = (url: string) => Layer.orDie(PgClient.layer({ url: Redacted.make(url), maxConnections: 4 }))

/** Empties a database for reuse, since making one takes longer than most tests. */
const truncate = Effect.gen(function*() {
  const sql = yield* SqlClient
  const tables = yield* sql<{ name: string }>`SELECT tablename AS name FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT LIKE '%migrations'`
  if (tables.length > 0) yield* sql.unsafe(`TRUNCATE ${tables.map(({ name }) => name).join(", ")}`)
})

/** Returns the engine for suites, and the address of an empty database for a test. The server ends after the last test. */
export const onPostgres = () => {
  const scope = Scope.makeUnsafe()
  after(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  // the first test starts it
  let server: Promise<Postgres> | undefined
  const free: Array<string> = []

  const database = Effect.gen(function*() {
    const { database } = yield* Effect.promise(() => server ??= Effect.runPromise(Scope.provide(postgres, scope)))
    return free.pop() ?? (yield* Effect.orDie(Scope.provide(database, scope)))
  })

  const emptied = Effect.gen(function*() {
    const url = yield* Effect.acquireRelease(database, (url) => Effect.sync(() => free.push(url)))
    yield* Effect.orDie(Effect.provide(truncate, client(url)))
    return url
  })

  const engine: Engine = {
    name: "Postgres",
    storage: Effect.gen(function*() {
      const url = yield* emptied
      return Layer.orDie(Durable.layerSingle({ shardingConfig: fastSharding }).pipe(Layer.provideMerge(client(url))))
    }),
    survives: true,
    tables: ["cluster_messages", "cluster_replies"],
    runs: 2,
    concurrency: 4
  }
  return { emptied, engine }
}
