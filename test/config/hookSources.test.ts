import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import type { HookEntry } from "../../src/config/Document.ts"
import { type AnyHooks, standard, toHook } from "../../src/config/internal/modules/hooks.ts"
import { policyOf } from "../../src/config/internal/schema/retry.ts"
import { type Alert, Alerter, Hook, Hooks, Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { calls, events, kinds, logs } from "../support/observe.ts"
import * as fixtures from "./fixtures/hooks.ts"

const it = makeIt(test)

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number }> {}
class DbError extends Data.TaggedError("DbError")<{}> {}

const made = (value: unknown, kind: Hook.Kind, entry: Partial<HookEntry> = {}): AnyHooks =>
  Result.getOrThrowWith(
    toHook(value, kind, { use: "./hooks.ts#it", ...entry }),
    ({ expected, found }) => new Error(`expected ${expected}, found ${found}`)
  )

const refused = (value: unknown, kind: Hook.Kind, entry: Partial<HookEntry> = {}): string => {
  const result = toHook(value, kind, { use: "./hooks.ts#it", ...entry })
  assert.ok(Result.isFailure(result), "it should have been refused")
  return `expected ${result.failure.expected}, found ${result.failure.found}`
}

const hooksOf = (hooks: AnyHooks): ReadonlyArray<Hook.Hook<never, never, unknown, unknown, unknown>> =>
  kinds.flatMap((kind) => Hooks.make(hooks).hooks[kind])

const bodies = {
  success: Effect.succeed("the value"),
  failure: Effect.fail(new HttpError({ status: 503 })),
  interrupt: Effect.interrupt
}

/** Returns the exit of a step with this body and with hooks from a file. */
const run = (body: Effect.Effect<unknown, unknown>, ...hooks: ReadonlyArray<AnyHooks>) => {
  // a cast, since hooks from a file have no static types
  const untyped = Step.hooks as unknown as (hooks: unknown) => (step: unknown) => Effect.Effect<unknown, unknown>
  return Effect.exit(Step.make("load", body).pipe(untyped(Hooks.make(...hooks))))
}

const failures = (seen: ReturnType<typeof logs>) => seen.list.map(({ cause, message }) => ({ cause, message }))

// -----------------------------------------------------------------------------
// exports
// -----------------------------------------------------------------------------

it.effect("an export may be a hook, or Hooks, of which those of the kind are used", () =>
  Effect.gen(function*() {
    fixtures.ran.length = 0
    yield* run(bodies.success, made(fixtures.celebrate, "success"), made(fixtures.both, "success"))
    yield* run(bodies.failure, made(fixtures.pageOnCall, "failure"), made(fixtures.both, "failure"))
    assert.deepEqual(fixtures.ran, [
      ["celebrate", "the value"],
      "both succeeded",
      "pageOnCall",
      "both failed",
      "both failed again"
    ])
    assert.deepEqual(hooksOf(made(fixtures.both, "failure")).map(({ kind }) => kind), ["failure", "failure"])
  }))

it.effect("a hook that is named twice is two hooks, and the export is unchanged", () =>
  Effect.sync(() => {
    const [first] = hooksOf(made(fixtures.pageOnCall, "failure"))
    const [second] = hooksOf(made(fixtures.pageOnCall, "failure"))
    const [third] = hooksOf(made(fixtures.pageOnCall, "failure", { required: true }))
    assert.equal(new Set([first, second, third, fixtures.pageOnCall]).size, 4)
    assert.deepEqual([second?.required, third?.required, fixtures.pageOnCall.required], [false, true, false])
  }))

it.effect("epilogue#name is a standard alert hook", () =>
  Effect.gen(function*() {
    const alerts: Array<Alert> = []
    const layer = Alerter.layer((alert) => Effect.sync(() => alerts.push(alert)))
    const of = (name: string, kind: Hook.Kind) => made(standard[name], kind, { use: `epilogue#${name}` })
    yield* Effect.provide(run(bodies.success, of("alerterSuccess", "success"), of("alerter", "success")), layer)
    yield* Effect.provide(run(bodies.failure, of("alerterFailure", "failure"), of("alerter", "failure")), layer)
    assert.deepEqual(alerts.map(({ severity }) => severity), ["success", "success", "error", "error"])
    assert.match(refused(standard["alerterSuccess"], "failure"), /a failure hook, found the success hook "AlerterHooks/)
  }))

it.effect("an export that is not a hook of the kind is refused, and its content is not shown", () =>
  Effect.sync(() => {
    const refusals: ReadonlyArray<readonly [unknown, RegExp]> = [
      [fixtures.celebrate, /expected a failure hook, found the success hook "onSuccess"/],
      [Hooks.make(fixtures.celebrate), /expected Hooks with a failure hook, found Hooks with only success hooks/],
      [fixtures.none, /found empty Hooks/],
      [fixtures.step, /found the Step "load"/],
      [fixtures.pipeline, /found the Pipeline "etl"/],
      [fixtures.effect, /found an Effect/],
      [fixtures.layer, /found a Layer/],
      [fixtures.promise, /found a promise/],
      [fixtures.number, /found a number/],
      [fixtures.text, /found a text/],
      [fixtures.list, /found an array/],
      [fixtures.nothing, /found null/],
      [undefined, /found undefined/],
      [true, /found a boolean/],
      [1n, /found a bigint/],
      [Symbol.iterator, /found a symbol/],
      [fixtures.object, /found an object/],
      [fixtures.Notifier, /found a class/],
      [fixtures.TrainParams, /found a service/],
      [fixtures.generator, /expected a failure hook, Hooks, or a function \(cause\) => …, found a generator function/]
    ]
    for (const [value, words] of refusals) {
      assert.match(refused(value, "failure"), words)
      assert.ok(!refused(value, "failure").includes("s3cret"))
    }
    assert.match(refused(1, "exit"), /an exit hook, Hooks, or a function \(exit\) => …/)
  }))

// -----------------------------------------------------------------------------
// functions
// -----------------------------------------------------------------------------

it.effect("a function receives the arguments of a hook of the kind, whatever it returns", () =>
  Effect.gen(function*() {
    for (const f of [fixtures.record, fixtures.recordAsync, fixtures.recordPromisedEffect]) {
      fixtures.ran.length = 0
      const hookOf = (kind: Hook.Kind) => made(f, kind)
      yield* run(bodies.success, hookOf("start"), hookOf("success"), hookOf("exit"))
      yield* run(bodies.failure, hookOf("failure"))
      yield* run(bodies.interrupt, hookOf("interrupt"))
      const seen = fixtures.ran.map((ran) => (ran as ReadonlyArray<unknown>)[1])
      assert.equal(seen.length, 5)
      assert.deepEqual(seen.slice(0, 2), [undefined, "the value"])
      const tags = seen.slice(2).map((argument) => JSON.parse(JSON.stringify(argument))._id)
      assert.deepEqual(tags, ["Exit", "Cause", "Cause"])
    }
  }))

it.effect("a start function is called without arguments, a retry function with the failed attempt", () =>
  Effect.gen(function*() {
    fixtures.ran.length = 0
    yield* run(bodies.success, made(fixtures.recordNow, "start"))
    assert.deepEqual(fixtures.ran, [["recordNow"]])
    const attempts: Array<Hook.FailedAttempt<unknown>> = []
    const step = Step.make("load", bodies.failure).pipe(
      Step.hooks(
        made((failed: Hook.FailedAttempt<unknown>) => void attempts.push(failed), "retry") as typeof Hooks.empty
      ),
      Step.retry({ times: 2 })
    )
    yield* Effect.exit(step)
    assert.deepEqual(attempts.map(({ attempt }) => attempt), [1, 2])
  }))

it.effect("a function that throws, rejects or returns a hook is a failed hook", () =>
  Effect.gen(function*() {
    const cases = [
      { name: "throws", f: fixtures.throws, words: "it throws" },
      { name: "rejects", f: fixtures.rejects, words: "it rejects" },
      { name: "makesHook", f: fixtures.makesHook, words: "export that in its place" }
    ]
    for (const { f, name, words } of cases) {
      const seen = logs()
      const hook = made(f, "failure", { use: `./hooks.ts#${name}` })
      const exit = yield* Effect.provide(run(bodies.failure, hook), seen.layer)
      assert.ok(exit._tag === "Failure" && exit.cause.reasons.length === 1)
      const [failure] = failures(seen)
      assert.equal(failure?.message, `hook "${name}" (failure) of "load" failed`)
      assert.ok(String(failure?.cause).includes(words), String(failure?.cause))
    }
  }))

// -----------------------------------------------------------------------------
// policies
// -----------------------------------------------------------------------------

const nameOf = (value: unknown, kind: Hook.Kind, entry: Partial<HookEntry>) =>
  hooksOf(made(value, kind, entry)).map(({ name }) => name).join()

it.effect("a hook is named by its entry, else by its code, else by its export", () =>
  Effect.sync(() => {
    const { both, celebrate, pageOnCall, record } = fixtures
    assert.equal(nameOf(record, "failure", { use: "./hooks.ts#recordIt" }), "recordIt")
    assert.equal(nameOf(celebrate, "success", { use: "./hooks.ts#celebrate" }), "celebrate")
    assert.equal(nameOf(pageOnCall, "failure", { use: "./hooks.ts#pageOnCall" }), "page whoever is on call")
    assert.equal(nameOf(pageOnCall, "failure", { name: "page" }), "page")
    assert.equal(nameOf(both, "failure", { use: "alerts.both" }), "both,both")
    assert.equal(nameOf(record, "failure", { use: "./alerts/page-on-call.ts" }), "page-on-call")
    assert.equal(nameOf(record, "failure", { use: "@acme/hooks" }), "hooks")
    assert.equal(nameOf(record, "failure", { use: "file:///srv/on%20call.mjs" }), "on call")
    assert.equal(nameOf(record, "failure", { name: Redacted.make("s3cret") }), "<redacted>")
    assert.match(refused(record, "failure", { name: "" }), /empty name/)
  }))

it.effect("when limits a hook to errors with one of the tags", () =>
  Effect.gen(function*() {
    const seen = calls()
    const listening = (tag: NonNullable<HookEntry["when"]>["tag"], kind: Hook.Kind) =>
      made(() => seen.note(`${kind} ${JSON.stringify(tag)}`), kind, { when: { tag } })
    const hooks = [
      listening("HttpError", "failure"),
      listening("Other", "failure"),
      listening(["Other", "DbError"], "failure"),
      listening(Redacted.make("HttpError"), "failure"),
      listening("HttpError", "exit")
    ]
    const called = (body: Effect.Effect<unknown, unknown>) => Effect.map(run(body, ...hooks), () => seen.list.splice(0))
    assert.deepEqual(yield* called(bodies.failure), [
      "failure \"HttpError\"",
      "failure \"<redacted>\"",
      "exit \"HttpError\""
    ])
    assert.deepEqual(yield* called(Effect.fail(new DbError())), ["failure [\"Other\",\"DbError\"]"])
    for (
      const body of [bodies.success, bodies.interrupt, Effect.fail("text"), Effect.die(new HttpError({ status: 1 }))]
    ) {
      assert.deepEqual(yield* called(body), [])
    }
    for (const kind of ["start", "success", "interrupt"] as const) {
      assert.match(
        refused(fixtures.record, kind, { when: { tag: "A" } }),
        /`when` beside failure, retry, exit hooks only, found `when` beside/
      )
    }
    assert.match(refused(fixtures.record, "failure", { when: { tag: [] } }), /without a tag/)
  }))

it.effect("a hook whose tags do not match is skipped, and not retried", () =>
  Effect.gen(function*() {
    const seen = events()
    let tries = 0
    const failing = () => Effect.suspend(() => Effect.fail(++tries))
    const hook = made(failing, "failure", { when: { tag: "DbError" }, retry: 3 })
    yield* Effect.provide(run(bodies.failure, hook), seen.layer)
    assert.equal(tries, 0)
    assert.ok(seen.list.some(({ _tag }) => _tag === "HookSkipped"))
    yield* run(Effect.fail(new DbError()), hook)
    assert.equal(tries, 4)
  }))

it.effect("timeout replaces the time limit of the code", () =>
  Effect.gen(function*() {
    const slow = Hook.timeout(Hook.onFailure(() => Effect.never), "1 hour")
    const fiber = yield* Effect.forkChild(run(bodies.failure, made(slow, "failure", { timeout: Duration.seconds(5) })))
    yield* TestClock.adjust("4999 millis")
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 millis")
    assert.equal((yield* Fiber.join(fiber))._tag, "Failure")
    assert.match(refused(slow, "failure", { timeout: Duration.seconds(-1) }), /time limit .* not negative/)
  }))

it.effect("required and background are set by the entry, and refused together", () =>
  Effect.gen(function*() {
    const failing = () => Effect.fail("no")
    const exit = yield* run(bodies.success, made(failing, "success", { required: true }))
    assert.match(JSON.stringify(exit), /HookError/)
    const fiber = yield* Effect.forkChild(
      run(bodies.success, made(() => Effect.never, "success", { background: true }))
    )
    assert.ok(hooksOf(made(failing, "success", { background: true }))[0]?.background)
    yield* TestClock.adjust("31 seconds")
    assert.equal((yield* Fiber.join(fiber))._tag, "Success")
    assert.match(
      refused(failing, "success", { background: true, required: true }),
      /can't be both background and required/
    )
    assert.match(refused(fixtures.audited, "success", { background: true }), /can't be both/)
  }))

it.effect("retry sets the number of attempts and their delays", () =>
  Effect.gen(function*() {
    const second = Duration.seconds(1)
    const at = (retry: NonNullable<HookEntry["retry"]>) =>
      Effect.gen(function*() {
        const start = yield* Clock.currentTimeMillis
        const times: Array<number> = []
        const failing = () =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            times.push((now - start) / 1000)
            return Effect.fail("no")
          })
        const hook = made(failing, "failure", { retry, timeout: Duration.hours(1) })
        const fiber = yield* Effect.forkChild(run(bodies.failure, hook))
        yield* TestClock.adjust("2 hours")
        yield* Fiber.join(fiber)
        return times
      })
    assert.deepEqual(yield* at(2), [0, 0, 0])
    assert.deepEqual(yield* at({ times: 2 }), [0, 0, 0])
    assert.deepEqual(yield* at({ times: 3, delay: second }), [0, 1, 2, 3])
    assert.deepEqual(yield* at({ times: 3, delay: second, backoff: "linear" }), [0, 1, 3, 6])
    assert.deepEqual(yield* at({ times: 3, delay: second, backoff: "exponential" }), [0, 1, 3, 7])
    const slow = { times: 4, delay: second, backoff: "exponential", factor: 3, maxDelay: Duration.seconds(5) } as const
    assert.deepEqual(yield* at(slow), [0, 1, 4, 9, 14])
    const varied = yield* at({ times: 20, delay: second, jitter: true })
    const delays = varied.slice(1).map((time, index) => time - varied[index]!)
    assert.ok(delays.every((delay) => delay >= 0.799 && delay <= 1.201), String(delays))
    assert.ok(new Set(delays).size > 1)
    const capped = yield* at({ times: 20, delay: second, backoff: "linear", maxDelay: second, jitter: true })
    assert.ok(capped.slice(1).every((time, index) => time - capped[index]! <= 1.001), String(capped))
    assert.deepEqual(policyOf(3), { times: 3 })
  }))
