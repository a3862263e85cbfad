import { Effect, Exit, Fiber, Schema, Stream } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import * as assert from "node:assert/strict"
import { DatabaseSync } from "node:sqlite"
import { test } from "node:test"
import { canary, leaks } from "../support/canary.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import { client, countUp, file, reasonOf } from "./support/sqliteFile.ts"

const it = makeIt(test)
const values = Schema.Union([
  Schema.Null,
  Schema.Boolean,
  Schema.String,
  Schema.Int,
  Schema.Finite,
  Schema.BigInt,
  Schema.Uint8Array,
  Schema.Date
])

/** Returns the value that is read back, or undefined for a bigint, which fails unless integers are bigints. */
const readBack = (value: typeof values.Type): unknown => {
  switch (typeof value) {
    case "bigint":
      return undefined
    case "boolean":
      return value ? 1 : 0
    case "number":
      return Object.is(value, -0) ? 0 : value
    case "string":
      return value.toWellFormed()
  }
  return value instanceof Date ? value.toISOString() : value
}

it.live("any value is read back by each method of a statement", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    yield* sql`CREATE TABLE v (v)`
    yield* forAll(values, (value) =>
      Effect.gen(function*() {
        const expected = readBack(value)
        if (expected === undefined) return
        const inserted = yield* sql`INSERT INTO v ${sql.insert({ v: value })} RETURNING v`
        const read = sql`SELECT v FROM v`
        const rows = [{ v: expected }]
        assert.deepEqual(inserted, rows)
        assert.deepEqual(yield* read, rows)
        assert.deepEqual(yield* read.unprepared, rows)
        assert.deepEqual(yield* read.raw, rows.map((row) => Object.assign(Object.create(null), row)))
        assert.deepEqual(yield* read.values, [[expected]])
        assert.deepEqual(yield* read.valuesUnprepared, [[expected]])
        assert.deepEqual(yield* Stream.runCollect(read.stream), rows)
        assert.equal((yield* sql`DELETE FROM v WHERE v IS ${value} RETURNING 1`).length, 1)
      }), 300)
  }))

it.live("with SafeIntegers, 64-bit integers are read as bigints, and larger ones fail", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    const ends = [2n ** 63n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 53n, 0n]
    const some = Schema.Union([Schema.BigInt, Schema.Literals(ends)])
    yield* forAll(some, (value) =>
      Effect.gen(function*() {
        const read = yield* Effect.exit(sql`SELECT ${value} AS v`)
        if (BigInt.asIntN(64, value) === value) assert.deepEqual(read, Exit.succeed([{ v: value }]))
        else assert.ok(Exit.isFailure(read))
      }).pipe(Effect.provideService(SqlClient.SafeIntegers, true)), 300)
  }))

it.live("a parameter that SQLite has no type for fails with an error that does not show it", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    for (const value of [{ canary }, {}, [canary], Symbol(canary), () => canary, new Map(), new Date(Number.NaN)]) {
      const error = yield* Effect.flip(sql`SELECT ${value} AS v`)
      assert.equal(error.reason._tag, "UnknownError")
      assert.deepEqual(leaks([error]), [])
      assert.equal((yield* Effect.flip(Stream.runDrain(sql`SELECT ${value} AS v`.stream))).message, error.message)
    }
    yield* sql`CREATE TABLE t (a UNIQUE CHECK (length(a) < 7))`
    yield* sql`INSERT INTO t VALUES (${canary})`
    const failing = [sql`INSERT INTO t VALUES (${canary})`, sql`INSERT INTO t VALUES (${canary + canary})`]
    for (const statement of failing) {
      const error = yield* Effect.flip(statement)
      assert.match(error.message, /^can't run the statement: (UNIQUE|CHECK) constraint failed: /)
      assert.deepEqual(leaks([error]), [])
    }
  }))

it.live("raw returns the rows, or the number of changes", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    yield* sql`CREATE TABLE t (a INTEGER PRIMARY KEY)`
    assert.deepEqual({ ...(yield* sql`INSERT INTO t VALUES (5), (6)`.raw) as object }, {
      changes: 2,
      lastInsertRowid: 6
    })
    assert.equal((yield* sql`INSERT INTO t VALUES (7) RETURNING a`.raw as Effect.Effect<Array<unknown>>).length, 1)
  }))

it.live("rows are plain objects, whatever the names of their columns", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    const [row] = yield* sql`SELECT 1 AS "__proto__", 2 AS "constructor", 3 AS "constructor"`
    assert.equal(Object.getPrototypeOf(row), Object.prototype)
    assert.deepEqual(Object.entries(row!), [["__proto__", 1], ["constructor", 3]])
    assert.deepEqual(yield* sql`SELECT 1 AS a, 2 AS a`.values, [[1, 2]])
  }))

it.live("comments of any length, and white space around a statement, change nothing about it", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    const rule = "-".repeat(100_000)
    for (
      const text of [`${rule}\nSELECT 1 AS one`, `/*${rule}*/SELECT 1 AS one;${rule}`, `SELECT 1 AS one; \n/*${rule}`]
    ) {
      assert.deepEqual(yield* sql.unsafe(text), [{ one: 1 }])
    }
  }))

it.live("a text with more than one statement, or none, fails", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    const ways = ({ stream, raw, unprepared, values }: Statement.Statement<unknown>) => [
      raw,
      unprepared,
      values,
      Stream.runDrain(stream)
    ]
    for (const text of ["CREATE TABLE a (a); CREATE TABLE b (b)", "SELECT 1 /* */ ; -- \n ; SELECT 2"]) {
      for (const way of ways(sql.unsafe(text))) {
        const reason = ["UnknownError", "can't run the statement: there is more than one statement"]
        assert.deepEqual(yield* reasonOf<unknown, never>(way), reason)
      }
    }
    for (const text of ["", ";", " -- nothing", "/* open", "\0", "\uFEFF", "SELECT 1 \0 x"]) {
      for (const way of ways(sql.unsafe(text))) {
        assert.match((yield* reasonOf<unknown, never>(way))[1], /there is no statement|a NUL/)
      }
    }
    assert.deepEqual(yield* sql`SELECT * FROM sqlite_schema`, [])
    assert.deepEqual(yield* sql.unsafe("; SELECT 1 AS a"), [{ a: 1 }])
    for (const rest of ["", ";", " ; ;\n", " -- SELECT 2", "; -- a\n-- b", "; /* ; SELECT 2 */ ;", "; /* open"]) {
      assert.deepEqual(yield* sql.unsafe(`SELECT '; é🔥' AS a${rest}`), [{ a: "; é🔥" }])
    }
    yield* sql.unsafe("CREATE TABLE t (a)")
    yield* sql.unsafe("CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;")
  }))

it.live("caches the 256 statements that were used last", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    const { prepare } = DatabaseSync.prototype
    let prepared = 0
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        DatabaseSync.prototype.prepare = function(...args) {
          prepared++
          return Reflect.apply(prepare, this, args)
        }
      }),
      () => Effect.sync(() => DatabaseSync.prototype.prepare = prepare)
    )
    const preparedBy = (run: Effect.Effect<unknown, SqlError.SqlError>) =>
      Effect.suspend(() => {
        const before = prepared
        return Effect.map(run, () => prepared - before)
      })
    const first = sql`SELECT ${1} AS v`
    assert.equal(yield* preparedBy(first), 1)
    assert.equal(yield* preparedBy(first.values), 0)
    assert.equal(yield* preparedBy(first.unprepared), 1)
    const others = (count: number) =>
      Effect.forEach(Array.from({ length: count }, (_, i) => i), (i) => sql.unsafe(`SELECT ${i}`))
    assert.equal(yield* preparedBy(others(255)), 255)
    assert.equal(yield* preparedBy(first), 0)
    assert.equal(yield* preparedBy(others(256)), 1)
    assert.equal(yield* preparedBy(first), 1)
    assert.equal(yield* preparedBy(sql.withTransaction(first)), 2)
    assert.equal(yield* preparedBy(sql.withTransaction(first)), 0)
  }))

it.live("a stream returns every row, for any number of rows", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    for (const count of [1, 127, 128, 129, 256, 1000]) {
      const rows = yield* Stream.runCollect(sql.unsafe<{ i: number }>(countUp(count)).stream)
      assert.deepEqual(rows.map(({ i }) => i), Array.from({ length: count }, (_, i) => i + 1))
    }
    assert.deepEqual(yield* Stream.runCollect(sql`SELECT 1 WHERE 0`.stream), [])
  }))

it.live("a stream reads on demand, and releases the file when it is interrupted", () =>
  Effect.gen(function*() {
    const sql = yield* client(yield* file)
    const endless = sql.unsafe<{ i: number }>(countUp(1e15)).stream
    assert.deepEqual(yield* Stream.runCollect(Stream.take(endless, 2)), [{ i: 1 }, { i: 2 }])
    const fiber = yield* Effect.forkChild(Stream.runDrain(endless))
    yield* Effect.sleep("10 millis")
    yield* Fiber.interrupt(fiber)
    yield* Effect.flip(Stream.runForEach(endless, () => Effect.fail("no")))
    yield* sql`CREATE TABLE t (a)`
    assert.equal((yield* sql`PRAGMA wal_checkpoint(TRUNCATE)`)[0]!["busy"], 0)
  }))

it.live("a stream of a writing statement writes once", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    yield* sql`CREATE TABLE t (a)`
    for (const count of [1, 128]) {
      const inserted = sql.unsafe(`INSERT INTO t ${countUp(count)} RETURNING a`).stream
      assert.equal((yield* Stream.runCollect(inserted)).length, count)
    }
    assert.deepEqual(yield* sql`SELECT count(*) AS n FROM t`, [{ n: 129 }])
  }))

it.live("a stream in a transaction is independent of the same statement", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    const numbers = sql.unsafe<{ i: number }>(countUp(300))
    yield* sql`CREATE TABLE t (a)`
    yield* sql.withTransaction(Stream.runForEach(numbers.stream, ({ i }) =>
      Effect.gen(function*() {
        assert.equal((yield* numbers).length, 300)
        yield* sql`INSERT INTO t VALUES (${i})`
      })))
    assert.deepEqual(yield* sql`SELECT count(*) AS n FROM t`, [{ n: 300 }])
  }))
