/** Tests who may read what the library writes, and that it follows no link, on Bun, Deno and Node. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import process from "node:process"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { ended, start, writeRecord } from "../support/recordFiles.ts"
import { temporaryFolder } from "../support/temporaryFolder.ts"

const it = makeIt(test)

/** A temporary folder as the working directory, for a process that denies nobody anything (umask 0). */
const openWorld = Effect.gen(function*() {
  const folder = fs.realpathSync(yield* temporaryFolder("private"))
  const before = { cwd: process.cwd(), umask: process.umask(0) }
  process.chdir(folder)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      process.chdir(before.cwd)
      process.umask(before.umask)
    })
  )
  return folder
})

const modeOf = (at: string): string => (fs.statSync(at).mode & 0o777).toString(8)

/** The modes of a folder and of all that is in it, by their paths. */
const modesIn = (folder: string): Record<string, string> => {
  const inside = fs.readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const at = path.join(folder, entry.name)
    return entry.isDirectory() ? modesIn(at) : { [at]: modeOf(at) }
  })
  return Object.assign({ [folder]: modeOf(folder) }, ...inside)
}

const assertPrivate = (folder: string): void => {
  for (const [at, mode] of Object.entries(modesIn(folder))) {
    assert.equal(mode, fs.statSync(at).isDirectory() ? "700" : "600", at)
  }
}

const recorded = Effect.provide(Pipeline.make("p", Step.make("a", Effect.void)), Report.layerRecord())

const sqlite = (filename: string) => Layer.fresh(Durable.layerSqlite({ filename }))

/** Starts the engine on the file, and looks at the files while they are open. */
const durably = (filename: string, look: () => void) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE IF NOT EXISTS t (a)`
    yield* Effect.sync(look)
  }).pipe(Effect.provide(sqlite(filename)))

/** The warnings of files: the engine warns of its own end, too. */
const warnings = ({ list }: ReturnType<typeof logs>) =>
  list.map(({ message }) => message).filter((message) => message !== "No healthy runners available")

const message = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), ({ message }) => message)

if (process.platform !== "win32") {
  it.live("a file that its owner may only read stays so when the rights of others are taken away", () =>
    Effect.gen(function*() {
      yield* openWorld
      fs.mkdirSync(".epilogue/runs", { recursive: true })
      fs.writeFileSync(".epilogue/runs/kept.txt", "")
      fs.chmodSync(".epilogue/runs/kept.txt", 0o444)
      yield* recorded
      assert.equal(modeOf(".epilogue/runs/kept.txt"), "400")
    }))

  it.live("records and the default database are private, whichever of them makes the folder .epilogue", () =>
    Effect.gen(function*() {
      const folder = yield* openWorld
      const file = ".epilogue/durable.db"
      for (const order of [[recorded, durably(file, () => {})], [durably(file, () => {}), recorded]]) {
        yield* Effect.all(order, { discard: true })
        yield* durably(file, () => {
          for (const name of ["durable.db", "durable.db-shm", "durable.db-wal", "runs"]) {
            assert.ok(fs.existsSync(`.epilogue/${name}`), name)
          }
          assertPrivate(path.join(folder, ".epilogue"))
        })
        fs.rmSync(".epilogue", { recursive: true })
      }
    }))

  it.live("a folder .epilogue that others may open is made private, with all that is in it", () =>
    Effect.gen(function*() {
      yield* openWorld
      const uses: ReadonlyArray<Effect.Effect<void, unknown>> = [recorded, durably(".epilogue/durable.db", () => {})]
      for (const use of uses) {
        fs.mkdirSync(".epilogue/runs/old", { recursive: true, mode: 0o755 })
        fs.mkdirSync(".epilogue/state", { mode: 0o777 })
        for (const name of ["runs/a.jsonl", "runs/old/b.jsonl", "state/c", "durable.db", "durable.db-bell"]) {
          fs.writeFileSync(`.epilogue/${name}`, "", { mode: 0o644 })
        }
        fs.writeFileSync("outside", "", { mode: 0o644 })
        fs.symlinkSync("../outside", ".epilogue/link")
        const logged = logs()
        yield* Effect.provide(use, logged.layer)
        fs.unlinkSync(".epilogue/link")
        assertPrivate(".epilogue")
        assert.equal(modeOf("outside"), "644")
        assert.deepEqual(warnings(logged), [])
        fs.rmSync(".epilogue", { recursive: true })
      }
    }))

  it.live("a database in a folder of the user's is private, and its folder keeps its mode with a warning", () =>
    Effect.gen(function*() {
      const folder = yield* openWorld
      fs.mkdirSync("mine", { mode: 0o777 })
      const logged = logs()
      const look = () => {
        const files = fs.readdirSync("mine")
        for (const name of ["own.db", "own.db-shm", "own.db-wal"]) assert.ok(files.includes(name), name)
        for (const name of files) assert.equal(modeOf(`mine/${name}`), "600", name)
      }
      yield* Effect.provide(durably("mine/own.db", look), logged.layer)
      assert.deepEqual(warnings(logged), ["other users of this machine can replace the files in mine (mode 777)"])
      assert.equal(modeOf("mine"), "777")
      fs.chmodSync("mine", 0o755)
      for (const name of ["own.db", "own.db-bell"]) fs.chmodSync(`mine/${name}`, 0o644)
      const again = logs()
      yield* Effect.provide(durably(path.join(folder, "mine/own.db"), look), again.layer)
      assert.equal(modeOf("mine"), "755")
      assert.deepEqual(warnings(again), [])
    }))

  it.live("a database whose mode can't be changed is told once", () =>
    Effect.gen(function*() {
      const file = path.join(yield* openWorld, "own.db")
      yield* durably(file, () => {})
      fs.chmodSync(file, 0o644)
      // the module object that the library uses, for a process that is not the owner of the file
      const module = process.getBuiltinModule("node:fs")
      const { chmodSync } = module
      const denied = () => {
        throw Object.assign(new Error("EPERM"), { code: "EPERM" })
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.assign(module, { chmodSync: denied })),
        () => Effect.sync(() => Object.assign(module, { chmodSync }))
      )
      const logged = logs()
      yield* Effect.provide(durably(file, () => {}), logged.layer)
      const told = warnings(logged).filter((text) => String(text).includes(`${file} `))
      assert.deepEqual(told, [
        `other users of this machine have rights on ${file} (mode 644), which can't be changed: EPERM`
      ])
    }))

  // only root can give a file away
  if (process.geteuid?.() === 0) {
    it.live("a database that belongs to another user is told, unless the whole folder does", () =>
      Effect.gen(function*() {
        const folder = yield* openWorld
        const file = path.join(folder, "own.db")
        yield* durably(file, () => {})
        fs.chownSync(file, 4321, 4321)
        const logged = logs()
        yield* Effect.provide(durably(file, () => {}), logged.layer)
        assert.deepEqual(warnings(logged), [
          `${file} belongs to another user of this machine (uid 4321), who can read and change what is stored in it`
        ])
        fs.chownSync(folder, 4321, 4321)
        const again = logs()
        yield* Effect.provide(durably(file, () => {}), again.layer)
        assert.deepEqual(warnings(again), [])
        assert.equal(fs.statSync(file).uid, 4321)
      }))
  }

  it.live("a file of records that is made is private", () =>
    Effect.gen(function*() {
      yield* openWorld
      const run = Pipeline.make("p", Step.make("a", Effect.void))
      yield* Effect.provide(run, Report.layerRecord({ file: "new/runs.jsonl" }))
      assert.deepEqual(modesIn("new"), { new: "700", "new/runs.jsonl": "600" })
    }))
}

const link = "it is a symbolic link, which is not followed: name what it points to"

it.live("no record and no database is made through a folder .epilogue that is a link, or through one in it", () =>
  Effect.gen(function*() {
    yield* openWorld
    fs.mkdirSync("elsewhere")
    for (const at of [".epilogue", ".epilogue/runs"]) {
      if (at !== ".epilogue") fs.mkdirSync(path.dirname(at))
      fs.symlinkSync(path.resolve("elsewhere"), at)
      assert.equal(yield* message(recorded), `can't record runs in .epilogue/runs: ${link}`)
      const inside = `${at}/durable.db`
      assert.equal(
        yield* message(Effect.scoped(Layer.build(sqlite(inside)))),
        `can't make the folder of ${inside}: ${link}`
      )
      fs.unlinkSync(at)
    }
    assert.deepEqual(fs.readdirSync("elsewhere"), [])
  }))

it.live("records are not written to a link, whether it leads to a file or nowhere", () =>
  Effect.gen(function*() {
    yield* openWorld
    fs.writeFileSync("victim", "")
    for (const target of ["victim", "nowhere"]) {
      fs.symlinkSync(target, "runs.jsonl")
      const run = Effect.provide(Effect.void, Report.layerRecord({ file: "runs.jsonl" }))
      assert.equal(yield* message(run), `can't record runs to runs.jsonl: ${link}`)
      fs.unlinkSync("runs.jsonl")
    }
    assert.deepEqual([fs.readdirSync("."), fs.readFileSync("victim", "utf8")], [["victim"], ""])
  }))

it.live("a database is not made where a link leads, and what wakes its process is no link", () =>
  Effect.gen(function*() {
    const folder = yield* openWorld
    const open = (filename: string) => message(Effect.scoped(Layer.build(sqlite(filename))))
    fs.symlinkSync("nowhere", "a.db")
    assert.equal(yield* open("a.db"), `can't open the database a.db: ${link}`)
    fs.writeFileSync("victim", "")
    fs.symlinkSync("victim", "b.db-bell")
    const bell = path.join(folder, "b.db-bell")
    assert.equal(yield* open("b.db"), `can't watch ${bell}: ${link}`)
    yield* Effect.ignore(
      Effect.provide(SqlClient.SqlClient, Layer.fresh(Durable.layerSqliteClient({ filename: "b.db" })))
    )
    assert.equal(fs.readFileSync("victim", "utf8"), "")
    assert.ok(!fs.existsSync("nowhere"))
  }))

it.live("prune and list follow no link: one to a folder fails, and one among the records is left alone", () =>
  Effect.gen(function*() {
    const folder = yield* openWorld
    const elsewhere = path.join(folder, "elsewhere")
    const victim = writeRecord(elsewhere, { id: "a", at: start, lines: [ended("success", 1)] })
    fs.mkdirSync(".epilogue")
    for (const [at, options] of [["runs", { folder: "runs" }], [".epilogue/runs", {}]] as const) {
      fs.symlinkSync(elsewhere, at)
      assert.equal(
        yield* message(Report.prune({ ...options, keep: 0 })),
        `can't remove records in ${at}: ${link}`
      )
      fs.unlinkSync(at)
    }
    const own = writeRecord(".epilogue/runs", { id: "b", at: start, lines: [ended("success", 1)] })
    const planted = path.join(".epilogue/runs", path.basename(victim))
    fs.symlinkSync(victim, planted)
    assert.deepEqual((yield* Report.list()).map(({ path }) => path), [own])
    const logged = logs()
    const removed = yield* Effect.provide(Report.prune({ keep: 0 }), logged.layer)
    assert.deepEqual(removed.map(({ path }) => path), [own])
    assert.deepEqual(warnings(logged), [
      `Report.prune: ${planted} is a symbolic link, which is not followed, and is left alone`
    ])
    assert.ok(fs.existsSync(victim) && fs.lstatSync(planted).isSymbolicLink())
  }))
