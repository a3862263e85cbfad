/** Which process may run what is in a SQLite file, and which files are refused. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { patience } from "../../src/durable/internal/engine/embedded/lock.ts"
import { Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { inProcess, job, recorder, run, sqliteStorage, temporaryFolder, until } from "./support/engine.ts"

const it = makeIt((title, run) => test(title, { timeout: 60_000 }, run))

const open = (filename: string) => Effect.scoped(Layer.build(Layer.fresh(Durable.layerSqlite({ filename }))))

const refusal = (filename: string) =>
  Effect.map(Effect.flip(open(filename)), (error) => [error._tag, error.message] as const)

const folder = temporaryFolder

/** Changes the waits of the lock for one test. */
const impatient = (waits: Partial<typeof patience>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = { ...patience }
      Object.assign(patience, waits)
      return before
    }),
    (before) => Effect.sync(() => Object.assign(patience, before))
  )

const query = <A>(filename: string, sql: string, ...params: ReadonlyArray<string>): ReadonlyArray<A> => {
  const db = new DatabaseSync(filename)
  try {
    return db.prepare(sql).all(...params) as ReadonlyArray<unknown> as ReadonlyArray<A>
  } finally {
    db.close()
  }
}

/** Starts a process that runs what is in a file, and waits until it does. */
const runner = (filename: string) =>
  Effect.gen(function*() {
    const source = path.resolve(import.meta.dirname, "../../src/durable/index.ts")
    const child = spawn(process.execPath, [
      "-e",
      `import { Effect, Layer } from "effect"
       import { Durable } from ${JSON.stringify(source)}
       const engine = Durable.layerSqlite({ filename: ${JSON.stringify(filename)} })
       await Effect.runPromise(Effect.scoped(Effect.andThen(Layer.build(engine), Effect.promise(() => {
         process.stdout.write("running\\n")
         setInterval(() => {}, 1000)
         return new Promise(() => {})
       }))))`
    ], { stdio: ["ignore", "pipe", "inherit"] })
    yield* Effect.addFinalizer(() => Effect.sync(() => void child.kill("SIGKILL")))
    yield* Effect.callback<void>((resume) => void child.stdout.once("data", () => resume(Effect.void)))
    const ended = Effect.callback<void>((resume) => void child.once("exit", () => resume(Effect.void)))
    return { kill: Effect.andThen(Effect.sync(() => void child.kill("SIGKILL")), ended) }
  })

it.live("a second process is refused by whatever name it reaches the file, and lock files don't matter", () =>
  Effect.gen(function*() {
    yield* impatient({ closing: 200 })
    const at = yield* folder
    fs.mkdirSync(path.join(at, "shared"))
    fs.mkdirSync(path.join(at, "release"))
    const filename = path.join(at, "shared", "durable.db")
    const { kill } = yield* runner(filename)
    const names = ["symbolic.db", "release/linked.db", "shared/hard.db"].map((name) => path.join(at, name))
    fs.symlinkSync(filename, names[0]!)
    fs.symlinkSync("../shared/durable.db", names[1]!)
    fs.linkSync(filename, names[2]!)
    for (const name of [filename, ...names]) {
      const inUse = `another process has the database ${name} open to run what is in it, and only one may`
      assert.deepEqual(yield* refusal(name), ["DatabaseInUse", inUse])
    }
    for (const file of fs.readdirSync(path.join(at, "shared"))) {
      if (/(lock|bell)$/.test(file)) fs.rmSync(path.join(at, "shared", file))
    }
    assert.equal((yield* refusal(filename))[0], "DatabaseInUse")
    fs.rmSync(names[2]!)
    yield* kill
    // at once, since the process is known to be dead
    const start = performance.now()
    yield* open(names[0]!)
    assert.ok(performance.now() - start < patience.answer / 2)
  }))

it.live("a process of which nobody can tell whether it lives is asked, and is not taken over while it answers", () =>
  Effect.gen(function*() {
    yield* impatient({ closing: 200, answer: 3_000 })
    const filename = path.join(yield* folder, "durable.db")
    yield* Effect.gen(function*() {
      // as a process in another container
      query(filename, "UPDATE effect_epilogue_engine SET identity = json_set(identity, '$.namespace', 'pid:[1]')")
      assert.equal((yield* refusal(filename))[0], "DatabaseInUse")
    }).pipe(Effect.provide(Layer.fresh(Durable.layerSqlite({ filename }))))
  }))

it.live("a process that does not answer is taken over, records nothing any more, and says so", () =>
  Effect.gen(function*() {
    yield* impatient({ closing: 200, answer: 300 })
    const filename = path.join(yield* folder, "durable.db")
    const seen = recorder()
    let go = false
    const body = Effect.andThen(seen.note("body"), until("it may go on", () => go))
    const { layer, workflow } = job(() =>
      Durable.step(Step.make("a", body).pipe(Step.onSuccess(() => seen.note("hook"))))
    )
    const next = recorder()
    yield* inProcess(
      Layer.provide(sqliteStorage(filename), seen.log.layer),
      Layer.provide(layer, seen.layer),
      Effect.gen(function*() {
        yield* workflow.execute({ id: "1" }, { discard: true })
        yield* until("the body runs", () => seen.list.length > 0)
        query(
          filename,
          `UPDATE effect_epilogue_engine SET runner = 'gone', identity = json_set(identity, '$.namespace', 'pid:[1]')`
        )
        // another process, in which the body ends
        go = true
        assert.deepEqual(yield* run(sqliteStorage(filename), next, { layer: Layer.fresh(layer), workflow }), Exit.void)
        yield* until(
          "the first process says so",
          () => seen.log.list.some(({ message }) => message.includes("taken the database over"))
        )
      })
    )
    assert.deepEqual(seen.list, ["body", "body", "hook"])
    const rows = query<{ n: number }>(filename, "SELECT COUNT(*) AS n FROM effect_epilogue_activities")
    assert.equal(rows[0]!.n, 4)
  }))

it.live("a file with unfinished runs of the engine on a cluster is refused, and one with finished runs is not", () =>
  Effect.gen(function*() {
    const filename = path.join(yield* folder, "durable.db")
    const db = new DatabaseSync(filename)
    db.exec(`
      CREATE TABLE cluster_messages (id INTEGER PRIMARY KEY, entity_type TEXT, entity_id TEXT, tag TEXT);
      CREATE TABLE cluster_replies (id INTEGER PRIMARY KEY, kind INTEGER, request_id INTEGER, payload TEXT);
      INSERT INTO cluster_messages VALUES (1, 'Workflow/nightly', 'a', 'run'), (2, 'Workflow/nightly', 'b', 'run'),
        (3, 'Workflow/nightly', 'b', 'activity'), (4, 'Workflow/-/DurableClock', 'b', 'run'), (5, 'Workflow/ask', 'c', 'run');
      INSERT INTO cluster_replies VALUES (1, 0, 1, '{"_tag":"Success","value":{"_tag":"Complete"}}'),
        (2, 0, 5, '{"_tag":"Success","value":{"_tag":"Suspended"}}');
    `)
    db.close()
    assert.deepEqual(yield* refusal(filename), [
      "DatabaseRefused",
      `the database ${filename} has unfinished runs of effect-epilogue 0.1 (1 of "ask", 1 of "nightly"): finish them, or ` +
      "interrupt them, with that version, or name another file"
    ])
    query(filename, "INSERT INTO cluster_replies VALUES (3, 0, 2, ?)", `{"_tag":"Failure","cause":[]}`)
    query(
      filename,
      "UPDATE cluster_replies SET payload = ? WHERE id = 2",
      `{"_tag":"Success","value":{"_tag":"Complete"}}`
    )
    yield* open(filename)
  }))

it.live("a file that a later version has written is refused", () =>
  Effect.gen(function*() {
    const filename = path.join(yield* folder, "durable.db")
    yield* open(filename)
    query(filename, "UPDATE effect_epilogue_engine SET version = 2")
    const refused = `the database ${filename} was written by a later version of effect-epilogue (2): use that one`
    assert.deepEqual(yield* refusal(filename), ["DatabaseRefused", refused])
    const client = Effect.scoped(Layer.build(Layer.fresh(Durable.layerSqliteClient({ filename }))))
    assert.equal((yield* Effect.flip(client)).message, refused)
  }))

it.live("a payload that no longer fits its schema sets its run aside with an error, and the run goes on when it fits", () =>
  Effect.gen(function*() {
    const filename = path.join(yield* folder, "durable.db")
    const seen = recorder()
    const pipeline = <const P extends Schema.Struct.Fields>(payload: P) =>
      Durable.pipeline(
        "job",
        { payload, idempotencyKey: () => "1" },
        () => Durable.step(Step.make("a", seen.note("a")))
      )
    const before = pipeline({ id: Schema.String })
    const client = Layer.fresh(Layer.orDie(Durable.layerSqliteClient({ filename })))
    yield* Effect.provide(before.workflow.execute({ id: "1" }, { discard: true }), client)
    yield* inProcess(
      sqliteStorage(filename),
      Layer.provide(pipeline({ id: Schema.String, more: Schema.Int }).layer, seen.layer),
      until("it is told", () => seen.log.list.some(({ message }) => message.includes("is set aside")))
    )
    assert.deepEqual(seen.list, [])
    yield* inProcess(
      sqliteStorage(filename),
      Layer.provide(before.layer, seen.layer),
      until("the run has ended", () => seen.list.includes("a"))
    )
  }))
