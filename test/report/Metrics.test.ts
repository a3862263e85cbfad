import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Otlp from "effect/observability/Otlp"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as DurableClock from "effect/workflow/DurableClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Hook, Pipeline, RunEvent, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { maxSeries } from "../../src/report/internal/metrics/series.ts"
import { makeIt } from "../support/it.ts"
import { alone, counts, samples } from "../support/metrics.ts"
import { otlpReceiver, treeOf } from "../support/otlp.ts"

const it = makeIt(test)

const flaky = (failures: number) => {
  let n = 0
  return Effect.suspend(() => n++ < failures ? Effect.fail("not yet") : Effect.succeed(n))
}

it.effect("layerMetrics counts runs, steps, retries and hooks by name and outcome", () =>
  alone(Effect.gen(function*() {
    const load = Step.make("load", flaky(2)).pipe(
      Step.retry({ times: 3 }),
      Step.hooks(Hook.onSuccess(() => Effect.void).pipe(Hook.named("tell"))),
      Step.hooks(Hook.onSuccess(() => Effect.fail("no")).pipe(Hook.named("break"))),
      Step.hooks(Hook.onSuccess(() => Effect.void).pipe(Hook.named("never"), Hook.when(() => false)))
    )
    const run = Pipeline.make("etl", Effect.andThen(load, Effect.ignore(Step.make("save", Effect.fail("full")))))
    yield* Effect.andThen(run, run).pipe(Effect.provide(Report.layerMetrics))
    yield* Effect.ignore(Pipeline.make("etl", Effect.fail("no"))).pipe(Effect.provide(Report.layerMetrics))
    assert.deepEqual(yield* counts, {
      "runs_total{pipeline=\"etl\",outcome=\"success\"}": 2,
      "runs_total{pipeline=\"etl\",outcome=\"failure\"}": 1,
      "steps_total{pipeline=\"etl\",step=\"load\",outcome=\"success\"}": 2,
      "steps_total{pipeline=\"etl\",step=\"save\",outcome=\"failure\"}": 2,
      // in the second run the first attempt succeeds
      "step_retries_total{pipeline=\"etl\",step=\"load\"}": 2,
      "steps_running{pipeline=\"etl\",step=\"load\"}": 0,
      "steps_running{pipeline=\"etl\",step=\"save\"}": 0,
      "hooks_total{pipeline=\"etl\",hook=\"tell\",kind=\"success\",outcome=\"success\"}": 2,
      "hooks_total{pipeline=\"etl\",hook=\"break\",kind=\"success\",outcome=\"failure\"}": 2,
      "hooks_total{pipeline=\"etl\",hook=\"never\",kind=\"success\",outcome=\"skipped\"}": 2,
      // counted by the engine, not again by the layer
      "hook_failures_total{hook=\"break\",kind=\"success\"}": 2
    })
  })))

it.effect("an interrupted step does not count as failed, and running steps are gauged", () =>
  alone(Effect.gen(function*() {
    const wait = Step.make("wait", Effect.never)
    const fiber = yield* Effect.forkChild(
      Pipeline.make("p", Effect.all([wait, wait], { concurrency: 2 })).pipe(Effect.provide(Report.layerMetrics)),
      { startImmediately: true }
    )
    yield* TestClock.adjust("1 second")
    const running = "steps_running{pipeline=\"p\",step=\"wait\"}"
    assert.equal((yield* counts)[running], 2)
    fiber.interruptUnsafe()
    yield* TestClock.adjust("1 second")
    const after = yield* counts
    assert.equal(after[running], 0)
    assert.equal(after["steps_total{pipeline=\"p\",step=\"wait\",outcome=\"interrupt\"}"], 2)
    assert.equal(after["runs_total{pipeline=\"p\",outcome=\"interrupt\"}"], 1)
  })))

it.effect("durations are recorded in seconds, in buckets for steps and for hooks", () =>
  alone(Effect.gen(function*() {
    const hook = Hook.onSuccess(() => Effect.sleep("2 seconds")).pipe(Hook.named("slow"))
    const step = Step.make("s", Effect.sleep("4 minutes")).pipe(Step.hooks(hook))
    yield* Effect.forkChild(Pipeline.make("p", step).pipe(Effect.provide(Report.layerMetrics)), {
      startImmediately: true
    })
    yield* TestClock.adjust("4 minutes")
    yield* TestClock.adjust("2 seconds")
    const all = yield* samples
    const s = "{pipeline=\"p\",step=\"s\",outcome=\"success\""
    assert.equal(all[`step_duration_seconds_bucket${s},le="60"}`], 0)
    assert.equal(all[`step_duration_seconds_bucket${s},le="300"}`], 1)
    assert.equal(all[`step_duration_seconds_bucket${s},le="+Inf"}`], 1)
    assert.equal(all[`step_duration_seconds_sum${s}}`], 240)
    assert.equal(all["run_duration_seconds_sum{pipeline=\"p\",outcome=\"success\"}"], 242)
    const h = "{pipeline=\"p\",hook=\"slow\",kind=\"success\",outcome=\"success\""
    assert.equal(all[`hook_duration_seconds_bucket${h},le="1"}`], 0)
    assert.equal(all[`hook_duration_seconds_bucket${h},le="2.5"}`], 1)
    assert.equal(all[`hook_duration_seconds_sum${h}}`], 2)
  })))

it.effect("Prometheus' text has a type and a help text for each metric, and no ids in labels", () =>
  alone(Effect.gen(function*() {
    const inner = Step.make("inner", Effect.void)
    yield* Pipeline.make("p", Step.make("outer \"1\"\n", inner)).pipe(
      Pipeline.runName("the night of the long run"),
      Effect.provide(Report.layerMetrics)
    )
    const text = yield* PrometheusMetrics.format()
    for (const name of ["runs_total", "steps_total"]) {
      assert.match(text, new RegExp(`# TYPE epilogue_${name} counter\n`))
    }
    for (const name of ["run_duration_seconds", "step_duration_seconds"]) {
      assert.match(text, new RegExp(`# HELP epilogue_${name} .+\n# TYPE epilogue_${name} histogram\n`))
    }
    assert.match(text, /# TYPE epilogue_steps_running gauge\n/)
    assert.ok(text.includes("step=\"outer \\\"1\\\"\\n\""))
    assert.doesNotMatch(text, /the night of|[0-9a-f]{8}-[0-9a-f]{4}|unit=|outer.*\/inner/)
  })))

it.effect("a metric has at most 2,000 series, and one more for all further step names", () =>
  alone(Effect.gen(function*() {
    const more = 50
    yield* Pipeline.make(
      "p",
      Effect.forEach(
        Array.from({ length: maxSeries + more }, (_, i) => i),
        (i) => Step.make(`file ${i}`, Effect.void),
        {
          discard: true
        }
      )
    ).pipe(Effect.provide(Report.layerMetrics))
    const all = yield* counts
    const steps = Object.keys(all).filter((name) => name.startsWith("steps_total"))
    assert.equal(steps.length, maxSeries + 1)
    assert.equal(all["steps_total{otel_metric_overflow=\"true\"}"], more)
    assert.equal(all["steps_running{otel_metric_overflow=\"true\"}"], 0)
  })))

it.effect("layerMetrics keeps other observers, and counts once when it is provided twice", () =>
  alone(Effect.gen(function*() {
    const told: Array<string> = []
    const step = Step.make("s", Effect.void)
    yield* step.pipe(
      Effect.provide(Layer.provideMerge(Report.layerMetrics, RunEvent.layer((event) => told.push(event._tag)))),
      Effect.provide(Report.layerMetrics)
    )
    yield* step.pipe(Effect.provide(Report.layerMetrics), Effect.provide(Report.layerMetrics))
    assert.deepEqual(told, ["RunStarted", "StepStarted", "StepEnded", "RunEnded"])
    assert.equal((yield* counts)["steps_total{pipeline=\"s\",step=\"s\",outcome=\"success\"}"], 2)
  })))

it.effect("layers with one registry count together, and a series that was removed begins anew", () =>
  Effect.gen(function*() {
    const registry = new Map()
    const runs = yield* Effect.all([1, 2].map(() => Layer.build(Report.layerMetrics))).pipe(
      Effect.provideService(Metric.MetricRegistry, registry)
    )
    const run = Pipeline.make("p", Step.make("s", Effect.sleep("1 second")).pipe(Step.onSuccess(() => Effect.void)))
    const runAll = Effect.gen(function*() {
      for (const observed of [...runs, ...runs]) {
        const fiber = yield* Effect.forkChild(Effect.provide(run, observed), { startImmediately: true })
        // each series is looked up anew in each millisecond
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
      }
      const all = yield* Effect.provideService(samples, Metric.MetricRegistry, registry)
      return [
        all["steps_total{pipeline=\"p\",step=\"s\",outcome=\"success\"}"],
        all["step_duration_seconds_sum{pipeline=\"p\",step=\"s\",outcome=\"success\"}"],
        all["hooks_total{pipeline=\"p\",hook=\"onSuccess\",kind=\"success\",outcome=\"success\"}"],
        all["steps_running{pipeline=\"p\",step=\"s\"}"]
      ]
    })
    assert.deepEqual(yield* runAll, [4, 4, 4, 0])
    registry.clear()
    assert.deepEqual(yield* runAll, [4, 4, 4, 0])
  }).pipe(Effect.scoped))

it.effect("what others have counted in a series is kept", () =>
  alone(Effect.gen(function*() {
    const attributes = { pipeline: "s", step: "s", outcome: "success" }
    const description = "Steps that ended, by pipeline, step and outcome"
    yield* Metric.update(Metric.counter("epilogue_steps_total", { description, attributes, incremental: true }), 40)
    const boundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 43_200]
    const seconds = Metric.histogram("epilogue_step_duration_seconds", {
      description: "How long steps took, all attempts and the delays between them included",
      attributes: { ...attributes, unit: "seconds" },
      boundaries
    })
    for (const value of [0.02, 4, 100_000]) yield* Metric.update(seconds, value)
    yield* Step.make("s", Effect.void).pipe(Effect.provide(Report.layerMetrics))
    assert.equal((yield* counts)["steps_total{pipeline=\"s\",step=\"s\",outcome=\"success\"}"], 41)
    const { buckets, count, max, min, sum } = yield* Metric.value(seconds)
    assert.deepEqual({ count, min, max, sum }, { count: 4, min: 0, max: 100_000, sum: 100_004.02 })
    assert.deepEqual(buckets, boundaries.map((boundary) => [boundary, boundary < 0.02 ? 1 : boundary < 4 ? 2 : 3]))
  })))

// -----------------------------------------------------------------------------
// exporters
// -----------------------------------------------------------------------------

it.live("an OTLP receiver gets metrics with their units, and the trace", () =>
  alone(Effect.gen(function*() {
    const receiver = yield* otlpReceiver
    const otlp = Otlp.layerJson({ baseUrl: receiver.url, resource: { serviceName: "test" } }).pipe(
      Layer.provide(FetchHttpClient.layer)
    )
    const load = Step.make("load", Effect.fail("no")).pipe(
      Step.hooks(Hook.onFailure(() => Effect.void).pipe(Hook.named("tell")))
    )
    yield* Effect.ignore(Pipeline.make("etl", load)).pipe(Effect.provide([Report.layerMetrics, otlp]))
    const labels = { pipeline: "etl", step: "load", outcome: "failure" }
    assert.deepEqual(receiver.metric("epilogue_steps_total"), { unit: "1", points: [{ attributes: labels, value: 1 }] })
    assert.deepEqual(receiver.metric("epilogue_step_duration_seconds"), {
      unit: "s",
      points: [{ attributes: { ...labels, unit: "seconds" }, value: 1 }]
    })
    assert.equal(receiver.metric("epilogue_steps_running")?.unit, "{step}")
    assert.deepEqual(treeOf(receiver.spans()), ["etl (failed)", "  load (failed)", "    tell"])
  })))

// -----------------------------------------------------------------------------
// durable
// -----------------------------------------------------------------------------

it.effect("a durable run that is replayed after a wait is counted once", () =>
  alone(Effect.gen(function*() {
    let bodies = 0
    let n = 0
    const flaky = Effect.suspend(() => n++ < 1 ? Effect.fail("no" as const) : Effect.succeed("yes"))
    const before = Step.make("before", flaky).pipe(
      Step.retry({ times: 2 }),
      Step.onStart(Effect.void),
      Step.hooks(Hook.onSuccess(() => Effect.fail("no")).pipe(Hook.named("break"))),
      Durable.step({ success: Schema.String, error: Schema.Literal("no") })
    )
    const after = Step.make("after", Effect.void).pipe(Durable.step())
    const job = Durable.pipeline("Job", {
      payload: {},
      error: Schema.Literal("no"),
      idempotencyKey: () => "one"
    }, () =>
      Pipeline.make(
        "Job",
        Effect.gen(function*() {
          bodies++
          yield* before
          yield* DurableClock.sleep({ name: "a day", duration: "1 day" })
          yield* after
          yield* DurableClock.sleep({ name: "another", duration: "1 day" })
        })
      ))
    const services = yield* Layer.build(
      job.layer.pipe(Layer.provideMerge(Durable.layerMemory), Layer.provideMerge(Report.layerMetrics))
    )
    const run = job.workflow.execute({}).pipe(Effect.provide(services))
    const fiber = yield* Effect.forkChild(run, { startImmediately: true })
    // the engine also needs real time between two adjustments of the clock
    for (let i = 0; i < 1000 && fiber.pollUnsafe() === undefined; i++) {
      yield* TestClock.adjust("1 day")
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
    }
    assert.ok(fiber.pollUnsafe() !== undefined)
    assert.ok(bodies >= 3, `${bodies}`)
    // executed again, the workflow returns its stored result, and no step runs
    yield* run
    assert.deepEqual(yield* counts, {
      "runs_total{pipeline=\"Job\",outcome=\"success\"}": 1,
      "steps_total{pipeline=\"Job\",step=\"before\",outcome=\"success\"}": 1,
      "steps_total{pipeline=\"Job\",step=\"after\",outcome=\"success\"}": 1,
      "step_retries_total{pipeline=\"Job\",step=\"before\"}": 1,
      "steps_running{pipeline=\"Job\",step=\"before\"}": 0,
      "steps_running{pipeline=\"Job\",step=\"after\"}": 0,
      "hooks_total{pipeline=\"Job\",hook=\"onStart\",kind=\"start\",outcome=\"success\"}": 1,
      "hooks_total{pipeline=\"Job\",hook=\"break\",kind=\"success\",outcome=\"failure\"}": 1,
      "hook_failures_total{hook=\"break\",kind=\"success\"}": 1
    })
  })))

it.effect("the time of a hook is its own, whatever hooks and steps are before it and in it", () =>
  alone(Effect.gen(function*() {
    let nanos = 0n
    const clock: Clock.Clock = Object.assign(Object.create(yield* Clock.Clock), {
      currentTimeMillisUnsafe: () => Number(nanos / 1_000_000n),
      monotonicTimeNanosUnsafe: () => nanos
    })
    /** Blocks the thread for some milliseconds. */
    const takes = (millis: bigint) =>
      Effect.sync(() => {
        nanos += millis * 1_000_000n
      })
    const inner = Step.make("inner", takes(100n)).pipe(
      Step.hooks(Hook.onStart(takes(1n)).pipe(Hook.named("start"))),
      Step.hooks(Hook.onSuccess(() => takes(3n)).pipe(Hook.named("required"), Hook.required)),
      Step.hooks(Hook.onSuccess(() => takes(4n)).pipe(Hook.named("last")))
    )
    const outer = Step.make("outer", takes(10n)).pipe(
      Step.hooks(Hook.onSuccess(() => takes(5n)).pipe(Hook.named("first"))),
      Step.hooks(Hook.onSuccess(() => inner).pipe(Hook.named("second"))),
      Step.hooks(Hook.onSuccess(() => takes(7n)).pipe(Hook.named("third")))
    )
    yield* Pipeline.make("p", outer).pipe(
      Effect.provide(Report.layerMetrics),
      Effect.provideService(Clock.Clock, clock)
    )
    const all = yield* samples
    const millis = (name: string, labels: string) =>
      Math.round(all[`${name}_duration_seconds_sum{pipeline="p",${labels},outcome="success"}`]! * 1000)
    const hooks = ["first", "second", "third", "start", "required", "last"].map((name) =>
      millis("hook", `hook="${name}",kind="${name === "start" ? "start" : "success"}"`)
    )
    assert.deepEqual(hooks, [5, 108, 7, 1, 3, 4])
    assert.deepEqual([millis("step", `step="outer"`), millis("step", `step="inner"`)], [10, 100])
  })))
