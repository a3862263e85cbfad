/** A store in a file of SQLite keeps what policies remember, and costs no alert when the file fails. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { test } from "node:test"
import { dedupe, digest, recovered, Store, throttle } from "../../src/delivery/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { root, runtimes } from "../support/command.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { field } from "../support/policies.ts"
import { entriesIn, statesIn } from "../support/storeFile.ts"
import { temporaryFolder } from "../support/temporaryFolder.ts"
import { listed, open } from "./support.ts"

const it = makeIt(test)

const file = Effect.map(temporaryFolder("store"), (folder) => path.join(folder, "state", "alerts.db"))

const storeAt = (filename: string, busyTimeout = "20 millis" as const) =>
  Layer.fresh(Layer.orDie(Store.layerSqlite({ filename, busyTimeout })))

const weekly = (filename: string) => (self: Layer.Layer<Alerter>) =>
  digest(self, { window: "7 days", persist: "weekly" }).pipe(Layer.provide(storeAt(filename)))

/** What a process that starts a week later posts. */
const aWeekLater = (filename: string) =>
  Effect.gen(function*() {
    yield* TestClock.adjust("7 days")
    const next = yield* open(weekly(filename))
    yield* TestClock.adjust("1 second")
    yield* next.close
    return (yield* next.sent).flatMap(listed)
  })

/** Runs statements as another program would. */
const sql = (filename: string, ...statements: ReadonlyArray<string>) => {
  const db = new DatabaseSync(filename)
  for (const statement of statements) db.exec(statement)
  db.close()
}

it.effect("a digest is kept from one process to the next, in a file and a folder for their owner alone", () =>
  Effect.gen(function*() {
    const filename = yield* file
    for (const title of ["night 1", "night 2"]) {
      const night = yield* open(weekly(filename))
      yield* night.post(title)
      for (const name of fs.readdirSync(path.dirname(filename))) {
        assert.equal(fs.statSync(path.join(path.dirname(filename), name)).mode & 0o777, 0o600, name)
      }
      yield* night.close
      assert.deepEqual(yield* night.titles, [])
    }
    assert.equal(fs.statSync(path.dirname(filename)).mode & 0o777, 0o700)
    assert.deepEqual(fs.readdirSync(path.dirname(filename)), ["alerts.db"])
    assert.deepEqual(yield* aWeekLater(filename), ["night 1", "night 2"])
    assert.deepEqual(entriesIn(filename), [])
  }))

it.effect("processes at the same time see each other's deliveries, whatever stands in a title", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const policy = (self: Layer.Layer<Alerter>) =>
      dedupe(self, { window: "1 hour", persist: "x" }).pipe(Layer.provide(storeAt(filename)))
    const [one, other] = [yield* open(policy), yield* open(policy)]
    for (const title of ["a", "b\0c", "b\0d", "\ud800", "'; DROP TABLE x"]) {
      yield* one.post(Alert.make({ title, severity: "error" }))
      yield* other.post(Alert.make({ title, severity: "error" }))
    }
    yield* other.post(Alert.make({ title: "e", severity: "error" }))
    yield* one.post(Alert.make({ title: "e", severity: "error" }))
    assert.deepEqual(yield* one.titles, ["a", "b\0c", "b\0d", "\ud800", "'; DROP TABLE x"])
    assert.deepEqual(yield* other.titles, ["e"])
    yield* TestClock.adjust("90 minutes")
    yield* other.post(Alert.make({ title: "a", severity: "error" }))
    assert.match((yield* other.sent)[1]?.fields[0]?.value ?? "", /^1 more/)
  }))

it.effect("a failure that one process delivers while another posts a recovery has a recovery too", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const about = { title: "load", dedupeKey: "load" }
    const failed = Alert.make({ ...about, severity: "error" })
    const fine = Alert.make({ ...about, severity: "success", resolves: true })
    const policy = (self: Layer.Layer<Alerter>) =>
      recovered(self, { persist: "x" }).pipe(Layer.provide(storeAt(filename)))
    const other = yield* open(policy)
    const failing = (self: Layer.Layer<Alerter>) =>
      Layer.effect(
        Alerter,
        Effect.map(Alerter, ({ post }) =>
          Alerter.of({
            post: (alert) =>
              Effect.andThen(
                typeof alert !== "string" && alert.tags.includes("recovered") ? other.post(failed) : Effect.void,
                post(alert)
              )
          }))
      ).pipe(Layer.provide(self))
    const one = yield* open((self) => policy(failing(self)))
    yield* one.post(failed)
    yield* one.post(fine)
    yield* other.post(fine)
    assert.deepEqual(yield* one.titles, ["load", "Recovered: load"])
    assert.deepEqual(yield* other.titles, ["load", "Recovered: load"])
    assert.equal(field((yield* other.sent)[1], "failures"), "1")
  }))

it.effect("holding an alert while the file is locked logs a warning, and the alert is stored or posted when the scope closes", () =>
  Effect.gen(function*() {
    for (const unlocks of [true, false]) {
      const log = logs()
      const filename = yield* file
      const { close, post, titles } = yield* open(weekly(filename))
      yield* post("a")
      const db = new DatabaseSync(filename)
      db.exec("BEGIN IMMEDIATE")
      yield* Effect.provide(Effect.andThen(post("b"), post("c")), log.layer)
      assert.deepEqual(log.list.map(({ message }) => message), [
        `effect-epilogue: the state "effect-epilogue/digest/weekly" could not be kept in ${filename} it was locked for more than 20 ms`
      ])
      if (unlocks) db.close()
      yield* Effect.provide(close, log.layer)
      assert.deepEqual(yield* titles, unlocks ? [] : ["2 alerts: 2 info"])
      if (!unlocks) db.close()
      assert.deepEqual(yield* aWeekLater(filename), unlocks ? ["a", "b", "c"] : ["a"])
    }
  }))

it.effect("a write that fails is logged once, and neither undoes what is stored nor loses an alert", () =>
  Effect.gen(function*() {
    const log = logs()
    const filename = yield* file
    const { close, post, sent } = yield* open(weekly(filename))
    yield* post("a")
    sql(
      filename,
      `CREATE TRIGGER full BEFORE INSERT ON effect_epilogue_entries
        BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`
    )
    yield* Effect.provide(post("b"), log.layer)
    yield* TestClock.adjust("2 minutes")
    yield* Effect.provide(post("c"), log.layer)
    yield* Effect.provide(close, log.layer)
    assert.equal(log.list.filter(({ message }) => message.includes("disk is full")).length, 1)
    assert.deepEqual((yield* sent).flatMap(listed), ["b", "c"])
    sql(filename, "DROP TRIGGER full")
    assert.deepEqual(yield* aWeekLater(filename), ["a"])
  }))

it.effect("while the file fails, due alerts that it has are not posted, and those that it does not have are", () =>
  Effect.gen(function*() {
    const log = logs()
    const filename = yield* file
    const { close, post, sent } = yield* open(weekly(filename))
    yield* post("stored")
    const db = new DatabaseSync(filename)
    db.exec("BEGIN IMMEDIATE")
    yield* Effect.provide(post("unstored"), log.layer)
    // each try waits on the machine's clock for the lock, and so between the steps of the test's clock
    for (let i = 0; i < 10; i++) {
      yield* TestClock.adjust("1 day")
      yield* TestClock.withLive(Effect.sleep("60 millis"))
    }
    assert.deepEqual((yield* sent).flatMap(listed), ["unstored"])
    db.close()
    yield* TestClock.adjust("1 hour")
    yield* TestClock.withLive(Effect.sleep("60 millis"))
    yield* close
    assert.deepEqual((yield* sent).flatMap(listed), ["unstored", "stored"])
  }))

it.effect("a file that is deleted during a run is made again with all that was in it", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const first = yield* open(weekly(filename))
    yield* first.post("a")
    fs.rmSync(path.dirname(filename), { recursive: true })
    yield* first.post("b")
    fs.rmSync(path.dirname(filename), { recursive: true })
    yield* first.close
    assert.deepEqual(yield* first.titles, [])
    assert.deepEqual(yield* aWeekLater(filename), ["a", "b"])
  }))

it.effect("an entry that can't be read is set aside and told, and the others are posted", () =>
  Effect.gen(function*() {
    const log = logs()
    const filename = yield* file
    const first = yield* open(weekly(filename))
    for (const title of ["a", "b", "c"]) yield* first.post(title)
    yield* first.close
    sql(filename, "UPDATE effect_epilogue_entries SET entry = '{ https://u:secret@x.test' WHERE entry LIKE '%\"b\"%'")
    assert.deepEqual(yield* Effect.provide(aWeekLater(filename), log.layer), ["a", "c"])
    assert.deepEqual(log.list.map(({ message }) => message), [
      `effect-epilogue: 1 entry of the state "effect-epilogue/digest/weekly" in ${filename} could not be read see its table effect_epilogue_unreadable`
    ])
    const db = new DatabaseSync(filename)
    assert.deepEqual(db.prepare("SELECT entry FROM effect_epilogue_unreadable").all().map(({ entry }) => entry), [
      "{ https://u:secret@x.test"
    ])
    db.close()
  }))

it.effect("after the scope has closed, alerts pass through", () =>
  Effect.gen(function*() {
    const filename = yield* file
    const held = yield* open(weekly(filename))
    yield* held.post("a")
    yield* held.close
    assert.match(String(yield* Effect.exit(held.post("late"))), /posted too late/)
    const counted = yield* open((self) =>
      throttle(self, { limit: 1, window: "1 hour", persist: "x" }).pipe(Layer.provide(storeAt(filename)))
    )
    yield* counted.post(Alert.make("b"))
    yield* counted.close
    assert.deepEqual(statesIn(filename), ["effect-epilogue/digest/weekly", "effect-epilogue/throttle/x"])
  }).pipe(Effect.provide(logs().layer)))

it.effect("a file that can't be a store is a typed error that says why, and is left as it is", () =>
  Effect.gen(function*() {
    const folder = path.dirname(yield* file)
    fs.mkdirSync(path.join(folder, ".epilogue"), { recursive: true })
    const at = (...names: ReadonlyArray<string>) => path.join(folder, ...names)
    const problem = (filename: string) =>
      Effect.map(Effect.flip(Layer.build(Layer.fresh(Store.layerSqlite({ filename })))), (error) => {
        assert.equal(error._tag, "StoreError")
        return error.message
      })
    fs.writeFileSync(at("text"), "no database, but something that somebody has written\n".repeat(100))
    assert.match(
      yield* problem(at("text")),
      /^can't open the store \/.*\/text: it is damaged, or no database; move it away/
    )
    assert.match(fs.readFileSync(at("text"), "utf8"), /^no database/)
    assert.match(yield* problem(folder), /: it is a folder, and a file is needed \(EISDIR\)$/)
    if (process.platform !== "win32") {
      assert.match(yield* problem("/dev/null"), /: it is a device or a pipe, and a file is needed$/)
    }
    assert.match(
      yield* problem(at("text", "x.db")),
      /: (?:a part of the path is a file, and a folder is needed \(ENOTDIR\)|EEXIST)$/
    )
    fs.symlinkSync(at("nowhere"), at("link"))
    assert.match(yield* problem(at("link")), /: it is a symbolic link, which is not followed/)
    fs.writeFileSync(at("there"), "")
    fs.symlinkSync(at("there"), at(".epilogue", "link"))
    assert.match(yield* problem(at(".epilogue", "link")), /: it is a symbolic link, which is not followed/)
    for (const address of ["postgres://me:secret@db/x", "'.epilogue/a.db'", "host=db password=secret"]) {
      const message = yield* problem(address)
      assert.match(message, /^can't open the store: it (?:may be an address|has quotes)/)
      assert.doesNotMatch(message, /secret|db\/x/)
    }
  }))

it.live("a store that lacks a permission of Deno says which, and where its flag goes", () =>
  Effect.gen(function*() {
    // not among the tests' temporary files: those may be in /dev/shm, and Deno has no flag for files below /dev alone
    const folder = yield* temporaryFolder("denied", path.join(root, "tmp"))
    const [read, write, sys] = ["--allow-read", "--allow-write", "--allow-sys"]
    const opened = (flags: ReadonlyArray<string>, file: string) =>
      Effect.callback<string>((resume) => {
        const script = path.join(import.meta.dirname, "fixtures/openStore.ts")
        const given = ["run", "--no-prompt", "--no-check", ...flags, script, path.join(folder, file)]
        execFile(runtimes.deno[0], given, (_error, stdout, stderr) => resume(Effect.succeed(stdout + stderr)))
      })
    const needs = (flag: string) =>
      new RegExp(
        `^StoreError: can't open the store .*: Deno requires .*: add ${flag} after deno run, before the script\n$`
      )
    assert.match(yield* opened([write!, sys!], "new/a.db"), needs(read!))
    assert.match(yield* opened([read!, sys!], "new/a.db"), needs(write!))
    assert.match(yield* opened([read!, write!], "new/a.db"), needs(sys!))
    assert.equal(yield* opened([read!, write!, sys!], "b.db"), "opened\n")
  }))
