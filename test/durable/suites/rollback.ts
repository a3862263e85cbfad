/** Rollback hooks of durable steps: through suspensions, crashes, changes of code and interruptions. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import * as path from "node:path"
import { Durable } from "../../../src/durable/index.ts"
import { AlerterHooks, Hook, Pipeline, Step } from "../../../src/index.ts"
import { brief } from "../../support/observe.ts"
import { recordedActivities, restoreSnapshot, snapshotting } from "../support/crashSnapshots.ts"
import {
  awaitExit,
  Bad,
  type Engine,
  errorOf,
  inProcess,
  interruptRun,
  job,
  type Recorder,
  recorder,
  run,
  sqliteStorage,
  suiteOf,
  suspendRun,
  temporaryFolder,
  until
} from "../support/engine.ts"

class Db extends Context.Service<Db, { open: boolean }>()("Db") {}

/** Makes a step that notes that it ran, and that it was undone. */
const undoable = ({ note }: Recorder, name: string, undo: Effect.Effect<unknown, unknown> = Effect.void) =>
  Step.make(name, Effect.as(note(name), `value of ${name}`)).pipe(
    Step.onRollback((value) => Effect.andThen(note(`undo ${name}: ${value}`), undo)),
    Durable.step({ success: Schema.String })
  )

const boom = Durable.step(Step.make("boom", Effect.fail(new Bad({ n: 1 }))), { error: Bad })

export const rollbackSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("a run that fails after a suspension undoes its steps once, with their recorded values, in reverse order", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const pipeline = job(() =>
        Pipeline.make(
          "x",
          Effect.gen(function*() {
            yield* undoable(seen, "a")
            yield* suspendRun("1")
            yield* undoable(seen, "b", Effect.fail("no refund"))
            yield* undoable(seen, "c")
            yield* boom
          })
        ).pipe(Pipeline.onFailure(() => seen.note("failure")), Pipeline.hooks(AlerterHooks.failure))
      )
      assert.ok(errorOf(yield* run(storage, seen, pipeline)) instanceof Bad)
      assert.deepEqual(seen.list, [
        "a",
        "b",
        "c",
        "undo c: value of c",
        "undo b: value of b",
        "undo a: value of a",
        "failure"
      ])
      assert.deepEqual(
        seen.alerts.map(({ fields }) => fields.filter(({ name }) => name.includes("undone"))),
        [[{ name: "undone", value: "c, a" }, { name: "not undone", value: "b (no refund)" }]]
      )
      assert.deepEqual(seen.events.list.slice(-8).map(brief), [
        "StepEnded boom failure",
        "HookEnded onRollback",
        "HookFailed onRollback",
        "HookEnded onRollback",
        "HookEnded onFailure",
        "AlertPosted job failed delivered by custom",
        "HookEnded AlerterHooks.failure",
        "RunEnded job failure"
      ])
    }))

  test("a plain step inside of a durable one, and inherited hooks, undo nothing; with a hook of its own it is a mistake", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const inner = Step.make("inner", Effect.void)
      const outer = (step: Effect.Effect<unknown>) => Durable.step(Step.make("outer", Effect.asVoid(step)))
      const inherited = job(() =>
        Pipeline.make("x", Effect.andThen(outer(inner), boom)).pipe(
          Pipeline.stepHooks(Hook.onRollback(() => seen.note("undo")).pipe(Hook.named("undo")))
        )
      )
      yield* run(storage, seen, inherited)
      assert.deepEqual(seen.list, ["undo"])
      const own = job(() => Pipeline.make("x", outer(Step.onRollback(inner, () => Effect.void))))
      const exit = yield* run(storage, seen, own, "2")
      assert.match(String(errorOf(exit)), /Step "inner": it has a rollback hook, and runs inside of a step/)
    }))

  const db = Layer.effect(
    Db,
    Effect.acquireRelease(
      Effect.sync((): Db["Service"] => ({ open: true })),
      (db) => Effect.sync(() => void (db.open = false))
    )
  )

  const insert = ({ note }: Recorder) =>
    Step.make("insert", Effect.asVoid(Db)).pipe(
      Step.onRollback(() => Effect.flatMap(Db, ({ open }) => note(open ? "delete" : "closed"))),
      Durable.step()
    )

  test("an interruption of a run that waits undoes its steps", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, workflow } = job(() =>
        Pipeline.make("x", Effect.andThen(insert(seen), suspendRun("1", "1 hour"))).pipe(
          Pipeline.onInterrupt(() => seen.note("interrupt"))
        )
      )
      yield* interruptRun(storage, layer.pipe(Layer.provide(seen.layer), Layer.provide(db)), workflow)
      assert.deepEqual(seen.list, ["delete", "interrupt"])
    }))

  test("the layers of Pipeline.provide are open for the rollback of a run that fails", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const pipeline = job(() =>
        Pipeline.make("x", Effect.andThen(insert(seen), Effect.andThen(suspendRun("1"), boom))).pipe(
          Pipeline.provide(db)
        )
      )
      yield* run(storage, seen, pipeline)
      assert.deepEqual(seen.list, ["delete"])
    }))

  if (!engine.survives) return

  test("a rollback that a process did not live to end goes on in the next, which runs no recorded hook again", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let processes = 0
      const make = () => {
        const first = ++processes === 1
        return job(() =>
          Pipeline.make(
            "x",
            Effect.all([
              undoable(seen, "a"),
              undoable(seen, "b", first ? Effect.never : Effect.void),
              undoable(seen, "c"),
              boom
            ])
          ).pipe(Pipeline.onFailure(() => seen.note("failure")))
        )
      }
      const cutOff = make()
      yield* inProcess(
        storage,
        Layer.provide(cutOff.layer, seen.layer),
        Effect.gen(function*() {
          yield* Effect.forkChild(Effect.exit(cutOff.workflow.execute({ id: "1" })))
          yield* until("b is being undone", () => seen.count("undo b: value of b") > 0)
        })
      )
      yield* run(storage, seen, make())
      assert.deepEqual(seen.list, [
        "a",
        "b",
        "c",
        "undo c: value of c",
        "undo b: value of b",
        "undo b: value of b",
        "undo a: value of a",
        "failure"
      ])
    }))

  test("concurrent steps are undone in the recorded order of their ends after a restart", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const after = (name: string, millis: number) =>
        Step.make(name, Effect.andThen(Effect.sleep(millis), Effect.as(seen.note(name), name))).pipe(
          Step.onRollback(() => seen.note(`undo ${name}`)),
          Durable.step({ success: Schema.String })
        )
      const make = () =>
        job(() =>
          Pipeline.make(
            "x",
            Effect.gen(function*() {
              yield* Effect.all([after("slow", 200), after("fast", 1)], { concurrency: 2 })
              yield* Effect.andThen(seen.note("both"), suspendRun("1", "300 millis"))
              yield* boom
            })
          )
        )
      const first = make()
      yield* inProcess(
        storage,
        Layer.provide(first.layer, seen.layer),
        Effect.gen(function*() {
          yield* Effect.forkChild(Effect.exit(first.workflow.execute({ id: "1" })))
          yield* until("both have ended", () => seen.count("both") > 0)
        })
      )
      yield* run(storage, seen, make())
      assert.deepEqual(seen.list.filter((call) => call !== "both"), ["fast", "slow", "undo slow", "undo fast"])
    }))

  test("a rollback hook that the code no longer has is skipped with a warning, and one that is new does not run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const make = (names: ReadonlyArray<string>) =>
        job(() =>
          Pipeline.make(
            "x",
            Effect.gen(function*() {
              const step = Step.make("a", Effect.void)
              const hooks = names.map((name) => Hook.onRollback(() => seen.note(name)).pipe(Hook.named(name)))
              yield* Durable.step(hooks.reduce((step, hook) => Step.hooks(step, hook), step))
              yield* Effect.andThen(seen.note("ended"), suspendRun("1", "300 millis"))
              yield* boom
            })
          )
        )
      const before = make(["old", "kept"])
      yield* inProcess(
        storage,
        Layer.provide(before.layer, seen.layer),
        Effect.gen(function*() {
          yield* Effect.forkChild(Effect.exit(before.workflow.execute({ id: "1" })))
          yield* until("the step has ended", () => seen.count("ended") > 0)
        })
      )
      yield* run(storage, seen, make(["kept", "new"]))
      assert.deepEqual(seen.list.filter((call) => call !== "ended"), ["kept"])
      assert.ok(seen.log.list.some(({ message }) => message.endsWith("that the code no longer has: old (rollback)")))
    }))

  test("a retry runs the steps again that were undone, reuses the others, and undoes all of them where it fails", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let broken = true
      const stuck = Effect.suspend(() => broken ? Effect.fail("no refund") : Effect.void)
      const pipeline = job(() =>
        Pipeline.make("x", Effect.all([undoable(seen, "stuck", stuck), undoable(seen, "a"), boom], { discard: true }))
      )
      yield* run(storage, seen, pipeline)
      assert.deepEqual(seen.list.splice(0), ["stuck", "a", "undo a: value of a", "undo stuck: value of stuck"])
      broken = false
      yield* inProcess(
        storage,
        Layer.provide(pipeline.layer, seen.layer),
        Effect.gen(function*() {
          const [listed] = yield* Durable.list()
          const failed = yield* Durable.show(listed!.runId)
          assert.deepEqual(
            failed.steps.map(({ hooks }) => hooks.map(({ kind, status }) => `${kind} ${status}`)),
            [["rollback failed"], ["rollback ended"], []]
          )
          const { runId } = yield* Durable.retry(failed.runId)
          yield* awaitExit(pipeline.workflow, runId)
        })
      )
      assert.deepEqual(seen.list, ["a", "undo a: value of a", "undo stuck: value of stuck"])
    }))

  test("a run that has succeeded shows no rollback hook as pending", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const pipeline = job(() => Pipeline.make("x", undoable(seen, "a")))
      yield* run(storage, seen, pipeline)
      const show = Effect.flatMap(Durable.list(), ([ended]) => Durable.show(ended!.runId))
      const { steps } = yield* inProcess(storage, Layer.provide(pipeline.layer, seen.layer), show)
      assert.deepEqual(steps.map(({ hooks, status }) => [status, hooks]), [["success", []]])
    }))
}

/** Registers a test of crashes at any write, for SQLite, whose file can be copied. */
export const rollbackCrashSuite = (engine: Engine): void => {
  suiteOf(engine)(
    "after a crash at any write, each step is undone in reverse order, and a recorded hook runs no more",
    () =>
      Effect.gen(function*() {
        const file = path.join(yield* temporaryFolder, "order.db")
        const order = (seen: Recorder) =>
          job(() =>
            Pipeline.make("x", Effect.all([undoable(seen, "a"), undoable(seen, "b"), undoable(seen, "c"), boom]))
          )
        const seen = recorder()
        const { snapshots, storage } = yield* snapshotting(file, () => seen.list.length)
        yield* run(storage, seen, order(seen))
        const undoings = ["c", "b", "a"].map((name) => `undo ${name}: value of ${name}`)
        assert.deepEqual(seen.list, ["a", "b", "c", ...undoings])
        for (const [at, snapshot] of snapshots.entries()) {
          const copy = restoreSnapshot(snapshot, `restored-${at}.db`)
          const recorded = [...recordedActivities(copy)].filter((name) => name.includes("/hook/rollback/")).length
          const next = recorder()
          yield* run(sqliteStorage(copy), next, order(next))
          assert.deepEqual(
            next.list.filter((call) => call.startsWith("undo")),
            undoings.slice(recorded),
            `snapshot ${at}`
          )
        }
      })
  )
}
