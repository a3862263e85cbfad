import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Otlp from "effect/observability/Otlp"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as DurableClock from "effect/workflow/DurableClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterErrorReason } from "../../src/Alerter.ts"
import { Slack } from "../../src/alerters/index.ts"
import * as Delivery from "../../src/delivery/index.ts"
import { Durable } from "../../src/durable/index.ts"
import { Alert, Alerter, AlerterError, Hook, Pipeline, RunEvent, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { maxSeries } from "../../src/report/Metrics.ts"
import { canary } from "../support/canary.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { otlpReceiver, treeOf } from "../support/otlp.ts"

const it = makeIt(test)

/** Runs an effect with a metric registry of its own. */
const alone = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))

/** Reads the samples of the library's metrics from Prometheus' text, by name and labels. */
const samples: Effect.Effect<Readonly<Record<string, number>>> = Effect.map(
  PrometheusMetrics.format(),
  (text) =>
    Object.fromEntries(
      text.split("\n").filter((line) => line.startsWith("epilogue_")).map((line) => {
        const end = line.lastIndexOf(" ")
        return [line.slice("epilogue_".length, end), Number(line.slice(end + 1))]
      })
    )
)

/** Reads the samples without those of histograms. */
const counts = Effect.map(
  samples,
  (samples) => Object.fromEntries(Object.entries(samples).filter(([name]) => !/_(bucket|sum|count)\b/.test(name)))
)

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
// alerts
// -----------------------------------------------------------------------------

const alerts = Effect.map(counts, (counts) =>
  Object.fromEntries(
    Object.entries(counts).filter(([name]) => name.startsWith("alerts_"))
      .map(([name, count]) => [name.slice("alerts_".length), count])
  ))

const works = (channel: string) => Alerter.layer(() => Effect.void, { channel })
const fails = (channel: string, reason: AlerterErrorReason = AlerterErrorReason.Unreachable({})) =>
  Alerter.layer(() => Effect.fail(new AlerterError({ channel, reason })), { channel })

const post = (...inputs: ReadonlyArray<Alert | string>) =>
  Effect.flatMap(
    Alerter,
    (alerter) => Effect.forEach(inputs, (input) => Effect.ignore(alerter.post(input)), { discard: true })
  )

it.effect("without layerMetrics, delivered and failed alerts are counted by channel and reason", () =>
  alone(Effect.gen(function*() {
    yield* post("a", "b").pipe(Effect.provide(works("pigeon")))
    yield* post("a").pipe(Effect.provide(fails("pigeon")))
    yield* post("a").pipe(Effect.provide(fails("owl", AlerterErrorReason.RateLimited({}))))
    yield* post("a").pipe(Effect.provide(Alerter.layer(() => Effect.die(new Error("secret")))))
    yield* post("a").pipe(Effect.provide(Alerter.layerConsole))
    yield* post("a").pipe(Effect.provide(Alerter.layerNone))
    assert.deepEqual(yield* alerts, {
      "delivered_total{channel=\"pigeon\"}": 2,
      "delivered_total{channel=\"console\"}": 1,
      "failed_total{channel=\"pigeon\",reason=\"Unreachable\"}": 1,
      "failed_total{channel=\"owl\",reason=\"RateLimited\"}": 1,
      "failed_total{channel=\"custom\",reason=\"Rejected\"}": 1
    })
  })))

it.live("a channel counts a post once, however many attempts it takes, and no label has a secret", () =>
  alone(Effect.gen(function*() {
    const server = yield* channelServer({ status: 500 }, { status: 500 }, { body: "ok" }, { status: 403, body: canary })
    const slack = Slack.layer({ webhookUrl: Redacted.make(`${server.url}/${canary}`), delay: "1 millis" })
    yield* post("a", "b").pipe(Effect.provide(slack))
    assert.deepEqual(yield* alerts, {
      "delivered_total{channel=\"slack\"}": 1,
      "failed_total{channel=\"slack\",reason=\"Unauthorized\"}": 1
    })
  })))

it.effect("an alert is counted once in each channel, however many policies are around it", () =>
  alone(Effect.gen(function*() {
    const everywhere = Delivery.fanOut([
      works("a").pipe(Delivery.dedupe({ window: "1 hour" })),
      fails("b").pipe(Delivery.fallback(works("c")))
    ]).pipe(Delivery.recovered(), Delivery.throttle({ limit: 10, window: "1 hour" }))
    const within = Alerter.layer((alert) => Effect.flatMap(Alerter, ({ post }) => post(alert))).pipe(
      Layer.provide(everywhere)
    )
    yield* post(Alert.make({ title: "no", severity: "error" })).pipe(Effect.provide(within))
    assert.deepEqual(yield* alerts, {
      "delivered_total{channel=\"a\"}": 1,
      "delivered_total{channel=\"c\"}": 1,
      "failed_total{channel=\"b\",reason=\"Unreachable\"}": 1
    })
  })))

it.effect("a post that a fallback or a hook's time limit gives up counts as failed", () =>
  alone(Effect.gen(function*() {
    const slow = Alerter.layer(() => Effect.never, { channel: "slow" })
    const posting = (alerter: Layer.Layer<Alerter>) =>
      Effect.forkChild(post("a").pipe(Effect.provide(alerter)), { startImmediately: true })
    yield* posting(slow.pipe(Delivery.fallback(works("quick"), { after: "5 seconds" })))
    const hook = Hook.onSuccess(() => Effect.flatMap(Alerter, ({ post }) => post("done")))
    yield* Effect.forkChild(
      Step.make("s", Effect.void).pipe(Step.hooks(hook), Effect.provide(slow)),
      { startImmediately: true }
    )
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(yield* alerts, {
      "failed_total{channel=\"slow\",reason=\"Interrupted\"}": 2,
      "delivered_total{channel=\"quick\"}": 1
    })
  })))

it.effect("each policy counts the alerts that it holds or drops", () =>
  alone(Effect.gen(function*() {
    const [failure, success] = (["error", "success"] as const).map((severity) => Alert.make({ title: "x", severity }))
    const through = (alerter: Layer.Layer<Alerter>, ...inputs: ReadonlyArray<Alert>) =>
      post(...inputs).pipe(Effect.provide(alerter))
    const channel = works("c")
    yield* through(channel.pipe(Delivery.minSeverity("error")), failure!, success!)
    yield* through(channel.pipe(Delivery.dedupe({ window: "1 hour" })), failure!, failure!, failure!)
    yield* through(channel.pipe(Delivery.afterConsecutive(3)), failure!, failure!, failure!)
    yield* through(channel.pipe(Delivery.recovered({ successes: "drop" })), success!)
    yield* through(
      channel.pipe(Delivery.throttle({ limit: 1, window: "1 hour", always: "critical" })),
      failure!,
      failure!
    )
    // the digest holds both, and posts one alert when its scope closes
    yield* through(channel.pipe(Delivery.digest({ window: "1 hour" })), failure!, failure!)
    assert.deepEqual(yield* alerts, {
      // among them throttle's summary and the digest
      "delivered_total{channel=\"c\"}": 6,
      "held_back_total{policy=\"minSeverity\"}": 1,
      "held_back_total{policy=\"dedupe\"}": 2,
      "held_back_total{policy=\"afterConsecutive\"}": 2,
      "held_back_total{policy=\"recovered\"}": 1,
      "held_back_total{policy=\"throttle\"}": 1,
      "held_back_total{policy=\"digest\"}": 2
    })
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
