/** Tests the events that tell what became of the alerts of a run: at each channel and policy, and after the run's end. */
import { Cause, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterErrorReason } from "../src/Alerter.ts"
import * as Delivery from "../src/delivery/index.ts"
import { Alert, Alerter, AlerterError, AlerterHooks, Hook, Pipeline, RunEvent, Spans, Step } from "../src/index.ts"
import * as Guard from "../src/internal/model/guard.ts"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

const works = (channel: string) => Alerter.layer(() => Effect.void, { channel })
const refuses = (channel: string, detail: string) =>
  Alerter.layer(
    () => Effect.fail(new AlerterError({ channel, reason: AlerterErrorReason.Rejected({ status: 503, detail }) })),
    { channel }
  )

/** Runs a pipeline until its end, and lists its alerts, then closes the alerter and lists them again. */
const alertsOf = <A, E>(
  pipeline: Effect.Effect<A, E, Alerter>,
  alerter: Layer.Layer<Alerter>,
  during: Effect.Effect<unknown> = Effect.void
) =>
  Effect.gen(function*() {
    const events: Array<RunEvent.RunEvent> = []
    const run = pipeline.pipe(
      Effect.exit,
      Effect.andThen(Effect.sync(() => events.length)),
      Effect.provide(alerter),
      Effect.provide(RunEvent.layer((event) => void events.push(event)))
    )
    const fiber = yield* Effect.forkChild(run)
    yield* during
    const ended = yield* Fiber.join(fiber)
    const posted = (from: number, to: number) => events.slice(from, to).filter((event) => event._tag === "AlertPosted")
    return { all: posted(0, Infinity), during: posted(0, ended), after: posted(ended, Infinity) }
  })

const short = ({ by, reason, result, step, title }: RunEvent.AlertPosted): string =>
  `${step?.stepLabels.join("/") ?? "run"}: "${title}" ${result} by ${by}${reason === undefined ? "" : `: ${reason}`}`

const failing = Pipeline.make(
  "nightly",
  Step.make("load", Effect.fail("disk full")).pipe(Step.hooks(AlerterHooks.failure))
)

const title = `"nightly › load failed"`

it.effect("an alert of a hook is told with its step, its severity, the channel and the times", () =>
  Effect.gen(function*() {
    const slow = Alerter.layer(() => Effect.sleep("3 seconds"), { channel: "pigeon" })
    const { all } = yield* alertsOf(failing, slow, TestClock.adjust("1 minute"))
    assert.deepEqual(all.map(short), [`load: ${title} delivered by pigeon`])
    const { at, pipelineName, postedAt, previous, severity } = all[0]!
    assert.deepEqual([pipelineName, severity, previous], ["nightly", "error", undefined])
    assert.equal(at.epochMilliseconds - postedAt.epochMilliseconds, 3000)
  }))

it.effect("an alert that goes to three channels is told once for each of them", () =>
  Effect.gen(function*() {
    const alerter = Delivery.fanOut([
      works("a"),
      refuses("b", "see https://hooks.example.com/T0/secret"),
      works("c").pipe(Delivery.recovered())
    ])
    const { all } = yield* alertsOf(failing, alerter)
    assert.deepEqual(all.map(short).toSorted(), [
      `load: ${title} delivered by a`,
      `load: ${title} delivered by c`,
      `load: ${title} failed by b: the alert was rejected (503): see <url>`
    ])
    assert.equal(new Set(all.map(({ deliveryId }) => deliveryId)).size, 3)
  }))

it.effect("an alert that a body posts belongs to its step, or to the run", () =>
  Effect.gen(function*() {
    const say = (title: string) => Alerter.use((alerter) => alerter.post(title))
    const inner = Step.make("inner", say("from a step")).pipe(Step.key(7))
    const { all } = yield* alertsOf(
      Pipeline.make("nightly", Effect.andThen(say("from the run"), Step.make("outer", inner))),
      works("a")
    )
    assert.deepEqual(all.map(short), [
      `run: "from the run" delivered by a`,
      `outer/inner[7]: "from a step" delivered by a`
    ])
    assert.equal(all[1]!.severity, "info")
  }))

it.effect("an alerter that passes an alert on to another one leaves it to that to tell", () =>
  Effect.gen(function*() {
    const inner = yield* Effect.provide(Alerter, works("inner"))
    const { all } = yield* alertsOf(failing, Alerter.layer((alert) => inner.post(alert), { channel: "outer" }))
    assert.deepEqual(all.map(short), [`load: ${title} delivered by inner`])
  }))

it.effect("an alerter of the user's own is told as the alerter", () =>
  Effect.gen(function*() {
    const own = Layer.succeed(Alerter, { post: () => Effect.void })
    assert.deepEqual((yield* alertsOf(failing, own)).all.map(short), [`load: ${title} delivered by alerter`])
    const broken = Layer.succeed(Alerter, { post: () => Effect.die(new Error("no socket")) })
    assert.deepEqual((yield* alertsOf(failing, broken)).all.map(short), [
      `load: ${title} failed by alerter: the alert was rejected: no socket`
    ])
  }))

it.effect("of a fallback, both the channel that failed and the one that took its place are told", () =>
  Effect.gen(function*() {
    const { all } = yield* alertsOf(failing, refuses("first", "no").pipe(Delivery.fallback(works("second"))))
    assert.deepEqual(all.map(short), [
      `load: ${title} failed by first: the alert was rejected (503): no`,
      `load: ${title} delivered by second`
    ])
  }))

it.effect("an alert that a fallback takes out of a mailbox has failed there", () =>
  Effect.gen(function*() {
    const hanging = Alerter.layer(() => Effect.never).pipe(Delivery.mailbox({ channel: "first" }))
    const { during } = yield* alertsOf(
      failing,
      hanging.pipe(Delivery.fallback(works("second"), { after: "5 seconds" })),
      TestClock.adjust("1 minute")
    )
    assert.deepEqual(during.map(short), [
      `load: ${title} failed by first: no answer in time`,
      `load: ${title} delivered by second`
    ])
  }))

it.effect("policies tell what they drop and hold, and nothing is told of quiet alerts", () =>
  Effect.gen(function*() {
    const drops = yield* alertsOf(failing, works("a").pipe(Delivery.minSeverity("critical")))
    assert.deepEqual(drops.all.map(short), [`load: ${title} dropped by minSeverity`])
    assert.deepEqual((yield* alertsOf(failing, Alerter.layerNone)).all.map(short), [`load: ${title} dropped by none`])
    const twice = Pipeline.make("nightly", Effect.andThen(Effect.exit(failing), failing))
    const deduped = yield* alertsOf(twice, works("a").pipe(Delivery.dedupe({ window: "1 hour" })))
    assert.deepEqual(deduped.all.map(short), [
      `load: ${title} delivered by a`,
      `load: ${title} held by dedupe`
    ])
    const well = Step.make("load", Effect.void).pipe(Step.hooks(AlerterHooks.success))
    const quiet = yield* alertsOf(well, works("a").pipe(Delivery.minSeverity("warning"), Delivery.recovered()))
    assert.deepEqual(quiet.all.map(short), [`load: "load succeeded" dropped by minSeverity`])
  }))

it.effect("what becomes of an alert that a policy holds is told after the end of the run", () =>
  Effect.gen(function*() {
    for (const [channel, result] of [[works("a"), "delivered"], [refuses("a", "no"), "failed"]] as const) {
      const { after, during } = yield* alertsOf(failing, channel.pipe(Delivery.digest({ window: "1 hour" })))
      assert.deepEqual(during.map(short), [`load: ${title} held by digest`])
      assert.deepEqual(after.map(({ by, previous, result }) => [by, previous, result]), [["digest", "held", result]])
      assert.equal(after[0]!.deliveryId, during[0]!.deliveryId)
    }
  }))

it.effect("a channel that tries again tells the first reason, and then how it ended, as one delivery", () =>
  Effect.gen(function*() {
    let attempts = 0
    const limited = Alerter.layer(() =>
      ++attempts < 4
        ? Effect.fail(new AlerterError({ channel: "a", reason: AlerterErrorReason.RateLimited({}) }))
        : Effect.void
    ).pipe(Delivery.mailbox({ channel: "a" }))
    const { during } = yield* alertsOf(failing, limited, TestClock.adjust("5 minutes"))
    assert.deepEqual(during.map(short), [
      `load: ${title} waiting by a: too many alerts`,
      `load: ${title} delivered by a`
    ])
    assert.equal(attempts, 4)
    assert.equal(during[1]!.deliveryId, during[0]!.deliveryId)
  }))

it.effect("an alert that is delivered after the time limit of its hook, and after the run, is told then", () =>
  Effect.gen(function*() {
    const hasty = Pipeline.make(
      "nightly",
      Step.make("load", Effect.fail("disk full")).pipe(
        Step.hooks(AlerterHooks.failure.pipe(Hook.timeout("1 second")))
      )
    )
    const slow = Alerter.layer(() => Effect.sleep("20 seconds")).pipe(Delivery.mailbox({ channel: "a" }))
    const { after, during } = yield* alertsOf(hasty, slow, TestClock.adjust("1 minute"))
    assert.deepEqual(during.map(short), [`load: ${title} waiting by a`])
    assert.deepEqual(after.map(short), [`load: ${title} delivered by a`])
    const never = Alerter.layer(() => Effect.never).pipe(Delivery.mailbox({ channel: "a", drain: "2 seconds" }))
    const lost = yield* alertsOf(hasty, never, TestClock.adjust("1 minute"))
    assert.deepEqual(lost.after.map(short), [`load: ${title} failed by a: no answer within 2 s`])
  }))

it.effect("an alert that waits for its turn in a mailbox is told as waiting", () =>
  Effect.gen(function*() {
    const say = (title: string) => Alerter.use((alerter) => alerter.post(title))
    const paced = works("a").pipe(Delivery.mailbox({ channel: "a", pace: [{ count: 1, per: "1 minute" }] }))
    const { during } = yield* alertsOf(
      Pipeline.make("nightly", Effect.andThen(say("one"), say("two"))),
      paced,
      TestClock.adjust("5 minutes")
    )
    assert.deepEqual(during.map(short), [
      `run: "one" delivered by a`,
      `run: "two" waiting by a`,
      `run: "two" delivered by a`
    ])
  }))

it.effect("no alert is told as delivered where the one into which a mailbox has folded thousands is lost", () =>
  Effect.gen(function*() {
    const paced = refuses("a", "no").pipe(
      Delivery.mailbox({ channel: "a", pace: [{ count: 1, per: "1 hour" }], capacity: 1, drain: "2 days" })
    )
    const say = (_: unknown, i: number) =>
      Alerter.use((alerter) => Effect.ignore(alerter.post(Alert.make({ title: `no ${i}`, dedupeKey: "load" }))))
    // posts that nobody waits for any more are counted, beyond a thousand of one subject
    const storm = Effect.forEach(Array.from({ length: 2_500 }), (one, i) => Effect.timeoutOption(say(one, i), 1_000), {
      concurrency: 100,
      discard: true
    })
    const { all } = yield* alertsOf(Pipeline.make("nightly", storm), paced, TestClock.adjust("1 day"))
    const last = new Map(all.map((event) => [event.deliveryId, event]))
    const fates = [...last.values()].map(({ reason, result }) => `${result}: ${reason}`)
    const failed = fates.filter((fate) => fate === "failed: the alert was rejected (503): no").length
    const held = fates.filter((fate) =>
      fate === "held: another alert counts it, and more than a thousand others"
    ).length
    assert.deepEqual([failed + held, failed > 1_000, held > 1_000], [2_500, true, true])
  }))

it.effect("an interrupted post has failed", () =>
  Effect.gen(function*() {
    const hasty = Step.make("load", Effect.fail("disk full")).pipe(
      Step.hooks(AlerterHooks.failure.pipe(Hook.timeout("1 second")))
    )
    const hanging = Alerter.layer(() => Effect.never, { channel: "a" })
    const { all } = yield* alertsOf(hasty, hanging, TestClock.adjust("1 minute"))
    assert.deepEqual(all.map(short), [`load: "load failed" failed by a: it was interrupted before it was delivered`])
  }))

it.effect("secrets are in neither the title nor the reason, both of which are bounded", () =>
  Effect.gen(function*() {
    const secret = "hunter2hunter2"
    const leaky = Alerter.layer(() => Effect.fail(new Error(`${secret} ${"x".repeat(1000)}`)), { channel: "a" })
    const body = Alerter.use((alerter) => alerter.post(Alert.make({ title: `no ${secret}\n${"y".repeat(1000)}` })))
    const { all } = yield* Guard.provide(
      alertsOf(Step.make("load", body), leaky),
      Guard.make([secret])
    )
    assert.deepEqual(all.map(({ result }) => result), ["failed"])
    const { reason = "", title } = all[0]!
    assert.deepEqual([title.length, reason.length], [200, 300])
    assert.ok(!`${title}${reason}`.includes("hunter2"))
    assert.ok(title.startsWith("no ") && title.endsWith("y…"))
  }))

it.effect("a step that an alerter runs tells its own alerts as its own", () =>
  Effect.gen(function*() {
    const inner = yield* Effect.provide(Alerter, works("inner"))
    const posting = (alert: Alert) =>
      Step.make("page", Effect.fail("no")).pipe(
        Step.hooks(AlerterHooks.failure),
        Effect.provideService(Alerter, inner),
        Effect.catchCause((cause) => Effect.die(Cause.squash(cause))),
        Effect.annotateLogs("alert", alert.title)
      )
    const { all } = yield* alertsOf(failing, Alerter.layer(posting, { channel: "outer" }))
    assert.deepEqual(all.map(({ by, step }) => [step?.stepName, by]), [["page", "inner"]])
  }))

it.effect("an alert that is posted in a span that is a step belongs to that step", () =>
  Effect.gen(function*() {
    const body = Effect.withSpan(Alerter.use((alerter) => alerter.post("hello")), "inner")
    const { all } = yield* alertsOf(
      Pipeline.make("nightly", Step.make("outer", body)).pipe(Effect.provide(Spans.layer({ steps: "inner" }))),
      works("a")
    )
    assert.deepEqual(all.map(short), [`outer/inner: "hello" delivered by a`])
  }))
