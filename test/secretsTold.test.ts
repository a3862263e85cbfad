/** Secrets in the labels of metrics, in the frames of errors, and of layers that are provided inside of a run. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { mailbox } from "../src/delivery/index.ts"
import { Alert, Alerter, AlerterHooks, Hook, Pipeline, Secrets, Step } from "../src/index.ts"
import { Report } from "../src/report/index.ts"
import { canary, leaks, recorder } from "./support/canary.ts"
import { makeIt } from "./support/it.ts"
import { alone, counts } from "./support/metrics.ts"

const it = makeIt(test)

const secret = `s3-${canary}/0123`

it.effect("no label of a metric has a secret: of pipelines, steps, hooks that fail and channels", () =>
  Effect.gen(function*() {
    const down = Alerter.layer(() => Effect.fail("down"), { channel: `down ${secret}` })
    const waiting = down.pipe(mailbox({ channel: `waiting ${secret}` }))
    const load = Step.make(`load ${secret}`, Effect.fail("no")).pipe(
      Step.hooks(Hook.onFailure(() => Effect.fail("no")).pipe(Hook.named(`hook ${secret}`))),
      Step.onFailure(() => Effect.provide(Effect.flatMap(Alerter, (alerter) => alerter.post("failed")), waiting))
    )
    yield* Effect.exit(Pipeline.make(`etl ${secret}`, load).pipe(Pipeline.hooks(AlerterHooks.failure))).pipe(
      Effect.provide(down),
      Effect.provide(Report.layerMetrics),
      Effect.provide(Secrets.layer(secret))
    )
    const text = yield* PrometheusMetrics.format()
    for (const name of ["runs", "steps", "hooks", "hook_failures", "alerts_failed", "alerts_waiting"]) {
      assert.match(text, new RegExp(`^epilogue_${name}(_total)?\\{.*<redacted>`, "m"), name)
    }
    assert.deepEqual(leaks([text]), [])
  }).pipe(alone))

it.effect("a secret that is added between two steps is in no label of the second", () =>
  Effect.gen(function*() {
    const noop = (name: string) => Step.make(name, Effect.void).pipe(Step.hooks(hook))
    const hook = Hook.onSuccess(() => Effect.void).pipe(Hook.named(`other-text ${secret}`))
    const steps = Effect.andThen(Effect.andThen(noop("one"), Secrets.add(secret)), noop("two"))
    yield* Pipeline.make(`etl other-text ${secret}`, steps).pipe(
      Effect.provide(Report.layerMetrics),
      Effect.provide(Secrets.layer("other-text"))
    )
    const redacted = "<redacted> <redacted>"
    const counted = yield* counts
    assert.equal(counted[`steps_total{pipeline="etl ${redacted}",step="two",outcome="success"}`], 1)
    assert.equal(
      counted[`hooks_total{pipeline="etl ${redacted}",hook="${redacted}",kind="success",outcome="success"}`],
      1
    )
  }).pipe(alone))

it.effect("names of spans and functions of effect in the stacks of errors have no secret", () =>
  Effect.gen(function*() {
    const { layer, outputs } = recorder()
    const get = Effect.fn(`GET ${secret}`)(function*(ends: "fails" | "dies" | "waits") {
      if (ends === "fails") return yield* Effect.fail(new Error("no answer"))
      return yield* ends === "dies" ? Effect.die("no answer") : Effect.never
    })
    const inSpan = Effect.withSpan(get("fails"), `fetch ${secret}`)
    const interrupted = Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Effect.exit(Step.make("wait", get("waits"))), { startImmediately: true })
      yield* Effect.withSpan(Fiber.interrupt(fiber), `stop ${secret}`)
    })
    const load = Step.make("load", inSpan).pipe(
      Step.onFailure(() => get("dies")),
      Step.onFailure((cause) => Effect.logError("failed", cause))
    )
    const exit = yield* Effect.exit(Pipeline.make("etl", Effect.andThen(interrupted, load))).pipe(
      Effect.provide(layer),
      Effect.provide(Secrets.layer(secret))
    )
    assert.match(outputs.join("\n"), /at fetch <redacted>/)
    assert.match(outputs.join("\n"), /at GET <redacted>/)
    assert.deepEqual(leaks(outputs), [])
    assert.ok(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes(`at GET ${secret}`))
  }))

const failing = Step.make("load", Effect.fail(new Error(`no answer of ${secret}`)))

const hooked = <A, E, R>(pipeline: Pipeline.Pipeline<A, E, R>) =>
  pipeline.pipe(
    Pipeline.stepHooks(AlerterHooks.failure),
    Pipeline.hooks(AlerterHooks.failureWith((alert) => alert, { nested: "each" })),
    Pipeline.hooks(Hook.onFailure(() => Effect.fail(secret)))
  )

const inside: Readonly<Record<string, Effect.Effect<unknown, unknown, Alerter>>> = {
  "by Pipeline.provide": hooked(Pipeline.make("etl", failing)).pipe(Pipeline.provide(Secrets.layer(secret))),
  "in the body": hooked(Pipeline.make("etl", Effect.provide(failing, Secrets.layer(secret)))),
  "in a step, and then in another": hooked(
    Pipeline.make(
      "etl",
      Effect.andThen(
        Effect.provide(Step.make("first", Effect.void), Secrets.layer("other-text")),
        Step.make("outer", Effect.provide(failing, Secrets.layer(secret)))
      )
    )
  ),
  "in a pipeline in the pipeline": hooked(
    Pipeline.make("outer", hooked(Pipeline.make("etl", Effect.provide(failing, Secrets.layer(secret)))))
  )
}

for (const [where, program] of Object.entries(inside)) {
  it.effect(`a layer of secrets ${where} keeps them out of what the run around tells, too`, () =>
    Effect.gen(function*() {
      const { counts, keep, layer, outputs } = recorder()
      yield* Effect.exit(program).pipe(
        Effect.provide(Alerter.layer((alert) => Effect.sync(() => keep("alerts", alert)))),
        Effect.provide(Layer.provideMerge(Report.layerMetrics, layer))
      )
      assert.ok(Object.values(counts).every((count) => count > 0), JSON.stringify(counts))
      assert.deepEqual(leaks(outputs), [])
    }))
}

it.effect("a layer of secrets in a body keeps them out of the hooks that run before the body has ended", () =>
  Effect.gen(function*() {
    const { keep, layer, outputs } = recorder()
    const post = (title: string) => Effect.flatMap(Alerter, (alerter) => alerter.post(Alert.make({ title })))
    const retried = Step.make("retried", Effect.provide(failing, Secrets.layer(secret))).pipe(
      Step.retry({ times: 1 }),
      Step.onRetry(({ cause }) => Effect.andThen(Effect.logError("again", cause), post(`again ${secret}`))),
      Step.hooks(Hook.onRetry(() => Effect.fail(secret)))
    )
    const late = Step.make("late", Effect.andThen(Effect.provide(Effect.void, Secrets.layer(secret)), Effect.never))
      .pipe(
        Step.onOverdue("1 second", () => Effect.andThen(Effect.logError(secret), post(secret)))
      )
    const stopped = Step.make(
      "stopped",
      Effect.never.pipe(Effect.ensuring(Effect.die(secret)), Effect.provide(Secrets.layer(secret)))
    ).pipe(Step.timeout("1 second"))
    const each = [retried, late, stopped].map((step, i) => Effect.exit(Pipeline.make(`p${i}`, step)))
    const fiber = yield* Effect.all(each, { concurrency: "unbounded" }).pipe(
      Effect.provide(Alerter.layer((alert) => Effect.sync(() => keep("alerts", alert.title)))),
      Effect.provide(layer),
      Effect.forkChild
    )
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.interrupt(fiber)
    const printed = outputs.join("\n")
    for (const told of [/again <redacted>/, /hook "onRetry" \(retry\)/, /"?<redacted>/, /failed while it stopped/]) {
      assert.match(printed, told)
    }
    assert.deepEqual(leaks(outputs), [])
  }))

it.effect("a span ends without what has become secret since it was opened: in its name, and in its attributes", () =>
  Effect.gen(function*() {
    const { layer, outputs } = recorder()
    const opened = { attributes: { url: `https://${secret}`, [secret.length]: [secret] } }
    const later = Effect.andThen(Secrets.add(secret), Effect.void).pipe(Effect.withSpan(`GET ${secret}`, opened))
    yield* Effect.provide(Step.make(`load ${secret}`, later), Secrets.layer("other-text")).pipe(Effect.provide(layer))
    const inner = Effect.provide(Effect.void, Secrets.layer(secret)).pipe(Effect.withSpan(`GET ${secret}`, opened))
    const run = Pipeline.make(`etl ${secret}`, Step.make(`load ${secret}`, inner))
    yield* run.pipe(Effect.withSpan("around", opened), Effect.provide(layer))
    const spans = outputs.filter((output) => typeof output === "string" && /^(load|GET|etl|around)/.test(output))
    assert.deepEqual(spans, [
      "GET <redacted>",
      "load <redacted>",
      "GET <redacted>",
      "load <redacted>",
      "etl <redacted>",
      "around"
    ])
    assert.ok(outputs.some((output) => output instanceof Map && output.get("url") === "https://<redacted>"))
    const ofSpans = outputs.filter((output) => typeof output === "string" || output instanceof Map)
    assert.deepEqual(leaks(ofSpans), [])
  }))
