import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, Step, StepContext } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { calls, kinds, noting, plain } from "./support/observe.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number }> {}
class DiskError extends Data.TaggedError("DiskError")<{ readonly path: string }> {}

/** Makes a step with a hook of each kind that records its kind in `seen`. */
const watched = <A, E>(body: Effect.Effect<A, E>) => {
  const seen = calls()
  return {
    seen,
    step: Step.make("watched", body).pipe(Step.hooks(Hooks.make(...kinds.map((k) => noting(seen, k, k)))))
  }
}

// -----------------------------------------------------------------------------
// a step is an Effect
// -----------------------------------------------------------------------------

it.effect("a step is an Effect that can be yielded, combined and retried", () =>
  Effect.gen(function*() {
    const two = Step.make("two", Effect.succeed(2))
    assert.ok(Step.isStep(two) && Effect.isEffect(two))
    assert.equal(Step.isStep(Effect.succeed(2)), false)
    assert.equal(two.name, "two")
    assert.equal(yield* two, 2)
    assert.deepEqual(yield* Effect.all([two, Effect.succeed(3).pipe(Step.named("three"))]), [2, 3])

    const seen = calls()
    const failing = Step.make("failing", Effect.fail("no")).pipe(Step.onFailure(() => seen.note("failure")))
    assert.deepEqual(yield* Effect.exit(Effect.retry(failing, { times: 2 })), Exit.fail("no"))
    // Effect.retry evaluates the step anew, hooks included
    assert.deepEqual(seen.list, ["failure", "failure", "failure"])
  }))

it.effect("each evaluation of a Step.fn runs its function, and its combinators receive the arguments", () =>
  Effect.gen(function*() {
    const seen = calls()
    const half = Step.fn("half")(
      function*(n: number) {
        yield* seen.note(`body ${n}`)
        if (n % 2 !== 0) return yield* Effect.fail(`${n} is odd`)
        return n / 2
      },
      Step.onSuccess((value) => seen.note(`success ${value}`)),
      (step, n) => Step.onFailure(step, () => seen.note(`failure of half(${n})`))
    )
    const four = half(4)
    assert.ok(Step.isStep(four))
    assert.equal(yield* four, 2)
    assert.equal(yield* four, 2)
    assert.equal(yield* Effect.flip(half(3)), "3 is odd")
    assert.deepEqual(seen.list, ["body 4", "success 2", "body 4", "success 2", "body 3", "failure of half(3)"])
    assert.equal(yield* Step.fn("plain")((n: number) => Effect.succeed(n + 1))(1), 2)
  }))

it.effect("combinators return a new step and leave the original unchanged", () =>
  Effect.gen(function*() {
    const seen = calls()
    const bare = Step.make("bare", Effect.succeed(1))
    const hooked = bare.pipe(Step.onSuccess(() => seen.note("success")))
    yield* bare
    assert.deepEqual(seen.list, [])
    yield* hooked
    assert.deepEqual(seen.list, ["success"])
  }))

// -----------------------------------------------------------------------------
// one terminal event
// -----------------------------------------------------------------------------

it.effect("an evaluation runs start hooks, then success, failure or interrupt hooks, then exit hooks", () =>
  Effect.gen(function*() {
    const cases: ReadonlyArray<readonly [Effect.Effect<unknown, string>, string]> = [
      [Effect.succeed(1), "success"],
      [Effect.fail("no"), "failure"],
      [Effect.die("boom"), "failure"],
      [Effect.interrupt, "interrupt"],
      // a cause with a failure or defect beside the interruption is a failure
      [Effect.failCause(Cause.combine(Cause.fail("no"), Cause.interrupt())), "failure"],
      [Effect.failCause(Cause.combine(Cause.die("boom"), Cause.interrupt())), "failure"],
      [Effect.failCause(Cause.empty), "failure"],
      [
        Effect.suspend(() => {
          throw new Error("thrown")
        }),
        "failure"
      ]
    ]
    for (const [body, outcome] of cases) {
      const { seen, step } = watched(body)
      const exit = yield* Effect.exit(step)
      assert.deepEqual(seen.list, ["start", outcome, "exit"])
      assert.deepEqual(plain(exit), plain(yield* Effect.exit(body)))
    }
  }))

it.effect("hooks receive the value, the cause or the exit of the step", () =>
  Effect.gen(function*() {
    const got: Array<unknown> = []
    const keep = (x: unknown) => Effect.sync(() => got.push(x))
    const attach = <A, E>(body: Effect.Effect<A, E>) =>
      Step.make("s", body).pipe(Step.onSuccess(keep), Step.onFailure(keep), Step.onInterrupt(keep), Step.onExit(keep))
    yield* attach(Effect.succeed(42))
    assert.deepEqual(got.splice(0), [42, Exit.succeed(42)])
    yield* Effect.exit(attach(Effect.fail("no")))
    assert.deepEqual(got.splice(0), [Cause.fail("no"), Exit.fail("no")])
    yield* Effect.exit(attach(Effect.interrupt))
    assert.ok(Cause.hasInterruptsOnly(got[0] as Cause.Cause<never>))
    assert.deepEqual(got.length, 2)
  }))

it.effect("hooks of a kind run one after another in the order attached", () =>
  Effect.gen(function*() {
    const seen = calls()
    const slow = (name: string, wait: Duration.Input) => () =>
      Effect.andThen(Effect.andThen(seen.note(`${name} begins`), Effect.sleep(wait)), seen.note(`${name} ends`))
    const step = Step.make("s", Effect.succeed(1)).pipe(
      Step.onExit(() => seen.note("exit")),
      Step.onSuccess(slow("a", "2 seconds")),
      Step.hooks(Hooks.make(Hook.onSuccess(slow("b", "1 second")), Hook.onSuccess(slow("c", 0))))
    )
    const fiber = yield* Effect.forkChild(step)
    yield* TestClock.adjust("3 seconds")
    yield* Fiber.join(fiber)
    assert.deepEqual(seen.list, ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends", "exit"])
  }))

it.effect("onFailureTag runs for failures with that tag only, not for defects, and receives the error", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = (error: HttpError | DiskError) =>
      Step.make("s", Effect.fail(error)).pipe(
        Step.onFailureTag("HttpError", ({ status }) => seen.note(`http ${status}`)),
        Step.onFailureTag("DiskError", ({ path }) => seen.note(`disk ${path}`))
      )
    yield* Effect.exit(step(new HttpError({ status: 503 })))
    yield* Effect.exit(step(new DiskError({ path: "/tmp" })))
    assert.deepEqual(seen.list, ["http 503", "disk /tmp"])
    const dying = Step.make("d", Effect.die(new HttpError({ status: 1 })) as Effect.Effect<never, HttpError>).pipe(
      Step.onFailureTag("HttpError", () => seen.note("never"))
    )
    yield* Effect.exit(dying)
    assert.equal(seen.list.length, 2)
  }))

// -----------------------------------------------------------------------------
// retry
// -----------------------------------------------------------------------------

it.effect("onRetry runs after each failed attempt and before the delay, and terminal hooks run once", () =>
  Effect.gen(function*() {
    const seen: Array<unknown> = []
    let n = 0
    const body = Effect.suspend(() => ++n < 4 ? Effect.fail(`no ${n}`) : Effect.succeed("yes"))
    const step = Step.make("s", body).pipe(
      Step.retry(Schedule.exponential("1 second")),
      Step.onStart(Effect.sync(() => seen.push("start"))),
      Step.onRetry(({ attempt, cause, delay }) =>
        Effect.sync(() => seen.push([attempt, Cause.squash(cause), Duration.toMillis(delay)]))
      ),
      Step.onSuccess(() => Effect.flatMap(StepContext, (c) => Effect.sync(() => seen.push(`attempt ${c.attempt}`))))
    )
    const fiber = yield* Effect.forkChild(step)
    yield* TestClock.adjust(0)
    // the retry hook has run, and the delay has not passed
    assert.deepEqual(seen, ["start", [1, "no 1", 1000]])
    assert.equal(n, 1)
    yield* TestClock.adjust("1 second")
    assert.deepEqual(seen.slice(2), [[2, "no 2", 2000]])
    yield* TestClock.adjust("6 seconds")
    assert.equal(yield* Fiber.join(fiber), "yes")
    assert.deepEqual(seen.slice(3), [[3, "no 3", 4000], "attempt 4"])
  }))

it.effect("onRetry does not run after the last attempt, whose number the failure hook sees", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make("s", Effect.fail("no")).pipe(
      Step.retry({ times: 2 }),
      Step.onRetry(({ attempt }) => seen.note(`retry ${attempt}`)),
      Step.onFailure(() => Effect.flatMap(StepContext, ({ attempt }) => seen.note(`failure ${attempt}`)))
    )
    assert.deepEqual(yield* Effect.exit(step), Exit.fail("no"))
    assert.deepEqual(seen.list, ["retry 1", "retry 2", "failure 3"])
    // another evaluation counts attempts from 1 again
    yield* Effect.exit(step)
    assert.deepEqual(seen.list.slice(3), ["retry 1", "retry 2", "failure 3"])
  }))

it.effect("Step.retry retries neither defects nor interruptions", () =>
  Effect.gen(function*() {
    for (const body of [Effect.die("boom"), Effect.interrupt]) {
      const { seen, step } = watched(body)
      yield* Effect.exit(step.pipe(Step.retry({ times: 3 })))
      assert.equal(seen.list.includes("retry"), false)
      assert.equal(seen.list.length, 3)
    }
  }))

const Policy = Schema.Struct({
  /** The end of each attempt; attempts after the last one succeed. */
  ends: Schema.Array(Schema.Literals(["a", "b", "c", "die", "interrupt"])).check(Schema.isMaxLength(8)),
  policy: Schema.Struct({
    times: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))),
    schedule: Schema.optionalKey(Schema.Literals(["spaced", "exponential", "recurs", "nothing"])),
    while: Schema.optionalKey(Schema.Literals(["a", "b", "effectful"])),
    until: Schema.optionalKey(Schema.Literals(["b", "c", "effectful"]))
  }),
  bare: Schema.Boolean
})

it.effect("Step.retry makes the same attempts as Effect.retry, at the same times and with the same exit", () =>
  forAll(Policy, ({ bare, ends, policy }) =>
    Effect.gen(function*() {
      const schedules: Record<string, Schedule.Schedule<unknown, unknown>> = {
        spaced: Schedule.spaced("1 second"),
        exponential: Schedule.exponential("1 second"),
        recurs: Schedule.recurs(2),
        nothing: Schedule.recurs(0)
      }
      const schedule = policy.schedule === undefined ? undefined : schedules[policy.schedule]!
      const asked = (answer: string | undefined) =>
        answer === undefined
          ? undefined
          : (error: string) => answer === "effectful" ? Effect.succeed(error < "b") : error === answer
      const options = {
        ...(policy.times === undefined ? {} : { times: policy.times }),
        ...(schedule === undefined ? {} : { schedule }),
        ...(policy.while === undefined ? {} : { while: asked(policy.while)! }),
        ...(policy.until === undefined ? {} : { until: asked(policy.until)! })
      }
      const trial = (use: (body: Effect.Effect<string, string>) => Effect.Effect<unknown, unknown>) =>
        Effect.gen(function*() {
          const times: Array<number> = []
          const body = Effect.suspend((): Effect.Effect<string, string> => {
            const end = ends[times.length]
            times.push(0)
            return Effect.flatMap(Effect.clockWith((clock) => clock.currentTimeMillis), (now) => {
              times[times.length - 1] = now - start
              return end === undefined
                ? Effect.succeed("done")
                : end === "die"
                ? Effect.die("boom")
                : end === "interrupt"
                ? Effect.interrupt
                : Effect.fail(end)
            })
          })
          const start = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
          const fiber = yield* Effect.forkChild(Effect.exit(use(body)))
          yield* TestClock.adjust("10 minutes")
          return { times, exit: plain(yield* Fiber.join(fiber)) }
        })
      const expected = yield* trial((body) =>
        bare && schedule !== undefined ? Effect.retry(body, schedule) : Effect.retry(body, options)
      )
      let retries = 0
      const actual = yield* trial((body) => {
        const step = Step.make("s", body).pipe(Step.onRetry(() => Effect.sync(() => retries++)))
        return bare && schedule !== undefined ? Step.retry(step, schedule) : Step.retry(step, options)
      })
      assert.deepEqual(actual, expected)
      assert.equal(retries, actual.times.length - 1)
    })))

it.effect("a retry schedule that fails gives the step the same exit as Effect.retry", () =>
  Effect.gen(function*() {
    const failing = Schedule.while(Schedule.forever, () => Effect.fail("schedule" as const))
    const expected = yield* Effect.exit(Effect.retry(Effect.fail("no"), failing))
    assert.deepEqual(yield* Effect.exit(Step.make("s", Effect.fail("no")).pipe(Step.retry(failing))), expected)
  }))

it.effect("an interruption during the delay before a retry ends the step as interrupted", () =>
  Effect.gen(function*() {
    const { seen, step } = watched(Effect.fail("no"))
    const fiber = yield* Effect.forkChild(step.pipe(Step.retry(Schedule.spaced("1 minute"))))
    yield* TestClock.adjust("30 seconds")
    yield* Fiber.interrupt(fiber)
    assert.deepEqual(seen.list, ["start", "retry", "interrupt", "exit"])
  }))

// -----------------------------------------------------------------------------
// timeout
// -----------------------------------------------------------------------------

it.effect("Step.timeout limits each attempt when applied before Step.retry, and all attempts together when applied after", () =>
  Effect.gen(function*() {
    const seen = calls()
    const body = Effect.andThen(seen.note("attempt"), Effect.sleep("1 hour"))
    const each = Step.make("each", body).pipe(Step.timeout("1 second"), Step.retry({ times: 2 }))
    const all = Step.make("all", Effect.andThen(Effect.sleep("2 seconds"), Effect.fail("no"))).pipe(
      Step.retry(Schedule.forever),
      Step.onRetry(() => seen.note("retry")),
      Step.timeout("5 seconds")
    )
    const run = (step: Effect.Effect<unknown, unknown>) =>
      Effect.gen(function*() {
        seen.list.length = 0
        const fiber = yield* Effect.forkChild(Effect.flip(step))
        yield* TestClock.adjust("5 seconds")
        const error = yield* Fiber.join(fiber)
        assert.ok(Cause.isTimeoutError(error))
        return error.message
      })
    assert.match(yield* run(each), /each.*1 s/)
    assert.deepEqual(seen.list, ["attempt", "attempt", "attempt"])
    assert.match(yield* run(all), /all.*5 s/)
    assert.deepEqual(seen.list, ["retry", "retry"])
  }))

it.effect("a body that exceeds Step.timeout fails, and the time of hooks does not count", () =>
  Effect.gen(function*() {
    const { seen, step } = watched(Effect.never)
    const fiber = yield* Effect.forkChild(Effect.exit(step.pipe(
      Step.timeout("1 second"),
      Step.onFailure(() => Effect.andThen(Effect.sleep("10 seconds"), seen.note("slow hook done")))
    )))
    yield* TestClock.adjust("11 seconds")
    yield* Fiber.join(fiber)
    assert.deepEqual(seen.list, ["start", "failure", "slow hook done", "exit"])
  }))

// -----------------------------------------------------------------------------
// invalid arguments
// -----------------------------------------------------------------------------

it.effect("invalid arguments make the step die before its body runs, with the step's name in the message", () =>
  Effect.gen(function*() {
    const seen = calls()
    const s = Step.make("load", seen.note("body"))
    const hook = Hook.onSuccess(() => Effect.void)
    const bad: ReadonlyArray<readonly [Effect.Effect<unknown, unknown>, RegExp]> = [
      [Step.make("", seen.note("body")), /^Step "": its name is empty$/],
      [Pipeline.make("", seen.note("body")), /^Pipeline "": its name is empty$/],
      [
        Step.make(undefined as unknown as string, seen.note("body")),
        /^Step undefined: its name must be a text, got undefined$/
      ],
      [Step.make(7 as unknown as string, seen.note("body")), /^Step 7: its name must be a text, got 7$/],
      [
        Pipeline.make("etl", seen.note("body")).pipe(Pipeline.named(undefined as unknown as string)),
        /^Pipeline undefined: its name must be a text, got undefined$/
      ],
      [Pipeline.make("etl", seen.note("body")).pipe(Pipeline.runName("")), /^Pipeline "etl": its run name is empty$/],
      [s.pipe(Step.hooks(Hook.named(hook, ""))), /^Step "load": a hook of kind success has an empty name$/],
      [s.pipe(Step.hooks(Hook.timeout(hook, -1))), /^Step "load": the time limit of hook "onSuccess" .*-1$/],
      [s.pipe(Step.hooks(Hook.timeout(hook, NaN))), /^Step "load": the time limit of hook "onSuccess"/],
      [s.pipe(Step.hooks(Hook.timeout(hook, "soon" as "1 second"))), /^Step "load": .*not negative, .*got "soon"$/],
      [s.pipe(Step.hooks(Hook.timeout(hook, NaN))), /^Step "load": .*not negative, .* got NaN$/],
      [s.pipe(Step.timeout(-1)), /^Step "load": the time limit of its body .*-1$/],
      [
        s.pipe(Step.inherit("none" as "off")),
        /^Step "load": unknown inherit mode "none" \(expected override, append, prepend, off\)$/
      ],
      [
        s.pipe(Step.inherit("off", "sucess" as "success")),
        /^Step "load": unknown hook kind "sucess" \(expected start,/
      ],
      [s.pipe(Step.hooks(Hook.required(Hook.background(hook)))), /^Step "load": hook "onSuccess" can't be both/],
      [
        Pipeline.make("etl", s).pipe(Pipeline.stepHooks(Hook.timeout(hook, -5))),
        /^Step "load": the time limit of hook "onSuccess" .*-5$/
      ]
    ]
    for (const [effect, message] of bad) {
      const exit = yield* Effect.exit(effect)
      assert.ok(Exit.isFailure(exit) && Cause.hasDies(exit.cause) && !Cause.hasFails(exit.cause), String(message))
      const defect = Cause.squash(exit.cause)
      assert.ok(defect instanceof TypeError)
      assert.match(defect.message, message)
    }
    assert.deepEqual(seen.list, [])
    assert.throws(() => Hooks.make(null as unknown as typeof hook), /expected a Hook or a Hooks, got null/)
  }))

it.effect("several invalid arguments are reported in one message", () =>
  Effect.gen(function*() {
    const exit = yield* Effect.exit(Step.make("", Effect.void).pipe(Step.timeout(-1)))
    assert.ok(Exit.isFailure(exit))
    assert.match(String(Cause.squash(exit.cause)), /its name is empty; the time limit of its body/)
  }))
