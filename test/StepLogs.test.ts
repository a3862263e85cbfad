/** Tests what is kept of what steps log: the ends of alerts, and events. */
import { Cause, Effect, Fiber, Layer, Logger, Redacted, References, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { type Alert, type Alerter, AlerterHooks, Hook, Pipeline, Secrets, Step, StepLogs } from "../src/index.ts"
import { Hostile, hostile } from "./support/hostile.ts"
import { makeIt } from "./support/it.ts"
import { brief, events, logs } from "./support/observe.ts"
import { selective } from "./support/policies.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

/** Evaluates an effect, with the layer, and returns the alerts. */
const posted = (effect: Effect.Effect<unknown, unknown, Alerter>, layer: Layer.Layer<never> = StepLogs.layer()) =>
  Effect.gen(function*() {
    const { layer: alerter, list } = selective(() => true)
    yield* Effect.exit(effect).pipe(Effect.provide([alerter, layer]), Effect.provide(Logger.layer([])))
    return list
  })

const failing = (log: Effect.Effect<unknown>) =>
  Step.make("load", Effect.andThen(log, Effect.fail("no such table"))).pipe(Step.hooks(AlerterHooks.failure))

const head = "last lines logged:\n"

/** Returns the lines at the end of an alert. */
const linesOf = (alert: Alert | undefined): ReadonlyArray<string> => {
  const [, lines = ""] = alert?.detail?.split(head) ?? []
  return lines.split("\n").flatMap((line) => line === "" ? [] : [line.replace(/^ {2}/, "")])
}

it.effect("the alert of a failure ends with the lines that the step has logged", () =>
  Effect.gen(function*() {
    const log = Effect.gen(function*() {
      yield* Effect.log("412 rows of", { file: "prices.csv" })
      yield* Effect.annotateLogs(Effect.logWarning("slow answer"), { page: 7, who: "us" })
      yield* Effect.logError("again", Cause.fail(new Error("reset\nby peer")))
      yield* Effect.logDebug("not shown")
      yield* Effect.log("two\nlines", new TypeError("no number"), Redacted.make("pass"))
    })
    const [alert] = yield* posted(failing(log))
    assert.equal(
      alert!.detail,
      `${head}  412 rows of {"file":"prices.csv"}\n  WARN slow answer page=7 who=us\n  ERROR again Error: reset\n`
        + "  two\n  lines TypeError: no number <redacted>"
    )
    const [withStack] = yield* posted(
      Step.make("load", Effect.andThen(Effect.log("one"), Effect.fail(new Error("no such table")))).pipe(
        Step.hooks(AlerterHooks.failure)
      )
    )
    assert.match(withStack!.detail!, /^Error: no such table\n +at [^]*\n\nlast lines logged:\n {2}one$/)
  }))

it.effect("without the layer, and with layerOff, alerts and observers get no lines", () =>
  Effect.gen(function*() {
    const [alert] = yield* posted(failing(Effect.log("one")), Layer.empty)
    assert.equal(alert!.detail, undefined)
    const emitted = events()
    const [off] = yield* posted(
      failing(Effect.log("one")).pipe(Effect.provide(StepLogs.layerOff), Effect.provide(emitted.layer))
    )
    assert.equal(off!.detail, undefined)
    assert.deepEqual(emitted.list.map(({ _tag }) => _tag), [
      "RunStarted",
      "StepStarted",
      "StepEnded",
      "AlertPosted",
      "HookEnded",
      "RunEnded"
    ])
  }))

it.effect("only the last lines are shown, as many as are asked for, and each and all together are bounded", () =>
  Effect.gen(function*() {
    const many = Effect.forEach(Array.from({ length: 50 }, (_, i) => i), (i) => Effect.log(`line ${i}`))
    const [usual] = yield* posted(failing(many))
    assert.deepEqual(linesOf(usual), Array.from({ length: 20 }, (_, i) => `line ${30 + i}`))
    const [three] = yield* posted(failing(many), StepLogs.layer({ lines: 3 }))
    assert.deepEqual(linesOf(three), ["line 47", "line 48", "line 49"])
    const [none] = yield* posted(failing(many), StepLogs.layer({ lines: 0 }))
    assert.equal(none!.detail, undefined)
    const [long] = yield* posted(failing(Effect.forEach([1, 2, 3], (i) => Effect.log(`${i}${"x".repeat(1e6)}`))))
    assert.deepEqual(linesOf(long).map((line) => [line.slice(0, 2), line.length]), [["1x", 200], ["2x", 200], [
      "3x",
      200
    ]])
    const [large] = yield* posted(
      failing(Effect.andThen(many, Effect.forEach(Array.from({ length: 20 }), () => Effect.log("x".repeat(500)))))
    )
    assert.equal(linesOf(large).length, 7)
    assert.ok(large!.detail!.length <= head.length + 1_500)
  }))

it.effect("lines must be a whole number from 0 to 100", () =>
  Effect.sync(() => {
    for (const lines of [-1, 1.5, 101, NaN, Infinity]) {
      assert.throws(() => StepLogs.layer({ lines }), /lines must be a whole number from 0 to 100, not/)
    }
  }))

it.effect("the alert of an outer step and of the run has the lines of inner steps, with their names", () =>
  Effect.gen(function*() {
    const page = (n: number) => Step.make("page", Effect.log(`GET ${n}`)).pipe(Step.key(n))
    const inner = Pipeline.make("inner", Effect.andThen(Effect.log("in a run of its own"), page(3)))
    const outer = Step.make(
      "outer",
      Effect.gen(function*() {
        yield* Effect.log("begin")
        yield* Effect.forEach([1, 2], page, { concurrency: 2 })
        yield* Step.make("middle", inner)
        yield* Effect.fail("no")
      })
    ).pipe(Step.hooks(AlerterHooks.failure))
    const run = Pipeline.make("nightly", Effect.andThen(Effect.log("first"), outer)).pipe(
      Pipeline.hooks(AlerterHooks.failureWith((alert) => alert, { nested: "each" }))
    )
    const [step, whole] = yield* posted(run)
    assert.deepEqual(linesOf(step), [
      "begin",
      "page[1] | GET 1",
      "page[2] | GET 2",
      "inner | in a run of its own",
      "inner › page[3] | GET 3"
    ])
    assert.deepEqual(linesOf(whole), [
      "first",
      "outer | begin",
      "outer › page[1] | GET 1",
      "outer › page[2] | GET 2",
      "inner | in a run of its own",
      "inner › page[3] | GET 3"
    ])
  }))

it.effect("a step's alert has neither the lines of steps beside it, nor those of other evaluations of it", () =>
  Effect.gen(function*() {
    const load = (n: number) => Step.make("load", Effect.andThen(Effect.log(`load ${n}`), Effect.fail(n)))
    const run = Pipeline.make(
      "nightly",
      Effect.forEach([1, 2, 3], (n) => Effect.exit(load(n)), { concurrency: "unbounded" })
    ).pipe(Pipeline.stepHooks(AlerterHooks.failure))
    assert.deepEqual((yield* posted(run)).map(linesOf), [["load 1"], ["load 2"], ["load 3"]])
  }))

it.effect("alerts about interruptions and about what is overdue have the lines so far, and those of success none", () =>
  Effect.gen(function*() {
    const { layer, list } = selective(() => true)
    const slow = Step.make("slow", Effect.andThen(Effect.log("begin"), Effect.sleep("1 hour"))).pipe(
      Step.overdue("10 minutes"),
      Step.hooks(AlerterHooks.all)
    )
    const provided = Effect.provide([layer, StepLogs.layer(), Logger.layer([])])
    const fiber = yield* Effect.forkDetach(provided(slow), { startImmediately: true })
    yield* TestClock.adjust("20 minutes")
    yield* Fiber.interrupt(fiber)
    const other = yield* Effect.forkDetach(provided(slow), { startImmediately: true })
    yield* TestClock.adjust("1 hour")
    yield* Fiber.await(other)
    assert.deepEqual(list.map(({ detail, severity }) => [severity, detail]), [
      ["warning", `${head}  begin`],
      ["warning", `${head}  begin`],
      ["warning", `${head}  begin`],
      ["success", undefined]
    ])
  }))

it.effect("the lines of all attempts, and of child fibers, are those of the step", () =>
  Effect.gen(function*() {
    const flaky = failing(
      Effect.flatMap(Effect.forkChild(Effect.log("of a child"), { startImmediately: true }), Fiber.await)
    ).pipe(Step.retry({ times: 1 }))
    const [alert] = yield* posted(flaky)
    assert.deepEqual(linesOf(alert), ["of a child", "of a child"])
  }))

it.effect("observers are told of each line once, with the step, or with the run for what no step has logged", () =>
  Effect.gen(function*() {
    const emitted = events()
    const inner = Pipeline.make("inner", Step.make("in", Effect.logWarning("deep")))
    const run = Pipeline.make(
      "nightly",
      Effect.andThen(Effect.log("one", 2), Step.make("load", Effect.andThen(Effect.log("two"), inner)))
    )
    // in a guard, which wraps loggers, and under two layers, of which the inner one counts
    yield* run.pipe(
      Effect.provide([StepLogs.layer(), emitted.layer]),
      Effect.provide(StepLogs.layer()),
      Effect.provide(Secrets.layer("a secret")),
      Effect.provide(Logger.layer([]))
    )
    assert.deepEqual(emitted.list.map(brief).filter((text) => text.includes("Logged")), [
      "RunLogged nightly Info one 2",
      "StepLogged load Info two",
      "StepLogged in Warn deep"
    ])
    const [, two] = emitted.list.filter((event) => event._tag === "RunLogged" || event._tag === "StepLogged")
    assert.ok(two?._tag === "StepLogged")
    assert.deepEqual([two.stepPath, two.index, two.pipelineName], [["load"], 0, "nightly"])
  }))

it.effect("an inner run may have other settings than the run around it", () =>
  Effect.gen(function*() {
    const emitted = events()
    const inner = Pipeline.make("inner", failing(Effect.andThen(Effect.log("a"), Effect.log("b"))))
    const run = Pipeline.make("outer", Step.make("s", Effect.provide(inner, StepLogs.layer({ lines: 1 }))))
      .pipe(
        Pipeline.hooks(AlerterHooks.failureWith((alert) => alert, { nested: "each" })),
        Effect.provide(emitted.layer)
      )
    const [alert, whole] = yield* posted(run)
    assert.deepEqual(linesOf(alert), ["b"])
    assert.deepEqual(linesOf(whole), [])
    assert.equal(emitted.list.filter(({ _tag }) => _tag === "StepLogged").length, 2)
  }))

it.effect("the layer works beside layers of loggers and of observers, wherever these are provided", () =>
  Effect.gen(function*() {
    const emitted = events()
    const own = logs()
    const [alert] = yield* posted(failing(Effect.log("one")).pipe(Effect.provide([own.layer, emitted.layer])))
    assert.deepEqual(linesOf(alert), ["one"])
    assert.deepEqual(own.list.map(({ message }) => message), ["one"])
    assert.equal(emitted.list.filter(({ _tag }) => _tag === "StepLogged").length, 1)
  }))

it.effect("secrets are in neither alerts nor events, also where one is added after it was logged", () =>
  Effect.gen(function*() {
    const emitted = events()
    const log = Effect.gen(function*() {
      yield* Effect.log("login with t0ken-0123", { token: "t0ken-0123" }, new Error("t0ken-0123"))
      yield* Effect.annotateLogs(Effect.log(`${"x".repeat(190)}late-secret-77`), { as: "t0ken-0123" })
      yield* Secrets.add("late-secret-77")
    })
    const [alert] = yield* posted(
      failing(log).pipe(Effect.provide(emitted.layer), Effect.provide(Secrets.layer("t0ken-0123")))
    )
    assert.ok(alert!.detail!.includes("login with <redacted>"))
    assert.ok(!alert!.detail!.includes("late-sec"), alert!.detail)
    assert.ok(!JSON.stringify([alert, emitted.list]).includes("t0ken"))
  }))

it.effect("any value can be logged: the step's exit is its own, and what is kept is bounded and holds no secret", () =>
  forAll(
    Schema.Struct({
      value: Hostile,
      key: Schema.String,
      text: Schema.String,
      size: Schema.Literals([1, 100, 10_000])
    }),
    ({ key, size, text, value }) =>
      Effect.gen(function*() {
        const emitted = events()
        const secret = "s3cret-value-42"
        const log = Effect.gen(function*() {
          // effect itself fails to log some values: the layer must not change for which
          const direct = Effect.exit(Effect.suspend(() => Effect.log(hostile(value))))
          const plain = yield* Effect.provide(direct, Logger.layer([]))
          assert.equal((yield* direct)._tag, plain._tag)
          yield* Effect.log(text.repeat(size), [hostile(value), Redacted.make(secret)])
          yield* Effect.log(secret + text, { [key + secret]: { deep: [secret, hostile(value)] } })
          yield* Effect.annotateLogs(Effect.log(Array.from({ length: size }, () => "\n").join("x")), {
            [key]: hostile(value),
            [secret]: secret
          })
        })
        const [alert] = yield* posted(
          failing(log).pipe(Effect.provide(emitted.layer), Effect.provide(Secrets.layer(secret)))
        )
        assert.equal(alert?.body, "no such table")
        assert.ok((alert.detail ?? "").length <= head.length + 1_500)
        assert.ok(linesOf(alert).every((line) => line.length <= 200) && linesOf(alert).length <= 20)
        const logged = emitted.list.filter((event) => event._tag === "StepLogged")
        assert.ok(logged.length >= 3)
        assert.ok(logged.every(({ message }) => message.length <= 4_000))
        assert.ok(!JSON.stringify([alert, logged]).includes(secret))
      }),
    60
  ))

it.effect("the alert of a run of 2,000 nested steps has the lines of the innermost", () =>
  Effect.gen(function*() {
    const nested = (depth: number): Step.Step<unknown, string> =>
      Step.make(
        "s",
        Effect.andThen(Effect.log(depth), Effect.suspend(() => depth === 0 ? Effect.fail("no") : nested(depth - 1)))
      )
    const [alert] = yield* posted(
      Pipeline.make("deep", nested(2_000)).pipe(Pipeline.hooks(AlerterHooks.failure)),
      StepLogs.layer({ lines: 2 })
    )
    assert.deepEqual(linesOf(alert).map((line) => line.replace(/^.*\| /, "")), ["1", "0"])
  }))

it.effect("levels below the minimum are not kept", () =>
  Effect.gen(function*() {
    const both = Effect.andThen(Effect.log("told"), Effect.logDebug("detail"))
    const [usual] = yield* posted(failing(both))
    assert.deepEqual(linesOf(usual), ["told"])
    const [all] = yield* posted(failing(both).pipe(Effect.provideService(References.MinimumLogLevel, "Debug")))
    assert.deepEqual(linesOf(all), ["told", "DEBUG detail"])
  }))

it.effect("what a hook logs is a line of its step", () =>
  Effect.gen(function*() {
    const step = failing(Effect.log("body")).pipe(Step.hooks(Hook.onStart(Effect.log("in a start hook"))))
    const [alert] = yield* posted(step)
    assert.deepEqual(linesOf(alert), ["in a start hook", "body"])
  }))
