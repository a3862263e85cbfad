/** Tests a resumed durable run whose concurrent steps start in another order than before. */
import { DateTime, Deferred, Duration, Effect, Exit, Layer, Schema } from "effect"
import * as DurableClock from "effect/workflow/DurableClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Pipeline, type RunEvent, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { frame } from "../../src/report/internal/progress/frame.ts"
import { Runs } from "../../src/report/internal/progress/state.ts"
import { timeline } from "../../src/report/internal/timeline/rows.ts"
import { isLinear } from "../support/growth.ts"
import { makeIt } from "../support/it.ts"
import { events } from "../support/observe.ts"

const it = makeIt(test)

const step = <R>(name: string, body: Effect.Effect<unknown, never, R>) =>
  Durable.step(Step.make(name, Effect.asVoid(body)))

// the engine evaluates the body again when this wait is over
const nap = DurableClock.sleep({ name: "nap", duration: "50 millis", inMemoryThreshold: Duration.zero })
const shortIsOver = Deferred.makeUnsafe<void>()

// at first "after short" starts before "after long", and on replay after it
const sideBySide = Effect.all([
  Effect.andThen(step("long", Deferred.await(shortIsOver)), step("after long", nap)),
  Effect.andThen(step("short", Effect.void), step("after short", Deferred.succeed(shortIsOver, undefined)))
], { concurrency: "unbounded", discard: true })

const nightly = Durable.pipeline(
  "nightly",
  { payload: { day: Schema.String }, idempotencyKey: ({ day }) => day },
  () => Pipeline.make("nightly", sideBySide)
)

it.live("a replayed durable run has one row for each step", () =>
  Effect.gen(function*() {
    const told = events()
    yield* nightly.workflow.execute({ day: "2026-11-26" }).pipe(
      Effect.provide(nightly.layer.pipe(Layer.provideMerge(Durable.layerMemory), Layer.provide(told.layer)))
    )
    const indices = told.list.flatMap((event) =>
      (event._tag === "StepStarted" || event._tag === "StepEnded") && event.stepName === "after long"
        ? [[event._tag, event.index]]
        : []
    )
    assert.deepEqual(indices, [["StepStarted", 3], ["StepEnded", 2]], "the run did not go on in another order")
    const rows = timeline(told.list.map(Report.fromRunEvent)).rows.map(({ ending, name }) => `${name} ${ending}`)
    assert.deepEqual(rows.slice(1).toSorted(), [
      "after long success",
      "after short success",
      "long success",
      "short success"
    ])
  }))

test("20,000 steps that were cut off, and start again in another order, have one row each, in linear time", () => {
  const of = (stepName: string, index: number) => ({
    pipelineName: "p",
    runId: "1",
    runName: "p-1",
    at: 0,
    stepName,
    stepPath: [stepName],
    index
  })
  const started = (name: string, index: number): Report.Event => ({ _tag: "StepStarted", ...of(name, index) })
  const ended = (name: string, index: number): Report.Event => ({
    _tag: "StepEnded",
    ...of(name, index),
    outcome: "success",
    attempts: 1,
    durationMillis: 1
  })
  const rowsOf = (count: number) => {
    const names = Array.from({ length: count }, (_, i) => `page ${i}`)
    const again = names.toReversed()
    return timeline([...names.map(started), ...again.map(started), ...again.map(ended)]).rows
  }
  isLinear("rows", 20_000, rowsOf)
  const rows = rowsOf(20_000)
  assert.equal(rows.length, 20_001)
  assert.deepEqual(new Set(rows.slice(1).map(({ ending }) => ending)), new Set(["success"]))
  assert.deepEqual(rows.slice(1, 3).map(({ name }) => name), ["page 0", "page 1"])
})

test("the hooks of a step that was retried 40,000 times are read in linear time", () => {
  const run = { pipelineName: "p", runId: "1", runName: "p-1", at: 0 }
  const hook = { hook: "tell", kind: "retry", level: "step", hookIndex: 0 } as const
  const step = { stepName: "poll", stepPath: ["poll"], index: 0 }
  const rowsOf = (count: number) =>
    timeline(
      Array.from({ length: count }, (): ReadonlyArray<Report.Event> => [
        { _tag: "HookStarted", ...run, ...hook, step },
        { _tag: "HookEnded", ...run, ...hook, step, durationMillis: 1 }
      ]).flat()
    ).rows
  isLinear("hooks", 40_000, rowsOf)
  const rows = rowsOf(40_000)
  assert.equal(rows[1]!.hooks.length, 40_000)
  assert.deepEqual(new Set(rows[1]!.hooks.map(({ outcome }) => outcome)), new Set(["ended"]))
})

test("a replayed durable run has one line for each step in the live tree", () => {
  const at = DateTime.makeUnsafe(0)
  const run = { pipelineName: "p", runId: "1", runName: "p-1", at }
  const info = (stepName: string, index: number) => ({
    stepName,
    stepKey: undefined,
    stepPath: [stepName],
    stepLabels: [stepName],
    index,
    parent: undefined
  })
  const ended = (of: ReturnType<typeof info>): RunEvent.RunEvent => ({
    _tag: "StepEnded",
    ...run,
    ...of,
    outcome: "success",
    exit: Exit.void,
    attempts: 1,
    duration: Duration.zero,
    annotations: {}
  })
  const runs = new Runs()
  const lines = () =>
    frame([...runs.byId.values()], 20, { now: 0, columns: 80, turn: 0 }).map((line) =>
      line.map(([text]) => text).join("")
    )
  const started = (of: ReturnType<typeof info>) =>
    runs.apply({ _tag: "StepStarted", ...run, ...of, params: {}, annotations: {} })
  started(info("a", 0))
  runs.apply(ended(info("a", 0)))
  started(info("b", 1))
  started(info("b", 0))
  assert.deepEqual(lines(), ["⠋ p (0.0 s, 1 running, 1 done)", "├─ ✓ a (0 ms)", "└─ ⠋ b (0.0 s)"])
  // a hook of the ended step a, under the index that a has now
  const hook = { hook: "post", kind: "success", level: "step", hookIndex: 0, step: info("a", 1) } as const
  runs.apply({ _tag: "HookStarted", ...run, ...hook })
  assert.equal(lines()[2], "│  └─ ⠋ hook \"post\" (success, 0.0 s)")
  runs.apply(ended(info("b", 0)))
  assert.equal(lines().at(-1), "└─ ✓ b (0 ms)")
})
