/** Tests the core from end to end, on Bun (`bun test`), Deno (`deno test -A`) and Node (`node --test`). */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { type Alert, Alerter, AlerterHooks, Hook, Hooks, Params, Pipeline, Step, StepContext } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { brief, calls, events, logs } from "../support/observe.ts"

const it = makeIt(test)

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number }> {}

class LoadParams extends Params.Service<LoadParams>()("LoadParams", {
  rows: Schema.Int,
  token: Schema.Redacted(Schema.String)
}) {}

const recording = () => {
  const alerts: Array<Alert> = []
  return { alerts, layer: Alerter.layer((alert) => Effect.sync(() => alerts.push(alert))) }
}

it.effect("a run with retries, parameters and a failing step calls its hooks, posts its alerts and emits its events", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.UTC(2026, 10, 23, 9, 42, 6))
    const [emitted, posted, seen] = [events(), recording(), calls()]
    let n = 0
    const load = Step.make(
      "load",
      Effect.gen(function*() {
        const { rows, token } = yield* LoadParams
        assert.equal(Redacted.value(token), "s3cret")
        if (++n < 3) return yield* new HttpError({ status: 503 })
        yield* StepContext.annotate("source", "http")
        return rows
      })
    ).pipe(
      Step.params(LoadParams),
      Step.retry({ times: 3, schedule: Schedule.spaced("1 second") }),
      Step.onRetry(({ attempt }) => seen.note(`retry ${attempt}`)),
      Step.onFailureTag("HttpError", ({ status }) => seen.note(`http ${status}`))
    )
    const store = Step.fn("store")(
      function*(rows: number) {
        yield* Effect.sleep("1 second")
        return yield* Effect.fail(`no room for ${rows} rows`)
      },
      (step, rows) => Step.annotate(step, { rows })
    )
    const etl = Pipeline.make("etl", Effect.flatMap(load, store)).pipe(
      Pipeline.stepHooks(AlerterHooks.all),
      Pipeline.runName("nightly"),
      Pipeline.onFailure(() => seen.note("run failed"))
    )
    const fiber = yield* Effect.forkChild(etl.pipe(
      Effect.provide(LoadParams.layerUnknown({ rows: 7, token: "s3cret" })),
      Effect.provide([emitted.layer, posted.layer])
    ))
    yield* TestClock.adjust("5 seconds")
    const exit = fiber.pollUnsafe()
    assert.ok(exit !== undefined && Exit.isFailure(exit))
    assert.equal(Cause.squash(exit.cause), "no room for 7 rows")
    assert.deepEqual(seen.list, ["retry 1", "retry 2", "run failed"])
    assert.deepEqual(emitted.list.map(brief), [
      "RunStarted etl",
      "StepStarted load",
      "AttemptFailed load 1",
      "HookEnded onRetry",
      "AttemptFailed load 2",
      "HookEnded onRetry",
      "StepEnded load success",
      "AlertPosted etl › load succeeded delivered by custom",
      "HookEnded AlerterHooks.success",
      "StepStarted store",
      "StepEnded store failure",
      "AlertPosted etl › store failed delivered by custom",
      "HookEnded AlerterHooks.failure",
      "HookEnded onFailure",
      "RunEnded etl failure"
    ])
    assert.deepEqual(posted.alerts.map(({ severity }) => severity), ["success", "error"])
    const text = JSON.stringify([posted.alerts, emitted.list])
    assert.ok(text.includes("nightly") && text.includes("no room for 7 rows") && text.includes("<redacted>"))
    assert.ok(!text.includes("s3cret"))
  }))

it.effect("invalid parameters fail the step before its body, with their path and without their values", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make("load", seen.note("body")).pipe(Step.params(LoadParams))
    const exit = yield* Effect.exit(Effect.provide(step, LoadParams.layerUnknown({ rows: "many", token: "s3cret" })))
    assert.ok(Exit.isFailure(exit))
    const error = Cause.squash(exit.cause)
    assert.ok(error instanceof Error)
    assert.match(error.message, /rows/)
    assert.ok(!Cause.pretty(exit.cause).includes("s3cret"))
    assert.deepEqual(seen.list, [])
  }))

it.effect("hooks that fail change nothing, and a hook that can't be interrupted is left behind at its time limit", () =>
  Effect.gen(function*() {
    const [seen, log] = [calls(), logs()]
    const step = Step.make("s", Effect.succeed(1)).pipe(
      Step.onSuccess(() => Effect.fail("x")),
      Step.onSuccess(() => Effect.die("x")),
      Step.onSuccess((): Effect.Effect<void> => {
        throw new Error("x")
      }),
      Step.hooks(Hooks.make(
        Hook.onSuccess(() => Effect.uninterruptible(Effect.never)).pipe(Hook.timeout("2 seconds")),
        Hook.onSuccess(() => Effect.never),
        Hook.onExit(() => seen.note("last"))
      )),
      Effect.provide(log.layer)
    )
    const fiber = yield* Effect.forkChild(step)
    yield* TestClock.adjust("31 seconds")
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 second")
    assert.deepEqual(fiber.pollUnsafe(), Exit.succeed(1))
    assert.deepEqual(seen.list, ["last"])
    assert.equal(log.list.filter(({ level }) => level === "Error").length, 5)
  }))

it.effect("a required hook that fails makes the step fail with a HookError", () =>
  Effect.gen(function*() {
    const audited = Step.make("s", Effect.succeed(1)).pipe(
      Step.hooks(Hook.onSuccess(() => Effect.fail("x")).pipe(Hook.named("audit"), Hook.required)),
      Effect.catchTag("HookError", ({ hook }) => Effect.succeed(hook)),
      Effect.provide(logs().layer)
    )
    assert.equal(yield* audited, "audit")
  }))

it.live("an interruption in real time ends after interrupt hooks have ended or timed out", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = (name: string, limit: number) =>
      Step.make(name, Effect.never).pipe(
        Step.hooks(Hook.onInterrupt(() => Effect.never).pipe(Hook.timeout(limit))),
        Step.onInterrupt(() => Effect.andThen(Effect.sleep(5), seen.note(name))),
        Step.onSuccess(() => seen.note("success")),
        Step.onFailure(() => seen.note("failure"))
      )
    const run = Pipeline.make("p", Effect.all([step("a", 10), step("b", 40)], { concurrency: 2 })).pipe(
      Pipeline.onInterrupt(() => seen.note("run"))
    )
    const fiber = yield* Effect.forkChild(Effect.provide(run, logs().layer), { startImmediately: true })
    yield* Effect.sleep(5)
    yield* Fiber.interrupt(fiber)
    assert.deepEqual(seen.list, ["a", "b", "run"])
    const exit = yield* Fiber.await(fiber)
    assert.ok(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
  }))

it.live("a thousand concurrent steps in real time keep their contexts apart", () =>
  Effect.gen(function*() {
    const names = Array.from({ length: 1_000 }, (_, n) => `step ${n}`)
    const seen: Array<string> = []
    yield* Pipeline.make(
      "p",
      Effect.forEach(names, (name) =>
        Step.make(name, Effect.andThen(StepContext.annotate({ name }), Effect.sleep(1))).pipe(
          Step.onSuccess(() =>
            Effect.flatMap(StepContext, ({ annotations, stepName }) =>
              Effect.sync(() =>
                seen.push(`${stepName}=${annotations["name"]}`)
              ))
          )
        ), { concurrency: "unbounded", discard: true })
    )
    assert.deepEqual(
      seen.toSorted(),
      names.map((name) =>
        `${name}=${name}`
      ).toSorted()
    )
  }))

it.live("a step is told to have taken as long as it did, to the millisecond, though the machine's clock is set meanwhile", () =>
  Effect.gen(function*() {
    const [emitted, now] = [events(), Date.now]
    const setClock = Effect.acquireRelease(
      Effect.sync(() => {
        Date.now = () => now() - 3_600_000
      }),
      () =>
        Effect.sync(() => {
          Date.now = now
        })
    )
    const load = Step.make("load", Effect.scoped(Effect.andThen(setClock, Effect.sleep("30 millis"))))
    const before = performance.now()
    yield* Pipeline.make("nightly", Effect.andThen(load, load)).pipe(Effect.provide(emitted.layer))
    const most = performance.now() - before
    const took = emitted.list.flatMap((event) => event._tag === "StepEnded" ? [Duration.toMillis(event.duration)] : [])
    assert.equal(took.length, 2)
    // a timer may fire a fraction of a millisecond early
    for (const millis of took) assert.ok(millis > 28 && millis < most, `${millis} of ${most} ms`)
  }))

it.live("what is overdue is told on the machine's clock, in order, and no timer is left behind", () =>
  Effect.gen(function*() {
    const [posted, seen] = [recording(), calls()]
    const load = Step.make("load", Effect.sleep("150 millis")).pipe(
      Step.onOverdue("30 millis", ({ times }) => seen.note(`overdue ${times}`), { every: "1 hour" }),
      Step.onSuccess(() => seen.note("success"))
    )
    const nightly = Pipeline.make("nightly", load).pipe(
      Pipeline.overdue("50 millis"),
      Pipeline.deadline("06:00", { timeZone: "Europe/Berlin" }),
      Pipeline.hooks(AlerterHooks.overdue),
      Effect.provide(posted.layer)
    )
    yield* nightly
    assert.deepEqual(seen.list, ["overdue 1", "success"])
    const [overdue, ended] = posted.alerts.map(({ title }) => title)
    assert.match(overdue!, /^nightly is still running after \d+ ms$/)
    assert.match(ended!, /^nightly ended after \d+ ms$/)
  }))
