/** Tests the time limits of steps and runs. */
import { Cause, Deferred, Duration, Effect, Exit, Fiber, Schedule } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hooks, Pipeline, Step, StepContext } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { calls, events, kinds, logs, noting, plain } from "./support/observe.ts"

const it = makeIt(test)

const hung = Effect.scoped(
  Effect.andThen(Effect.acquireRelease(Effect.succeed(1), () => Effect.never), Effect.never)
)

const hooksOf = (seen: ReturnType<typeof calls>, name: string) =>
  Hooks.make(
    ...kinds.filter((kind) => kind !== "start" && kind !== "retry").map((kind) => noting(seen, kind, `${name} ${kind}`))
  )

/** Evaluates an effect for a time, and returns its exit, if it has ended, with its logs. */
const runFor = (effect: Effect.Effect<unknown, unknown>, ...times: ReadonlyArray<number>) =>
  Effect.gen(function*() {
    const log = logs()
    const fiber = yield* Effect.forkDetach(Effect.provide(effect, log.layer), { startImmediately: true })
    const exits: Array<Exit.Exit<unknown, unknown> | undefined> = []
    for (const time of times) {
      yield* TestClock.adjust(time)
      exits.push(fiber.pollUnsafe())
    }
    return {
      exits,
      fiber,
      logged: log.list.map(({ message }) => String(message)),
      causes: log.list.map(({ cause }) => cause)
    }
  })

const messageOf = (exit: Exit.Exit<unknown, unknown> | undefined): string =>
  exit !== undefined && Exit.isFailure(exit) ? (Cause.squash(exit.cause) as Error).message : String(exit?._tag)

for (
  const [what, body] of Object.entries({
    "is uninterruptible": Effect.uninterruptible(Effect.never),
    "has a finalizer that hangs": hung
  })
) {
  it.effect(`a step whose body ${what} fails at the end of the grace, and its hooks run`, () =>
    Effect.gen(function*() {
      const seen = calls()
      const step = Step.make("s", body).pipe(
        Step.timeout("1 second", { grace: "2 seconds" }),
        Step.hooks(hooksOf(seen, "s"))
      )
      const { exits, logged } = yield* runFor(step, 1_000, 1_999, 1)
      assert.deepEqual(exits.map(messageOf), ["undefined", "undefined", "step \"s\" exceeded its time limit of 1 s"])
      assert.deepEqual(seen.list, ["s failure", "s exit"])
      assert.deepEqual(logged, [
        "step \"s\" was interrupted at its time limit, did not stop within 2 s, and was left behind"
      ])
    }))
}

it.effect("the grace is 5 seconds unless set, and may be 0", () =>
  Effect.gen(function*() {
    const stuck = Step.make("s", Effect.uninterruptible(Effect.never)).pipe(Step.key(7))
    const usual = yield* runFor(Step.timeout(stuck, "1 second"), 5_999, 1)
    assert.deepEqual(usual.exits.map(messageOf), ["undefined", "step \"s[7]\" exceeded its time limit of 1 s"])
    const none = yield* runFor(Step.timeout(stuck, "1 second", { grace: 0 }), 1_000)
    assert.equal(messageOf(none.exits[0]), "step \"s[7]\" exceeded its time limit of 1 s")
  }))

it.effect("a body that stops within the grace is awaited, and nothing is logged", () =>
  Effect.gen(function*() {
    const seen = calls()
    const body = Effect.ensuring(Effect.never, Effect.andThen(Effect.sleep(500), seen.note("cleaned up")))
    const step = Step.make("s", body).pipe(Step.timeout("1 second"), Step.onFailure(() => seen.note("failure")))
    const { exits, logged } = yield* runFor(step, 1_499, 1)
    assert.deepEqual(exits.map(messageOf), ["undefined", "step \"s\" exceeded its time limit of 1 s"])
    assert.deepEqual([seen.list, logged], [["cleaned up", "failure"], []])
  }))

it.effect("a body that ends in time ends the step as without a limit", () =>
  Effect.gen(function*() {
    const bodies: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
      Effect.succeed(1),
      Effect.fail("no"),
      Effect.die("bug"),
      Effect.interrupt,
      Effect.failCause(Cause.combine(Cause.fail("no"), Cause.die("bug")))
    ]
    for (const body of bodies) {
      const emitted = events()
      const limited = yield* Effect.exit(Effect.provide(Step.timeout(Step.make("s", body), "1 second"), emitted.layer))
      const outcome = () => emitted.list.flatMap((event) => event._tag === "StepEnded" ? [event.outcome] : []).pop()
      const first = outcome()
      assert.deepEqual(plain(limited), plain(yield* Effect.exit(Effect.provide(Step.make("s", body), emitted.layer))))
      assert.equal(first, outcome())
    }
  }))

it.effect("an interruption of a step with a limit waits for its body, and no longer than the limit and the grace", () =>
  Effect.gen(function*() {
    const step = Step.make("s", Effect.uninterruptible(Effect.never)).pipe(
      Step.timeout("10 seconds", { grace: "1 second" })
    )
    const { fiber } = yield* runFor(step, 4_000)
    fiber.interruptUnsafe()
    yield* TestClock.adjust(6_999)
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust(1)
    const exit = yield* Fiber.await(fiber)
    assert.ok(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
  }))

it.effect("what a finalizer fails with while a body stops is logged at the limit, and is in the cause of an interruption", () =>
  Effect.gen(function*() {
    const broken = Effect.scoped(Effect.andThen(Effect.addFinalizer(() => Effect.die(new Error("lock"))), Effect.never))
    const seen = calls()
    const step = Step.make("s", broken).pipe(Step.timeout("1 second"), Step.hooks(hooksOf(seen, "s")))
    const { causes, exits, logged } = yield* runFor(step, 1_000)
    assert.equal(messageOf(exits[0]), "step \"s\" exceeded its time limit of 1 s")
    assert.deepEqual(logged, ["step \"s\" was interrupted at its time limit, and failed while it stopped"])
    assert.match(Cause.pretty(causes[0]!), /^Error: lock/)
    assert.deepEqual(seen.list.splice(0), ["s failure", "s exit"])
    // the outcome is that of a body without a limit
    for (const own of [step, Step.make("s", broken).pipe(Step.hooks(hooksOf(seen, "s")))]) {
      const { fiber } = yield* runFor(own, 500)
      fiber.interruptUnsafe()
      const exit = yield* Fiber.await(fiber)
      assert.ok(Exit.isFailure(exit))
      assert.deepEqual(exit.cause.reasons.map(({ _tag }) => _tag).toSorted(), ["Die", "Interrupt"])
      assert.deepEqual(seen.list.splice(0), ["s failure", "s exit"])
    }
  }))

it.effect("each attempt has the limit before a retry, and all attempts together after it", () =>
  Effect.gen(function*() {
    const seen = calls()
    const stuck = Step.make("s", Effect.andThen(seen.note("attempt"), Effect.uninterruptible(Effect.never)))
    yield* runFor(stuck.pipe(Step.timeout(1_000, { grace: 0 }), Step.retry({ times: 2 })), 1_000, 1_000, 1_000)
    assert.equal(seen.list.length, 3)
  }))

it.effect("a limit that is over in the delay before an attempt tells of the attempts that began, and no more", () =>
  Effect.gen(function*() {
    const seen = events()
    const numbers: Array<number> = []
    const note = Effect.map(StepContext, ({ attempt }) => void numbers.push(attempt))
    const step = Step.make("s", Effect.andThen(note, Effect.fail("no"))).pipe(
      Step.retry(Schedule.spaced("400 millis")),
      Step.timeout("1 second"),
      Step.onRetry(() => note),
      Step.onFailure(() => note)
    )
    yield* runFor(Effect.provide(step, seen.layer), 1_000)
    assert.deepEqual(numbers, [1, 1, 2, 2, 3, 3, 3])
    assert.deepEqual(seen.list.flatMap((event) => event._tag === "StepEnded" ? [event.attempts] : []), [3])
  }))

it.effect("a failed attempt says so where a limit of the step, or around it, is up before another attempt", () =>
  Effect.gen(function*() {
    const told: Array<unknown> = []
    const seen = events()
    const observed = () =>
      seen.list.flatMap((event) =>
        event._tag === "AttemptFailed" ? [[event.attempt, Duration.toMillis(event.delay), event.isLast]] : []
      )
    const step = Step.make("s", Effect.fail("no")).pipe(
      Step.retry(Schedule.spaced("400 millis")),
      Step.onRetry(({ attempt, delay, isLast }) =>
        Effect.sync(() => void told.push([attempt, Duration.toMillis(delay), isLast]))
      )
    )
    const limited = Step.timeout("1 second")
    const nested = Step.make("inner", Pipeline.make("p", Step.make("i", step)))
    const cases = {
      "its own limit": limited(step),
      "the limit of a step around it": limited(Step.make("outer", step)),
      "the limit of its run": Pipeline.timeout(Pipeline.make("p", step), "1 second"),
      "a limit around the run that it is in": limited(Step.make("outer", nested)),
      "the shorter limit": Step.timeout(limited(Step.make("outer", step)), "1 minute")
    }
    for (const [what, effect] of Object.entries(cases)) {
      told.length = 0
      seen.list.length = 0
      yield* runFor(Effect.provide(effect, seen.layer), 1_000)
      assert.deepEqual(told, [[1, 400, false], [2, 400, false], [3, 200, true]], what)
      assert.deepEqual(observed(), told, what)
    }
    // the limit of each attempt is over, and what runs in a hook goes on after the limit
    const each = Step.make("s", Effect.never).pipe(
      Step.timeout("300 millis"),
      Step.retry(Schedule.spaced("400 millis")),
      Step.timeout("1 second")
    )
    seen.list.length = 0
    yield* runFor(Effect.provide(each, seen.layer), 1_000)
    assert.deepEqual(observed(), [[1, 400, false]])
    const inHook = Step.make("s", Effect.fail("no")).pipe(
      Step.onRetry(() =>
        Step.retry(Step.make("h", Effect.fail("no")), { times: 1, schedule: Schedule.spaced("2 seconds") })
      ),
      Step.retry({ times: 1 }),
      limited
    )
    seen.list.length = 0
    yield* runFor(Effect.provide(inHook, seen.layer), 3_000)
    assert.deepEqual(observed(), [[1, 0, false], [1, 2_000, false]])
  }))

it.effect("a run that exceeds its limit fails, and so its failure hooks run; its steps are interrupted", () =>
  Effect.gen(function*() {
    const [seen, emitted] = [calls(), events()]
    const pipeline = Pipeline.make("p", Step.make("s", Effect.never).pipe(Step.hooks(hooksOf(seen, "s")))).pipe(
      Pipeline.timeout("1 minute"),
      Pipeline.hooks(hooksOf(seen, "run")),
      Effect.provide(emitted.layer)
    )
    const { exits } = yield* runFor(pipeline, 60_000)
    assert.equal(messageOf(exits[0]), "pipeline \"p\" exceeded its time limit of 1 min")
    assert.deepEqual(seen.list, ["s interrupt", "s exit", "run failure", "run exit"])
    const outcomes = emitted.list.flatMap((event) => "outcome" in event ? [[event._tag, event.outcome]] : [])
    assert.deepEqual(outcomes, [["StepEnded", "interrupt"], ["RunEnded", "failure"]])
  }))

it.effect("a run leaves behind a step that does not stop, and fails", () =>
  Effect.gen(function*() {
    const [seen, free] = [calls(), yield* Deferred.make<void>()]
    const pipeline = Pipeline.make("p", Step.make("s", Effect.uninterruptible(Deferred.await(free)))).pipe(
      Pipeline.timeout("1 minute", { grace: "10 seconds" }),
      Pipeline.hooks(hooksOf(seen, "run"))
    )
    const { exits, logged } = yield* runFor(pipeline, 69_999, 1)
    assert.deepEqual(exits.map(messageOf), ["undefined", "pipeline \"p\" exceeded its time limit of 1 min"])
    assert.deepEqual(seen.list, ["run failure", "run exit"])
    assert.deepEqual(logged, [
      "pipeline \"p\" was interrupted at its time limit, did not stop within 10 s, and was left behind"
    ])
    yield* Deferred.succeed(free, undefined)
  }))

it.effect("a limit or a grace that is no duration is a defect", () =>
  Effect.gen(function*() {
    const step = Step.make("s", Effect.void)
    for (
      const [limited, message] of [
        [
          Step.timeout(step, -1),
          "Step \"s\": the time limit of its body must be a duration that is not negative, such as \"5 seconds\", got -1"
        ],
        [Step.timeout(step, 1, { grace: -1 }), "Step \"s\": the time limit of its body's grace must be"],
        [Pipeline.timeout(Pipeline.make("p", step), -1), "Pipeline \"p\": the time limit of its body must be"]
      ] as const
    ) {
      const exit = yield* Effect.exit(limited)
      assert.ok(messageOf(exit).startsWith(message), messageOf(exit))
    }
  }))
