/** Tests the steps of functions that return promises. */
import { Cause, Data, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterHooks, Hooks, Pipeline, Step } from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { nextTurn } from "./support/eventLoop.ts"
import { makeIt } from "./support/it.ts"
import { brief, calls, events, kinds, logs, noting, plain } from "./support/observe.ts"

const it = makeIt(test)

class Http extends Data.TaggedError("Http")<{ readonly status: number; readonly cause?: unknown }> {}

/** A function whose promise settles a while after its signal was aborted. */
const stopping = (after: () => Promise<unknown>) => (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => void after().then(() => reject(signal.reason))))

const never = (): Promise<never> => new Promise(() => {})

const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkDetach(effect, { startImmediately: true })

it.effect("a step of a promise succeeds with its value, and calls the function anew at each evaluation", () =>
  Effect.gen(function*() {
    let calls = 0
    const step = Step.promise("s", async () => ++calls)
    assert.deepEqual([yield* step, yield* step], [1, 2])
    assert.equal(yield* Step.promise("s", { try: async () => "a" }), "a")
  }))

const error = new Http({ status: 503 })

for (
  const [what, evaluate] of Object.entries<() => PromiseLike<never>>({
    "a rejection": () => Promise.reject(error),
    "a rejection after a while": async () => {
      await Promise.resolve()
      throw error
    },
    "an error that the function throws": () => {
      throw error
    },
    "the rejection of a thenable": () => ({
      // oxlint-disable-next-line unicorn/no-thenable
      then: (_: unknown, reject?: ((reason: unknown) => unknown) | null) => void reject?.(error)
    } as unknown as PromiseLike<never>),
    "an error that a thenable throws": () => ({
      // oxlint-disable-next-line unicorn/no-thenable
      then: () => {
        throw error
      }
    })
  })
) {
  it.effect(`${what} is the error of the step itself, or what it is mapped to`, () =>
    Effect.gen(function*() {
      assert.equal(yield* Effect.flip(Step.promise("s", evaluate)), error)
      assert.equal(yield* Effect.flip(Step.fnPromise("s")(evaluate)()), error)
      const mapped = Step.promise("s", { try: evaluate, catch: (cause) => new Http({ status: 1, cause }) })
      assert.equal((yield* Effect.flip(mapped)).cause, error)
    }))
}

it.effect("a rejection with nothing, and a mapping that throws, fail the step", () =>
  Effect.gen(function*() {
    // oxlint-disable-next-line prefer-promise-reject-errors
    const nothing = yield* Effect.exit(Step.promise("s", () => Promise.reject()))
    assert.deepEqual(plain(nothing), plain(Exit.fail(undefined)))
    const thrown = Step.promise("s", {
      try: () => Promise.reject(error),
      catch: () => {
        throw new RangeError("no mapping")
      }
    })
    assert.deepEqual(plain(yield* Effect.exit(thrown)), plain(Exit.die(new RangeError("no mapping"))))
  }))

it.effect("a thenable that calls back twice settles the step once, and a promise of a promise is followed", () =>
  Effect.gen(function*() {
    const twice: PromiseLike<number> = {
      // oxlint-disable-next-line unicorn/no-thenable
      then: (resolve) => {
        resolve?.(1)
        resolve?.(2)
        throw new Error("late")
      }
    } as PromiseLike<number>
    assert.equal(yield* Step.promise("s", () => twice), 1)
    assert.equal(yield* Step.promise("s", async () => await Promise.resolve(twice)), 1)
  }))

it.effect("the alert shows the rejection's message, fields and stack, and no wrapper", () =>
  Effect.gen(function*() {
    const failing = Step.promise("load", async () => {
      throw new Http({ status: 503, cause: new Error("ECONNREFUSED") })
    })
    yield* Effect.exit(failing.pipe(Step.hooks(AlerterHooks.failure)))
    const [alert] = yield* TestAlerter.sent
    assert.match(
      alert!.detail ?? "",
      /^Http: status 503; ECONNREFUSED\n +at [^\n]*StepPromise\.test[\s\S]*\n\[cause\]: Error: ECONNREFUSED\n +at [^\n]*StepPromise\.test/
    )
    assert.doesNotMatch(JSON.stringify(alert), /UnknownError|tryPromise/)
  }).pipe(Effect.provide(TestAlerter.layer)))

it.effect("an interruption aborts the signal, and the hooks run once the promise has settled", () =>
  Effect.gen(function*() {
    const seen = calls()
    let finish: (() => void) | undefined
    const cleanUp = () => new Promise<void>((resolve) => finish = resolve)
    const step = Step.promise("s", stopping(cleanUp)).pipe(
      Step.hooks(Hooks.make(...kinds.filter((kind) => kind !== "start").map((kind) => noting(seen, kind, kind))))
    )
    const fiber = yield* start(step)
    const interruption = yield* start(Fiber.interrupt(fiber))
    yield* nextTurn
    assert.ok(finish !== undefined, "the signal was aborted")
    assert.deepEqual([seen.list, fiber.pollUnsafe()], [[], undefined])
    finish()
    yield* Fiber.join(interruption)
    assert.deepEqual(seen.list, ["interrupt", "exit"])
    const exit = yield* Fiber.await(fiber)
    assert.ok(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
  }))

it.effect("a promise that does not settle after the abort is left behind after the grace, and the log says so", () =>
  Effect.gen(function*() {
    for (
      const [step, grace, shown] of [
        [Step.promise("s", never), 5_000, "5 s"],
        [Step.promise("s", { try: never, grace: "1 second" }), 1_000, "1 s"],
        [Step.promise("s", never).pipe(Step.timeout("1 hour", { grace: "2 seconds" })), 2_000, "2 s"],
        [Step.fnPromise("s")(never)(), 5_000, "5 s"],
        [Step.fnPromise("s")({ try: never, grace: 10 })(), 10, "10 ms"]
      ] as const
    ) {
      const log = logs()
      const fiber = yield* start(Effect.provide(step, log.layer))
      yield* start(Fiber.interrupt(fiber))
      yield* TestClock.adjust(grace - 1)
      assert.equal(fiber.pollUnsafe(), undefined)
      yield* TestClock.adjust(1)
      assert.ok(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.deepEqual(log.list.map(({ level, message }) => `${level} ${message}`), [
        `Warn step "s" was interrupted, did not stop within ${shown}, and was left behind`
      ])
    }
  }))

it.effect("at its time limit the signal is aborted, and the step fails when the promise has settled", () =>
  Effect.gen(function*() {
    const log = logs()
    const step = Step.promise("s", stopping(() => Promise.resolve())).pipe(Step.timeout("1 minute"))
    const fiber = yield* start(Effect.provide(Effect.flip(step), log.layer))
    yield* TestClock.adjust("1 minute")
    yield* nextTurn
    assert.match(String(yield* Fiber.join(fiber)), /TimeoutError: step "s" exceeded its time limit of 1 min/)
    assert.deepEqual(log.list, [])
  }))

for (const own of [undefined, 1_000, 3_000]) {
  it.effect(`what is left behind at a time limit is told once, where the promise ${own === undefined ? "has no grace" : `has a grace of ${own} ms`}`, () =>
    Effect.gen(function*() {
      const log = logs()
      const step = Step.promise("s", { try: never, grace: own }).pipe(Step.timeout("1 minute", { grace: "2 seconds" }))
      const fiber = yield* start(Effect.provide(Effect.flip(step), log.layer))
      yield* TestClock.adjust("1 minute")
      yield* TestClock.adjust(Math.min(own ?? 2_000, 2_000))
      assert.match(String(yield* Fiber.join(fiber)), /TimeoutError/)
      yield* TestClock.adjust("1 hour")
      assert.equal(log.list.length, 1)
      assert.match(log.list[0]!.message, /^step "s" was interrupted.* did not stop within [12] s, and was left behind$/)
    }))
}

it.effect("the result of an aborted promise does not count, and its rejection is not unhandled", () =>
  Effect.gen(function*() {
    let reject: ((error: unknown) => void) | undefined
    const step = Step.promise("s", { try: () => new Promise<never>((_, fail) => reject = fail), grace: 0 })
    const fiber = yield* start(step)
    yield* Fiber.interrupt(fiber).pipe(Effect.provide(logs().layer))
    reject!(new Error("late"))
    yield* nextTurn
    assert.ok(Exit.hasInterrupts(yield* Fiber.await(fiber)))
  }).pipe(Effect.provide(logs().layer)))

it.effect("a step of a promise is retried, and each attempt has a signal of its own", () =>
  Effect.gen(function*() {
    const observed = events()
    const signals = new Set<AbortSignal>()
    const step = Step.promise("s", async (signal) => {
      signals.add(signal)
      if (signals.size < 3) throw new Error(`attempt ${signals.size}`)
      return signals.size
    }).pipe(Step.retry({ times: 5 }))
    assert.equal(yield* Pipeline.make("p", step).pipe(Effect.provide(observed.layer)), 3)
    assert.deepEqual([...signals].map(({ aborted }) => aborted), [false, false, false])
    assert.deepEqual(observed.list.map(brief).filter((line) => /Attempt|StepEnded/.test(line)).length, 3)
  }))

it.effect("a negative grace is a mistake in the program", () =>
  Effect.gen(function*() {
    const mistaken = [
      Step.promise("s", { try: async () => 1, grace: -1 }),
      Step.fnPromise("s")({ try: async () => 1, grace: -1 })()
    ]
    for (const step of mistaken) {
      const exit = yield* Effect.exit(step)
      assert.match(
        String(Exit.isFailure(exit) && Cause.squash(exit.cause)),
        /the time limit of its body's grace must be/
      )
    }
  }))

it.effect("functions of Step.fnPromise get their arguments, with the signal first where it is asked for", () =>
  Effect.gen(function*() {
    const seen: Array<unknown> = []
    const plain = Step.fnPromise("plain")(async (...args: ReadonlyArray<number>) => args.length)
    assert.equal(yield* plain(1, 2, 3), 3)
    const stoppable = Step.fnPromise("stoppable")(
      {
        try: async (signal, page: number, size = 10) => {
          seen.push(signal.aborted, page, size)
          return page * size
        }
      },
      (step, page) => Step.key(step, page),
      Step.onSuccess((value) => Effect.sync(() => void seen.push(value)))
    )
    assert.equal(yield* stoppable(7), 70)
    assert.deepEqual(seen, [false, 7, 10, 70])
  }))

it.effect("calls of Step.fnPromise are evaluated anew each time, under the hooks of the pipeline around them", () =>
  Effect.gen(function*() {
    const observed = events()
    let n = 0
    const count = Step.fnPromise("count")(async (by: number) => n += by, (step, by) => Step.key(step, by))
    const two = count(2)
    yield* Pipeline.make("p", Effect.all([two, two, count(3)])).pipe(Effect.provide(observed.layer))
    assert.equal(n, 7)
    assert.deepEqual(observed.list.flatMap((event) => event._tag === "StepEnded" ? event.stepLabels : []), [
      "count[2]",
      "count[2]",
      "count[3]"
    ])
  }))
