/** Tests what is told of steps and runs that are still running at a limit. */
import { Clock, Context, DateTime, Duration, Effect, Exit, Fiber, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, Step, StepContext } from "../src/index.ts"
import { TestHook } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { brief, calls, events, logs } from "./support/observe.ts"
import { minutes, runFor } from "./support/runFor.ts"
import { memoryTracer } from "./support/spans.ts"

const it = makeIt(test)

const minute = 60_000
const hour = 60 * minute

/** Notes when a hook runs, in minutes. */
const told =
  (seen: ReturnType<typeof calls>, name: string, and: Effect.Effect<unknown, unknown> = Effect.void) =>
  ({ elapsed, times }: Hook.Overdue) => Effect.andThen(seen.note(`${name} ${minutes(elapsed)} (${times})`), and)

// -----------------------------------------------------------------------------
// limits
// -----------------------------------------------------------------------------

it.effect("an overdue hook runs after its time and then at its interval, until the step ends", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make("load", Effect.sleep("3 hours")).pipe(
      Step.onOverdue("10 minutes", told(seen, "again"), { every: "1 hour" }),
      Step.onOverdue("2 hours", told(seen, "once")),
      Step.onSuccess(() => seen.note("success"))
    )
    assert.ok(Exit.isSuccess((yield* runFor("5 hours", step))!))
    assert.deepEqual(seen.list, ["again 10 (1)", "again 70 (2)", "once 120 (1)", "again 130 (3)", "success"])
  }))

it.effect("a step that ends in time runs no overdue hook, and neither does a limit of Infinity", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make("load", Effect.sleep("9 minutes")).pipe(
      Step.onOverdue("10 minutes", told(seen, "late")),
      Step.onOverdue(Infinity, told(seen, "never"))
    )
    yield* runFor("1 hour", Pipeline.make("p", step))
    assert.deepEqual(seen.list, [])
  }))

it.effect("an overdue hook gets what it is about, and the context of its step", () =>
  Effect.gen(function*() {
    const got: Array<readonly [Hook.Overdue, string]> = []
    yield* TestClock.setTime(hour)
    const page = Step.make("page", Effect.sleep("1 hour")).pipe(
      Step.key(7),
      Step.onOverdue((overdue) => StepContext.use(({ runName }) => Effect.sync(() => got.push([overdue, runName])))),
      Step.overdue("10 minutes", { every: "40 minutes" })
    )
    yield* runFor("2 hours", Pipeline.make("p", Step.make("pull", page)).pipe(Pipeline.runName("night")))
    const about = {
      limit: Duration.minutes(10),
      every: Duration.minutes(40),
      deadline: undefined,
      startedAt: DateTime.makeUnsafe(hour),
      attempt: 1,
      stepName: "page",
      stepKey: "7",
      stepPath: ["pull", "page"],
      stepLabels: ["pull", "page[7]"]
    }
    assert.deepEqual(got, [
      [{ elapsed: Duration.minutes(10), times: 1, ...about }, "night"],
      [{ elapsed: Duration.minutes(50), times: 2, ...about }, "night"]
    ])
  }))

it.effect("the time counts all attempts, and neither start hooks nor the wait before the body", () =>
  Effect.gen(function*() {
    const seen = calls()
    let n = 0
    const body = Effect.suspend(() =>
      Effect.andThen(Effect.sleep("6 minutes"), n++ < 2 ? Effect.fail("no") : Effect.void)
    )
    const step = Step.make("load", body).pipe(
      Step.retry({ times: 3 }),
      Step.onStart(Effect.sleep("20 seconds")),
      Step.onOverdue("10 minutes", ({ attempt, elapsed }) => seen.note(`attempt ${attempt}, ${minutes(elapsed)}`))
    )
    yield* runFor("10 minutes", step)
    assert.deepEqual(seen.list, [])
    yield* TestClock.adjust("10 minutes")
    assert.deepEqual(seen.list, ["attempt 2, 10"])
  }))

it.effect("after a time in which nothing could run, a hook runs once, and then in time", () =>
  Effect.gen(function*() {
    const seen = calls()
    const late = Step.make("load", Effect.sleep("10 hours")).pipe(
      Step.onOverdue("10 minutes", told(seen, "late"), { every: "1 hour" })
    )
    const frozen = yield* frozenClock
    const fiber = yield* Effect.forkDetach(Effect.provideService(late, Clock.Clock, frozen.clock), {
      startImmediately: true
    })
    // the process is stopped for five hours: timers fire when it goes on
    yield* frozen.skip(5 * hour)
    assert.deepEqual(seen.list, ["late 300 (1)"])
    yield* frozen.skip(10 * minute)
    assert.deepEqual(seen.list, ["late 300 (1)", "late 310 (2)"])
    yield* Fiber.interrupt(fiber)
  }))

/** Makes a clock that skips time, as after a stop of the process: what is due fires only at the end. */
const frozenClock = Effect.sync(() => {
  let now = 0
  let sleeps: Array<{ readonly until: number; readonly wake: () => void }> = []
  const sleep = (duration: Duration.Duration) =>
    Effect.callback<void>((resume) => {
      const entry = { until: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
      sleeps.push(entry)
      return Effect.sync(() => {
        sleeps = sleeps.filter((other) => other !== entry)
      })
    })
  const nanos = () => BigInt(now) * 1_000_000n
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => now,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep
  }
  const skip = (millis: number) =>
    Effect.gen(function*() {
      now += millis
      const due = sleeps.filter(({ until }) => until <= now)
      sleeps = sleeps.filter(({ until }) => until > now)
      for (const { wake } of due) wake()
      yield* TestClock.adjust(1)
    })
  return { clock, skip }
})

it.effect("limits of the run and of a thousand steps side by side are told on one fiber", () =>
  Effect.gen(function*() {
    const seen = calls()
    let sleeping = 0
    const clock = yield* Clock.clockWith(Effect.succeed)
    const counting: Clock.Clock = Object.assign(Object.create(clock), {
      sleep: (duration: Duration.Duration) =>
        Effect.suspend(() => {
          sleeping++
          return Effect.ensuring(clock.sleep(duration), Effect.sync(() => sleeping--))
        })
    })
    const never = Step.make("s", Effect.never).pipe(Step.onOverdue("1 minute", () => seen.note("late")))
    const all = Effect.all(Array.from({ length: 1_000 }, () => never), { concurrency: "unbounded" })
    const fiber = yield* Effect.forkDetach(
      Pipeline.make("p", all).pipe(
        Pipeline.onOverdue("30 seconds", () => seen.note("run")),
        Effect.provideService(Clock.Clock, counting)
      ),
      { startImmediately: true }
    )
    yield* TestClock.adjust(1)
    assert.equal(sleeping, 1)
    yield* TestClock.adjust("2 minutes")
    assert.equal(seen.list.length, 1_001)
    assert.equal(seen.list[0], "run")
    yield* Fiber.interrupt(fiber)
    assert.equal(sleeping, 0)
  }))

// -----------------------------------------------------------------------------
// hooks
// -----------------------------------------------------------------------------

it.effect("a step's overdue hooks stand in for the pipeline's, also where their limits differ", () =>
  Effect.gen(function*() {
    const seen = calls()
    const body = Effect.sleep("3 hours")
    const ofPipeline = Hook.onOverdue("1 hour", told(seen, "pipeline"))
    const run = (step: Effect.Effect<unknown>) =>
      Effect.gen(function*() {
        seen.list.length = 0
        yield* runFor("4 hours", Pipeline.make("p", step).pipe(Pipeline.stepHooks(ofPipeline)))
        return seen.list.slice()
      })
    const own = Step.make("s", body).pipe(Step.onOverdue("2 hours", told(seen, "own")))
    assert.deepEqual(yield* run(Step.make("s", body)), ["pipeline 60 (1)"])
    assert.deepEqual(yield* run(own), ["own 120 (1)"])
    assert.deepEqual(yield* run(Step.inherit(own, "append", "overdue")), ["pipeline 60 (1)", "own 120 (1)"])
    assert.deepEqual(yield* run(Step.inherit(Step.make("s", body), "off", "overdue")), [])
    // a hook with nothing to do leaves its place
    const idle = Step.hooks(Step.make("s", body), Hook.onOverdue(told(seen, "idle")))
    assert.deepEqual(yield* run(idle), ["pipeline 60 (1)"])
    assert.deepEqual(yield* run(Step.overdue(idle, "90 minutes")), ["idle 90 (1)"])
    const never = Step.hooks(Step.make("s", body), Hook.when(Hook.onOverdue("1 hour", told(seen, "own")), () => false))
    assert.deepEqual(yield* run(never), ["pipeline 60 (1)"])
  }))

it.effect("Hooks.explain shows an overdue hook that has a limit, and none that has nothing to do", () =>
  Effect.sync(() => {
    const hook = Hook.named(Hook.onOverdue(() => Effect.void), "nudge")
    const kindsOf = (step: Step.Step<unknown, unknown, unknown>) => Hooks.explain(step).map(({ kind }) => kind)
    const step = Step.make("s", Effect.void).pipe(Step.hooks(hook), Step.onStart(Effect.void))
    assert.deepEqual(kindsOf(step), ["start"])
    assert.deepEqual(kindsOf(Step.overdue(step, "1 minute")), ["start", "overdue"])
  }))

for (
  const [end, body] of [["success", Effect.void], ["failure", Effect.fail("no")], [
    "interrupt",
    Effect.interrupt
  ]] as const
) {
  it.effect(`the hooks of a ${end} wait until the overdue hook has ended, and the step's time does not count that`, () =>
    Effect.gen(function*() {
      const [seen, emitted] = [calls(), events()]
      const step = Step.make("s", Effect.andThen(Effect.sleep("61 seconds"), body)).pipe(
        Step.onOverdue("1 minute", () => Effect.andThen(Effect.sleep("10 seconds"), seen.note("overdue"))),
        Step.onExit(() => Effect.flatMap(StepContext.elapsed, (took) => seen.note(`exit ${Duration.toMillis(took)}`)))
      )
      const run = yield* runFor("2 minutes", Effect.provide(Pipeline.make("p", step), emitted.layer))
      assert.equal(run?._tag, end === "success" ? "Success" : "Failure")
      assert.deepEqual(seen.list, ["overdue", "exit 61000"])
      const ended = emitted.list.find((event) => event._tag === "StepEnded")
      assert.deepEqual(ended?._tag === "StepEnded" && [ended.outcome, Duration.toMillis(ended.duration)], [end, 61_000])
    }))
}

it.effect("an overdue hook that hangs ends at its time limit, and then the step does", () =>
  Effect.gen(function*() {
    const [seen, log] = [calls(), logs()]
    const step = Step.make("s", Effect.sleep("61 seconds")).pipe(
      Step.onOverdue("1 minute", () => Effect.never),
      Step.onSuccess(() => seen.note("success")),
      Effect.provide(log.layer)
    )
    const fiber = yield* Effect.forkDetach(step, { startImmediately: true })
    yield* TestClock.adjust("89 seconds")
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 second")
    assert.ok(Exit.isSuccess(fiber.pollUnsafe()!))
    assert.deepEqual(seen.list, ["success"])
    assert.deepEqual(log.list.map(({ message }) => message), ["hook \"onOverdue\" (overdue) of \"s\" failed"])
  }))

it.effect("a hook that is still running when its time comes again is not called for that time", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make("s", Effect.sleep("10 minutes")).pipe(
      Step.hooks(
        Hook.onOverdue("1 minute", told(seen, "slow", Effect.sleep("150 seconds")), { every: "1 minute" }).pipe(
          Hook.timeout("5 minutes")
        )
      )
    )
    yield* runFor("20 minutes", step)
    assert.deepEqual(seen.list, ["slow 1 (1)", "slow 4 (2)", "slow 7 (3)"])
  }))

it.effect("an overdue hook has services, a time limit and retries of its own, and its failure is told as others are", () =>
  Effect.gen(function*() {
    class Mail
      extends Context.Service<Mail, { readonly send: (text: string) => Effect.Effect<void, string> }>()("Mail")
    {}
    const [seen, emitted] = [calls(), events()]
    let n = 0
    const mail = Layer.succeed(Mail, {
      send: (text) =>
        Effect.andThen(seen.note(text), Effect.suspend(() => n++ === 0 ? Effect.fail("busy") : Effect.void))
    })
    const hook = Hook.onOverdue("1 minute", () => Mail.use(({ send }) => send("late"))).pipe(Hook.retry({ times: 1 }))
    const bad = Hook.onOverdue("1 minute", () => Effect.fail("no")).pipe(Hook.named("bad"))
    const step = Step.make("s", Effect.sleep("2 minutes")).pipe(Step.hooks(hook), Step.hooks(bad))
    const exit = yield* runFor("3 minutes", step.pipe(Effect.provide([mail, emitted.layer, logs().layer])))
    assert.ok(Exit.isSuccess(exit!))
    assert.deepEqual(seen.list, ["late", "late"])
    assert.deepEqual(emitted.list.map(brief), [
      "RunStarted s",
      "StepStarted s",
      "StepOverdue s 1",
      "HookEnded onOverdue",
      "HookFailed bad",
      "StepEnded s success",
      "RunEnded s success"
    ])
    const last = emitted.list.at(-1)
    assert.equal(last?._tag === "RunEnded" && last.hookFailures, 1)
  }))

it.effect("observers are told of a limit without hooks", () =>
  Effect.gen(function*() {
    const emitted = events()
    const step = Step.make("s", Effect.sleep("1 hour")).pipe(Step.overdue("10 minutes", { every: "20 minutes" }))
    const run = Pipeline.make("p", step).pipe(Pipeline.overdue("15 minutes"), Effect.provide(emitted.layer))
    yield* runFor("2 hours", run)
    assert.deepEqual(emitted.list.filter(({ _tag }) => _tag.endsWith("Overdue")).map(brief), [
      "StepOverdue s 1",
      "RunOverdue p 1",
      "StepOverdue s 2",
      "StepOverdue s 3"
    ])
  }))

it.effect("a step in an overdue hook belongs to the run, and has none of the pipeline's hooks", () =>
  Effect.gen(function*() {
    const [seen, emitted] = [calls(), events()]
    const check = Step.make("check", Effect.fail("no")).pipe(Step.onFailure(() => seen.note("check failed")))
    const nudge = Hook.onOverdue("1 minute", () => check)
    const run = Pipeline.make("p", Step.make("s", Effect.sleep("90 seconds"))).pipe(
      Pipeline.stepHooks(Hooks.make(nudge, Hook.onFailure(() => seen.note("pipeline")))),
      Effect.provide([emitted.layer, logs().layer])
    )
    yield* runFor("3 minutes", run)
    assert.deepEqual(seen.list, ["check failed"])
    const paths = emitted.list.flatMap((event) => event._tag === "StepStarted" ? [event.stepPath] : [])
    assert.deepEqual(paths, [["s"], ["s", "check"]])
  }))

it.effect("a step that is overdue has an event in its span", () =>
  Effect.gen(function*() {
    const { provide, spans } = memoryTracer()
    const step = Step.make("s", Effect.sleep("2 minutes")).pipe(Step.onOverdue("1 minute", () => Effect.void))
    yield* runFor("3 minutes", Pipeline.make("p", step).pipe(provide))
    assert.deepEqual(spans.map(({ events, name }) => [name, events]), [
      ["p", []],
      ["s", [["overdue", 60_000_000_000n, {
        "epilogue.overdue.elapsed": 60_000,
        "epilogue.overdue.limit": 60_000,
        "epilogue.overdue.times": 1
      }]]],
      ["onOverdue", []]
    ])
    assert.equal(Option.getOrUndefined(spans[2]!.parent)?._tag, "Span")
  }))

it.effect("TestHook runs an overdue hook as if its limit had just been reached", () =>
  Effect.gen(function*() {
    const seen = calls()
    const hook = Hook.onOverdue("10 minutes", (overdue) => told(seen, overdue.stepName)(overdue))
    const result = yield* TestHook.run(hook, Exit.void, { context: { stepName: "load" } })
    assert.deepEqual([result._tag, seen.list], ["Ended", ["load 10 (1)"]])
  }))

// -----------------------------------------------------------------------------
// mistakes
// -----------------------------------------------------------------------------

it.effect("mistakes in limits and deadlines are told all at once, before the body runs", () =>
  Effect.gen(function*() {
    // as from code without types
    const bad = "a while" as "1 minute"
    const hook = Hook.onOverdue(bad, () => Effect.void, { every: 0 })
    const step = Step.make("s", Effect.void).pipe(Step.hooks(hook), Step.overdue(-1, { every: -2 }))
    const required = Step.make("r", Effect.void).pipe(Step.hooks(Hook.required(Hook.onOverdue(1, () => Effect.void))))
    const run = Pipeline.make("p", Effect.void).pipe(
      Pipeline.deadline("25:00", { timeZone: "Mars/Phobos", every: bad })
    )
    const messages: Array<string> = []
    for (const effect of [step, required, run]) {
      const exit = yield* Effect.exit(effect as Effect.Effect<unknown, unknown>)
      assert.ok(Exit.isFailure(exit) && exit.cause.reasons[0]?._tag === "Die")
      messages.push(String(exit.cause.reasons[0].defect))
    }
    assert.deepEqual(messages, [
      "TypeError: Step \"s\": the time after which it is overdue must be a duration that is not negative, such as \"5 seconds\", got -1; " +
      "the interval at which it is told again must be a duration of a millisecond or more, got -2; " +
      "the time after which the step of hook \"onOverdue\" is overdue must be a duration that is not negative, such as \"5 seconds\", got \"a while\"; " +
      "the interval at which the step of hook \"onOverdue\" is told again must be a duration of a millisecond or more, got 0",
      "TypeError: Step \"r\": hook \"onOverdue\" can't be required: its step goes on whatever an overdue hook does",
      "TypeError: Pipeline \"p\": its deadline must be a time of day such as \"06:00\", got \"25:00\"; " +
      "the time zone of its deadline must be one such as \"Europe/Berlin\", got \"Mars/Phobos\"; " +
      "the interval at which its deadline is told again must be a duration of a millisecond or more, got \"a while\""
    ])
  }))
