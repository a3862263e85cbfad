/** Files that the SQLite client opens, and their content after a crash. */
import { Effect, Layer } from "effect"
import { KeyValueStore } from "effect/persistence"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { test } from "node:test"
import * as SqliteClient from "../../src/durable/internal/engine/sqliteClient.ts"
import { canary, leaks } from "../support/canary.ts"
import { makeIt } from "../support/it.ts"
import { temporaryFolder } from "./support/engine.ts"
import { client, file, reasonOf } from "./support/sqliteFile.ts"

const it = makeIt(test)

it.live("a file that can't be opened fails with its path and the reason", () =>
  Effect.gen(function*() {
    const root = yield* temporaryFolder
    const at = (name: string) => path.join(root, name)
    const why = (filename: string) => Effect.scoped(reasonOf(client(filename)))
    const cant = (filename: string, why: string) => `can't open the database ${filename}: ${why}`
    const inMissing = at("missing/a.db")
    assert.deepEqual(yield* why(inMissing), ["ConnectionError", cant(inMissing, "ENOENT")])
    assert.deepEqual(yield* why(root), ["ConnectionError", cant(root, "it is a folder, and a file is needed (EISDIR)")])
    if (os.platform() !== "win32") {
      const device = ["ConnectionError", cant("/dev/null", "it is a device or a pipe, and a file is needed")]
      assert.deepEqual(yield* why("/dev/null"), device)
    }
    for (const text of ["short", "no database\n".repeat(1000)]) {
      fs.writeFileSync(at("text.db"), text)
      fs.chmodSync(at("text.db"), 0o644)
      assert.deepEqual(yield* why(at("text.db")), [
        "UnknownError",
        cant(at("text.db"), "it is damaged, or no database")
      ])
      assert.equal(fs.readFileSync(at("text.db"), "utf8"), text)
      // named by mistake, it may be one that everybody has to read
      if (os.platform() !== "win32") assert.equal(fs.statSync(at("text.db")).mode & 0o777, 0o644)
    }
    const inFile = at("text.db/a.db")
    assert.deepEqual(yield* why(inFile), [
      "ConnectionError",
      cant(inFile, "a part of the path is a file, and a folder is needed (ENOTDIR)")
    ])
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

it.live("a runtime without SQLite fails with an error that says so", () =>
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

it.live("the options set up the connection, and a database in memory is its own", () =>
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

it.live("effect's KeyValueStore works on the client", () =>
  Effect.gen(function*() {
    const layer = Layer.provide(KeyValueStore.layerSql(), SqliteClient.layer({ filename: yield* file }))
    yield* Effect.gen(function*() {
      const store = yield* KeyValueStore.KeyValueStore
      yield* store.set("a", "é")
      assert.equal(yield* store.get("a"), "é")
    }).pipe(Effect.provide(layer))
  }))

/** Starts a process that prints the number of each transaction that it has committed. */
const writer = (filename: string, synchronous: "full" | "normal") =>
  spawn(process.execPath, [
    "-e",
    `import { Effect } from "effect"
     import { SqlClient } from "effect/sql"
     import * as SqliteClient from ${
      JSON.stringify(path.resolve(import.meta.dirname, "../../src/durable/internal/engine/sqliteClient.ts"))
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
  it.live(`commits of a killed process are kept (${synchronous})`, () =>
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
