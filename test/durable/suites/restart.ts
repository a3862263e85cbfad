/** Processes that end in the middle of runs, and other processes that resume these runs. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import * as path from "node:path"
import { Durable, Outbox } from "../../../src/durable/index.ts"
import { type Alert, Alerter, Hook, Hooks, Pipeline, Step } from "../../../src/index.ts"
import { forAll } from "../../support/property.ts"
import { memoryTracer } from "../../support/spans.ts"
import {
  queuedAlerts,
  recordedActivities,
  restoreSnapshot,
  type Snapshot,
  snapshotting
} from "../support/crashSnapshots.ts"
import {
  Bad,
  type Engine,
  inProcess,
  job,
  recorder,
  sqliteStorage,
  type Storage,
  suiteOf,
  suspendRun,
  temporaryFolder,
  until
} from "../support/engine.ts"

/** The names of the activities that were executed, in order. */
type Journal = Array<string>

const note = (journal: Journal, activity: string) => Effect.sync(() => void journal.push(activity))

const post = (title: string) => Effect.flatMap(Alerter, (alerter) => Effect.ignore(alerter.post(title)))

/** Makes a step whose body and hooks note themselves in the journal, and whose hooks post an alert. */
const noting = <E extends Bad>(journal: Journal, name: string, body: (n: number) => Effect.Effect<number, E>) => {
  let n = 0
  const hook = (kind: string, index: number) =>
    Effect.andThen(post(`${name} ${kind}`), note(journal, `step/${name}/hook/${kind}/${index}/1`))
  return Step.make(
    name,
    Effect.suspend(() => {
      n = journal.filter((entry) => entry.startsWith(`step/${name}/`) && !entry.includes("hook")).length + 1
      return Effect.andThen(note(journal, `step/${name}/${n}`), body(n))
    })
  ).pipe(
    Step.onSuccess(() => hook("success", 0)),
    Step.hooks(Hook.onSuccess(() => hook("success", 1)).pipe(Hook.background)),
    Step.onFailure(() => hook("failure", 0)),
    Step.onInterrupt(() => hook("interrupt", 0)),
    Step.onExit(() => hook("exit", 0))
  )
}

/** Makes a pipeline with sequential and concurrent steps, waits, and a failure that the body catches. */
const nightly = (journal: Journal) => {
  const succeeding = (name: string) =>
    Durable.step(noting(journal, name, () => Effect.succeed(1)), { success: Schema.Int })
  const failing = Durable.step(noting(journal, "failing", () => Effect.fail(new Bad({ n: 1 }))), {
    success: Schema.Int,
    error: Bad
  })
  const run = (kind: string) => Effect.andThen(post(kind), note(journal, `run/hook/${kind}/0/1`))
  return job(() =>
    Pipeline.make(
      "x",
      Effect.gen(function*() {
        let sum = yield* succeeding("a")
        yield* suspendRun("1")
        const all = yield* Effect.all([succeeding("p"), succeeding("q"), succeeding("r")], { concurrency: "unbounded" })
        sum += all.length
        sum += yield* Effect.catchTag(failing, "Bad", ({ n }) => Effect.succeed(n))
        yield* suspendRun("2")
        return sum + (yield* succeeding("z"))
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

/** The activities that a run of the pipeline executes: bodies, and hooks, which post. */
const expected = [
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

/** Makes an outbox that delivers alerts into a list. */
const outbox = (delivered: Array<Alert>) =>
  Outbox.layer(Alerter.layer((alert) => Effect.sync(() => void delivered.push(alert))), { drain: "300 millis" })

const runAlone = (
  file: string,
  storage: Storage,
  { layer, workflow }: ReturnType<typeof nightly>,
  delivered: Array<Alert>
) =>
  inProcess(
    storage,
    Layer.orDie(Layer.provide(Layer.provide(layer, outbox(delivered)), recorder().log.layer)),
    Effect.tap(
      Effect.exit(workflow.execute({ id: "1" })),
      () => until("all alerts are delivered", () => queuedAlerts(file).every(({ state }) => state === "done"))
    )
  )

export const restartSuite = (engine: Engine): void => {
  if (!engine.survives) return
  const test = suiteOf(engine)

  test("a process ends while a run goes on after a run that it has executed, and the next one continues both", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const inner = Durable.pipeline(
        "inner",
        { payload: { id: Schema.String }, idempotencyKey: ({ id }) => id },
        () => Durable.step(Step.make("within", seen.note("within")))
      )
      let first = true
      const wait = Effect.suspend(() => first ? Effect.never : Effect.void)
      const outer = job(({ id }) =>
        Effect.andThen(
          inner.workflow.execute({ id }),
          Durable.step(Step.make("after", Effect.andThen(seen.note("after"), wait)))
        )
      )
      const layer = Layer.provideMerge(Layer.provide(outer.layer, seen.layer), inner.layer)
      yield* inProcess(
        storage,
        layer,
        Effect.gen(function*() {
          yield* outer.workflow.execute({ id: "1" }, { discard: true })
          yield* until("the step after it runs", () => seen.list.includes("after"))
        })
      )
      first = false
      assert.deepEqual(yield* inProcess(storage, layer, Effect.exit(outer.workflow.execute({ id: "1" }))), Exit.void)
      assert.deepEqual(seen.list, ["within", "after", "after"])
    }))

  test("the span of a run that goes on in another process is linked to the span of its beginning", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const gate = yield* Deferred.make<void>()
      const { layer, workflow } = job(() =>
        Effect.andThen(
          Durable.step(Step.make("load", seen.note("load"))),
          Durable.step(Step.make("wait", Effect.andThen(seen.note("wait"), Deferred.await(gate))))
        )
      )
      const pipelines = Layer.provide(layer, seen.layer)
      const [first, second] = [memoryTracer(), memoryTracer()]
      const begun = (times: number) =>
        Effect.gen(function*() {
          yield* Effect.forkChild(workflow.execute({ id: "1" }))
          yield* until("the step waits", () => seen.count("wait") === times)
        })
      yield* inProcess(storage, Layer.provide(pipelines, first.layer), begun(1))
      // a process without a tracer
      yield* inProcess(storage, pipelines, begun(2))
      yield* Deferred.succeed(gate, undefined)
      yield* inProcess(storage, Layer.provide(pipelines, second.layer), workflow.execute({ id: "1" }))
      const runsOf = ({ spans }: typeof first) => spans.filter(({ name }) => name === "job")
      const [beginning, ...others] = runsOf(first)
      assert.deepEqual([others, beginning!.links], [[], []])
      const links = runsOf(second).flatMap(({ links }) => links)
      assert.deepEqual(links.map(({ span: { sampled, spanId, traceId } }) => ({ sampled, spanId, traceId })), [
        { sampled: true, spanId: beginning!.spanId, traceId: beginning!.traceId }
      ])
      // steps are not linked
      assert.deepEqual(second.spans.filter(({ name }) => name !== "job").flatMap(({ links }) => links), [])
    }))

  test("a process that shuts down releases its runs without running interrupt hooks, and the next one resumes them", (storage) =>
    forAll(
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 }))).check(
        Schema.isMinLength(1),
        Schema.isMaxLength(3)
      ),
      (cuts) =>
        Effect.gen(function*() {
          const journal: Journal = []
          const id = String(runs++)
          const { layer, workflow } = nightly(journal)
          const seen = recorder()
          const pipelines = Layer.provide(layer, seen.layer)
          for (const cut of cuts) {
            const length = journal.length + cut
            yield* inProcess(
              storage,
              pipelines,
              Effect.gen(function*() {
                const fiber = yield* Effect.forkChild(workflow.execute({ id }))
                yield* until(
                  "enough activities ran",
                  () => journal.length >= length || fiber.pollUnsafe() !== undefined
                )
              })
            )
          }
          assert.deepEqual(yield* inProcess(storage, pipelines, Effect.exit(workflow.execute({ id }))), Exit.succeed(6))
          for (const activity of expected) assert.ok(journal.includes(activity), `${activity} is missing`)
          assert.deepEqual(journal.filter((activity) => activity.includes("interrupt")), [])
          // an activity that was cut off runs again: at most one of each of the three concurrent steps
          assert.ok(journal.length - new Set(journal).size <= 3 * cuts.length, journal.join())
        }),
      engine.runs
    ))
}

/** Registers the tests of crashes at any write, for SQLite, whose file can be copied. */
export const crashSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("after a crash at any write, the next process executes what is missing and nothing that is recorded", () =>
    Effect.gen(function*() {
      const file = path.join(yield* temporaryFolder, "nightly.db")
      const journal: Journal = []
      const { snapshots, storage } = yield* snapshotting(file, () => journal.length)
      const delivered: Array<Alert> = []
      assert.deepEqual(yield* runAlone(file, storage, nightly(journal), delivered), Exit.succeed(6))
      assert.deepEqual(journal.toSorted(), expected.toSorted())
      const hooks = expected.filter((activity) => activity.includes("hook"))
      assert.deepEqual(
        delivered.map(({ idempotencyKey }) => idempotencyKey?.replace(/^[^/]*\//, "")).toSorted(),
        hooks.map((activity) => activity.replace(/\/1$/, "")).toSorted()
      )
      yield* forAll(
        Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: snapshots.length - 1 })),
        (at) => resumeFrom(snapshots[at]!, journal),
        engine.runs
      )
    }))
}

let runs = 0

/** Resumes the run from a snapshot, as the next process after a crash, and checks what is executed then. */
const resumeFrom = (snapshot: Snapshot, all: Journal) =>
  Effect.gen(function*() {
    const file = restoreSnapshot(snapshot, `restored-${runs++}.db`)
    const before = recordedActivities(file)
    const journal = all.slice(0, snapshot.noted)
    const noted = new Set(journal)
    const delivered: Array<Alert> = []
    const exit = yield* runAlone(file, sqliteStorage(file), nightly(journal), delivered)
    assert.deepEqual(exit, Exit.succeed(6))
    const after = journal.slice(snapshot.noted)
    for (const activity of expected) assert.ok(journal.includes(activity), `${activity} is missing`)
    assert.deepEqual(after.filter((activity) => before.has(activity)), [], "a recorded activity ran again")
    assert.equal(new Set(after).size, after.length, "an activity ran twice in one process")
    // an activity that had run and was not recorded runs again: at most one of each of the three concurrent steps
    const again = after.filter((activity) => noted.has(activity))
    assert.ok(again.length <= 3, again.join())
    assert.deepEqual(journal.filter((activity) => activity.includes("interrupt")), [])
    const alerts = queuedAlerts(file)
    assert.equal(new Set(alerts.map(({ id }) => id)).size, alerts.length)
    assert.equal(alerts.length, expected.filter((activity) => activity.includes("hook")).length)
  })
