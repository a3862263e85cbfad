/** The embedded engine while its file can't be read or written, and after that. */
import { Cause, Duration, Effect, Exit, Fiber, Layer, Schema, type Scope } from "effect"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { Durable, Outbox } from "../../src/durable/index.ts"
import { CurrentWatch } from "../../src/durable/internal/engine/watch.ts"
import { AlerterHooks, Hook, Pipeline, Step } from "../../src/index.ts"
import { blockThread } from "../support/eventLoop.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import {
  awaitExit,
  errorOf,
  inProcess,
  job,
  type Recorder,
  recorder,
  type Storage,
  temporaryFolder,
  until
} from "./support/engine.ts"

const it = makeIt(test)

/** An error as `node:sqlite` throws it. */
const sqliteError = (errcode: number, message: string): Error =>
  Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode })

const full = sqliteError(13, "database or disk is full")

/** A switch by which statements fail. */
interface Faults {
  error: unknown
  matches: RegExp
  /** How many statements have failed. */
  count: number
}

const writes = /^(?:INSERT|UPDATE|DELETE)/

/** Makes an engine whose statements fail with an error while one is set, and that is told of by the recorder. */
const faulty = (
  seen: Recorder,
  options: Partial<Durable.SqliteOptions> = {}
): Effect.Effect<
  { readonly faults: Faults; readonly engine: Storage; readonly filename: string },
  never,
  Scope.Scope
> =>
  Effect.map(temporaryFolder, (folder) => {
    const faults: Faults = { error: undefined, matches: writes, count: 0 }
    const filename = path.join(folder, "durable.db")
    const watch = {
      statement: (sql: string) => {
        if (faults.error === undefined || !faults.matches.test(sql)) return
        faults.count++
        throw faults.error
      }
    }
    const engine = Durable.layerSqlite({ filename, drain: "100 millis", ...options }).pipe(
      Layer.provide(Layer.succeed(CurrentWatch, watch)),
      Layer.provide(seen.log.layer),
      Layer.orDie
    )
    return { faults, engine, filename }
  })

/** A pipeline of three steps; the second one begins with `then`. */
const threeSteps = (seen: Recorder, then: Effect.Effect<void> = Effect.void) =>
  job(() =>
    Pipeline.make(
      "job",
      Effect.forEach(
        ["a", "b", "c"],
        (name) => Durable.step(Step.make(name, Effect.andThen(seen.note(name), name === "b" ? then : Effect.void))),
        {
          discard: true
        }
      )
    ).pipe(
      Pipeline.hooks(AlerterHooks.failure),
      Pipeline.hooks(Hook.onSuccess(() => seen.note("success"))),
      Pipeline.hooks(Hook.onFailure(() => seen.note("failure")))
    )
  )

const messages = (seen: Recorder) =>
  seen.log.list.map(({ message }) => message).filter((text) => /can (?:be|not)|can't/.test(text))

const transient: ReadonlyArray<readonly [number, string, string]> = [
  [13, "database or disk is full", "the disk is full"],
  [8, "attempt to write a readonly database", "it is read-only"],
  [6, "database table is locked", "another process has locked it"],
  [10, "disk I/O error", "it fails"],
  [14, "unable to open database file", "it can't be reached"]
]

for (const [errcode, message, reason] of transient) {
  it.live(`a run waits while its file fails with "${message}", and goes on when it does not`, () =>
    Effect.gen(function*() {
      const seen = recorder()
      const { engine, faults, filename } = yield* faulty(seen)
      const fail = Effect.sync(() => {
        faults.error = sqliteError(errcode, message)
      })
      const { layer, workflow } = threeSteps(seen, fail)
      yield* inProcess(
        engine,
        Layer.provide(layer, seen.layer),
        Effect.gen(function*() {
          const running = yield* Effect.forkChild(workflow.execute({ id: "1" }))
          yield* until("writes fail", () => faults.count > 2)
          faults.error = undefined
          yield* Fiber.join(running)
        })
      )
      assert.deepEqual(seen.list, ["a", "b", "c", "success"])
      const [first, last, ...others] = messages(seen)
      assert.equal(
        first,
        `effect-epilogue: the database ${filename} can't be written: ${reason} (${message}); ` +
          "runs wait, and it is tried again"
      )
      assert.match(last ?? "", /^effect-epilogue: the database .* can be written again after .*s; runs go on$/)
      assert.deepEqual(others, [])
    }))
}

it.live("whichever statements fail, and for how long, each step of a run ends once and the run succeeds", () =>
  forAll(
    Schema.Struct({
      at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 })),
      times: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 }))
    }),
    ({ at, times }) =>
      Effect.scoped(Effect.gen(function*() {
        const seen = recorder()
        const folder = yield* temporaryFolder
        let count = 0
        let failed = 0
        let started = false
        const watch = {
          statement: (sql: string) => {
            // the transaction of a failed statement is rolled back
            if (!started || sql === "ROLLBACK" || sql.startsWith("PRAGMA")) return
            if (count++ < at || failed >= times) return
            failed++
            throw full
          }
        }
        const engine = Durable.layerSqlite({ filename: path.join(folder, "durable.db"), synchronous: "normal" }).pipe(
          Layer.provide(Layer.succeed(CurrentWatch, watch)),
          Layer.provide(seen.log.layer),
          Layer.orDie
        )
        const { layer, workflow } = threeSteps(seen)
        const executed = Effect.suspend(() => {
          started = true
          return workflow.execute({ id: "1" })
        })
        yield* inProcess(engine, Layer.provide(layer, seen.layer), executed)
        assert.deepEqual(seen.list, ["a", "b", "c", "success"])
      })),
    10
  ))

it.live("after the patience those who wait get a StorageFailed, hooks tell once, and the run goes on when it can", () =>
  Effect.gen(function*() {
    const seen = recorder()
    const { engine, faults, filename } = yield* faulty(seen, { patience: "300 millis" })
    const { layer, workflow } = threeSteps(seen, Effect.sync(() => void (faults.error = full)))
    yield* inProcess(
      engine,
      Layer.provide(layer, seen.layer),
      Effect.gen(function*() {
        const error = yield* Effect.flip(workflow.execute({ id: "1" }))
        assert.ok(error instanceof Durable.StorageFailed)
        assert.deepEqual([error.reason, error.operation, error.detail], ["Full", "write", "database or disk is full"])
        assert.ok(Duration.toMillis(error.failingFor) >= 300)
        assert.equal(error.storage, `the database ${filename}`)
        yield* until("the hooks have run", () => seen.alerts.length === 1)
        assert.deepEqual(seen.list, ["a", "b", "failure"])
        assert.match(seen.alerts[0]!.title, /job/)
        assert.match(JSON.stringify(seen.alerts[0]), /the disk is full \(database or disk is full\)/)
        // those who come now are told at once
        const again = yield* Effect.flip(workflow.execute({ id: "1" }))
        assert.ok(again instanceof Durable.StorageFailed)
        faults.error = undefined
        yield* awaitExit(workflow, yield* workflow.executionId({ id: "1" }))
      })
    )
    assert.deepEqual(seen.list, ["a", "b", "failure", "c", "success"])
    assert.equal(seen.alerts.length, 1)
    assert.match(messages(seen)[1] ?? "", /nobody waits any longer for runs here, and they go on when it is mended/)
  }))

it.live("with an outbox in the file that fails, what the hooks tell is delivered without it", () =>
  Effect.gen(function*() {
    const seen = recorder()
    const { engine, faults } = yield* faulty(seen, { patience: "200 millis" })
    const { layer, workflow } = threeSteps(seen, Effect.sync(() => void (faults.error = full)))
    yield* inProcess(
      engine,
      Layer.provide(layer, Layer.orDie(Outbox.layer(seen.layer))),
      Effect.gen(function*() {
        yield* Effect.flip(workflow.execute({ id: "1" }))
        yield* until("the alert has arrived", () => seen.alerts.length === 1)
        faults.error = undefined
      })
    )
    assert.match(JSON.stringify(seen.alerts[0]), /the disk is full/)
  }))

it.live("an engine whose file fails closes in time, and the next one goes on", () =>
  Effect.gen(function*() {
    const seen = recorder()
    const { engine, faults } = yield* faulty(seen)
    const { layer, workflow } = threeSteps(seen, Effect.sync(() => void (faults.error ??= full)))
    const pipelines = Layer.provide(layer, seen.layer)
    const started = performance.now()
    yield* inProcess(
      engine,
      pipelines,
      Effect.gen(function*() {
        yield* Effect.forkChild(workflow.execute({ id: "1" }))
        yield* until("writes fail", () => faults.count > 1)
      })
    )
    assert.ok(performance.now() - started < 6_000)
    faults.error = undefined
    faults.matches = /^never$/
    yield* inProcess(engine, pipelines, workflow.execute({ id: "1" }))
    // the end of the second step was not recorded
    assert.deepEqual(seen.list, ["a", "b", "b", "c", "success"])
  }))

const lost: ReadonlyArray<readonly [string, Durable.StorageFailed["reason"], (filename: string) => void]> = [
  ["is deleted", "Missing", (filename) => fs.rmSync(filename)],
  ["is replaced by another one", "Replaced", (filename) => {
    fs.copyFileSync(filename, `${filename}.copy`)
    fs.renameSync(`${filename}.copy`, filename)
  }],
  ["loses its journal", "Missing", (filename) => fs.rmSync(`${filename}-wal`)]
]

for (const [title, reason, lose] of lost) {
  it.live(`nothing is written into a file that ${title}`, () =>
    Effect.gen(function*() {
      const seen = recorder()
      const { engine, filename } = yield* faulty(seen, { patience: "300 millis" })
      const { layer, workflow } = threeSteps(seen, Effect.sync(() => lose(filename)))
      yield* inProcess(
        engine,
        Layer.provide(layer, seen.layer),
        Effect.gen(function*() {
          const error = yield* Effect.flip(workflow.execute({ id: "1" }))
          assert.ok(error instanceof Durable.StorageFailed)
          assert.equal(error.reason, reason)
          // of no use to wait for
          assert.equal(Duration.toMillis(error.failingFor) < 300, reason === "Replaced")
        })
      )
      assert.deepEqual(seen.list.slice(0, 2), ["a", "b"])
    }))
}

it.live("a file that is moved away and back while nothing runs is told of, and told to be back", () =>
  Effect.gen(function*() {
    const seen = recorder()
    const { engine, filename } = yield* faulty(seen)
    yield* inProcess(
      engine,
      Layer.empty,
      Effect.gen(function*() {
        fs.renameSync(filename, `${filename}.away`)
        yield* until("it is told", () => messages(seen).length === 1)
        assert.match(messages(seen)[0]!, /can't be written: the file is gone \(.*durable\.db\)/)
        fs.renameSync(`${filename}.away`, filename)
        yield* until("it is back", () => messages(seen).length === 2)
        assert.match(messages(seen)[1]!, /can be written again/)
      })
    )
  }))

it.live("a corrupt file ends the wait at once, and one that is no database as well", () =>
  Effect.forEach([11, 26], (errcode) =>
    Effect.scoped(Effect.gen(function*() {
      const seen = recorder()
      const { engine, faults } = yield* faulty(seen)
      const { layer, workflow } = threeSteps(
        seen,
        Effect.sync(() => void (faults.error = sqliteError(errcode, "malformed")))
      )
      yield* inProcess(
        engine,
        Layer.provide(layer, seen.layer),
        Effect.gen(function*() {
          const error = yield* Effect.flip(workflow.execute({ id: "1" }))
          assert.ok(error instanceof Durable.StorageFailed)
          assert.equal(error.reason, "Corrupt")
        })
      )
    }))))

it.live("a client that can't submit fails with a StorageFailed after its patience", () =>
  Effect.gen(function*() {
    const seen = recorder()
    const { faults, filename } = yield* faulty(seen)
    const { workflow } = threeSteps(seen)
    const client = Durable.layerSqliteClient({ filename, patience: "200 millis" }).pipe(
      Layer.provide(Layer.succeed(CurrentWatch, {
        statement: (sql: string) => {
          if (faults.error !== undefined && writes.test(sql)) throw faults.error
        }
      })),
      Layer.provide(seen.log.layer),
      Layer.orDie
    )
    yield* Effect.gen(function*() {
      faults.error = full
      const exit = yield* Effect.exit(workflow.execute({ id: "1" }))
      assert.ok(errorOf(exit) instanceof Durable.StorageFailed)
      assert.ok(Exit.isFailure(exit) && Cause.hasFails(exit.cause))
      faults.error = undefined
      yield* workflow.execute({ id: "1" }, { discard: true })
    }).pipe(Effect.provide(client))
  }))

it.live("a body that blocks its thread runs once", () =>
  Effect.gen(function*() {
    const seen = recorder()
    const { engine } = yield* faulty(seen)
    const block = Effect.sync(() => blockThread(1_200))
    const { layer, workflow } = threeSteps(seen, block)
    yield* inProcess(engine, Layer.provide(layer, seen.layer), workflow.execute({ id: "1" }))
    assert.deepEqual(seen.list, ["a", "b", "c", "success"])
    assert.deepEqual(messages(seen), [])
  }))
