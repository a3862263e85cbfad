/** Processes that end in the middle of runs, and others that go on with them. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import * as path from "node:path"
import { Durable, Outbox } from "../../../src/durable/index.ts"
import { type Alert, Alerter, Hook, Hooks, Pipeline, Step } from "../../../src/index.ts"
import { forAll } from "../../support/property.ts"
import { type Moment, queued, recorded, remembering, revive } from "../support/crashSnapshots.ts"
import {
  Bad,
  type Engine,
  folder,
  job,
  park,
  type Place,
  sqlite,
  suiteOf,
  until,
  watch,
  within
} from "../support/engine.ts"

/** What was done, by the names of the activities that did it. */
type Journal = Array<string>

const done = (journal: Journal, what: string) => Effect.sync(() => void journal.push(what))

const post = (title: string) => Effect.flatMap(Alerter, (alerter) => Effect.ignore(alerter.post(title)))

/** A step that writes down that its body and each of its hooks was run, and whose hooks post. */
const writing = <E extends Bad>(journal: Journal, name: string, body: (n: number) => Effect.Effect<number, E>) => {
  let n = 0
  const hook = (kind: string, index: number) =>
    Effect.andThen(post(`${name} ${kind}`), done(journal, `step/${name}/hook/${kind}/${index}/1`))
  return Step.make(
    name,
    Effect.suspend(() => {
      n = journal.filter((entry) => entry.startsWith(`step/${name}/`) && !entry.includes("hook")).length + 1
      return Effect.andThen(done(journal, `step/${name}/${n}`), body(n))
    })
  ).pipe(
    Step.onSuccess(() => hook("success", 0)),
    Step.hooks(Hook.onSuccess(() => hook("success", 1)).pipe(Hook.background)),
    Step.onFailure(() => hook("failure", 0)),
    Step.onInterrupt(() => hook("interrupt", 0)),
    Step.onExit(() => hook("exit", 0))
  )
}

/** A night's work: steps one after another and at once, retries, waits, a failure that is caught. */
const night = (journal: Journal) => {
  const one = (name: string) => Durable.step(writing(journal, name, () => Effect.succeed(1)), { success: Schema.Int })
  const failing = Durable.step(writing(journal, "failing", () => Effect.fail(new Bad({ n: 1 }))), {
    success: Schema.Int,
    error: Bad
  })
  const run = (kind: string) => Effect.andThen(post(kind), done(journal, `run/hook/${kind}/0/1`))
  return job(() =>
    Pipeline.make(
      "x",
      Effect.gen(function*() {
        let sum = yield* one("a")
        yield* park("1")
        const all = yield* Effect.all([one("p"), one("q"), one("r")], { concurrency: "unbounded" })
        sum += all.length
        sum += yield* Effect.catchTag(failing, "Bad", ({ n }) => Effect.succeed(n))
        yield* park("2")
        return sum + (yield* one("z"))
      })
    ).pipe(
      Pipeline.hooks(Hooks.make(
        Hook.onStart(run("start")),
        Hook.onSuccess(() => run("success")),
        Hook.onFailure(() => run("failure")),
        Hook.onInterrupt(() => run("interrupt")),
        Hook.onExit(() => run("exit"))
      ))
    )
  )
}

const names = ["a", "p", "q", "r", "z"]

/** All that a night owes: what is done and what is posted. */
const owed = [
  ...names.flatMap((
    name
  ) => [`step/${name}/1`, ...["success/0", "success/1", "exit/0"].map((hook) => `step/${name}/hook/${hook}/1`)]),
  "step/failing/1",
  "step/failing/hook/failure/0/1",
  "step/failing/hook/exit/0/1",
  "run/hook/start/0/1",
  "run/hook/success/0/1",
  "run/hook/exit/0/1"
]

/** Alerts that are delivered into a list. */
const outbox = (delivered: Array<Alert>) =>
  Outbox.layer(Alerter.layer((alert) => Effect.sync(() => void delivered.push(alert))), { drain: "300 millis" })

/** What the dead process was about to deliver is free again after a while only. */
const undelivered = (file: string) =>
  queued(file).filter(({ acquired_at, state }) => state !== "completed" && acquired_at === null)

const alone = (file: string, place: Place, { layer, workflow }: ReturnType<typeof night>, delivered: Array<Alert>) =>
  within(
    place,
    Layer.orDie(Layer.provide(Layer.provide(layer, outbox(delivered)), watch().log.layer)),
    Effect.tap(
      Effect.exit(workflow.execute({ id: "1" })),
      () => until("all is delivered", () => undelivered(file).length === 0)
    )
  )

export const restartSuite = (engine: Engine): void => {
  if (!engine.survives) return
  const test = suiteOf(engine, 20_000)

  test("a process that is asked to end lets go of its runs, and no hook of an interruption runs", (place) =>
    forAll(
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 }))).check(
        Schema.isMinLength(1),
        Schema.isMaxLength(3)
      ),
      (cuts) =>
        Effect.gen(function*() {
          const journal: Journal = []
          const id = String(runs++)
          const { layer, workflow } = night(journal)
          const seen = watch()
          const pipelines = Layer.provide(layer, seen.layer)
          for (const cut of cuts) {
            const so = journal.length + cut
            yield* within(
              place,
              pipelines,
              Effect.gen(function*() {
                const fiber = yield* Effect.forkChild(workflow.execute({ id }))
                yield* until("something is done", () => journal.length >= so || fiber.pollUnsafe() !== undefined)
              })
            )
          }
          assert.deepEqual(yield* within(place, pipelines, Effect.exit(workflow.execute({ id }))), Exit.succeed(6))
          for (const what of owed) assert.ok(journal.includes(what), `${what} is missing`)
          assert.deepEqual(journal.filter((what) => what.includes("interrupt")), [])
          // what was under way at a cut runs again: of each step that ran at once at most one thing
          assert.ok(journal.length - new Set(journal).size <= 3 * cuts.length, journal.join())
        }),
      engine.runs
    ))
}

/** On SQLite files, which can be copied. */
export const crashSuite = (engine: Engine): void => {
  const test = suiteOf(engine, 20_000)

  test("whenever a process dies, the next one does what is owed, and nothing that is recorded", () =>
    Effect.gen(function*() {
      const file = path.join(yield* folder, "night.db")
      const journal: Journal = []
      const { moments, place } = remembering(file, () => journal.length)
      const delivered: Array<Alert> = []
      assert.deepEqual(yield* alone(file, place, night(journal), delivered), Exit.succeed(6))
      assert.deepEqual(journal.toSorted(), owed.toSorted())
      const hooks = owed.filter((what) => what.includes("hook"))
      assert.deepEqual(
        delivered.map(({ idempotencyKey }) => idempotencyKey?.replace(/^[^/]*\//, "")).toSorted(),
        hooks.map((what) => what.replace(/\/1$/, "")).toSorted()
      )
      yield* forAll(
        Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: moments.length - 1 })),
        (at) => goesOn(moments[at]!, journal),
        engine.runs
      )
    }))
}

let runs = 0

/** Goes on from a moment, as whoever starts after the crash. */
const goesOn = (moment: Moment, all: Journal) =>
  Effect.gen(function*() {
    const file = revive(moment, `revived-${runs++}.db`)
    const before = recorded(file)
    const journal = all.slice(0, moment.noted)
    const noted = new Set(journal)
    const delivered: Array<Alert> = []
    const exit = yield* alone(file, sqlite(file), night(journal), delivered)
    assert.deepEqual(exit, Exit.succeed(6))
    const after = journal.slice(moment.noted)
    for (const what of owed) assert.ok(journal.includes(what), `${what} is missing`)
    assert.deepEqual(after.filter((what) => before.has(what)), [], "what was recorded ran again")
    assert.equal(new Set(after).size, after.length, "ran twice in one process")
    // what ran again had run, and was not recorded yet: one thing of each step at once
    const again = after.filter((what) => noted.has(what))
    assert.ok(again.length <= 3, again.join())
    assert.deepEqual(journal.filter((what) => what.includes("interrupt")), [])
    const alerts = queued(file)
    assert.equal(new Set(alerts.map(({ id }) => id)).size, alerts.length)
    assert.equal(alerts.length, owed.filter((what) => what.includes("hook")).length)
  })
