/** Retries and time limits of steps, through replays and restarts. */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import { Step, StepContext } from "../../../src/index.ts"
import { brief } from "../../support/observe.ts"
import {
  Bad,
  type Engine,
  inProcess,
  type Job,
  job,
  lastAttempts,
  type Recorder,
  recorder,
  run,
  type Storage,
  suiteOf,
  suspendRun,
  tokenIn,
  until
} from "../support/engine.ts"

/** Makes a step that succeeds at a given attempt, and notes attempts and hooks. */
const failing = (seen: Recorder, succeeds: number) => {
  let n = 0
  return Step.make(
    "load",
    Effect.gen(function*() {
      const { attempt } = yield* StepContext
      yield* seen.note(`attempt ${attempt}`)
      n++
      if (attempt < succeeds) return yield* new Bad({ n })
      return attempt
    })
  ).pipe(
    Step.onRetry(({ attempt, delay }) => seen.note(`retry ${attempt} ${Duration.toMillis(delay)}`)),
    Step.onSuccess((value) => seen.note(`success ${value}`)),
    Step.onFailure((cause) => seen.note(`failure ${(Cause.squash(cause) as Error).message}`))
  )
}

/** Returns the numbers of attempts that the ends of steps tell of. */
const attemptsOf = (seen: Recorder) =>
  seen.events.list.flatMap((event) => event._tag === "StepEnded" ? [event.attempts] : [])

/** Runs the pipeline in a process that ends once a call was noted. */
const endAfter = <A, E, R>(storage: Storage, seen: Recorder, { layer, workflow }: Job<A, E, R>, call: string) =>
  inProcess(
    storage,
    Layer.provide(layer, seen.layer),
    Effect.gen(function*() {
      yield* Effect.forkChild(workflow.execute({ id: "1" }))
      yield* until(`${call} is noted`, () => seen.list.includes(call))
    })
  )

const durable = Durable.step({ success: Schema.Int, error: Bad })

export const retrySuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("attempts and delays follow the schedule", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = failing(seen, 4).pipe(Step.retry(Schedule.exponential("2 millis")), durable)
      const exit = yield* run(
        storage,
        seen,
        job(() => Effect.tap(step, () => suspendRun("1")))
      )
      assert.deepEqual(exit, Exit.succeed(4))
      assert.deepEqual(seen.list, [
        "attempt 1",
        "retry 1 2",
        "attempt 2",
        "retry 2 4",
        "attempt 3",
        "retry 3 8",
        "attempt 4",
        "success 4"
      ])
      const told = seen.events.list.filter(({ _tag }) => _tag !== "HookEnded").map(brief)
      assert.deepEqual(told, [
        "RunStarted job",
        "StepStarted load",
        "AttemptFailed load 1",
        "AttemptFailed load 2",
        "AttemptFailed load 3",
        "StepEnded load success",
        "RunEnded job success"
      ])
    }))

  test("`while`, `until` and `times` end the retries", (storage) =>
    Effect.gen(function*() {
      const attempts = (options: Effect.Retry.Options<Bad>, id: string) =>
        Effect.gen(function*() {
          const seen = recorder()
          const step = failing(seen, 9).pipe(Step.retry(options), durable)
          const exit = yield* run(storage, seen, job(() => Effect.tapCause(step, () => suspendRun("1"))), id)
          assert.ok(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Bad)
          return seen.list.filter((call) => call.startsWith("attempt")).length
        })
      assert.equal(yield* attempts({ times: 2 }, "times"), 3)
      assert.equal(yield* attempts({ while: ({ n }) => n < 3 }, "while"), 3)
      assert.equal(yield* attempts({ until: (error) => Effect.succeed(error.n === 2) }, "until"), 2)
      assert.equal(yield* attempts({ schedule: Schedule.recurs(1) }, "recurs"), 2)
    }))

  test("a defect and an error that can't be stored are not retried", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = (name: string, body: Effect.Effect<number, Bad>) =>
        Step.make(name, Effect.andThen(seen.note(name), body)).pipe(
          Step.retry({ times: 3 }),
          Step.onFailure((cause) => seen.note(`${name} ${cause.reasons.map(({ _tag }) => _tag).join()}`)),
          durable
        )
      // the cast: a value of this type that its schema rejects
      const wrong = Object.assign(Object.create(Bad.prototype), { _tag: "Bad", n: "x" }) as Bad
      const pipeline = job(() =>
        Effect.gen(function*() {
          yield* Effect.exit(step("dies", Effect.die("boom")))
          yield* Effect.exit(step("odd", Effect.fail(wrong)))
          yield* suspendRun("1")
        })
      )
      yield* run(storage, seen, pipeline)
      assert.deepEqual(seen.list, ["dies", "dies Die", "odd", "odd Die"])
    }))

  test("the time limits of an attempt and of all attempts fail with a TimeoutError", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const hanging = Step.make("hanging", Effect.andThen(seen.note("attempt"), Effect.never))
      const each = hanging.pipe(Step.timeout("10 millis"), Step.retry({ times: 2 }))
      const all = hanging.pipe(
        Step.timeout("25 millis"),
        Step.retry(Schedule.spaced("5 millis")),
        Step.timeout("70 millis")
      )
      const caught: Array<string> = []
      const pipeline = job(() =>
        Effect.gen(function*() {
          for (const [i, limited] of [each, all].entries()) {
            const exit = yield* Effect.exit(Durable.step(limited))
            const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
            assert.ok(Cause.isTimeoutError(error))
            caught.push(error.message)
            yield* seen.note("caught")
            yield* suspendRun(`${i}`)
          }
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.void)
      assert.deepEqual(seen.list.slice(0, 4), ["attempt", "attempt", "attempt", "caught"])
      assert.deepEqual(
        new Set(caught),
        new Set(["10 ms", "70 ms"].map((limit) => `step "hanging" exceeded its time limit of ${limit}`))
      )
    }))

  test("a time limit of all attempts that is over in a delay, or in an attempt, tells of the attempts that began", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const inDelay = failing(seen, 99).pipe(Step.retry(Schedule.spaced("1 day")), Step.timeout("50 millis"), durable)
      const inAttempt = Step.make("hang", Effect.andThen(seen.note("hang"), Effect.never)).pipe(
        Step.retry({ times: 3 }),
        Step.onRetry(() => seen.note("hang again")),
        Step.timeout("50 millis"),
        Durable.step()
      )
      yield* run(storage, seen, job(() => Effect.andThen(Effect.exit(inDelay), inAttempt)))
      assert.deepEqual(seen.list.filter((call) => !call.startsWith("retry 1")), [
        "attempt 1",
        `failure step "load" exceeded its time limit of 50 ms`,
        "hang"
      ])
      assert.deepEqual(attemptsOf(seen), [1, 1])
      assert.deepEqual(lastAttempts(seen), [true])
    }))

  if (!engine.survives) return

  test("attempts continue after a restart: no recorded one runs again, and the schedule continues", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = failing(seen, 6).pipe(
        Step.retry({ schedule: Schedule.exponential("8 millis"), times: 5 }),
        durable
      )
      const pipeline = job(() => step)
      yield* endAfter(storage, seen, pipeline, "retry 2 16")
      yield* endAfter(storage, seen, pipeline, "retry 4 64")
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed(6))
      const retries = [8, 16, 32, 64, 128].map((delay, i) => `retry ${i + 1} ${delay}`)
      assert.deepEqual(
        [...new Set(seen.list)],
        [...retries.flatMap((retry, i) => [`attempt ${i + 1}`, retry]), "attempt 6", "success 6"]
      )
      assert.equal(seen.list.filter((call) => call.startsWith("attempt")).length, 6)
      const starts = seen.events.list.map(brief).filter((event) => event === "StepStarted load")
      assert.equal(starts.length, 1)
    }))

  test("a jittered delay stays the same after a restart", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = failing(seen, 4).pipe(
        Step.retry(Schedule.jittered(Schedule.spaced("20 millis"))),
        durable
      )
      const pipeline = job(() => step)
      yield* endAfter(storage, seen, pipeline, "attempt 3")
      yield* run(storage, seen, pipeline)
      const delays = new Map<string, Set<string>>()
      for (const call of seen.list) {
        const [what = "", n = "", delay = ""] = call.split(" ")
        if (what === "retry") delays.set(n, (delays.get(n) ?? new Set()).add(delay))
      }
      assert.deepEqual([...delays.values()].map(({ size }) => size), [1, 1, 1])
    }))

  for (const isLimited of [false, true]) {
    test(`of the time until ${isLimited ? "the limit" : "an attempt"} only what is left is waited for after a restart`, (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        const retried = failing(seen, 2).pipe(
          Step.retry(Schedule.spaced(isLimited ? "1 day" : "6 seconds")),
          Step.onRetry(() => seen.note("again"))
        )
        const pipeline = job(() => durable(isLimited ? Step.timeout(retried, "6 seconds") : retried))
        yield* endAfter(storage, seen, pipeline, "again")
        yield* Effect.sleep("6 seconds")
        const restarted = Date.now()
        const exit = yield* run(storage, seen, pipeline)
        assert.ok(Date.now() < restarted + 6_000, "it was waited for anew")
        assert.equal(Exit.isSuccess(exit), !isLimited)
      }))
  }

  test("the time limit of all attempts counts from the first attempt through a restart", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = failing(seen, 99).pipe(
        Step.retry(Schedule.spaced("40 millis")),
        Step.timeout("2 seconds"),
        durable
      )
      const pipeline = job(() => step)
      yield* endAfter(storage, seen, pipeline, "retry 2 40")
      yield* Effect.sleep("2100 millis")
      const before = seen.list.length
      const exit = yield* run(storage, seen, pipeline)
      assert.ok(Exit.isFailure(exit) && Cause.isTimeoutError(Cause.squash(exit.cause)), String(exit))
      assert.deepEqual(seen.list.slice(before).filter((call) => call.startsWith("failure")), [
        `failure step "load" exceeded its time limit of 2 s`
      ])
      assert.deepEqual(seen.list.slice(before), [`failure step "load" exceeded its time limit of 2 s`])
      assert.deepEqual(attemptsOf(seen), [seen.list.filter((call) => call.startsWith("attempt")).length])
    }))

  test("the time limit of all attempts does not include the wait for an approval", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = failing(seen, 3).pipe(
        Step.requireApproval({ title: "Load?", timeout: "1 hour" }),
        Step.retry(Schedule.spaced("60 millis")),
        // long enough for three attempts on a busy machine
        Step.timeout("4 seconds"),
        durable
      )
      const { layer, workflow } = job(() => step)
      const pipeline = { workflow, layer: Layer.provide(layer, Approval.layer()) }
      yield* inProcess(
        storage,
        Layer.provide(pipeline.layer, seen.layer),
        Effect.gen(function*() {
          yield* Effect.forkChild(workflow.execute({ id: "1" }))
          yield* until("the question is asked", () => seen.alerts.length > 0)
          yield* Effect.sleep("4100 millis")
          const token = tokenIn(seen.alerts[0]!)!
          yield* Approval.answer(token, { approve: true, by: { id: "ada", name: "Ada" } })
          yield* until("the step is retried", () => seen.list.includes("retry 1 60"))
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed(3))
    }))

  test("hooks see the start of the first attempt, the attempt's number, and the annotations of all attempts", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const views: Array<Pick<StepContext.Shape, "attempt" | "startedAt" | "annotations">> = []
      const step = Step.make(
        "load",
        Effect.gen(function*() {
          const { attempt } = yield* StepContext
          yield* StepContext.annotate(`try ${attempt}`, attempt)
          if (attempt < 3) return yield* new Bad({ n: attempt })
          return attempt
        })
      ).pipe(
        Step.retry(Schedule.spaced("60 millis")),
        Step.onRetry(({ attempt }) => seen.note(`retry ${attempt}`)),
        Step.onExit(() =>
          Effect.map(StepContext, ({ annotations, attempt, startedAt }) => {
            views.push({ annotations, attempt, startedAt })
          })
        ),
        durable
      )
      const pipeline = job(() => step)
      const before = Date.now()
      yield* endAfter(storage, seen, pipeline, "retry 1")
      const between = Date.now()
      yield* Effect.sleep(30)
      yield* run(storage, seen, pipeline)
      const [view] = views
      assert.ok(view !== undefined && views.length === 1)
      assert.equal(view.attempt, 3)
      assert.deepEqual(view.annotations, { "try 1": 1, "try 2": 2, "try 3": 3 })
      const started = DateTime.toEpochMillis(view.startedAt)
      assert.ok(started >= before && started <= between, `${before} ${started} ${between}`)
    }))
}
