/** Tests the SqlClient on `node:sqlite`, and effect's workflows and queues on it, on Bun, Deno and Node. */
import { ClusterWorkflowEngine, SingleRunner } from "effect/cluster"
import { Digest } from "effect/crypto"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { PersistedQueue } from "effect/persistence"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql"
import * as Stream from "effect/Stream"
import { Activity, DurableClock, Workflow } from "effect/workflow"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { test } from "node:test"
import * as SqliteClient from "../../src/durable/internal/engine/sqliteClient.ts"
import { makeIt } from "../support/it.ts"
import { temporaryFolder } from "../support/temporaryFolder.ts"

const it = makeIt(test)

const file = Effect.map(temporaryFolder("sqlite"), (folder) => path.join(folder, "test.db"))

const withSql = <A, E>(filename: string, use: (sql: SqlClient.SqlClient) => Effect.Effect<A, E>) =>
  Effect.flatMap(SqlClient.SqlClient, use).pipe(Effect.provide(SqliteClient.layer({ filename })))

// has to be the first test of the file: a runtime prints its warning about node:sqlite only once
it.live("loading SQLite suppresses the runtime's experimental warning and no other", () =>
  Effect.gen(function*() {
    const warnings: Array<string> = []
    const keep = ({ message }: Error) => void warnings.push(message)
    process.on("warning", keep)
    yield* withSql(":memory:", (sql) => sql`SELECT 1`)
    // Bun prints the warning through this stream
    const { write } = process.stderr
    process.stderr.write = () => true
    process.emitWarning("another")
    yield* Effect.sleep("50 millis")
    process.stderr.write = write
    process.off("warning", keep)
    assert.deepEqual(warnings, ["another"])
  }))

it.live("a database is opened in WAL mode with foreign keys, and closing it leaves one file", () =>
  Effect.gen(function*() {
    const filename = yield* file
    yield* withSql(filename, (sql) =>
      Effect.gen(function*() {
        assert.deepEqual(yield* sql`PRAGMA journal_mode`, [{ journal_mode: "wal" }])
        assert.deepEqual(yield* sql`PRAGMA foreign_keys`, [{ foreign_keys: 1 }])
        assert.deepEqual(yield* sql`PRAGMA synchronous`, [{ synchronous: 2 }])
        yield* sql`CREATE TABLE t (a)`
        assert.ok(fs.existsSync(`${filename}-wal`))
      }))
    assert.deepEqual(fs.readdirSync(path.dirname(filename)), ["test.db"])
    if (os.platform() !== "win32") assert.equal(fs.statSync(filename).mode & 0o777, 0o600)
  }))

it.live("values are stored and read with SQLite's types", () =>
  withSql(":memory:", (sql) =>
    Effect.gen(function*() {
      yield* sql`CREATE TABLE v (text TEXT, any)`
      yield* sql`INSERT INTO v ${sql.insert({ text: 3, any: 3 })}`
      yield* sql`INSERT INTO v ${sql.insert({ text: 1.5, any: true })}`
      yield* sql`INSERT INTO v ${sql.insert({ text: new Date(0), any: undefined })}`
      yield* sql`INSERT INTO v ${sql.insert({ text: "é🔥", any: new Uint8Array([1, 2]).buffer })}`
      const empty = new Uint8Array(0)
      assert.equal(empty.buffer.byteLength, 0)
      yield* sql`INSERT INTO v ${sql.insert([{ text: "", any: empty }, { text: "", any: empty.buffer }])}`
      assert.deepEqual(yield* sql`SELECT text, any, typeof(any) AS type FROM v`, [
        { text: "3", any: 3, type: "integer" },
        { text: "1.5", any: 1, type: "integer" },
        { text: "1970-01-01T00:00:00.000Z", any: null, type: "null" },
        { text: "é🔥", any: new Uint8Array([1, 2]), type: "blob" },
        { text: "", any: empty, type: "blob" },
        { text: "", any: empty, type: "blob" }
      ])
    })))

it.live("integers beyond the safe range fail unless SafeIntegers is set", () =>
  withSql(":memory:", (sql) =>
    Effect.gen(function*() {
      const big = 2n ** 63n - 1n
      const read = sql`SELECT ${big} AS big, 1 AS small`
      const error = yield* Effect.flip(read)
      assert.match(error.message, /SafeIntegers/)
      assert.ok(!String(error.reason.cause).includes(String(big)))
      assert.match((yield* Effect.flip(Stream.runCollect(read.stream))).message, /SafeIntegers/)
      const safe = yield* Effect.provideService(read, SqlClient.SafeIntegers, true)
      assert.deepEqual(safe, [{ big, small: 1n }])
      const [streamed] = yield* Effect.provideService(Stream.runCollect(read.stream), SqlClient.SafeIntegers, true)
      assert.deepEqual(streamed, { big, small: 1n })
      assert.deepEqual(yield* sql`SELECT 1 AS small`, [{ small: 1 }])
    })))

it.live("a stream of rows fails when one of its rows fails", () =>
  withSql(":memory:", (sql) =>
    Effect.gen(function*() {
      const rows = sql<{ x: string }>`WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
        SELECT json(CASE i WHEN 700 THEN '{' ELSE i END) AS x FROM n`
      assert.match((yield* Effect.flip(Stream.runCollect(rows.stream))).message, /malformed JSON/)
    })))

it.live("a prepared statement sees columns that another connection dropped or added", () =>
  Effect.gen(function*() {
    const filename = yield* file
    yield* withSql(filename, (sql) =>
      Effect.gen(function*() {
        yield* sql`CREATE TABLE t (a, b, c)`
        yield* sql`INSERT INTO t VALUES (1, 2, 3)`
        const read = sql`SELECT * FROM t`
        assert.deepEqual(yield* read, [{ a: 1, b: 2, c: 3 }])
        yield* withSql(filename, (sql) => sql`ALTER TABLE t DROP COLUMN b`)
        assert.deepEqual(yield* read, [{ a: 1, c: 3 }])
        assert.deepEqual(yield* read.values, [[1, 3]])
        yield* withSql(filename, (sql) => sql`ALTER TABLE t ADD COLUMN d`)
        assert.deepEqual(yield* read, [{ a: 1, c: 3, d: null }])
      }))
  }))

it.live("SQLite's errors map to the reasons of a SqlError", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const tagOf = <A, E extends { readonly reason: { readonly _tag: string } }>(failing: Effect.Effect<A, E>) =>
      Effect.map(Effect.flip(failing), ({ reason }) => reason._tag)
    yield* withSql(filename, (sql) =>
      Effect.gen(function*() {
        yield* sql`CREATE TABLE p (a INTEGER PRIMARY KEY, b UNIQUE CHECK (b <> 13))`
        yield* sql`CREATE TABLE c (p NOT NULL REFERENCES p)`
        yield* sql`INSERT INTO p VALUES (1, 1)`
        assert.equal(yield* tagOf(sql`INSERT INTO p VALUES (2, 1)`), "UniqueViolation")
        assert.equal(yield* tagOf(sql`INSERT INTO p VALUES (2, 13)`), "ConstraintError")
        assert.equal(yield* tagOf(sql`INSERT INTO c VALUES (NULL)`), "ConstraintError")
        assert.equal(yield* tagOf(sql`INSERT INTO c VALUES (7)`), "ConstraintError")
        assert.equal(yield* tagOf(sql`SELEC 1`), "UnknownError")
      }))
    const opening = (filename: string) => withSql(filename, () => Effect.void)
    assert.equal(yield* tagOf(opening(path.join(filename, "a.db"))), "ConnectionError")
    assert.equal(yield* tagOf(opening(path.dirname(filename))), "ConnectionError")
    fs.writeFileSync(`${filename}.txt`, "no database")
    assert.equal(yield* tagOf(opening(`${filename}.txt`)), "UnknownError")
  }))

it.live("transactions of two connections run one after another and see each other's changes", () =>
  Effect.gen(function*() {
    const filename = yield* file
    yield* withSql(filename, (sql) =>
      Effect.gen(function*() {
        yield* sql`CREATE TABLE counter (n)`
        yield* sql`INSERT INTO counter VALUES (0)`
      }))
    const count = withSql(filename, (sql) =>
      Effect.repeat(
        sql.withTransaction(Effect.gen(function*() {
          const rows = yield* sql<{ n: number }>`SELECT n FROM counter`
          yield* Effect.yieldNow
          yield* sql`UPDATE counter SET n = ${rows[0]!.n + 1}`
        })),
        { times: 49 }
      ))
    yield* Effect.all([count, count], { concurrency: "unbounded" })
    assert.deepEqual(yield* withSql(filename, (sql) => sql`SELECT n FROM counter`), [{ n: 100 }])
  }))

it.live("a stream that waits for a lock writes once and leaves no open statement", () =>
  Effect.gen(function*() {
    const filename = yield* file
    yield* withSql(filename, (holder) =>
      withSql(filename, (sql) =>
        Effect.gen(function*() {
          yield* sql`CREATE TABLE t (a)`
          const inserted = Stream.runCollect(sql`INSERT INTO t VALUES (1), (2) RETURNING a`.stream)
          const [, rows] = yield* Effect.all([
            holder.withTransaction(Effect.sleep("100 millis")),
            Effect.delay(inserted, "20 millis")
          ], { concurrency: "unbounded" })
          assert.deepEqual(rows, [{ a: 1 }, { a: 2 }])
          yield* sql.withTransaction(inserted)
          assert.deepEqual(yield* holder`SELECT count(*) AS n FROM t`, [{ n: 4 }])
        })))
  }))

it.live("effect's workflows on SQLite do not run stored activities again", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const log: Array<string> = []
    class Declined extends Schema.TaggedError<Declined>()("Declined", { why: Schema.String }) {}
    class Job extends Workflow.make("Job", {
      payload: { id: Schema.String },
      success: Schema.String,
      error: Declined,
      idempotencyKey: ({ id }) => id
    }) {}
    const job = Job.toLayer(Effect.fnUntraced(function*({ id }) {
      const loaded = yield* Activity.make({
        name: "load",
        success: Schema.Struct({ rows: Schema.Int, text: Schema.String }),
        execute: Effect.sync(() => {
          log.push(`load ${id}`)
          return { rows: 42, text: "é🔥\u0000" }
        })
      })
      yield* DurableClock.sleep({ name: "nap", duration: "50 millis", inMemoryThreshold: 0 })
      yield* Activity.make({
        name: "store",
        error: Declined,
        execute: Effect.suspend(() => {
          log.push(`store ${id}`)
          return id === "bad" ? Effect.fail(new Declined({ why: "full" })) : Effect.void
        })
      })
      return `${loaded.rows} ${loaded.text}`
    }))
    const engine = () =>
      ClusterWorkflowEngine.layer.pipe(
        Layer.provideMerge(
          SingleRunner.layer({
            runnerStorage: "sql",
            shardingConfig: { entityMessagePollInterval: "100 millis", shardsPerGroup: 10 }
          })
        ),
        Layer.provide(Digest.layerWebCrypto),
        Layer.provideMerge(SqliteClient.layer({ filename }))
      )
    const runs = () =>
      Effect.all([Effect.exit(Job.execute({ id: "good" })), Effect.exit(Job.execute({ id: "bad" }))]).pipe(
        Effect.provide(Layer.provideMerge(job, engine()))
      )
    const expected = [Exit.succeed("42 é🔥\u0000"), Exit.fail(new Declined({ why: "full" }))]
    assert.deepEqual((yield* runs()).map(String), expected.map(String))
    assert.deepEqual(log, ["load good", "store good", "load bad", "store bad"])
    assert.deepEqual((yield* runs()).map(String), expected.map(String))
    assert.equal(log.length, 4)
  }))

it.live("effect's persisted queue on SQLite delivers each item once", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const queueLayer = () =>
      PersistedQueue.layer.pipe(
        Layer.provide(PersistedQueue.layerStoreSql({ pollInterval: "20 millis" })),
        Layer.provideMerge(SqliteClient.layer({ filename }))
      )
    const queue = PersistedQueue.make({ name: "jobs", schema: Schema.Struct({ n: Schema.Int }) })
    const taken: Array<number> = []
    yield* Effect.gen(function*() {
      const jobs = yield* queue
      for (const n of [1, 2, 3]) yield* jobs.offer({ n }, { id: `${n}` })
      yield* jobs.offer({ n: 1 }, { id: "1" })
      yield* jobs.take(({ n }) => Effect.sync(() => void taken.push(n)))
    }).pipe(Effect.provide(queueLayer()))
    yield* Effect.gen(function*() {
      const jobs = yield* queue
      yield* Effect.repeat(jobs.take(({ n }) => Effect.sync(() => void taken.push(n))), { times: 1 })
      const sql = yield* SqlClient.SqlClient
      assert.deepEqual(yield* sql`SELECT count(*) AS n FROM effect_queue WHERE state = 'pending'`, [{ n: 0 }])
    }).pipe(Effect.provide(queueLayer()))
    assert.deepEqual(taken, [1, 2, 3])
  }))
