import { Deferred, Duration, Effect, Fiber, Layer, Redacted, References } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Email, Slack } from "../../src/alerters/index.ts"
import { dedupe, digest, fanOut, minSeverity } from "../../src/delivery/index.ts"
import { observing } from "../../src/delivery/internal/policy.ts"
import { Alert, Alerter, AlerterHooks, Hook, Pipeline, RunEvent, Step } from "../../src/index.ts"
import * as internal from "../../src/report/AttachTimeline.ts"
import { Report } from "../../src/report/index.ts"
import { RecentRuns } from "../../src/report/internal/events/recent.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { type ChannelServer, channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { smtpServer } from "../support/smtpServer.ts"

const it = makeIt(test)

/** The policy with a list of the events in place of the picture. */
const listing = (
  options: Report.AttachTimelineOptions = {},
  render: internal.Render = (events, { title }) =>
    Effect.succeed(new TextEncoder().encode([...title === undefined ? [] : [title], ...events.map(brief)].join("\n")))
) => observing(internal.make(options, render))

const brief = (event: Report.Event): string => {
  const name = "hook" in event ? event.hook : "stepName" in event ? event.stepName : event.pipelineName
  return `${event._tag} ${name}${"outcome" in event ? ` ${event.outcome}` : ""}`
}

const shown = ({ attachments }: Alert): ReadonlyArray<string> | undefined =>
  attachments[0] === undefined ? undefined : new TextDecoder().decode(attachments[0].content).split("\n")

/** Runs a program with the policy around a test alerter, and returns the alerts that were sent. */
const sentBy = <E>(
  policy: (self: Layer.Layer<Alerter>) => Layer.Layer<Alerter>,
  run: Effect.Effect<unknown, E, Alerter>,
  observers: Layer.Layer<never> = Layer.empty
) =>
  Effect.gen(function*() {
    const channel = yield* Layer.build(Layer.fresh(TestAlerter.layer))
    // merged side by side with other observers, as users may do it
    yield* Effect.exit(Effect.provide(run, [policy(Layer.succeedContext(channel)), observers]))
    return yield* Effect.provide(TestAlerter.sent, channel)
  })

const post = (alert: Alert | string) => Effect.flatMap(Alerter, (alerter) => Effect.ignore(alerter.post(alert)))

const nightly = Pipeline.make(
  "nightly",
  Effect.andThen(Step.make("load", Effect.void), Step.make("save", Effect.fail("full")))
).pipe(
  Pipeline.stepHooks(AlerterHooks.all),
  // an alert of its own for the run, though its step has reported the error
  Pipeline.hooks(AlerterHooks.failureWith((alert) => alert, { nested: "each" }))
)

it.effect("alerts about a run and about failed steps get a picture of the run so far, and others none", () =>
  Effect.gen(function*() {
    const alerts = yield* sentBy(listing(), nightly)
    assert.deepEqual(alerts.map((alert) => [alert.title, shown(alert)]), [
      ["nightly › load succeeded", undefined],
      ["nightly › save failed", [
        "RunStarted nightly",
        "StepStarted load",
        "StepEnded load success",
        "HookEnded AlerterHooks.success",
        "StepStarted save",
        "StepEnded save failure"
      ]],
      ["nightly failed", [
        "RunStarted nightly",
        "StepStarted load",
        "StepEnded load success",
        "HookEnded AlerterHooks.success",
        "StepStarted save",
        "StepEnded save failure",
        "HookEnded AlerterHooks.failure"
      ]]
    ])
    assert.deepEqual(alerts[1]!.attachments.map(({ mediaType, name }) => [name, mediaType]), [
      ["timeline.png", "image/png"]
    ])
  }))

it.effect("an alert without a run, about an unknown run, or with a picture gets no picture", () =>
  Effect.gen(function*() {
    const source = { pipeline: "p", runId: "another", runName: "r", stepPath: [] }
    const own = { name: "a.txt", mediaType: "text/plain", content: new Uint8Array([97]) }
    const step = Step.make("s", Effect.fail("no")).pipe(
      Step.hooks(AlerterHooks.failureWith((alert) => alert.with({ attachments: [own] })))
    )
    const run = Effect.all([post("x"), post(Alert.make({ title: "y", source })), Effect.ignore(step)])
    const alerts = yield* sentBy((self) => self.pipe(listing(), listing()), run)
    assert.deepEqual(alerts.map(({ attachments }) => attachments.map(({ name }) => name)), [
      [],
      [],
      ["a.txt", "timeline.png"]
    ])
  }))

it.effect("attachTimeline works in any order of policies, and with other observers", () =>
  Effect.gen(function*() {
    const policies: ReadonlyArray<(self: Layer.Layer<Alerter>) => Layer.Layer<Alerter>> = [
      (self) => self.pipe(listing(), minSeverity("error"), dedupe({ window: "1 hour" })),
      (self) => self.pipe(minSeverity("error"), listing()),
      (self) => fanOut([self.pipe(listing())]).pipe(minSeverity("error")),
      (self) => fanOut([self, Alerter.layerNone]).pipe(listing(), minSeverity("error"))
    ]
    for (const policy of policies) {
      const told: Array<string> = []
      const observers = RunEvent.layer((event) => told.push(event._tag))
      const alerts = yield* sentBy(policy, nightly, observers)
      assert.deepEqual(alerts.map((alert) => shown(alert)?.length), [6, 7])
      assert.equal(told.at(-1), "RunEnded")
    }
  }))

it.effect("an alert that is held alone keeps its picture after the end of its run", () =>
  Effect.gen(function*() {
    const alerts = yield* sentBy(
      (self) => self.pipe(digest({ window: "1 hour" }), listing()),
      Step.make("s", Effect.fail("no")).pipe(Step.hooks(AlerterHooks.failure))
    )
    assert.deepEqual(alerts.map((alert) => shown(alert)?.at(-1)), ["StepEnded s failure"])
  }))

it.effect("an alert goes out if its picture fails, and that is logged once", () =>
  Effect.gen(function*() {
    const renders: ReadonlyArray<internal.Render> = [
      () => Effect.fail(new Report.RendererMissing({ missing: "renderer", message: "install it" })),
      () => Effect.die(new Error("boom")),
      () => {
        throw new Error("boom")
      },
      () => Effect.interrupt
    ]
    for (const render of renders) {
      const log = logs()
      const alerts = yield* sentBy(listing({}, render), Effect.andThen(Effect.ignore(nightly), Effect.ignore(nightly)))
        .pipe(
          Effect.provide(log.layer),
          Effect.provideService(References.MinimumLogLevel, "Debug")
        )
      assert.equal(alerts.length, 6)
      assert.ok(alerts.every(({ attachments }) => attachments.length === 0))
      const told = log.list.filter(({ message }) => message.includes("no picture"))
      assert.deepEqual(told.map(({ level }) => level), ["Debug"])
    }
    // a picture that takes too long
    const fiber = yield* Effect.forkChild(sentBy(listing({}, () => Effect.never), nightly), { startImmediately: true })
    yield* TestClock.adjust("5 seconds")
    yield* TestClock.adjust("5 seconds")
    assert.equal((yield* Fiber.join(fiber)).length, 3)
  }))

it.effect("an invalid maxSteps is a defect when the layer is built", () =>
  Effect.gen(function*() {
    for (const maxSteps of [0, 1.5, NaN]) {
      const exit = yield* Effect.exit(Layer.build(Alerter.layerNone.pipe(Report.attachTimeline({ maxSteps }))))
      assert.equal(exit._tag, "Failure")
    }
  }))

// -----------------------------------------------------------------------------
// what is kept of runs
// -----------------------------------------------------------------------------

/** Observes a run, and calls `look` after each event. */
const watched = <E>(runs: RecentRuns, run: Effect.Effect<unknown, E>, look: (event: RunEvent.RunEvent) => void) =>
  Effect.exit(Effect.provide(run, RunEvent.layer(runs.observe, look)))

it.effect("of many steps, failed, long and running ones are kept for the picture", () =>
  Effect.gen(function*() {
    const runs = new RecentRuns(10)
    let most = 0
    let last: ReturnType<RecentRuns["of"]>
    const step = (i: number) =>
      i % 1000 === 500
        ? Effect.ignore(Step.make(`bad ${i}`, Effect.fail("no")))
        : Step.make(i === 77 ? "long" : `s ${i}`, i === 77 ? TestClock.adjust("1 hour") : Effect.void)
    const run = Pipeline.make(
      "p",
      Step.make("outer", Effect.forEach(Array.from({ length: 5000 }, (_, i) => i), step, { discard: true }))
    )
    yield* watched(runs, run, (event) => {
      if (event._tag !== "StepEnded") return
      last = runs.of(event.runId)
      most = Math.max(most, last!.known)
    })
    assert.ok(most <= 21, `${most}`)
    assert.equal(last!.steps, 5001)
    const names = last!.events.flatMap((event) => event._tag === "StepEnded" ? [event.stepName] : [])
    for (const name of ["long", "outer", "bad 500", "bad 4500"]) assert.ok(names.includes(name), name)
    assert.equal(runs.size, 0)

    const alerts = yield* sentBy(
      listing({ maxSteps: 10 }),
      run.pipe(Pipeline.runName("r"), Pipeline.hooks(AlerterHooks.success))
    )
    assert.match(shown(alerts[0]!)![0]!, /^p · r: \d\d of 5,001 steps$/)
  }))

it.effect("the events kept of concurrent steps, attempts and large causes are bounded", () =>
  Effect.gen(function*() {
    const runs = new RecentRuns(10)
    let last: ReturnType<RecentRuns["of"]>
    const look = (event: RunEvent.RunEvent) => {
      if (event._tag !== "RunEnded") last = runs.of(event.runId)
    }
    const gate = yield* Deferred.make<void>()
    const waiting = Step.make("w", Deferred.await(gate))
    const all = Effect.all(Array.from({ length: 100 }, () => waiting), { concurrency: "unbounded" })
    const fiber = yield* Effect.forkChild(watched(runs, Pipeline.make("p", all), look), { startImmediately: true })
    assert.deepEqual([last!.known, last!.steps], [20, 100])
    yield* Deferred.succeed(gate, undefined)
    yield* Fiber.join(fiber)
    assert.equal(last!.steps, 100)

    const huge = "x".repeat(1_000_000)
    const flaky = Step.make("flaky", Effect.fail(huge)).pipe(
      Step.retry({ times: 100 }),
      Step.annotate({ huge }),
      Step.hooks(Hook.onRetry(() => Effect.void))
    )
    yield* watched(runs, flaky, look)
    assert.ok(JSON.stringify(last).length < 100_000)
    assert.equal(last!.events.filter(({ _tag }) => _tag === "StepStarted").length, 1)
    assert.equal(last!.events.at(-1)!._tag, "StepEnded")
  }))

it.effect("runs without an end do not pile up", () =>
  Effect.sync(() => {
    const runs = new RecentRuns(1)
    const at = { epochMilliseconds: 0 } as RunEvent.RunStarted["at"]
    for (let i = 0; i < 5000; i++) {
      runs.observe({ _tag: "RunStarted", pipelineName: "p", runId: `${i}`, runName: "r", at, annotations: {} })
    }
    assert.equal(runs.size, 1000)
    assert.ok(runs.of("4999") !== undefined && runs.of("0") === undefined)
  }))

// -----------------------------------------------------------------------------
// real pictures
// -----------------------------------------------------------------------------

const signature = [0x89, 0x50, 0x4e, 0x47]

it.live("a mail has the PNG", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer()
    const email = Email.layer({ host: "127.0.0.1", port: server.port, from: "a@example.com", to: "b@example.com" })
    yield* Effect.ignore(nightly).pipe(Effect.provide(email.pipe(Report.attachTimeline(), minSeverity("error"))))
    const mails = yield* server.mails
    assert.deepEqual(mails.map(({ subject }) => subject), ["nightly › save failed", "nightly failed"])
    for (const { attachments, html } of mails) {
      const [picture] = attachments
      assert.equal(picture?.filename, "timeline.png")
      assert.deepEqual([...picture!.content.subarray(0, 4)], signature)
      assert.match(String(html), /<img src="cid:/)
    }
  }))

it.live("a thread in Slack has the PNG", () =>
  Effect.gen(function*() {
    const server: ChannelServer = yield* channelServer(() => ({
      body: { ok: true, channel: "C1", ts: "1.0", upload_url: `${server.url}/up`, file_id: "F1" }
    }))
    const slack = Slack.layerBot({ token: Redacted.make("xoxb-1"), channel: "C1", baseUrl: server.url })
    const [took] = yield* Effect.timed(
      Effect.ignore(nightly).pipe(
        Effect.provide(slack.pipe(Report.attachTimeline({ theme: "dark" }), minSeverity("error")))
      )
    )
    const uploads = server.requests.filter(({ path }) => path === "/up")
    assert.equal(uploads.length, 2)
    for (const { body, headers } of uploads) {
      assert.equal(body.slice(1, 4), "PNG")
      assert.equal(headers["content-type"], "image/png")
      assert.ok(Number(headers["content-length"]) > 1000)
    }
    assert.ok(Duration.toSeconds(took) < 20)
  }))
