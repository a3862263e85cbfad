import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import type { Alert } from "../src/index.ts"
import {
  Alerter,
  AlerterError,
  AlerterErrorReason,
  AlerterHooks,
  Approver,
  Decision,
  Hook,
  Params,
  Pipeline,
  Step,
  StepContext
} from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { events, logs } from "./support/observe.ts"

const it = makeIt(test)

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number; readonly message: string }> {}

class Train extends Params.Service<Train>()("Train", {
  epochs: Schema.Int,
  key: Schema.RedactedFromValue(Schema.String)
}) {}

const train = Train.layer({ epochs: 3, key: Redacted.make("canary") })

/** Returns an alert's fields as a record. Fails where two fields have the same name. */
const fields = (alert: Alert): Record<string, string> => {
  const record = Object.fromEntries(alert.fields.map(({ name, value }) => [name, value]))
  assert.equal(Object.keys(record).length, alert.fields.length)
  return record
}

/** Runs an Effect with `TestAlerter` and returns the alerts that were posted. */
const sent = <A, E>(effect: Effect.Effect<A, E, Alerter>) =>
  Effect.andThen(Effect.exit(effect), TestAlerter.sent).pipe(Effect.provide(TestAlerter.layer))

// -----------------------------------------------------------------------------
// the content of the alerts
// -----------------------------------------------------------------------------

it.effect("AlerterHooks.success posts title, duration, parameters and annotations of a step that succeeded", () =>
  Effect.gen(function*() {
    const step = Step.make("load", Effect.andThen(Effect.sleep("1500 millis"), StepContext.annotate("rows", 1461)))
      .pipe(
        Step.annotate({ source: "s3" }),
        Step.params(Train),
        Step.hooks(AlerterHooks.success),
        Effect.provide(train)
      )
    const fiber = yield* Effect.forkChild(
      sent(Pipeline.make("etl", step).pipe(Pipeline.runName("nightly"), Pipeline.annotate({ host: "a" })))
    )
    yield* TestClock.adjust("2 seconds")
    const alerts = yield* Fiber.join(fiber)
    assert.equal(alerts.length, 1)
    const [alert] = alerts
    assert.equal(alert!.title, "etl › load succeeded")
    assert.equal(alert!.severity, "success")
    assert.equal(alert!.body, undefined)
    assert.equal(alert!.detail, undefined)
    assert.equal(alert!.dedupeKey, "etl/load")
    assert.equal(alert!.at!.epochMilliseconds, 1_500)
    assert.deepEqual(fields(alert!), {
      pipeline: "etl",
      run: "nightly",
      step: "load",
      duration: "1.5 s",
      Train: `{"epochs":3,"key":"<redacted>"}`,
      host: "a",
      source: "s3",
      rows: "1461"
    })
  }))

it.effect("alerts have the step's path and run as source, and the error's tag in tags", () =>
  Effect.gen(function*() {
    let runId = ""
    const body = Effect.gen(function*() {
      runId = (yield* StepContext).runId
      return yield* Effect.fail(new HttpError({ status: 503, message: "down" }))
    })
    const each = AlerterHooks.failureWith((alert) => alert, { nested: "each" })
    const inner = Step.make("fetch", body).pipe(Step.hooks(each))
    const outer = Step.make("load", Effect.all([inner], { concurrency: 2 })).pipe(Step.hooks(each))
    const alerts = yield* sent(
      Pipeline.make("etl", outer).pipe(
        Pipeline.runName("nightly"),
        Pipeline.hooks(each)
      )
    )
    const source = { pipeline: "etl", runId, runName: "nightly", attempt: 1 }
    assert.deepEqual(alerts.map((alert) => alert.source), [
      { ...source, stepPath: ["load", "fetch"] },
      { ...source, stepPath: ["load"] },
      { ...source, stepPath: [] }
    ])
    assert.deepEqual(alerts.map(({ tags }) => tags), [["HttpError"], ["HttpError"], ["HttpError"]])
    const [plain] = yield* sent(Step.make("s", Effect.fail("no tag")).pipe(Step.hooks(AlerterHooks.failure)))
    assert.deepEqual(plain!.tags, [])
  }))

it.effect("AlerterHooks.failure posts once after the last attempt, with the error's summary and stack", () =>
  Effect.gen(function*() {
    const step = Step.make("load", Effect.fail(new HttpError({ status: 503, message: "unavailable\nsecond line" })))
      .pipe(
        Step.retry({ times: 2 }),
        Step.hooks(AlerterHooks.all)
      )
    const alerts = yield* sent(Pipeline.make("etl", step).pipe(Pipeline.runName("nightly")))
    assert.equal(alerts.length, 1)
    const [alert] = alerts
    assert.equal(alert!.title, "etl › load failed")
    assert.equal(alert!.severity, "error")
    assert.equal(alert!.body, "HttpError: unavailable")
    assert.match(alert!.detail!, /^HttpError: unavailable\nsecond line\n(.*\n)*\s+at /)
    assert.equal(alert!.dedupeKey, "etl/load")
    assert.deepEqual(fields(alert!), {
      pipeline: "etl",
      run: "nightly",
      step: "load",
      attempt: "3",
      duration: "0 ms",
      status: "503"
    })
  }))

for (
  const [what, body, summary] of [
    ["a string", Effect.fail("no such file"), "no such file"],
    ["a defect", Effect.die(new RangeError("out of range")), "RangeError: out of range"],
    [
      "a throw",
      Effect.sync(() => {
        throw new TypeError("undefined is not a function")
      }),
      "TypeError: undefined is not a function"
    ]
  ] as const
) {
  it.effect(`AlerterHooks.failure names the error of a step that failed with ${what}`, () =>
    Effect.gen(function*() {
      const [alert, ...more] = yield* sent(Step.make("load", body).pipe(Step.hooks(AlerterHooks.all)))
      assert.deepEqual(more, [])
      assert.equal(alert!.title, "load failed")
      assert.equal(alert!.body, summary)
      assert.ok((alert!.detail ?? alert!.body)!.startsWith(summary))
    }))
}

it.effect("AlerterHooks.all posts a warning when a run is interrupted, once, about the innermost step", () =>
  Effect.gen(function*() {
    const alerts = yield* sent(Effect.gen(function*() {
      const run = Pipeline.make("nightly", Step.make("load", Step.make("fetch", Effect.never))).pipe(
        Pipeline.stepHooks(AlerterHooks.all),
        Pipeline.hooks(AlerterHooks.all)
      )
      const fiber = yield* Effect.forkChild(run)
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
    }))
    assert.deepEqual(alerts.map(({ severity, tags, title }) => [title, severity, tags]), [
      ["nightly › load › fetch was interrupted", "warning", ["interrupted"]]
    ])
  }))

it.effect("AlerterHooks.interrupt posts an info about a step that lost a race, since its run goes on", () =>
  Effect.gen(function*() {
    const race = Effect.race(Step.make("slow", Effect.never), Step.make("fast", Effect.yieldNow))
    const alerts = yield* sent(Pipeline.make("p", race).pipe(Pipeline.stepHooks(AlerterHooks.interrupt)))
    assert.deepEqual(alerts.map(({ severity, title }) => [title, severity]), [["p › slow was interrupted", "info"]])
  }))

it.effect("interruptWith changes the alert by a function", () =>
  Effect.gen(function*() {
    const hook = AlerterHooks.interruptWith((alert) => alert.with({ title: "stopped" }))
    const alerts = yield* sent(Step.make("load", Effect.interrupt).pipe(Step.hooks(hook)))
    assert.deepEqual(alerts.map(({ title }) => title), ["stopped"])
  }))

// -----------------------------------------------------------------------------
// the summary of a run
// -----------------------------------------------------------------------------

it.effect("AlerterHooks.summary counts the steps, names those that failed with their errors, and the slowest", () =>
  Effect.gen(function*() {
    const body = Effect.gen(function*() {
      yield* Step.make("extract", Effect.sleep("2 seconds"))
      yield* Effect.exit(Step.make("load", Effect.fail(new HttpError({ status: 503, message: "down" }))))
      yield* Step.make("report", Effect.sleep("300 millis"))
    })
    const fiber = yield* Effect.forkChild(
      sent(Pipeline.make("nightly", body).pipe(Pipeline.hooks(AlerterHooks.summary)))
    )
    yield* TestClock.adjust("3 seconds")
    const alerts = yield* Fiber.join(fiber)
    assert.equal(alerts.length, 1)
    const [alert] = alerts
    assert.equal(alert!.title, "nightly succeeded, though 1 of 3 steps failed")
    assert.equal(alert!.severity, "warning")
    assert.equal(alert!.resolves, false)
    assert.match(alert!.body!, /^load: HttpError: down$/)
    assert.equal(fields(alert!)["steps"], "2 succeeded, 1 failed")
    assert.match(fields(alert!)["slowest"]!, /^extract \S+ s?.*, report 300 ms, load 0 ms$/)
  }))

it.effect("the summary of a run that failed has its error, and that of a run without failures is a success", () =>
  Effect.gen(function*() {
    const summarized = (body: Effect.Effect<unknown, unknown>) =>
      Effect.map(sent(Pipeline.make("nightly", body).pipe(Pipeline.hooks(AlerterHooks.summary))), ([alert]) => alert!)
    const bad = yield* summarized(Step.make("load", Effect.fail("no such file")))
    assert.deepEqual([bad.title, bad.severity, bad.resolves], ["nightly failed: 1 of 1 step failed", "error", false])
    assert.match(bad.body!, /no such file/)
    const fine = yield* summarized(Step.make("load", Effect.void))
    assert.deepEqual([fine.title, fine.severity, fine.resolves], ["nightly succeeded: 1 step", "success", true])
    let n = 0
    const flaky = Step.make("flaky", Effect.suspend(() => n++ === 0 ? Effect.fail("no") : Effect.void))
    const retried = yield* summarized(Effect.retry(flaky, { times: 1 }))
    assert.deepEqual(
      [retried.title, retried.severity],
      ["nightly succeeded: 1 of 2 steps failed and succeeded since", "success"]
    )
    assert.equal(fields(retried)["steps"], "1 succeeded, 1 failed (1 succeeded since)")
    const flakies = Array.from({ length: 80 }, (_, i) => {
      let runs = 0
      return Step.make(`flaky-${i}`, Effect.suspend(() => runs++ === 0 ? Effect.fail("no") : Effect.void))
    })
    const all = Effect.forEach(flakies, (step) => Effect.exit(step))
    const late = yield* summarized(all.pipe(
      Effect.andThen(Effect.exit(Step.make("load", Effect.fail("no such file")))),
      Effect.andThen(all)
    ))
    assert.deepEqual(
      [late.title, late.severity, late.resolves],
      ["nightly succeeded, though 81 of 161 steps failed", "warning", false]
    )
    const many = Effect.forEach(
      Array.from({ length: 200 }, (_, i) => Step.make(`s${i}`, Effect.fail("x".repeat(10_000)))),
      Effect.exit
    )
    const bounded = yield* summarized(many)
    assert.ok(JSON.stringify(bounded).length < 10_000)
    assert.match(bounded.body!, /… and \d+ more$/)
  }))

it.effect("success and failure hooks post for their own outcome only", () =>
  Effect.gen(function*() {
    const fine = Step.make("s", Effect.void)
    const bad = Step.make("s", Effect.fail("no"))
    assert.deepEqual(yield* sent(bad.pipe(Step.hooks(AlerterHooks.success))), [])
    assert.deepEqual(yield* sent(fine.pipe(Step.hooks(AlerterHooks.failure))), [])
    assert.equal((yield* sent(fine.pipe(Step.hooks(AlerterHooks.all)))).length, 1)
    assert.equal((yield* sent(bad.pipe(Step.hooks(AlerterHooks.all)))).length, 1)
  }))

it.effect("AlerterHooks on Pipeline.hooks post alerts about the run", () =>
  Effect.gen(function*() {
    const etl = Pipeline.make("etl", Step.make("load", Effect.fail("no such file"))).pipe(
      Pipeline.runName("nightly"),
      Pipeline.annotate({ host: "a" }),
      Pipeline.hooks(AlerterHooks.all)
    )
    const alerts = yield* sent(etl)
    assert.deepEqual(alerts.map(({ title }) => title), ["etl failed"])
    assert.equal(alerts[0]!.dedupeKey, "etl")
    assert.deepEqual(fields(alerts[0]!), {
      pipeline: "etl",
      run: "nightly",
      duration: "0 ms",
      "failed step": "load",
      host: "a"
    })
    const fine = Pipeline.make("etl", Effect.void).pipe(Pipeline.hooks(AlerterHooks.all))
    assert.deepEqual((yield* sent(fine)).map(({ severity, title }) => [severity, title]), [[
      "success",
      "etl succeeded"
    ]])
  }))

it.effect("title and dedupeKey distinguish nested steps by their path", () =>
  Effect.gen(function*() {
    const inner = Step.make("inner", Effect.fail("no"))
    const both = Effect.all([Step.make("a", inner), Step.make("b", inner)].map(Effect.exit))
    const alerts = yield* sent(Pipeline.make("p", both).pipe(Pipeline.stepHooks(AlerterHooks.failure)))
    assert.deepEqual(alerts.map(({ dedupeKey, title }) => [title, dedupeKey]), [
      ["p › a › inner failed", "p/a/inner"],
      ["p › b › inner failed", "p/b/inner"]
    ])
  }))

it.effect("a step's dedupeKey is the same in every run", () =>
  Effect.gen(function*() {
    const step = Step.make("load", Effect.fail("no")).pipe(Step.hooks(AlerterHooks.failure))
    const [first] = yield* sent(step)
    yield* TestClock.adjust("1 hour")
    const [second] = yield* sent(step)
    assert.equal(first!.dedupeKey, "load/load")
    assert.equal(second!.dedupeKey, first!.dedupeKey)
    assert.notEqual(fields(second!)["run"], fields(first!)["run"])
  }))

it.effect("successWith and failureWith change the alert by a function of the value or the cause", () =>
  Effect.gen(function*() {
    const loaded = AlerterHooks.successWith((alert, rows: ReadonlyArray<string>) =>
      alert.with({ body: `${rows.length} rows` })
    )
    const page = AlerterHooks.failureWith((alert, cause) =>
      alert.with({ severity: "critical", body: `${cause.reasons.length} reasons` })
    )
    const rows = Step.make("load", Effect.succeed(["a", "b"])).pipe(Step.hooks(loaded), Step.hooks(page))
    const [succeeded, ...none] = yield* sent(rows)
    assert.deepEqual(none, [])
    assert.deepEqual([succeeded!.title, succeeded!.severity, succeeded!.body], ["load succeeded", "success", "2 rows"])
    const [failed] = yield* sent(Step.make("load", Effect.fail("no")).pipe(Step.hooks(page)))
    assert.deepEqual([failed!.title, failed!.severity, failed!.body], ["load failed", "critical", "1 reasons"])
  }))

it.effect("a successWith function that throws posts nothing and does not fail the step", () =>
  Effect.gen(function*() {
    const log = logs()
    const broken = AlerterHooks.successWith(() => {
      throw new Error("boom")
    })
    const [exit, alerts] = yield* Effect.gen(function*() {
      return [
        yield* Effect.exit(Step.make("load", Effect.succeed(42)).pipe(Step.hooks(broken))),
        yield* TestAlerter.sent
      ] as const
    }).pipe(Effect.provide([TestAlerter.layer, log.layer]))
    assert.deepEqual(exit, Exit.succeed(42))
    assert.deepEqual(alerts, [])
    assert.deepEqual(log.list.map(({ level }) => level), ["Error"])
  }))

it.effect("the hooks are named AlerterHooks.success and AlerterHooks.failure", () =>
  Effect.sync(() => {
    assert.equal(AlerterHooks.success.name, "AlerterHooks.success")
    assert.equal(AlerterHooks.failure.name, "AlerterHooks.failure")
    assert.deepEqual(AlerterHooks.all.hooks.success.map(({ name }) => name), ["AlerterHooks.success"])
    assert.deepEqual(AlerterHooks.all.hooks.failure.map(({ name }) => name), ["AlerterHooks.failure"])
  }))

// -----------------------------------------------------------------------------
// posts that fail
// -----------------------------------------------------------------------------

const lost = new AlerterError({ channel: "pager", reason: AlerterErrorReason.Unreachable({}) })

const broken = {
  "fails": Layer.succeed(Alerter, Alerter.of({ post: () => Effect.fail(lost) })),
  "dies": Layer.succeed(Alerter, Alerter.of({ post: () => Effect.die(new Error("boom")) })),
  "throws": Layer.succeed(
    Alerter,
    Alerter.of({
      post: () => {
        throw new Error("boom")
      }
    })
  ),
  "interrupts itself": Layer.succeed(Alerter, Alerter.of({ post: () => Effect.interrupt })),
  "hangs": TestAlerter.layerHanging
}

const counted = (hook: string, kind: string) =>
  Effect.map(
    Metric.value(
      Metric.withAttributes(
        Metric.counter("epilogue_hook_failures_total", {
          description: "Hooks that failed, died or ran out of time",
          incremental: true
        }),
        { hook, kind }
      )
    ),
    ({ count }) => Number(count)
  )

for (const [how, layer] of Object.entries(broken)) {
  for (
    const [outcome, body, expected] of [
      ["success", Effect.succeed(42), Exit.succeed(42)],
      ["failure", Effect.fail("no"), Exit.fail("no")]
    ] as const
  ) {
    it.effect(`a post that ${how} leaves a ${outcome} unchanged, and is logged, counted and reported as HookFailed`, () =>
      Effect.gen(function*() {
        const log = logs()
        const seen = events()
        let after = 0
        const name = `AlerterHooks.${outcome}`
        const step = Step.make("load", body).pipe(
          Step.hooks(AlerterHooks.all),
          Step.hooks(Hook.onExit(() => Effect.sync(() => after++)))
        )
        const before = yield* counted(name, outcome)
        const fiber = yield* Effect.forkChild(
          Effect.exit(step).pipe(Effect.provide([layer, log.layer, seen.layer])),
          { startImmediately: true }
        )
        yield* TestClock.adjust("30 seconds")
        assert.deepEqual(yield* Fiber.join(fiber), expected)
        assert.equal(after, 1)
        assert.deepEqual(log.list.map(({ level, message }) => [level, message]), [
          ["Error", `hook "${name}" (${outcome}) of "load" failed`]
        ])
        assert.equal(log.list[0]!.annotations["hook"], name)
        assert.equal(yield* counted(name, outcome), before + 1)
        const failed = seen.list.filter((event) => event._tag === "HookFailed")
        assert.deepEqual(failed.map(({ hook, kind }) => [hook, kind]), [[name, outcome]])
        const ended = seen.list.find((event) => event._tag === "RunEnded")
        assert.equal(ended?.hookFailures, 1)
        assert.equal(ended?.outcome, outcome)
      }))
  }
}

it.effect("Hook.retry posts an alert again after a failed post", () =>
  Effect.gen(function*() {
    const step = Step.make("load", Effect.fail("no")).pipe(
      Step.hooks(AlerterHooks.failure.pipe(Hook.retry({ times: 1 })))
    )
    const [titles, attempts] = yield* Effect.gen(function*() {
      yield* Effect.exit(step)
      return [(yield* TestAlerter.sent).map(({ title }) => title), yield* TestAlerter.attempts] as const
    }).pipe(Effect.provide(TestAlerter.layerFailing({ times: 1 })))
    assert.deepEqual(titles, ["load failed"])
    assert.equal(attempts, 2)
  }))

// -----------------------------------------------------------------------------
// how alerts read
// -----------------------------------------------------------------------------

it.effect("an alert has the duration of the body, without the hooks and the approval around it", () =>
  Effect.gen(function*() {
    const approver = Approver.layer(() =>
      Effect.as(
        Effect.sleep("1 hour"),
        Decision.Approved({ by: { id: "u1", name: "Ada" }, at: DateTime.makeUnsafe(0) })
      )
    )
    const load = Step.make("load", Effect.delay(Effect.fail("no rows"), "100 millis")).pipe(
      Step.onStart(Effect.sleep("3 seconds")),
      Step.requireApproval({ title: "Load?", timeout: "2 hours" }),
      Step.onFailure(() => Effect.sleep("2 seconds")),
      Step.hooks(AlerterHooks.failure),
      Effect.provide(approver)
    )
    const run = Pipeline.make("etl", Effect.exit(load)).pipe(
      Pipeline.hooks(AlerterHooks.success),
      Pipeline.onStart(Effect.sleep("5 seconds"))
    )
    const fiber = yield* Effect.forkChild(sent(run))
    yield* TestClock.adjust("2 hours")
    const alerts = yield* Fiber.join(fiber)
    assert.deepEqual(alerts.map((alert) => [alert.title, fields(alert)["duration"]]), [
      ["etl › load failed", "100 ms"],
      ["etl succeeded", "1 h"]
    ])
  }))

for (
  const [what, decision, title, body] of [
    [
      "denied",
      Decision.Denied({ by: { id: "u1", name: "Ada" }, at: DateTime.makeUnsafe(0), comment: "not on a Friday" }),
      "etl › deploy not approved",
      `step "deploy" was denied by Ada: not on a Friday`
    ],
    [
      "not given in time",
      Decision.TimedOut({ at: DateTime.makeUnsafe(0) }),
      "etl › deploy not approved in time",
      `step "deploy" was not approved in time`
    ]
  ] as const
) {
  it.effect(`a step whose approval was ${what} is told as not approved, and not as failed`, () =>
    Effect.gen(function*() {
      const deploy = Step.make("deploy", Effect.void).pipe(
        Step.requireApproval({ title: "Deploy?", timeout: "1 hour" }),
        Step.hooks(AlerterHooks.failure),
        Effect.provide(Approver.layer(() => Effect.succeed(decision)))
      )
      const [alert] = yield* sent(Pipeline.make("etl", deploy))
      assert.deepEqual([alert!.title, alert!.severity, alert!.body], [title, "warning", body])
      assert.equal(alert!.detail, undefined)
      assert.deepEqual(Object.keys(fields(alert!)), ["pipeline", "run", "step", "duration"])
    }))
}

it.effect("an alert has the number of the attempt only after a retry", () =>
  Effect.gen(function*() {
    const [once] = yield* sent(Step.make("load", Effect.fail("no")).pipe(Step.hooks(AlerterHooks.failure)))
    assert.equal(fields(once!)["attempt"], undefined)
    const [twice] = yield* sent(
      Step.make("load", Effect.fail("no")).pipe(Step.retry({ times: 1 }), Step.hooks(AlerterHooks.failure))
    )
    assert.equal(fields(twice!)["attempt"], "2")
  }))
