/** Tests the alerts about what is overdue, and about its end. */
import { Effect, Exit, Fiber, type Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { PagerDuty } from "../src/alerters/index.ts"
import { escalate, fanOut, minSeverity, recovered, remind, route, throttle } from "../src/delivery/index.ts"
import { type Alert, Alerter, AlerterHooks, Hook, Hooks, Pipeline, Step } from "../src/index.ts"
import { channelServer } from "./support/channelServer.ts"
import { makeIt } from "./support/it.ts"
import { logs } from "./support/observe.ts"
import { selective } from "./support/policies.ts"

const it = makeIt(test)

/** Evaluates an effect for half a day, with an alerter that keeps what it gets, or one around that. */
const posted = <E>(
  effect: Effect.Effect<unknown, unknown, Alerter>,
  around: (inner: Layer.Layer<Alerter>) => Layer.Layer<Alerter, E> = (inner) => inner
) =>
  Effect.gen(function*() {
    const { layer, list } = selective(() => true)
    const fiber = yield* Effect.forkDetach(
      Effect.exit(effect).pipe(Effect.provide(around(layer)), Effect.provide(logs().layer)),
      { startImmediately: true }
    )
    yield* TestClock.adjust("12 hours")
    assert.ok(Exit.isSuccess(yield* Fiber.await(fiber)))
    return list
  })

const titles = (alerts: ReadonlyArray<Alert>): ReadonlyArray<string> =>
  alerts.map(({ severity, title }) => `${severity}: ${title}`)

const take = <R = never>(body: Effect.Effect<unknown, unknown, R> = Effect.void) =>
  Step.make("load", Effect.andThen(Effect.sleep("43 minutes"), body)).pipe(Step.overdue("10 minutes"))

const late = AlerterHooks.overdue

it.effect("AlerterHooks.overdue tells that a step is still running, and that it has ended", () =>
  Effect.gen(function*() {
    const step = take().pipe(Step.annotate({ source: "s3" }), Step.key(7), Step.hooks(late))
    const [overdue, ended, ...more] = yield* posted(Pipeline.make("nightly", step).pipe(Pipeline.runName("tonight")))
    assert.equal(more.length, 0)
    assert.deepEqual(titles([overdue!, ended!]), [
      "warning: nightly › load[7] is still running after 10 min",
      "success: nightly › load[7] ended after 43 min"
    ])
    const [since] = overdue!.fields.filter(({ name }) => name === "since")
    assert.match(since!.value, /^19\d\d-\d\d-\d\d \d\d:\d\d:\d\d .*UTC/)
    assert.deepEqual(overdue!.fields.filter(({ name }) => name !== "since"), [
      { name: "pipeline", value: "nightly" },
      { name: "run", value: "tonight" },
      { name: "step", value: "load[7]" },
      { name: "running for", value: "10 min" },
      { name: "source", value: "s3" }
    ])
    assert.deepEqual([overdue!.dedupeKey, overdue!.tags, overdue!.resolves], ["nightly/load[7]", ["overdue"], false])
    assert.deepEqual([ended!.dedupeKey, ended!.tags, ended!.resolves], ["nightly/load[7]", ["overdue"], true])
    assert.deepEqual(ended!.recovers.map(({ title }) => title), [overdue!.title])
    assert.equal(ended!.fields.find(({ name }) => name === "duration")?.value, "43 min")
  }))

it.effect("each time at the interval says how long the step has been running", () =>
  Effect.gen(function*() {
    const step = take().pipe(Step.hooks(Hook.overdueAfter(late, "10 minutes", { every: "15 minutes" })))
    const alerts = yield* posted(Pipeline.make("nightly", step))
    assert.deepEqual(titles(alerts), [
      "warning: nightly › load is still running after 10 min",
      "warning: nightly › load is still running after 25 min",
      "warning: nightly › load is still running after 40 min",
      "success: nightly › load ended after 43 min"
    ])
    assert.equal(alerts[1]!.fields.find(({ name }) => name === "limit")?.value, "10 min")
  }))

it.effect("the alert of a run names the innermost steps that are running, and for how long", () =>
  Effect.gen(function*() {
    const page = (n: number) => Step.make("page", Effect.sleep(`${n} hours`)).pipe(Step.key(n))
    const pull = Step.make("pull", Effect.all([page(1), page(2), page(3)], { concurrency: 3 }))
    const run = Pipeline.make("nightly", Effect.andThen(Step.make("begin", Effect.sleep("30 minutes")), pull)).pipe(
      Pipeline.overdue("2 hours", { every: "2 hours" }),
      Pipeline.hooks(late)
    )
    const alerts = yield* posted(run)
    const running = alerts.map(({ fields }) => fields.find(({ name }) => name === "running")?.value)
    assert.deepEqual(running, ["pull › page[2] (1 h 30 min), pull › page[3] (1 h 30 min)", undefined])
  }))

it.effect("where pipelines are nested, a limit of a run or of a step names the steps that are running in all of them", () =>
  Effect.gen(function*() {
    const rows = Step.make("rows".repeat(100), Effect.sleep("5 hours"))
    const orders = Pipeline.make("orders", Step.make("fetch", rows))
    const sync = Step.make("sync", Pipeline.make("all", orders)).pipe(
      Step.overdue("30 minutes"),
      Step.hooks(late),
      Step.timeout("1 hour"),
      Step.hooks(AlerterHooks.failureWith((alert) => alert.with({ title: "too late" })))
    )
    const body = Effect.all([Effect.ignore(sync), Step.make("pull", Effect.sleep("1 hour"))], { concurrency: 2 })
    const run = Pipeline.make("nightly", body).pipe(Pipeline.overdue("45 minutes"), Pipeline.hooks(late))
    const alerts = yield* posted(run)
    const inner = `sync › all › orders › fetch › ${"rows".repeat(25)}…`
    assert.deepEqual(
      alerts.map(({ fields, title }) => [title, fields.find(({ name }) => name === "running")?.value]),
      [
        ["nightly › sync is still running after 30 min", `${inner} (30 min)`],
        ["nightly is still running after 45 min", `${inner} (45 min), pull (45 min)`],
        ["too late", `${inner} (1 h)`],
        ["nightly ended after 1 h", undefined]
      ]
    )
  }))

it.effect("a run is told by its deadline, in the zone of that, or by its limit", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-11-28T23:00:00Z"))
    const run = Pipeline.make("nightly", Effect.sleep("7 hours")).pipe(
      Pipeline.deadline("06:00", { timeZone: "Europe/Berlin" }),
      Pipeline.overdue("90 minutes"),
      Pipeline.hooks(AlerterHooks.all)
    )
    const alerts = yield* posted(run)
    assert.deepEqual(titles(alerts), [
      "warning: nightly is still running after 1 h 30 min",
      "warning: nightly has not ended by 06:00 Europe/Berlin",
      "success: nightly succeeded"
    ])
    assert.equal(
      alerts[1]!.fields.find(({ name }) => name === "deadline")?.value,
      "2026-11-29 06:00:00 Europe/Berlin (UTC+01:00)"
    )
  }))

for (
  const [what, hooks, body, end] of [
    ["a success hook", Hooks.make(late, AlerterHooks.success), Effect.void, "success: nightly › load succeeded"],
    ["a failure hook", Hooks.make(late, AlerterHooks.failure), Effect.fail("no"), "error: nightly › load failed"],
    ["no failure hook", Hooks.make(late, AlerterHooks.success), Effect.fail("no"), "error: nightly › load failed"],
    ["no interrupt hook", Hooks.make(late), Effect.interrupt, "warning: nightly › load was interrupted"],
    ["all hooks", AlerterHooks.all, Effect.interrupt, "warning: nightly › load was interrupted"]
  ] as const
) {
  it.effect(`with ${what}, one alert tells how the step ended: ${end}`, () =>
    Effect.gen(function*() {
      const alerts = yield* posted(Pipeline.make("nightly", Effect.exit(take(body).pipe(Step.hooks(hooks)))))
      assert.deepEqual(titles(alerts), ["warning: nightly › load is still running after 10 min", end])
    }))
}

it.effect("a failure that an inner step has told is not told again for the step around it that was late", () =>
  Effect.gen(function*() {
    const inner = Step.make("insert", Effect.fail("disk full")).pipe(Step.hooks(AlerterHooks.failure))
    const alerts = yield* posted(Pipeline.make("nightly", take(inner).pipe(Step.hooks(late))))
    assert.deepEqual(titles(alerts), [
      "warning: nightly › load is still running after 10 min",
      "error: nightly › load › insert failed"
    ])
  }))

it.effect("the end goes where it was told that the step is late, whatever else the rules say", () =>
  Effect.gen(function*() {
    const [a, b, c] = [selective(() => true), selective(() => true), selective(() => true)]
    const alerter = route([
      { when: { severity: "warning" }, to: fanOut([a.layer, b.layer]) },
      { when: { severity: "error" }, to: c.layer }
    ], { otherwise: Alerter.layerNone }).pipe(throttle({ limit: 10, window: "1 hour" }))
    yield* posted(Pipeline.make("nightly", take().pipe(Step.hooks(late))), () => alerter)
    const both = [
      "warning: nightly › load is still running after 10 min",
      "success: nightly › load ended after 43 min"
    ]
    assert.deepEqual([titles(a.list), titles(b.list), titles(c.list)], [both, both, []])
  }))

it.effect("the end is not told where the alert was dropped or did not arrive", () =>
  Effect.gen(function*() {
    const run = Pipeline.make("nightly", take().pipe(Step.hooks(late)))
    assert.deepEqual(yield* posted(run, minSeverity("error")), [])
    const { layer, list } = selective(({ severity }) => severity !== "warning")
    yield* posted(run, () => layer)
    assert.deepEqual(list, [])
  }))

it.effect("recovered makes a recovery of the end, also where it drops successes", () =>
  Effect.gen(function*() {
    const keyed = Pipeline.make("nightly", take().pipe(Step.key(1), Step.hooks(late)))
    const alerts = yield* posted(keyed, recovered({ successes: "drop" }))
    assert.deepEqual(titles(alerts), [
      "warning: nightly › load[1] is still running after 10 min",
      "success: nightly › load[1] recovered"
    ])
    assert.equal(alerts[1]!.body, "nightly › load[1] ended after 43 min")
    // without a key, another evaluation may fail yet: the end of this one is told, and once
    const plain = yield* posted(
      Pipeline.make("nightly", take().pipe(Step.hooks(late))),
      recovered({ successes: "drop" })
    )
    assert.deepEqual(titles(plain), [
      "warning: nightly › load is still running after 10 min",
      "success: nightly › load ended after 43 min"
    ])
  }))

it.effect("remind and escalate tell nobody of a step that was late once that is told to have ended", () =>
  Effect.gen(function*() {
    const run = Pipeline.make("nightly", Effect.andThen(take().pipe(Step.hooks(late)), Effect.sleep("10 hours")))
    const onCall = selective(() => true)
    const alerts = yield* posted(
      run,
      (inner) => inner.pipe(remind({ every: "30 minutes" }), escalate({ after: "1 hour", to: onCall.layer }))
    )
    assert.deepEqual(titles(alerts), [
      "warning: nightly › load is still running after 10 min",
      "warning: Reminder 1: nightly › load is still running after 10 min",
      "success: nightly › load ended after 43 min"
    ])
    assert.deepEqual(titles(onCall.list), [])
  }))

it.effect("recovered tells of a failure that is over, and was followed by a step that was late", () =>
  Effect.gen(function*() {
    let runs = 0
    const failing = Step.make("load", Effect.suspend(() => runs++ === 0 ? Effect.fail("no") : Effect.void))
    const run = Pipeline.make("nightly", Effect.exit(failing.pipe(Step.hooks(AlerterHooks.all))))
    const slow = Pipeline.make("nightly", take().pipe(Step.hooks(late)))
    const alerts = yield* posted(Effect.andThen(run, slow), recovered({ successes: "drop" }))
    assert.deepEqual(titles(alerts), [
      "error: nightly › load failed",
      "warning: nightly › load is still running after 10 min",
      "success: nightly › load ended after 43 min",
      "success: nightly › load recovered"
    ])
  }))

it.effect("a step that was late does not resolve the failure of another evaluation of it", () =>
  Effect.gen(function*() {
    const failing = Step.make("load", Effect.fail("no")).pipe(Step.hooks(AlerterHooks.failure))
    const both = Effect.andThen(Effect.exit(failing), take().pipe(Step.hooks(late)))
    const alerts = yield* posted(Pipeline.make("nightly", both), recovered())
    assert.deepEqual(titles(alerts), [
      "error: nightly › load failed",
      "warning: nightly › load is still running after 10 min",
      "success: nightly › load ended after 43 min"
    ])
  }))

it.effect("PagerDuty opens an incident for what is late, and resolves it at the end", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 202, body: { status: "success", message: "ok", dedup_key: "x" } })
    const pagerDuty = PagerDuty.layer({
      routingKey: Redacted.make("0123456789abcdef0123456789abcdef"),
      baseUrl: `${server.url}/`,
      pace: [],
      changeEvents: false
    })
    const step = Step.make("load", Effect.sleep("600 millis")).pipe(
      Step.hooks(late.pipe(Hook.overdueAfter("100 millis")))
    )
    // on the machine's clock, since the server is on another fiber
    yield* Effect.promise(() => Effect.runPromise(Effect.provide(Pipeline.make("nightly", step), pagerDuty)))
    const events = server.requests.map(({ json }) => [json.event_action, json.dedup_key, json.payload?.summary])
    assert.deepEqual(events.map(([action]) => action), ["trigger", "resolve"])
    assert.equal(events[0]![1], events[1]![1])
    assert.match(String(events[0]![2]), /^nightly › load is still running after \d+ ms$/)
  }))

it.effect("a secret in an annotation stays out of both alerts", () =>
  Effect.gen(function*() {
    const alerts = yield* posted(
      Pipeline.make("nightly", take().pipe(Step.annotate({ token: Redacted.make("canary") }), Step.hooks(late)))
    )
    assert.equal(alerts.length, 2)
    for (const { fields } of alerts) {
      assert.ok(fields.some(({ name, value }) => name === "token" && value === "<redacted>"))
    }
  }))

it.effect("overdueWith changes the alert, and gets what it is about", () =>
  Effect.gen(function*() {
    const hook = AlerterHooks.overdueWith((alert, { times }) =>
      times < 2 ? alert : alert.with({ severity: "critical" })
    )
    const step = take().pipe(Step.overdue("10 minutes", { every: "30 minutes" }), Step.hooks(hook))
    assert.deepEqual((yield* posted(Pipeline.make("p", step))).map(({ severity }) => severity), [
      "warning",
      "critical",
      "success"
    ])
  }))

it.effect("AlerterHooks.all costs a step without a limit no overdue hook", () =>
  Effect.sync(() => {
    const step = Step.make("s", Effect.void).pipe(Step.hooks(AlerterHooks.all))
    assert.deepEqual(Hooks.explain(step).map(({ kind }) => kind), ["success", "failure", "interrupt"])
  }))
