/** The mailboxes of channels: alerts of hooks in a storm, behind a refusal and behind an outage, against real servers. */
import { Clock, type Duration, Effect, Fiber, Layer, Metric, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock, TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { type ChannelOptions, Discord, Slack } from "../../src/alerters/index.ts"
import { digest, fallback, quietHours, recovered, throttle } from "../../src/delivery/index.ts"
import { Alert, Alerter, AlerterHooks, Hook, Pipeline, RunEvent, Step, type StepContext } from "../../src/index.ts"
import { CurrentStopping } from "../../src/internal/model/stopping.ts"
import * as Stopping from "../../src/main/internal/stopping.ts"
import { type Answer, channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const webhookUrl = Redacted.make("https://hooks.slack.com/services/T0/B0/x")

/** A server that takes `limit` alerts in any time span as long as `per`, and says how long to wait. */
const limitedServer = (limit: number, per: number) => {
  let times: ReadonlyArray<number> = []
  return Effect.map(
    channelServer((): Answer => {
      const now = Date.now()
      times = times.filter((at) => now - at < per)
      if (times.length >= limit) return { status: 429, headers: { "retry-after": `${(times[0]! + per - now) / 1000}` } }
      times = [...times, now]
      return { body: "ok" }
    }),
    (server) => ({
      server,
      taken: () => server.requests.map(({ body }) => /step-\d+/.exec(body)?.[0]).filter((name) => name !== undefined)
    })
  )
}

const failingSteps = (count: number) =>
  Pipeline.make(
    "nightly",
    Effect.all(
      Array.from({ length: count }, (_, i) => Effect.exit(Step.make(`step-${i}`, Effect.fail("disk full")))),
      { concurrency: "unbounded" }
    )
  ).pipe(Pipeline.stepHooks(AlerterHooks.failure))

it.live("all alerts of a storm arrive, though the channel refuses what exceeds its limit", () =>
  Effect.gen(function*() {
    for (const channel of ["slack", "discord"] as const) {
      const { server, taken } = yield* limitedServer(5, 200)
      const options: ChannelOptions = { pace: [{ count: 10, per: "100 millis" }], delay: "10 millis" }
      const alerter = channel === "slack"
        ? Slack.layer({ webhookUrl: Redacted.make(`${server.url}/services/x`), ...options })
        : Discord.layer({ webhookUrl: Redacted.make(`${server.url}/api/webhooks/1/x`), ...options })
      yield* Effect.provide(failingSteps(40), alerter)
      assert.ok(server.requests.length > 40, "no alert was refused")
      assert.equal(new Set(taken()).size, 40)
    }
  }))

/** Runs a step that fails, with this hook, on the test clock, against a channel that answers as `answer` says. */
const run = (
  answer: (attempt: number, now: number) => Effect.Effect<Response>,
  hook: Hook.Hook<unknown, unknown, Alerter | StepContext, unknown> = AlerterHooks.failure,
  around: (slack: Layer.Layer<Alerter>) => Layer.Layer<Alerter> = (slack) => slack
) =>
  Effect.gen(function*() {
    const taken: Array<number> = []
    let attempts = 0
    const client = HttpClient.make((request) =>
      Effect.gen(function*() {
        const response = yield* answer(++attempts, yield* Clock.currentTimeMillis)
        if (response.ok) taken.push(yield* Clock.currentTimeMillis)
        return HttpClientResponse.fromWeb(request, response)
      })
    )
    const slack = Slack.layer({ webhookUrl }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))
    const nightly = Pipeline.make("nightly", Step.make("load", Effect.fail("disk full")).pipe(Step.hooks(hook)))
    const events: Array<string> = []
    let ended = 0
    const fiber = yield* nightly.pipe(
      Effect.exit,
      Effect.tap(() => Effect.map(Clock.currentTimeMillis, (now) => void (ended = now))),
      Effect.provide(around(slack)),
      Effect.provideService(RunEvent.Observers, [({ _tag }) => void events.push(_tag)]),
      Effect.forkChild
    )
    yield* TestClock.adjust("5 minutes")
    const exit = yield* Fiber.join(fiber)
    const logs = (yield* TestConsole.logLines).join("\n")
    return { taken, attempts, logs, events, ended, failure: JSON.stringify(exit) }
  })

const ok = Effect.sync(() => new Response("ok"))
const refused = (seconds: number) =>
  Effect.sync(() => new Response("", { status: 429, headers: { "retry-after": `${seconds}` } }))

it.effect("a hook whose time is up while the channel refuses has not failed, and its alert arrives later", () =>
  Effect.gen(function*() {
    const { ended, events, logs, taken } = yield* run((_, now) => now < 35_000 ? refused(35) : ok)
    assert.equal(taken.length, 1)
    assert.ok(taken[0]! >= 35_000 && taken[0]! <= 40_000)
    assert.equal(ended, 30_000)
    assert.ok(!events.includes("HookFailed") && events.includes("HookEnded"))
    assert.match(logs, /the alert of hook "AlerterHooks.failure" of "load" is still on its way/)
    assert.doesNotMatch(logs, /did not arrive/)
  }))

it.effect("an alert for a channel that hangs for three attempts arrives with the fourth", () =>
  Effect.gen(function*() {
    const { attempts, events, taken } = yield* run((attempt) => attempt < 4 ? Effect.never : ok)
    assert.deepEqual([attempts, taken.length, events.includes("HookFailed")], [4, 1, false])
  }))

it.effect("an alert that is lost after its hook's time is logged with its channel and the reason", () =>
  Effect.gen(function*() {
    const { events, logs, taken } = yield* run(() => Effect.never)
    assert.deepEqual([taken.length, events.includes("HookFailed")], [0, false])
    assert.match(logs, /1 alert did not arrive[^]*nightly › load failed: slack: no answer within 10 s/)
  }))

it.effect("a required hook fails when its time is up, since it is not known that the alert arrives", () =>
  Effect.gen(function*() {
    const { events, failure, taken } = yield* run(
      (_, now) => now < 35_000 ? refused(35) : ok,
      Hook.required(AlerterHooks.failure)
    )
    assert.equal(taken.length, 1)
    assert.ok(events.includes("HookFailed"))
    assert.match(failure, /HookError/)
  }))

/** Closes an alerter, with an alert that its channel never takes, and returns after how long it is closed. */
const closing = (alerter: Layer.Layer<Alerter, never, HttpClient.HttpClient>, stopAt?: Duration.Input) =>
  Effect.gen(function*() {
    const client = HttpClient.make(() => Effect.never)
    const stop = Stopping.make()
    const began = yield* Clock.currentTimeMillis
    const fiber = yield* Alerter.use((alerter) => Effect.timeoutOption(alerter.post("disk full"), "1 millis")).pipe(
      Effect.provide(Layer.provide(alerter, Layer.succeed(HttpClient.HttpClient, client))),
      Effect.andThen(Clock.currentTimeMillis),
      Effect.provideService(CurrentStopping, stop),
      Effect.forkChild
    )
    if (stopAt !== undefined) {
      yield* TestClock.adjust(stopAt)
      stop.stop("SIGTERM")
    }
    // in small steps, so that policies get on between them
    yield* Effect.forEach(Array.from({ length: 60 }), () => TestClock.adjust("1 second"), { discard: true })
    const ended = yield* Fiber.join(fiber)
    assert.match((yield* TestConsole.logLines).join("\n"), /1 alert did not arrive/)
    return Math.round((ended - began) / 1000)
  })

it.effect("a signal brings forward when a closing mailbox must be empty", () =>
  Effect.gen(function*() {
    const slack = Slack.layer({ webhookUrl })
    // the channel tries an alert four times, ten seconds each
    assert.ok((yield* closing(slack)) > 40)
    assert.equal(yield* closing(slack, "5 seconds"), 35)
    assert.equal(yield* closing(slack, 0), 30)
  }))

it.effect("policies that close leave alerts to the mailbox, which has its whole time", () =>
  Effect.gen(function*() {
    const slack = Slack.layer({ webhookUrl, drain: "30 seconds" }).pipe(
      digest({ window: "1 hour" }),
      quietHours({ from: "00:00", to: "23:59" }),
      throttle({ limit: 1, window: "1 hour" })
    )
    const seconds = yield* closing(slack)
    assert.ok(seconds > 30 && seconds < 34, `${seconds}`)
  }))

it.effect("a channel that asks for days is asked again after an hour, and what waits is told to be lost", () =>
  Effect.gen(function*() {
    let asks = "1000000"
    const client = HttpClient.make((request) =>
      Effect.map(Effect.sleep("1 second"), () =>
        HttpClientResponse.fromWeb(
          request,
          asks === "" ? new Response("ok") : new Response("", { status: 429, headers: { "retry-after": asks } })
        ))
    )
    const slack = Slack.layer({ webhookUrl }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))
    yield* Effect.gen(function*() {
      const alerter = yield* Alerter
      const both = yield* Effect.forkChild(
        Effect.forEach(["first", "second"], (title) => Effect.flip(alerter.post(title)), { concurrency: 2 })
      )
      yield* TestClock.adjust("3 seconds")
      for (const { reason } of yield* Fiber.join(both)) assert.equal(reason._tag, "RateLimited")
      asks = ""
      const third = yield* Effect.forkChild(alerter.post("third"))
      yield* TestClock.adjust("2 hours")
      assert.ok(third.pollUnsafe()?._tag === "Success")
    }).pipe(Effect.provide(slack))
  }))

it.effect("alerts that a channel refuses one after another are logged together, at most every ten seconds", () =>
  Effect.gen(function*() {
    const client = HttpClient.make((request) =>
      Effect.map(
        Effect.sleep("1 second"),
        () => HttpClientResponse.fromWeb(request, new Response("no_service", { status: 403 }))
      )
    )
    const slack = Slack.layer({ webhookUrl, pace: [] }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
    )
    const posts = Alerter.use((alerter) =>
      Effect.forEach(
        Array.from({ length: 35 }),
        (_, i) => Effect.timeoutOption(alerter.post(`step ${i} failed`), "1 millis"),
        { concurrency: "unbounded", discard: true }
      )
    )
    const fiber = yield* Effect.forkChild(Effect.provide(posts, slack))
    yield* Effect.forEach(Array.from({ length: 60 }), () => TestClock.adjust("1 second"), { discard: true })
    yield* Fiber.join(fiber)
    const counts = [...(yield* TestConsole.logLines).join("\n").matchAll(/(\d+) alerts? did not arrive/g)]
      .map(([, count]) => Number(count))
    assert.deepEqual(counts, [1, 10, 10, 10, 4])
  }))

it.live("of a storm of different alerts, each is delivered or counted by one that is, within seconds", () =>
  Effect.gen(function*() {
    const bodies: Array<string> = []
    const client = HttpClient.make((request) =>
      Effect.sync(() => {
        if (request.body._tag === "Uint8Array") bodies.push(new TextDecoder().decode(request.body.body))
        return HttpClientResponse.fromWeb(request, new Response("ok"))
      })
    )
    const slack = Slack.layer({ webhookUrl, pace: [] }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
    )
    yield* Alerter.use((alerter) =>
      Effect.forEach(Array.from({ length: 5_000 }), (_, i) => alerter.post(`step ${i} failed`), {
        concurrency: "unbounded",
        discard: true
      })
    ).pipe(Effect.provide(slack))
    const list = /(\d+) alerts: [^`]*?, and ([\d,]+) more/
    const counts = bodies.map((body) => {
      const [, listed, more = ""] = list.exec(body) ?? []
      return listed === undefined ? 1 : Number(listed) + Number(more.replace(",", ""))
    })
    assert.equal(counts.reduce((sum, count) => sum + count, 0), 5_000)
  }))

it.effect("alerts that are still on their way are logged once for a hook and a run, with their number", () =>
  Effect.gen(function*() {
    const client = HttpClient.make(() => Effect.never)
    const slack = Slack.layer({ webhookUrl }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))
    const fiber = yield* Effect.forkChild(Effect.provide(failingSteps(50), slack))
    yield* TestClock.adjust("10 minutes")
    yield* Fiber.join(fiber)
    const lines = (yield* TestConsole.logLines).map(String).filter((line) => line.includes("on its way"))
    assert.equal(lines.length, 2)
    assert.match(lines[0]!, /the alert of hook "AlerterHooks.failure" of "step-\d+" is still on its way/)
    assert.match(lines[1]!, /the alert of hook "AlerterHooks.failure" was still on its way 49 more times in this run/)
  }))

it.effect("failures of one hook are logged ten times in a run, and then their number", () =>
  Effect.gen(function*() {
    const events: Array<string> = []
    yield* failingSteps(50).pipe(
      Effect.provide(Alerter.layer(() => Effect.fail("no such webhook"))),
      Effect.provideService(RunEvent.Observers, [({ _tag }) => void events.push(_tag)])
    )
    const lines = (yield* TestConsole.logLines).map(String).filter((line) => line.includes("AlerterHooks.failure"))
    assert.equal(events.filter((tag) => tag === "HookFailed").length, 50)
    assert.equal(lines.length, 11)
    assert.match(lines[10]!, /hook "AlerterHooks.failure" \(failure\) failed 40 more times in this run/)
  }))

it.effect("a failure whose alert arrived after the hook's time is known to recovered", () =>
  Effect.gen(function*() {
    const bodies: Array<string> = []
    const client = HttpClient.make((request) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        if (now >= 35_000 && request.body._tag === "Uint8Array") {
          bodies.push(new TextDecoder().decode(request.body.body))
        }
        return HttpClientResponse.fromWeb(request, yield* now < 35_000 ? refused(35) : ok)
      })
    )
    const slack = Slack.layer({ webhookUrl }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, client)),
      recovered()
    )
    const step = (body: Effect.Effect<unknown, string>) =>
      Effect.exit(Step.make("load", body).pipe(Step.key("a"), Step.hooks(AlerterHooks.all)))
    const fiber = yield* step(Effect.fail("disk full")).pipe(
      Effect.andThen(Effect.sleep("1 minute")),
      Effect.andThen(step(Effect.void)),
      Effect.provide(slack),
      Effect.forkChild
    )
    yield* TestClock.adjust("5 minutes")
    yield* Fiber.join(fiber)
    assert.equal(bodies.length, 2)
    assert.match(bodies[1]!, /recovered/)
  }))

// -----------------------------------------------------------------------------
// fallback
// -----------------------------------------------------------------------------

/** A second channel, which records the titles of its alerts. */
const second = () => {
  const titles: Array<string> = []
  return { titles, layer: Alerter.layer(({ title }) => Effect.sync(() => titles.push(title))) }
}

it.effect("an alert that fallback sends elsewhere is taken out of the mailbox, and arrives once", () =>
  Effect.gen(function*() {
    const { layer, titles } = second()
    const { taken } = yield* run(
      (_, now) => now < 35_000 ? refused(35) : ok,
      AlerterHooks.failure,
      fallback(layer, { after: "15 seconds" })
    )
    assert.deepEqual([taken, titles], [[], ["nightly › load failed"]])
  }))

it.effect("an alert that its channel loses after the hook's time reaches the second channel", () =>
  Effect.gen(function*() {
    const { layer, titles } = second()
    const { events, taken } = yield* run(
      () => Effect.never,
      AlerterHooks.failure,
      fallback(layer, { after: "1 minute" })
    )
    assert.deepEqual([taken, titles, events.includes("HookFailed")], [[], ["nightly › load failed"], false])
  }))

it.effect("fallback leaves the alerts of a storm to a channel that takes them at its pace", () =>
  Effect.gen(function*() {
    const { layer, titles } = second()
    let taken = 0
    const client = HttpClient.make((request) =>
      Effect.sync(() => {
        taken++
        return HttpClientResponse.fromWeb(request, new Response("ok"))
      })
    )
    const slack = Slack.layer({ webhookUrl, pace: [{ count: 1, per: "1 second" }] }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, client)),
      fallback(layer, { after: "15 seconds" })
    )
    const fiber = yield* Effect.forkChild(Effect.provide(failingSteps(40), slack))
    yield* TestClock.adjust("5 minutes")
    yield* Fiber.join(fiber)
    assert.deepEqual([taken, titles], [40, []])
  }))

// -----------------------------------------------------------------------------
// metrics
// -----------------------------------------------------------------------------

it.effect("metrics count the alerts that wait, that were folded and that were lost", () =>
  Effect.gen(function*() {
    const values = Effect.map(Metric.snapshot, (all) =>
      Object.fromEntries(
        all.filter(({ id }) => /waiting|folded|lost/.test(id)).map(({ id, state }) => [
          id,
          // the casts: these are a gauge and two counters
          "value" in state ? state.value : (state as { readonly count: number }).count
        ])
      ))
    const layer = Slack.layer({ webhookUrl, pace: [{ count: 1, per: "1 second" }], capacity: 2, drain: 0 }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, HttpClient.make(() => Effect.never)))
    )
    const during = yield* Effect.gen(function*() {
      const { post } = yield* Alerter
      for (let i = 0; i < 5; i++) {
        const fiber = yield* Effect.forkDetach(post(Alert.make({ title: "x", severity: "error" })), {
          startImmediately: true
        })
        fiber.interruptUnsafe()
      }
      return yield* values
    }).pipe(Effect.provide(layer))
    assert.deepEqual(during, { epilogue_alerts_waiting: 5, epilogue_alerts_folded_total: 2 })
    assert.deepEqual(yield* values, {
      epilogue_alerts_waiting: 0,
      epilogue_alerts_folded_total: 2,
      epilogue_alerts_lost_total: 5
    })
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
