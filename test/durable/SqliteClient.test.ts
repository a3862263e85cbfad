import { Cause, Deferred, Duration, Effect, Exit, Fiber, Layer, Schedule, Schema, Scope, Stream } from "effect"
import { KeyValueStore } from "effect/persistence"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { test } from "node:test"
import * as SqliteClient from "../../src/durable/SqliteClient.ts"
import { canary, leaks } from "../support/canary.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "sqlite-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)
const file = Effect.map(folder, (folder) => path.join(folder, "test.db"))

/** A client of its own, open until the test ends. */
const client = (filename = ":memory:", options: Omit<SqliteClient.SqliteClientOptions, "filename"> = {}) =>
  Effect.flatMap(
    Layer.build(Layer.fresh(SqliteClient.layer({ filename, ...options }))),
    (services) => Effect.provide(SqlClient.SqlClient, services)
  )

const reasonOf = <A, R>(failing: Effect.Effect<A, SqlError.SqlError, R>) =>
  Effect.map(Effect.flip(failing), ({ message, reason }) => [reason._tag, message] as const)

const countUp = (upTo: number) =>
  `WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${upTo}) SELECT i FROM n`

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

/** How a value comes back where integers are numbers, or undefined where it can't. */
const kept = (value: typeof values.Type): unknown => {
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

it.live("any value comes back, by each way of asking", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    yield* sql`CREATE TABLE v (v)`
    yield* forAll(values, (value) =>
      Effect.gen(function*() {
        const expected = kept(value)
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

it.live("any integer of 64 bits comes back as a bigint, and others fail", () =>
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

it.live("a parameter that SQLite has no type for fails, and is not named", () =>
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

it.live("raw results: rows, or what changed", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    yield* sql`CREATE TABLE t (a INTEGER PRIMARY KEY)`
    assert.deepEqual({ ...(yield* sql`INSERT INTO t VALUES (5), (6)`.raw) as object }, {
      changes: 2,
      lastInsertRowid: 6
    })
    assert.equal((yield* sql`INSERT INTO t VALUES (7) RETURNING a`.raw as Effect.Effect<Array<unknown>>).length, 1)
  }))

it.live("rows are plain objects, whatever their columns are called", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    const [row] = yield* sql`SELECT 1 AS "__proto__", 2 AS "constructor", 3 AS "constructor"`
    assert.equal(Object.getPrototypeOf(row), Object.prototype)
    assert.deepEqual(Object.entries(row!), [["__proto__", 1], ["constructor", 3]])
    assert.deepEqual(yield* sql`SELECT 1 AS a, 2 AS a`.values, [[1, 2]])
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

it.live("keeps the statements used last, and no more than that", () =>
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

it.live("a stream has every row, whatever their number", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    for (const count of [1, 127, 128, 129, 256, 1000]) {
      const rows = yield* Stream.runCollect(sql.unsafe<{ i: number }>(countUp(count)).stream)
      assert.deepEqual(rows.map(({ i }) => i), Array.from({ length: count }, (_, i) => i + 1))
    }
    assert.deepEqual(yield* Stream.runCollect(sql`SELECT 1 WHERE 0`.stream), [])
  }))

it.live("a stream reads as it goes, and lets go where it is left", () =>
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

it.live("a stream that writes does so once", () =>
  Effect.gen(function*() {
    const sql = yield* client()
    yield* sql`CREATE TABLE t (a)`
    for (const count of [1, 128]) {
      const inserted = sql.unsafe(`INSERT INTO t ${countUp(count)} RETURNING a`).stream
      assert.equal((yield* Stream.runCollect(inserted)).length, count)
    }
    assert.deepEqual(yield* sql`SELECT count(*) AS n FROM t`, [{ n: 129 }])
  }))

it.live("a stream in a transaction, beside the same statement", () =>
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

it.live("a transaction that fails, dies or is interrupted leaves nothing", () =>
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
      // ends the transaction by itself
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

it.live("a transaction within one is undone alone", () =>
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

it.live("a commit that fails is undone, and the client goes on", () =>
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

/** Holds the lock until it is interrupted or let go. */
const holding = (sql: SqlClient.SqlClient) =>
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

it.live("a lock is waited for as long as busyTimeout says, while everything else goes on", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const holder = yield* client(filename)
    const sql = yield* client(filename, { busyTimeout: "200 millis" })
    yield* holder`CREATE TABLE t (a)`
    const release = yield* holding(holder)
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
      assert.deepEqual(reason, ["LockTimeoutError", `the database ${filename} was locked for more than 200ms`])
      assert.ok(millis >= 195 && millis < 2000, `${millis}`)
    }
    assert.ok(ticks > 30, `${ticks}`)
    assert.deepEqual(yield* sql`SELECT * FROM t`, [])
    const hasty = yield* client(filename, { busyTimeout: 0 })
    const [millis, [tag]] = yield* timed(reasonOf(hasty`INSERT INTO t VALUES (1)`))
    assert.deepEqual([tag, millis < 100], ["LockTimeoutError", true])
    yield* release
    yield* Effect.all(writes)
    assert.deepEqual(yield* holder`SELECT count(*) AS n FROM t`, [{ n: 3 }])
  }))

it.live("who waits for a lock goes on when it is free, and can be interrupted", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const holder = yield* client(filename)
    const sql = yield* client(filename, { busyTimeout: "1 minute" })
    yield* holder`CREATE TABLE t (a)`
    const release = yield* holding(holder)
    const left = yield* Effect.forkChild(sql`INSERT INTO t VALUES (1)`)
    yield* Effect.sleep("50 millis")
    yield* Fiber.interrupt(left)
    const waiting = yield* Effect.forkChild(sql.withTransaction(sql`INSERT INTO t VALUES (2)`))
    yield* Effect.sleep("50 millis")
    yield* release
    yield* Fiber.join(waiting)
    assert.deepEqual(yield* holder`SELECT a FROM t`, [{ a: 2 }])
  }))

it.effect("locks are waited for on the machine's clock", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const holder = yield* client(filename)
    const sql = yield* client(filename, { busyTimeout: "50 millis" })
    yield* holder`CREATE TABLE t (a)`
    yield* holding(holder)
    assert.equal((yield* reasonOf(sql`INSERT INTO t VALUES (1)`))[0], "LockTimeoutError")
  }))

it.live("a transaction that only reads need not wait; one that then writes on old news fails at once", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const holder = yield* client(filename)
    const sql = yield* client(filename)
    yield* holder`CREATE TABLE t (a)`
    const deferred = Effect.provideService(SqlClient.BeginTransaction, "BEGIN")
    const release = yield* holding(holder)
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

it.live("many open the same file at once", () =>
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

it.live("a database that is closed", () =>
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

it.live("closed in the middle of a stream", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const scope = yield* Scope.make()
    const sql = yield* Effect.provideService(client(filename), Scope.Scope, scope)
    const rows = Stream.runForEach(sql.unsafe(countUp(1000)).stream, () => Scope.close(scope, Exit.void))
    assert.deepEqual(yield* reasonOf(rows), ["ConnectionError", `the database ${filename} is closed`])
  }))

it.live("files that can't be opened: which, and why", () =>
  Effect.gen(function*() {
    const root = yield* folder
    const at = (name: string) => path.join(root, name)
    const why = (filename: string) => Effect.scoped(reasonOf(client(filename)))
    const cant = (filename: string, why: string) => `can't open the database ${filename}: ${why}`
    const inMissing = at("missing/a.db")
    assert.deepEqual(yield* why(inMissing), ["ConnectionError", cant(inMissing, "ENOENT")])
    assert.deepEqual(yield* why(root), ["ConnectionError", cant(root, "unable to open database file")])
    for (const text of ["short", "no database\n".repeat(1000)]) {
      fs.writeFileSync(at("text.db"), text)
      assert.deepEqual(yield* why(at("text.db")), ["UnknownError", cant(at("text.db"), "file is not a database")])
      assert.equal(fs.readFileSync(at("text.db"), "utf8"), text)
    }
    const inFile = at("text.db/a.db")
    assert.deepEqual(yield* why(inFile), ["ConnectionError", cant(inFile, "ENOTDIR")])
    assert.equal((yield* why(at("a\0b")))[0], "UnknownError")
    assert.deepEqual(yield* why(""), ["UnknownError", "can't open the database: it has no name"])
    const uri = yield* Effect.flip(client(`file:${at("a.db")}?key=${canary}`))
    assert.match(uri.message, /URI/)
    assert.deepEqual(leaks([uri]), [])
    assert.deepEqual(fs.readdirSync(root), ["text.db"])
    fs.writeFileSync(at("empty.db"), "")
    fs.chmodSync(at("empty.db"), 0o640)
    const sql = yield* client(at("empty.db"))
    yield* sql`CREATE TABLE t (a)`
    if (os.platform() !== "win32") assert.equal(fs.statSync(at("empty.db")).mode & 0o777, 0o640)
  }))

it.live("where the runtime has no SQLite", () =>
  Effect.gen(function*() {
    const { getBuiltinModule } = process
    yield* Effect.acquireRelease(
      Effect.sync(() => Object.assign(process, { getBuiltinModule: () => undefined })),
      () => Effect.sync(() => Object.assign(process, { getBuiltinModule }))
    )
    const { emitWarning } = process
    assert.match((yield* Effect.flip(client())).message, /^node:sqlite is missing/)
    assert.equal(process.emitWarning, emitWarning)
  }))

it.live("settings of the connection", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const safe = yield* client(filename)
    assert.deepEqual(yield* safe`PRAGMA synchronous`, [{ synchronous: 2 }])
    const quick = yield* client(filename, { synchronous: "normal" })
    assert.deepEqual(yield* quick`PRAGMA synchronous`, [{ synchronous: 1 }])
    const memory = [yield* client(), yield* client()]
    yield* memory[0]!`CREATE TABLE t (a)`
    yield* Effect.flip(memory[1]!`SELECT * FROM t`)
    assert.equal(fs.existsSync(":memory:"), false)
  }))

it.live("under a KeyValueStore of effect", () =>
  Effect.gen(function*() {
    const layer = Layer.provide(KeyValueStore.layerSql(), SqliteClient.layer({ filename: yield* file }))
    yield* Effect.gen(function*() {
      const store = yield* KeyValueStore.KeyValueStore
      yield* store.set("a", "é")
      assert.equal(yield* store.get("a"), "é")
    }).pipe(Effect.provide(layer))
  }))

/** Another process: it says what it has committed, until it is killed. */
const writer = (filename: string, synchronous: "full" | "normal") =>
  spawn(process.execPath, [
    "-e",
    `import { Effect } from "effect"
     import { SqlClient } from "effect/sql"
     import * as SqliteClient from ${
      JSON.stringify(path.resolve(import.meta.dirname, "../../src/durable/SqliteClient.ts"))
    }
     await Effect.gen(function*() {
       const sql = yield* SqlClient.SqlClient
       for (let n = 1;; n++) {
         yield* sql.withTransaction(Effect.andThen(sql\`INSERT INTO t VALUES (\${n})\`, sql\`INSERT INTO t VALUES (\${-n})\`))
         process.stdout.write(n + "\\n")
         yield* Effect.yieldNow
       }
     }).pipe(
       Effect.provide(SqliteClient.layer({ filename: ${JSON.stringify(filename)}, synchronous: "${synchronous}" })),
       Effect.runPromise
     )`
  ], { stdio: ["ignore", "pipe", "inherit"] })

for (const synchronous of ["full", "normal"] as const) {
  it.live(`another process is killed: what it committed is there (${synchronous})`, () =>
    Effect.gen(function*() {
      const filename = yield* file
      const sql = yield* client(filename)
      yield* sql`CREATE TABLE t (a)`
      const said = yield* Effect.callback<string>((resume) => {
        const child = writer(filename, synchronous)
        let said = ""
        child.stdout.on("data", (chunk) => {
          said += String(chunk)
          if (said.split("\n").length > 30) child.kill("SIGKILL")
        })
        child.on("close", () => resume(Effect.succeed(said)))
        return Effect.sync(() => void child.kill("SIGKILL"))
      })
      const last = Number(said.split("\n").at(-2))
      assert.ok(last >= 30)
      const again = yield* client(filename)
      for (const reader of [sql, again]) {
        const [found] = yield* reader<{ top: number; sum: number; n: number }>`
          SELECT max(a) AS top, sum(a) AS sum, count(*) AS n FROM t`
        assert.ok(found!.top >= last)
        assert.deepEqual([found!.sum, found!.n], [0, found!.top * 2])
        assert.deepEqual(yield* reader`PRAGMA integrity_check`, [{ integrity_check: "ok" }])
        yield* reader`INSERT INTO t VALUES (0)`
        yield* reader`DELETE FROM t WHERE a = 0`
      }
    }))
}
