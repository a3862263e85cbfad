/** Tests durable pipelines from end to end, on Bun (`bun test`), Deno (`deno test -A`) and Node (`node --test`). */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { DurableClock } from "effect/workflow"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import * as path from "node:path"
import { test } from "node:test"
import { Approval, Durable, Outbox } from "../../src/durable/index.ts"
import * as SqliteClient from "../../src/durable/internal/engine/sqliteClient.ts"
import { type Alert, Alerter, AlerterHooks, Pipeline, Step, StepContext } from "../../src/index.ts"
import { tokenIn } from "../durable/support/engine.ts"
import { makeIt } from "../support/it.ts"
import { brief, calls, events, logs } from "../support/observe.ts"
import { temporaryFolder } from "../support/temporaryFolder.ts"

const it = makeIt(test)

class Bad extends Schema.TaggedError<Bad>()("Bad", { n: Schema.Int }) {}

const nap = (name: string) => DurableClock.sleep({ name, duration: "1 millis", inMemoryThreshold: 0 })

/** Makes a durable pipeline with a retry, an approval and a failing step, and records all that it does. */
const night = () => {
  const seen = calls()
  const emitted = events()
  const log = logs()
  const alerts: Array<Alert> = []
  let n = 0
  const load = Step.make(
    "load",
    Effect.gen(function*() {
      yield* StepContext.annotate("source", "http")
      yield* seen.note(`load ${++n}`)
      return n < 2 ? yield* new Bad({ n }) : n
    })
  ).pipe(
    Step.retry({ times: 3, schedule: Schedule.spaced("5 millis") }),
    Step.onRetry(({ attempt }) => seen.note(`retry ${attempt}`)),
    Durable.step({ success: Schema.Int, error: Bad })
  )
  const deploy = Step.make("deploy", seen.note("deploy")).pipe(
    Step.requireApproval({ title: "Deploy?", timeout: "1 day" }),
    Durable.step()
  )
  const store = Step.make("store", Effect.fail(new Bad({ n: 9 }))).pipe(Durable.step({ error: Bad }))
  const { layer, workflow } = Durable.pipeline("night", {
    payload: { day: Schema.String },
    success: Schema.Int,
    error: Bad,
    idempotencyKey: ({ day }) => day
  }, () =>
    Pipeline.make(
      "night",
      Effect.gen(function*() {
        const rows = yield* load
        yield* nap("1")
        yield* deploy
        yield* nap("2")
        yield* store
        return rows
      })
    ).pipe(Pipeline.stepHooks(AlerterHooks.all), Pipeline.onExit((exit) => seen.note(`run ${exit._tag}`))))
  const alerter = Alerter.layer((alert) => Effect.sync(() => void alerts.push(alert)))
  const asked = () => alerts.filter(({ title }) => title === "Deploy?").map(tokenIn)[0]
  const layers = layer.pipe(
    Layer.provide(Approval.layer()),
    Layer.provide(Outbox.layer(alerter)),
    Layer.provide([emitted.layer, log.layer])
  )
  const untilAsked = Effect.suspend(() => asked() === undefined ? Effect.fail("not yet") : Effect.void).pipe(
    Effect.retry({ schedule: Schedule.spaced("10 millis"), times: 400 })
  )
  return { seen, emitted, log, alerts, layer: Layer.orDie(layers), workflow, asked, untilAsked }
}

const ada = { id: "ada", name: "Ada" }

const check = ({ alerts, log, seen, emitted }: ReturnType<typeof night>, exit: Exit.Exit<unknown, unknown>) => {
  assert.ok(Exit.isFailure(exit))
  const error = Cause.squash(exit.cause)
  assert.ok(error instanceof Bad && error.n === 9)
  assert.deepEqual(seen.list, ["load 1", "retry 1", "load 2", "deploy", "run Failure"])
  const told = emitted.list.map(brief)
  const inTurn = told.filter((event) => !event.startsWith("Hook") && !event.startsWith("AlertPosted"))
  assert.deepEqual(inTurn, [
    "RunStarted night",
    "StepStarted load",
    "AttemptFailed load 1",
    "StepEnded load success",
    "StepStarted deploy",
    "StepEnded deploy success",
    "StepStarted store",
    "StepEnded store failure",
    "RunEnded night failure"
  ])
  const delivered = told.filter((event) => event.startsWith("AlertPosted") && event.endsWith("delivered by outbox"))
  assert.equal(delivered.length, 4)
  const of = alerts.filter(({ source }) => source !== undefined)
  assert.deepEqual(of.map(({ severity, source }) => `${source!.stepPath.join("/")} ${severity}`).toSorted(), [
    "deploy success",
    // the question
    "deploy warning",
    "load success",
    "store error"
  ])
  assert.equal(new Set(alerts.map(({ idempotencyKey }) => idempotencyKey)).size, 4)
  assert.deepEqual(log.list.filter(({ level }) => level === "Error" || level === "Warn"), [])
}

it.live("a durable pipeline runs on the engine in memory", () =>
  Effect.gen(function*() {
    const it = night()
    const engine = Layer.merge(Durable.layerMemory, Layer.orDie(SqliteClient.layer({ filename: ":memory:" })))
    const exit = yield* Effect.gen(function*() {
      yield* it.workflow.execute({ day: "monday" }, { discard: true })
      yield* it.untilAsked
      yield* Approval.answer(it.asked()!, { approve: true, by: ada })
      return yield* Effect.exit(it.workflow.execute({ day: "monday" }))
    }).pipe(Effect.provide(Layer.provideMerge(it.layer, engine)))
    check(it, exit)
  }))

it.live("a durable pipeline on SQLite continues in each process that opens the file after another", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("durable")
    const filename = path.join(folder, "made", "night.db")
    const it = night()
    /** Runs an Effect with the engine built anew, as another process would. */
    const within = <A, E>(use: Effect.Effect<A, E, WorkflowEngine | SqlClient>) =>
      Effect.provide(
        use,
        Layer.provideMerge(
          it.layer,
          Layer.orDie(Durable.layerSqlite({ filename, drain: "100 millis" }))
        )
      )
    yield* within(Effect.andThen(it.workflow.execute({ day: "monday" }, { discard: true }), it.untilAsked))
    yield* within(Approval.answer(it.asked()!, { approve: true, by: ada }))
    const exit = yield* within(Effect.exit(it.workflow.execute({ day: "monday" })))
    check(it, exit)
    // the run has ended: its stored exit is returned and nothing runs again
    assert.ok(Exit.isFailure(yield* within(Effect.exit(it.workflow.execute({ day: "monday" })))))
    check(it, exit)
    const states = yield* within(
      Effect.flatMap(SqlClient, (sql) => sql<{ state: string }>`SELECT state FROM effect_epilogue_alerts`)
    )
    assert.deepEqual(states.map(({ state }) => state), states.map(() => "done"))
    assert.equal(states.length, 4)
  }))

it.live("a second process on the same SQLite file fails with DatabaseInUse", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("durable")
    const engine = Durable.layerSqlite({ filename: path.join(folder, "night.db") })
    const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.fresh(engine)))).pipe(Effect.provide(engine))
    assert.equal(error._tag, "DatabaseInUse")
  }))

it.live("a client submits and answers while another process runs the file, and is heard at once", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("durable")
    const filename = path.join(folder, "night.db")
    const it = night()
    const client = Layer.fresh(Durable.layerSqliteClient({ filename }))
    const times: Array<number> = []
    yield* Effect.gen(function*() {
      for (const day of ["monday", "tuesday", "wednesday"]) {
        const before = it.seen.list.length
        const start = performance.now()
        yield* Effect.provide(it.workflow.execute({ day }, { discard: true }), client)
        yield* Effect.repeat(Effect.delay(Effect.sync(() => it.seen.list.length > before), 5), {
          until: (begun) => begun
        })
        times.push(performance.now() - start)
        yield* it.untilAsked
      }
      yield* Effect.provide(Approval.answer(it.asked()!, { approve: true, by: ada }), client)
      yield* Effect.provide(Effect.exit(it.workflow.execute({ day: "monday" })), client)
    }).pipe(Effect.provide(Layer.provideMerge(it.layer, Durable.layerSqlite({ filename, drain: "100 millis" }))))
    // the process looks by itself once a second
    assert.ok(Math.min(...times) < 500, times.join())
    assert.ok(it.seen.list.includes("deploy"))
  }))
