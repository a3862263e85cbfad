/** What the disk has of a run on the embedded engine, and so what a power cut leaves. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { CurrentWatch } from "../../src/durable/internal/engine/watch.ts"
import { Hook, Pipeline, Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { recordedActivities } from "./support/crashSnapshots.ts"
import { job, recorder, temporaryFolder, until } from "./support/engine.ts"

const it = makeIt(test)

const suffixes = ["", "-wal"]

/** Stands for a disk: notes what it has of a file whenever something waits for it, or it is told to sync. */
const makeDisk = (filename: string) => {
  let synced = 0
  const onDisk = `${filename}-disk`
  const sync = () => {
    synced++
    for (const suffix of suffixes) {
      if (fs.existsSync(`${filename}${suffix}`)) fs.copyFileSync(`${filename}${suffix}`, `${onDisk}${suffix}`)
    }
  }
  let waits = true
  const watch = {
    statement: (sql: string) => {
      if (sql.startsWith("PRAGMA synchronous")) waits = sql.endsWith("FULL")
    },
    move: <A, E>(_: unknown, execute: Effect.Effect<A, E>) =>
      Effect.tap(execute, () => Effect.sync(() => waits ? sync() : undefined))
  }
  // the cast: the module that all callers share is changed while a test runs
  const shared = process.getBuiltinModule("node:fs") as {
    fdatasync: (handle: number, done: fs.NoParamCallback) => void
  }
  const { fdatasync } = shared
  const beside = Effect.acquireRelease(
    Effect.sync(() => {
      shared.fdatasync = (handle, done) => {
        sync()
        fdatasync(handle, done)
      }
    }),
    () => Effect.sync(() => void (shared.fdatasync = fdatasync))
  )
  return {
    layer: Layer.merge(
      Layer.effectDiscard(beside),
      Durable.layerSqlite({ filename }).pipe(Layer.provide(Layer.succeed(CurrentWatch, watch)))
    ),
    /** The activities that a power cut would leave. */
    get has() {
      const db = new DatabaseSync(onDisk)
      db.close()
      return recordedActivities(onDisk)
    },
    get synced() {
      return synced
    },
    filename: onDisk
  }
}

it.live("the disk has the end of a step before its hooks run, and that of a required hook before the step ends", () =>
  Effect.scoped(Effect.gen(function*() {
    const disk = makeDisk(path.join(yield* temporaryFolder, "durable.db"))
    const seen: Array<string> = []
    const look = (what: string, ...names: ReadonlyArray<string>) =>
      Effect.sync(() => {
        const { has } = disk
        seen.push(`${what}: ${names.map((name) => `${name} ${has.has(name)}`).join(", ")}`)
      })
    const { layer, workflow } = job(() =>
      Pipeline.make(
        "job",
        Effect.gen(function*() {
          yield* Step.make("a", Effect.void).pipe(
            Step.hooks(Hook.onSuccess(() => look("required hook", "step/a/1")).pipe(Hook.required)),
            Step.onSuccess(() => look("hook", "step/a/1", "step/a/hook/success/0/1")),
            Durable.step()
          )
        })
      ).pipe(Pipeline.onSuccess(() => look("run's hook", "run/end/1", "step/a/hook/success/1/1")))
    )
    yield* Effect.provide(workflow.execute({ id: "1" }), Layer.provideMerge(layer, disk.layer))
    assert.deepEqual(seen, [
      "required hook: step/a/1 true",
      "hook: step/a/1 true, step/a/hook/success/0/1 true",
      "run's hook: run/end/1 true, step/a/hook/success/1/1 true"
    ])
  })))

it.live("the end of a hook goes to the disk while the next step runs, and is not waited for", () =>
  Effect.scoped(Effect.gen(function*() {
    const disk = makeDisk(path.join(yield* temporaryFolder, "durable.db"))
    const hook = "step/a/hook/success/0/1"
    const { layer, workflow } = job(() =>
      Effect.gen(function*() {
        yield* Step.make("a", Effect.void).pipe(Step.onSuccess(() => Effect.void), Durable.step())
        yield* Durable.step(Step.make("b", until("the disk has the hook's end", () => disk.has.has(hook))))
      })
    )
    yield* Effect.provide(workflow.execute({ id: "1" }), Layer.provideMerge(layer, disk.layer))
  })))

it.live("a run goes on after a power cut where the disk has it, and no step that was told of runs again", () =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const disk = makeDisk(path.join(folder, "durable.db"))
    const seen = recorder()
    let cut: string | undefined
    const steps = ["a", "b", "c"].map((name) =>
      Step.make(
        name,
        Effect.suspend(() => {
          if (name === "c" && cut === undefined) {
            cut = path.join(folder, "cut.db")
            for (const suffix of suffixes) fs.copyFileSync(`${disk.filename}${suffix}`, `${cut}${suffix}`)
          }
          return seen.note(name)
        })
      ).pipe(Step.onSuccess(() => seen.note(`${name} told`)), Durable.step())
    )
    const { layer, workflow } = job(() => Effect.all(steps, { discard: true }))
    yield* Effect.provide(workflow.execute({ id: "1" }), Layer.provideMerge(layer, disk.layer))
    const before = seen.list.splice(0)
    assert.deepEqual(before, ["a", "a told", "b", "b told", "c", "c told"])
    yield* Effect.provide(
      workflow.execute({ id: "1" }),
      Layer.provideMerge(layer, Durable.layerSqlite({ filename: cut! }))
    )
    assert.deepEqual(seen.list.filter((call) => call !== "b told"), ["c", "c told"])
  })))
