/** Transactions, and several connections to the same file. */
import { Cause, Deferred, Duration, Effect, Exit, Fiber, Schedule, Scope, Stream } from "effect"
import { SqlClient } from "effect/sql"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { makeIt } from "../support/it.ts"
import { client, countUp, file, reasonOf } from "./support/sqliteFile.ts"

const it = makeIt(test)

it.live("a transaction that fails, dies or is interrupted is rolled back", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const sql = yield* client(filename)
    const other = yield* client(filename)
    yield* sql`CREATE TABLE t (a UNIQUE)`
    const written = (then: Effect.Effect<unknown, unknown>) =>
      sql.withTransaction(Effect.andThen(sql`INSERT INTO t VALUES (1)`, then))
    const fails: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
      Effect.fail("no"),
      Effect.die("no"),
      Effect.interrupt,
      sql`INSERT INTO t VALUES (1)`,
      sql`SELECT * FROM missing`,
      Stream.runForEach(sql.unsafe(countUp(1000)).stream, () => Effect.fail("no")),
      // rolls back the whole transaction itself
      sql`INSERT OR ROLLBACK INTO t VALUES (1)`
    ]
    for (const fail of fails) {
      assert.ok(Exit.isFailure(yield* Effect.exit(written(fail))))
      assert.deepEqual(yield* other`SELECT * FROM t`, [])
      yield* other`DELETE FROM t`
    }
    const begun = yield* Deferred.make<void>()
    const fiber = yield* Effect.forkChild(written(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)))
    yield* Deferred.await(begun)
    const waiting = yield* Effect.forkChild(sql`SELECT * FROM t`)
    yield* Effect.yieldNow
    yield* Fiber.interrupt(fiber)
    assert.deepEqual(yield* Fiber.join(waiting), [])
    yield* written(Effect.void)
    assert.deepEqual(yield* other`SELECT * FROM t`, [{ a: 1 }])
  }))

it.live("a nested transaction is rolled back alone", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    yield* sql`CREATE TABLE t (a)`
    const insert = (a: number) => sql`INSERT INTO t VALUES (${a})`
    yield* sql.withTransaction(Effect.gen(function*() {
      yield* insert(1)
      yield* Effect.exit(sql.withTransaction(Effect.andThen(insert(2), Effect.fail("no"))))
      yield* sql.withTransaction(Effect.gen(function*() {
        yield* insert(3)
        yield* Effect.exit(sql.withTransaction(Effect.andThen(insert(4), Effect.die("no"))))
      }))
    }))
    assert.deepEqual(yield* sql`SELECT a FROM t`.values, [[1], [3]])
    yield* Effect.exit(sql.withTransaction(Effect.andThen(sql.withTransaction(insert(5)), Effect.fail("no"))))
    assert.deepEqual(yield* sql`SELECT a FROM t`.values, [[1], [3]])
  }))

it.live("a commit that fails is rolled back, and the client stays usable", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    yield* sql`CREATE TABLE p (a PRIMARY KEY)`
    yield* sql`CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)`
    const [tag] = yield* reasonOf(sql.withTransaction(sql`INSERT INTO c VALUES (1)`))
    assert.equal(tag, "ConstraintError")
    assert.deepEqual(yield* sql`SELECT * FROM c`, [])
    yield* sql.withTransaction(Effect.andThen(sql`INSERT INTO c VALUES (1)`, sql`INSERT INTO p VALUES (1)`))
    assert.deepEqual(yield* sql`SELECT p FROM c`, [{ p: 1 }])
  }))

/** Holds the write lock until the test ends, or the returned effect is run. */
const holdLock = (sql: SqlClient.SqlClient) =>
  Effect.gen(function*() {
    const held = yield* Deferred.make<void>()
    const free = yield* Deferred.make<void>()
    const fiber = yield* Effect.forkScoped(
      sql.withTransaction(Effect.andThen(Deferred.succeed(held, undefined), Deferred.await(free)))
    )
    yield* Deferred.await(held)
    return Effect.andThen(Deferred.succeed(free, undefined), Fiber.join(fiber))
  })

const timed = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.timed(effect), ([duration, value]) => [Duration.toMillis(duration), value] as const)

it.live("a writer waits for a lock for the busyTimeout, and does not block the thread", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const holder = yield* client(filename)
    const sql = yield* client(filename, { busyTimeout: "200 millis" })
    yield* holder`CREATE TABLE t (a)`
    const release = yield* holdLock(holder)
    let ticks = 0
    yield* Effect.forkScoped(Effect.repeat(Effect.sync(() => ticks++), Schedule.spaced("5 millis")))
    const insert = sql`INSERT INTO t VALUES (1)`
    const writes = [
      insert,
      sql.withTransaction(insert),
      Stream.runDrain(sql`INSERT INTO t VALUES (1) RETURNING a`.stream)
    ]
    for (const write of writes) {
      const [millis, reason] = yield* timed(reasonOf<unknown, never>(write))
      assert.deepEqual(reason, ["LockTimeoutError", `the database ${filename} was locked for more than 200 ms`])
      assert.ok(millis >= 195 && millis < 10_000, `${millis}`)
    }
    assert.ok(ticks > 10, `${ticks}`)
    assert.deepEqual(yield* sql`SELECT * FROM t`, [])
    const hasty = yield* client(filename, { busyTimeout: 0 })
    const [millis, [tag]] = yield* timed(reasonOf(hasty`INSERT INTO t VALUES (1)`))
    assert.deepEqual([tag, millis < 2_000], ["LockTimeoutError", true])
    yield* release
    yield* Effect.all(writes)
    assert.deepEqual(yield* holder`SELECT count(*) AS n FROM t`, [{ n: 3 }])
  }))

it.live("a writer that waits for a lock continues when it is free, and can be interrupted", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const holder = yield* client(filename)
    const sql = yield* client(filename, { busyTimeout: "1 minute" })
    yield* holder`CREATE TABLE t (a)`
    const release = yield* holdLock(holder)
    const left = yield* Effect.forkChild(sql`INSERT INTO t VALUES (1)`)
    yield* Effect.sleep("50 millis")
    yield* Fiber.interrupt(left)
    const waiting = yield* Effect.forkChild(sql.withTransaction(sql`INSERT INTO t VALUES (2)`))
    yield* Effect.sleep("50 millis")
    yield* release
    yield* Fiber.join(waiting)
    assert.deepEqual(yield* holder`SELECT a FROM t`, [{ a: 2 }])
  }))

it.effect("a test clock does not affect the wait for a lock", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const holder = yield* client(filename)
    const sql = yield* client(filename, { busyTimeout: "50 millis" })
    yield* holder`CREATE TABLE t (a)`
    yield* holdLock(holder)
    assert.equal((yield* reasonOf(sql`INSERT INTO t VALUES (1)`))[0], "LockTimeoutError")
  }))

it.live("with BEGIN, a reading transaction does not wait, and one that writes after an outdated read fails at once", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const holder = yield* client(filename)
    const sql = yield* client(filename)
    yield* holder`CREATE TABLE t (a)`
    const deferred = Effect.provideService(SqlClient.BeginTransaction, "BEGIN")
    const release = yield* holdLock(holder)
    assert.deepEqual(yield* deferred(sql.withTransaction(sql`SELECT * FROM t`)), [])
    yield* release
    const stale = sql.withTransaction(Effect.gen(function*() {
      yield* sql`SELECT * FROM t`
      yield* holder`INSERT INTO t VALUES (1)`
      yield* sql`INSERT INTO t VALUES (2)`
    }))
    const [millis, reason] = yield* timed(reasonOf(deferred(stale)))
    assert.deepEqual(reason, ["LockTimeoutError", "can't run the statement: database is locked"])
    assert.ok(millis < 1000)
    assert.deepEqual(yield* holder`SELECT a FROM t`, [{ a: 1 }])
  }))

it.live("20 clients open and write the same file at once", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const use = Effect.gen(function*() {
      const sql = yield* client(filename)
      yield* sql`CREATE TABLE IF NOT EXISTS t (a)`
      yield* sql`INSERT INTO t VALUES (1)`
    }).pipe(Effect.scoped)
    yield* Effect.all(Array.from({ length: 20 }, () => use), { concurrency: "unbounded" })
    const sql = yield* client(filename)
    assert.deepEqual(yield* sql`SELECT count(*) AS n FROM t`, [{ n: 20 }])
  }))

it.live("a closed database fails with a ConnectionError", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const scope = yield* Scope.make()
    const sql = yield* Effect.provideService(client(filename), Scope.Scope, scope)
    yield* sql`CREATE TABLE t (a)`
    const closing = yield* Effect.exit(sql.withTransaction(Effect.gen(function*() {
      yield* sql`INSERT INTO t VALUES (1)`
      yield* Scope.close(scope, Exit.void)
    })))
    const closed = `the database ${filename} is closed`
    assert.ok(Exit.isFailure(closing) && Cause.pretty(closing.cause).includes(closed))
    const uses = [
      sql`SELECT 1`,
      sql`SELECT 1`.raw,
      sql`SELECT 1`.values,
      sql`SELECT 1`.unprepared,
      Stream.runDrain(sql`SELECT 1`.stream),
      sql.withTransaction(Effect.void)
    ]
    for (const use of uses) assert.deepEqual(yield* reasonOf<unknown, never>(use), ["ConnectionError", closed])
    assert.deepEqual(fs.readdirSync(path.dirname(filename)), ["test.db"])
    const again = yield* client(filename)
    assert.deepEqual(yield* again`SELECT * FROM t`, [])
  }))

it.live("a stream fails when the database is closed in the middle of it", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const scope = yield* Scope.make()
    const sql = yield* Effect.provideService(client(filename), Scope.Scope, scope)
    const rows = Stream.runForEach(sql.unsafe(countUp(1000)).stream, () => Scope.close(scope, Exit.void))
    assert.deepEqual(yield* reasonOf(rows), ["ConnectionError", `the database ${filename} is closed`])
  }))
