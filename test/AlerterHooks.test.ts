import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import {
  type Alert,
  type Alerter,
  AlerterHooks,
  Approver,
  Decision,
  Params,
  Pipeline,
  Step,
  StepContext
} from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { alertsOf, fieldsOf } from "./support/alertsOf.ts"
import { makeIt } from "./support/it.ts"
import { logs } from "./support/observe.ts"

const it = makeIt(test)

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number; readonly message: string }> {}

class Train extends Params.Service<Train>()("Train", {
  epochs: Schema.Int,
  key: Schema.RedactedFromValue(Schema.String)
}) {}

const train = Train.layer({ epochs: 3, key: Redacted.make("canary") })

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
      alertsOf(Pipeline.make("etl", step).pipe(Pipeline.runName("nightly"), Pipeline.annotate({ host: "a" })))
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
    assert.deepEqual(fieldsOf(alert!), {
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
    const alerts = yield* alertsOf(
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
    const [plain] = yield* alertsOf(Step.make("s", Effect.fail("no tag")).pipe(Step.hooks(AlerterHooks.failure)))
    assert.deepEqual(plain!.tags, [])
  }))

it.effect("AlerterHooks.failure posts once after the last attempt, with the error's summary and stack", () =>
  Effect.gen(function*() {
    const step = Step.make("load", Effect.fail(new HttpError({ status: 503, message: "unavailable\nsecond line" })))
      .pipe(
        Step.retry({ times: 2 }),
        Step.hooks(AlerterHooks.all)
      )
    const alerts = yield* alertsOf(Pipeline.make("etl", step).pipe(Pipeline.runName("nightly")))
    assert.equal(alerts.length, 1)
    const [alert] = alerts
    assert.equal(alert!.title, "etl › load failed")
    assert.equal(alert!.severity, "error")
    assert.equal(alert!.body, "HttpError: unavailable")
    assert.match(alert!.detail!, /^HttpError: unavailable\nsecond line\n(.*\n)*\s+at /)
    assert.equal(alert!.dedupeKey, "etl/load")
    assert.deepEqual(fieldsOf(alert!), {
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
      const [alert, ...more] = yield* alertsOf(Step.make("load", body).pipe(Step.hooks(AlerterHooks.all)))
      assert.deepEqual(more, [])
      assert.equal(alert!.title, "load failed")
      assert.equal(alert!.body, summary)
      assert.ok((alert!.detail ?? alert!.body)!.startsWith(summary))
    }))
}

it.effect("AlerterHooks.all posts a warning when a run is interrupted, once, about the innermost step", () =>
  Effect.gen(function*() {
    const alerts = yield* alertsOf(Effect.gen(function*() {
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

it.effect("of an interruption that reaches several steps, those that were running tell, and neither the steps around them nor the run", () =>
  Effect.gen(function*() {
    const never = (name: string) => Step.make(name, Effect.never)
    const bodies: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
      Step.make("load", Effect.all([never("a"), never("b")], { concurrency: 2 })),
      Step.make("load", Effect.race(never("a"), never("b"))),
      Effect.timeout(
        Step.make("load", Effect.all([never("a"), Effect.yieldNow, never("b")], { concurrency: 3 })),
        "1 day"
      ),
      Step.make("load", Effect.all([never("a"), never("b")], { concurrency: 2 })).pipe(Step.timeout("1 day"))
    ]
    const pipeline = (body: Effect.Effect<unknown, unknown>) =>
      Pipeline.make("nightly", body).pipe(Pipeline.stepHooks(AlerterHooks.all), Pipeline.hooks(AlerterHooks.all))
    for (const body of bodies) {
      const stopped = yield* alertsOf(Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(pipeline(body))
        for (let i = 0; i < 10; i++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
      }))
      assert.deepEqual(stopped.map(({ severity, title }) => [title, severity]), [
        ["nightly › load › a was interrupted", "warning"],
        ["nightly › load › b was interrupted", "warning"]
      ])
      const survived = yield* alertsOf(pipeline(Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(body)
        for (let i = 0; i < 10; i++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
      })))
      assert.deepEqual(survived.map(({ severity, title }) => [title, severity]), [
        ["nightly › load › a was interrupted", "info"],
        ["nightly › load › b was interrupted", "info"],
        ["nightly succeeded", "success"]
      ])
    }
  }))

it.effect("AlerterHooks.interrupt posts an info about a step that lost a race, since its run goes on", () =>
  Effect.gen(function*() {
    const race = Effect.race(Step.make("slow", Effect.never), Step.make("fast", Effect.yieldNow))
    const alerts = yield* alertsOf(Pipeline.make("p", race).pipe(Pipeline.stepHooks(AlerterHooks.interrupt)))
    assert.deepEqual(alerts.map(({ severity, title }) => [title, severity]), [["p › slow was interrupted", "info"]])
  }))

const nested = (body: Effect.Effect<unknown>) => Step.make("load", Step.make("fetch", body))

it.effect("a step that interrupts itself, and so its run, is told once, as a warning that names it", () =>
  Effect.gen(function*() {
    const pipeline = (name: string, body: Effect.Effect<unknown, unknown, Alerter>) =>
      Pipeline.make(name, body).pipe(Pipeline.stepHooks(AlerterHooks.all), Pipeline.hooks(AlerterHooks.all))
    const told = (body: Effect.Effect<unknown, unknown, Alerter>) =>
      Effect.map(
        alertsOf(Effect.exit(pipeline("nightly", body))),
        (alerts) => alerts.map(({ severity, title }) => [title, severity])
      )
    const itself = nested(Effect.andThen(Effect.yieldNow, Effect.interrupt))
    const fetch = ["nightly › load › fetch was interrupted", "warning"]
    assert.deepEqual(yield* told(itself), [fetch])
    assert.deepEqual(yield* told(Step.make("all", pipeline("inner", itself))), [
      ["inner › load › fetch was interrupted", "warning"]
    ])
    assert.deepEqual(yield* told(Effect.interrupt), [["nightly was interrupted", "warning"]])
  }))

it.effect("an interruption that the run survives is told once, about the innermost step, and not in place of the run's own", () =>
  Effect.gen(function*() {
    const race = Effect.race(nested(Effect.never), Effect.yieldNow)
    const alerts = yield* alertsOf(Effect.exit(
      Pipeline.make("p", Step.make("both", Effect.andThen(race, Effect.interrupt))).pipe(
        Pipeline.stepHooks(AlerterHooks.interrupt),
        Pipeline.hooks(AlerterHooks.interrupt)
      )
    ))
    assert.deepEqual(alerts.map(({ severity, title }) => [title, severity]), [
      ["p › both › load › fetch was interrupted", "info"],
      ["p › both was interrupted", "warning"]
    ])
  }))

it.effect("interruptWith changes the alert by a function", () =>
  Effect.gen(function*() {
    const hook = AlerterHooks.interruptWith((alert) => alert.with({ title: "stopped" }))
    const alerts = yield* alertsOf(Step.make("load", Effect.interrupt).pipe(Step.hooks(hook)))
    assert.deepEqual(alerts.map(({ title }) => title), ["stopped"])
  }))

it.effect("success and failure hooks post for their own outcome only", () =>
  Effect.gen(function*() {
    const fine = Step.make("s", Effect.void)
    const bad = Step.make("s", Effect.fail("no"))
    assert.deepEqual(yield* alertsOf(bad.pipe(Step.hooks(AlerterHooks.success))), [])
    assert.deepEqual(yield* alertsOf(fine.pipe(Step.hooks(AlerterHooks.failure))), [])
    assert.equal((yield* alertsOf(fine.pipe(Step.hooks(AlerterHooks.all)))).length, 1)
    assert.equal((yield* alertsOf(bad.pipe(Step.hooks(AlerterHooks.all)))).length, 1)
  }))

it.effect("AlerterHooks on Pipeline.hooks post alerts about the run", () =>
  Effect.gen(function*() {
    const etl = Pipeline.make("etl", Step.make("load", Effect.fail("no such file"))).pipe(
      Pipeline.runName("nightly"),
      Pipeline.annotate({ host: "a" }),
      Pipeline.hooks(AlerterHooks.all)
    )
    const alerts = yield* alertsOf(etl)
    assert.deepEqual(alerts.map(({ title }) => title), ["etl failed"])
    assert.equal(alerts[0]!.dedupeKey, "etl")
    assert.deepEqual(fieldsOf(alerts[0]!), {
      pipeline: "etl",
      run: "nightly",
      duration: "0 ms",
      "failed step": "load",
      host: "a"
    })
    const fine = Pipeline.make("etl", Effect.void).pipe(Pipeline.hooks(AlerterHooks.all))
    assert.deepEqual((yield* alertsOf(fine)).map(({ severity, title }) => [severity, title]), [[
      "success",
      "etl succeeded"
    ]])
  }))

it.effect("title and dedupeKey distinguish nested steps by their path", () =>
  Effect.gen(function*() {
    const inner = Step.make("inner", Effect.fail("no"))
    const both = Effect.all([Step.make("a", inner), Step.make("b", inner)].map(Effect.exit))
    const alerts = yield* alertsOf(Pipeline.make("p", both).pipe(Pipeline.stepHooks(AlerterHooks.failure)))
    assert.deepEqual(alerts.map(({ dedupeKey, title }) => [title, dedupeKey]), [
      ["p › a › inner failed", "p/a/inner"],
      ["p › b › inner failed", "p/b/inner"]
    ])
  }))

it.effect("a step's dedupeKey is the same in every run", () =>
  Effect.gen(function*() {
    const step = Step.make("load", Effect.fail("no")).pipe(Step.hooks(AlerterHooks.failure))
    const [first] = yield* alertsOf(step)
    yield* TestClock.adjust("1 hour")
    const [second] = yield* alertsOf(step)
    assert.equal(first!.dedupeKey, "load/load")
    assert.equal(second!.dedupeKey, first!.dedupeKey)
    assert.notEqual(fieldsOf(second!)["run"], fieldsOf(first!)["run"])
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
    const [succeeded, ...none] = yield* alertsOf(rows)
    assert.deepEqual(none, [])
    assert.deepEqual([succeeded!.title, succeeded!.severity, succeeded!.body], ["load succeeded", "success", "2 rows"])
    const [failed] = yield* alertsOf(Step.make("load", Effect.fail("no")).pipe(Step.hooks(page)))
    assert.deepEqual([failed!.title, failed!.severity, failed!.body], ["load failed", "critical", "1 reasons"])
  }))

it.effect("a successWith function that throws changes neither the alert nor the step", () =>
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
    assert.deepEqual(alerts.map(({ title }) => title), ["load succeeded"])
    assert.deepEqual(alerts[0]!.fields.at(-1), { name: "successWith", value: "boom" })
    assert.deepEqual(log.list, [])
  }))

it.effect("a failureWith function that returns no alert leaves the alert as it was, which says what it returned", () =>
  Effect.gen(function*() {
    for (
      const [made, what] of [[undefined, "undefined"], [Promise.resolve("t"), "a promise"], [Effect.void, "an Effect"]]
    ) {
      // as a program without types may do
      const broken = AlerterHooks.failureWith(() => made as unknown as Alert)
      const [alert] = yield* alertsOf(Step.make("load", Effect.fail("no")).pipe(Step.hooks(broken)))
      assert.equal(alert!.title, "load failed")
      assert.deepEqual(alert!.fields.at(-1), {
        name: "failureWith",
        value: `TypeError: its function returned ${what}, and no alert`
      })
    }
  }))

it.effect("the hooks are named AlerterHooks.success and AlerterHooks.failure", () =>
  Effect.sync(() => {
    assert.equal(AlerterHooks.success.name, "AlerterHooks.success")
    assert.equal(AlerterHooks.failure.name, "AlerterHooks.failure")
    assert.deepEqual(AlerterHooks.all.hooks.success.map(({ name }) => name), ["AlerterHooks.success"])
    assert.deepEqual(AlerterHooks.all.hooks.failure.map(({ name }) => name), ["AlerterHooks.failure"])
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
    const fiber = yield* Effect.forkChild(alertsOf(run))
    yield* TestClock.adjust("2 hours")
    const alerts = yield* Fiber.join(fiber)
    assert.deepEqual(alerts.map((alert) => [alert.title, fieldsOf(alert)["duration"]]), [
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
      const [alert] = yield* alertsOf(Pipeline.make("etl", deploy))
      assert.deepEqual([alert!.title, alert!.severity, alert!.body], [title, "warning", body])
      assert.equal(alert!.detail, undefined)
      assert.deepEqual(Object.keys(fieldsOf(alert!)), ["pipeline", "run", "step", "duration"])
    }))
}

it.effect("an alert has the number of the attempt only after a retry", () =>
  Effect.gen(function*() {
    const [once] = yield* alertsOf(Step.make("load", Effect.fail("no")).pipe(Step.hooks(AlerterHooks.failure)))
    assert.equal(fieldsOf(once!)["attempt"], undefined)
    const [twice] = yield* alertsOf(
      Step.make("load", Effect.fail("no")).pipe(Step.retry({ times: 1 }), Step.hooks(AlerterHooks.failure))
    )
    assert.equal(fieldsOf(twice!)["attempt"], "2")
  }))
