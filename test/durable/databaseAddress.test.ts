/** Texts that count as the path of a database, and texts that count as an address. */
import { Effect, Layer } from "effect"
import { Durable } from "effect-epilogue/durable"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { databaseOf } from "../../src/cli/durable/database.ts"
import { makeIt } from "../support/it.ts"
import { temporaryFolder } from "./support/engine.ts"
import { client } from "./support/sqliteFile.ts"

const it = makeIt(test)

const secret = "CANARYpw"
const url = `postgres://us3r:${secret}@127.0.0.1:1/db`

const addresses = [
  `"${url}"`,
  `'${url}'`,
  ` ${url}`,
  `${url}\n`,
  `${url}"`,
  `\uFEFF${url}`,
  `\u200B${url}`,
  `“${url}”`,
  `DATABASE_URL=${url}`,
  `psql ${url}`,
  `./${url}`,
  `/${url}`,
  encodeURIComponent(url),
  url.replaceAll("/", "\\/"),
  url.replace("postgres", "mysql"),
  url.replace("postgres", "jdbc:postgresql"),
  url.replace("postgres:", "postgres"),
  url.replace("postgres:", ""),
  url.replace("postgres://", ""),
  url.replace("postgres://us3r", "us_er"),
  url.replace("postgres://us3r", ""),
  `postgres:us3r:${secret}@127.0.0.1/db`,
  `postgres://us3r:12#${secret}@127.0.0.1/db`,
  `postgres://us3r:12/${secret}@127.0.0.1/db`,
  `postgres://us3r:12?${secret}@127.0.0.1/db`,
  `postgres://us3r:${secret}@host:port/db`,
  `host=localhost user=us3r password=${secret} dbname=db`,
  `password = '${secret}'`,
  `/run/postgresql password=${secret}`,
  `Host=localhost;Username=us3r;Password=${secret}`,
  `us3r;${secret}`,
  `us3r/${secret}@tcp(127.0.0.1)/db`,
  `file:db?key=${secret}`,
  `{"url":"${secret}"}`,
  `p:\\\\us3r,${secret}`
]

const paths = [
  "durable.db",
  ".epilogue/durable.db",
  "state/my durable-runs_2 (copy).db",
  "../durable.db",
  "/var/lib/etl/durable.db",
  "./at@noon=1.db",
  "/srv/a:b@c/durable#1.db",
  "C:\\etl\\durable.db",
  "läuft/датабаза.db"
]

it.live("an address in any disguise is refused by the command, with an error that shows no part of it", () =>
  Effect.gen(function*() {
    for (const address of addresses) {
      const error = yield* Effect.flip(databaseOf(address))
      assert.match(error.message, /^--database (is neither|begins with)/, address)
      assert.doesNotMatch(JSON.stringify([error.message, error.stack]), /CANARY|us3r|us_er|127\.0/, address)
    }
  }))

it.live("an address in any disguise is refused by the engine, which makes no file of it", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const cwd = process.cwd()
    yield* Effect.acquireRelease(Effect.sync(() => process.chdir(folder)), () => Effect.sync(() => process.chdir(cwd)))
    for (const filename of [...addresses, url]) {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Durable.layerSqlite({ filename }))))
      assert.match(error.message, /^can't open the database: /, filename)
      const shown = [error.message, String(error), JSON.stringify(error)].join()
      assert.doesNotMatch(shown, /CANARY|us3r|us_er|127\.0/, filename)
    }
    assert.deepEqual(fs.readdirSync(folder), [])
  }))

it.live("a path is taken for a path, and one with characters of an address only where it begins as a path", () =>
  Effect.gen(function*() {
    for (const filename of paths) assert.deepEqual(yield* databaseOf(filename), { _tag: "Sqlite", filename })
    assert.match((yield* Effect.flip(databaseOf("at@noon.db"))).message, /has to begin with \.\/ or \//)
    const folder = yield* temporaryFolder
    const odd = path.join(folder, "a:b@c=1 #2.db")
    yield* (yield* client(odd))`CREATE TABLE t (a)`
    assert.ok(fs.existsSync(odd))
  }))

it.live("the URL of a Postgres database is taken as a whole, and shown nowhere", () =>
  Effect.gen(function*() {
    for (const text of [url, url.toUpperCase(), "postgresql://h/db?host=/run/pg", "postgres://u:a%23%2F%3F%40b@h/db"]) {
      const database = yield* databaseOf(text)
      assert.equal(database._tag, "Postgres")
      assert.doesNotMatch(`${JSON.stringify(database)} ${String(Object.values(database))}`, /CANARY|%23/i)
    }
  }))
