/** Waits of hours on in-memory engines, on a clock that the tests adjust. */
import * as Cause from "effect/Cause"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as MessageStorage from "effect/cluster/MessageStorage"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { TestClock } from "effect/testing"
import * as DurableClock from "effect/workflow/DurableClock"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Approval, Durable } from "../../src/durable/index.ts"
import { AlerterHooks, Hook, Hooks, NotApproved, Pipeline, Step, StepContext } from "../../src/index.ts"
import { fieldsOf } from "../support/alertsOf.ts"
import { makeIt } from "../support/it.ts"
import { brief } from "../support/observe.ts"
import { ada, Bad, type Job, job, type Recorder, recorder, tokenIn } from "./support/engine.ts"

// the cluster runs thousands of short tasks for the hours on its clock
const it = makeIt((title, run) => test(title, { timeout: 60_000 }, run))

/** `TestRunner.layer` of effect, which looks for replies five times a second: hundreds of thousands of times a test here. */
const runner = Sharding.layer.pipe(
  Layer.provideMerge(Runners.layerNoop),
  Layer.provideMerge(MessageStorage.layerMemory),
  Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
  Layer.provide(ShardingConfig.layer({
    entityReplyPollInterval: "30 seconds",
    refreshAssignmentsInterval: "1 minute",
    shardLockRefreshInterval: "10 minutes",
    shardLockExpiration: "1 hour"
  }))
)

const engines: Readonly<Record<string, Layer.Layer<WorkflowEngine>>> = {
  memory: Durable.layerMemory,
  "SQLite in memory": Layer.orDie(Durable.layerSqlite({ filename: ":memory:" })),
  "a cluster in memory": ClusterWorkflowEngine.layer.pipe(Layer.provide(runner))
}

/** Runs a pipeline while the clock advances by `step`, at most `times` times, and returns the exit of the run. */
const runOnTestClock = <A, E, R>(
  engine: Layer.Layer<WorkflowEngine>,
  seen: Recorder,
  { layer, workflow }: Job<A, E, R>,
  step: Duration.Input,
  times: number
) =>
  Effect.gen(function*() {
    const pipelines = layer.pipe(Layer.provide(Approval.layer()), Layer.provide(seen.layer))
    const fiber = yield* Effect.forkChild(
      Effect.exit(workflow.execute({ id: "1" })).pipe(
        Effect.provide(Layer.provideMerge(pipelines, Layer.fresh(engine)))
      )
    )
    for (let i = 0; i < times && fiber.pollUnsafe() === undefined; i++) {
      yield* TestClock.adjust(step)
      // the engine also does work that does not wait for the clock
      yield* TestClock.withLive(Effect.sleep(1))
    }
    assert.ok(fiber.pollUnsafe() !== undefined, "the run has not ended")
    return yield* Fiber.join(fiber)
  })

const hour = 3_600_000

for (const [name, engine] of Object.entries(engines)) {
  it.effect(`${name}: a hook that hangs is abandoned after 30 seconds, or its own time limit, and the others run`, () =>
    Effect.gen(function*() {
      const seen = recorder()
      const times: Array<number> = []
      const step = Step.make("a", Effect.void).pipe(
        Step.onSuccess(() => Effect.never),
        Step.hooks(Hook.onSuccess(() => Effect.uninterruptible(Effect.never)).pipe(Hook.timeout("5 seconds"))),
        Step.onExit(() => Effect.map(Effect.clockWith((clock) => clock.currentTimeMillis), (now) => times.push(now))),
        Durable.step()
      )
      assert.deepEqual(yield* runOnTestClock(engine, seen, job(() => step), "1 second", 60), Exit.void)
      assert.ok(times.length === 1 && times[0]! >= 35_000 && times[0]! <= 37_000, times.join())
      assert.deepEqual(seen.events.list.map(brief).filter((event) => event.startsWith("HookFailed")), [
        "HookFailed onSuccess",
        "HookFailed onSuccess"
      ])
    }))

  it.effect(`${name}: retries with delays of hours end at the time limit of all attempts`, () =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = Step.make("a", Effect.andThen(seen.note("attempt"), Effect.fail(new Bad({ n: 1 })))).pipe(
        Step.retry(Schedule.exponential("1 hour")),
        Step.timeout("6 hours"),
        Step.onRetry(({ attempt }) => seen.note(`retry ${attempt}`)),
        Durable.step({ error: Bad })
      )
      const exit = yield* runOnTestClock(engine, seen, job(() => step), "10 minutes", 50)
      assert.ok(Exit.isFailure(exit))
      const error = Cause.squash(exit.cause)
      assert.ok(Cause.isTimeoutError(error))
      assert.equal(error.message, `step "a" exceeded its time limit of 6 h`)
      // attempts start at 0, 1 and 3 hours; the next one would start at 7
      assert.deepEqual(
        seen.list,
        [1, 2, 3].flatMap((n) => ["attempt", `retry ${n}`])
      )
    }))

  it.effect(`${name}: an approval without an answer times out after its hours`, () =>
    Effect.gen(function*() {
      const seen = recorder()
      const times: Array<number> = []
      const step = Step.make("deploy", seen.note("body")).pipe(
        Step.requireApproval({ title: "Deploy?", timeout: "9 hours" }),
        Step.onFailure(() => Effect.map(StepContext, ({ startedAt }) => times.push(DateTime.toEpochMillis(startedAt)))),
        Durable.step()
      )
      const pipeline = job(() =>
        Pipeline.make(
          "x",
          Effect.gen(function*() {
            yield* DurableClock.sleep({ name: "nap", duration: "2 hours" })
            yield* step
          })
        )
      )
      const exit = yield* runOnTestClock(engine, seen, pipeline, "20 minutes", 40)
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.ok(error instanceof NotApproved && error.decision._tag === "TimedOut")
      const at = DateTime.toEpochMillis(error.decision.at)
      assert.ok(at >= 11 * hour && at <= 12 * hour, String(at / hour))
      assert.ok(times.length === 1 && times[0]! >= 2 * hour && times[0]! <= 3 * hour, times.join())
      assert.deepEqual([seen.list, seen.alerts.length], [[], 1])
    }))

  it.effect(`${name}: what is overdue is told once, though the run is evaluated anew, and not while it is suspended`, () =>
    Effect.gen(function*() {
      const seen = recorder()
      const nudge = (name: string) =>
        Hook.onOverdue(({ elapsed, times }) => seen.note(`${name} ${Math.round(Duration.toHours(elapsed))} ${times}`))
      const step = Step.make("load", Effect.sleep("3 hours")).pipe(
        Step.overdue("1 hour"),
        Step.hooks(nudge("load")),
        Step.onSuccess(() => seen.note("success")),
        Durable.step()
      )
      const wait = DurableClock.sleep({ name: "wait", duration: "4 hours", inMemoryThreshold: 0 })
      const run = job(() =>
        Pipeline.make("x", Effect.andThen(step, wait)).pipe(
          Pipeline.overdue("2 hours", { every: "3 hours" }),
          Pipeline.hooks(nudge("run")),
          Pipeline.onSuccess(() => seen.note("run success"))
        )
      )
      assert.ok(Exit.isSuccess(yield* runOnTestClock(engine, seen, run, "10 minutes", 100)))
      assert.deepEqual(seen.list, ["load 1 1", "run 2 1", "success", "run success"])
    }))

  it.effect(`${name}: alerts and events of a step tell the time of its body without that of its start hooks`, () =>
    Effect.gen(function*() {
      const seen = recorder()
      const slow = Hook.onStart(Effect.sleep("5 hours")).pipe(Hook.timeout("1 day"))
      const step = Step.make("load", Effect.andThen(Effect.sleep("1 hour"), Effect.fail(new Bad({ n: 1 })))).pipe(
        // the run is suspended, and its body evaluated anew, between the two attempts
        Step.retry({ times: 1, schedule: Schedule.spaced("2 hours") }),
        Step.hooks(Hooks.make(slow, slow, AlerterHooks.failure)),
        Durable.step({ error: Bad })
      )
      const pipeline = job(() =>
        Pipeline.make("x", Effect.ignore(step)).pipe(Pipeline.hooks(Hooks.make(slow, AlerterHooks.success)))
      )
      assert.ok(Exit.isSuccess(yield* runOnTestClock(engine, seen, pipeline, "10 minutes", 200)))
      const ended = seen.events.list.flatMap((event) => event._tag === "StepEnded" ? [event.duration] : [])
      assert.deepEqual(ended.map((duration) => Math.round(Duration.toHours(duration))), [4])
      const hours = seen.alerts.map((alert) => /^\d+ h/.exec(String(fieldsOf(alert)["duration"]))?.[0])
      assert.deepEqual(hours, ["4 h", "14 h"])
    }))

  it.effect(`${name}: an alert tells the time of a step's body without that of its approval, and an event with it`, () =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = Step.make("deploy", Effect.andThen(Effect.sleep("1 hour"), Effect.fail(new Bad({ n: 1 })))).pipe(
        Step.requireApproval({ title: "Deploy?", timeout: "2 days" }),
        Step.hooks(Hooks.make(Hook.onStart(Effect.sleep("5 hours")).pipe(Hook.timeout("1 day")), AlerterHooks.failure)),
        Durable.step({ error: Bad })
      )
      const { layer, workflow } = job(() => Pipeline.make("x", Effect.ignore(step)))
      const answering = Effect.andThen(
        Effect.sleep("8 hours"),
        Effect.suspend(() => Approval.answer(tokenIn(seen.alerts[0]!)!, { approve: true, by: ada }))
      )
      const answered = { layer: Layer.merge(layer, Layer.effectDiscard(Effect.forkScoped(answering))), workflow }
      assert.ok(Exit.isSuccess(yield* runOnTestClock(engine, seen, answered, "10 minutes", 200)))
      const ended = seen.events.list.flatMap((event) => event._tag === "StepEnded" ? [event.duration] : [])
      assert.deepEqual(ended.map((duration) => Math.round(Duration.toHours(duration))), [4])
      assert.match(String(fieldsOf(seen.alerts[1]!)["duration"]), /^1 h/)
    }))
}
