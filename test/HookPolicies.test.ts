import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterHooks, Hook, Hooks, Pipeline, Step } from "../src/index.ts"
import { alertsOf } from "./support/alertsOf.ts"
import { makeIt } from "./support/it.ts"
import { brief, calls, events, logs, noting, plain } from "./support/observe.ts"

const it = makeIt(test)

// -----------------------------------------------------------------------------
// background
// -----------------------------------------------------------------------------

it.effect("a step does not wait for its background hook, but the run does", () =>
  Effect.gen(function*() {
    const [seen, emitted] = [calls(), events()]
    const slow = Hook.onSuccess(() => Effect.andThen(Effect.sleep("5 seconds"), seen.note("background"))).pipe(
      Hook.named("slow"),
      Hook.background
    )
    const step = Step.make("s", seen.note("body")).pipe(Step.hooks(slow), Step.onExit(() => seen.note("exit")))
    const run = Pipeline.make("p", Effect.andThen(step, seen.note("next"))).pipe(
      Pipeline.onSuccess(() => seen.note("run")),
      Effect.provide(emitted.layer)
    )
    const fiber = yield* Effect.forkChild(run)
    yield* TestClock.adjust("4 seconds")
    assert.deepEqual(seen.list, ["body", "exit", "next"])
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 second")
    // the run's own hooks start when all background hooks of its steps have ended
    assert.deepEqual(seen.list, ["body", "exit", "next", "background", "run"])
    assert.deepEqual(fiber.pollUnsafe(), Exit.void)
    assert.deepEqual(emitted.list.map(brief), [
      "RunStarted p",
      "StepStarted s",
      "StepEnded s success",
      "HookStarted slow",
      "HookEnded onExit",
      "HookEnded slow",
      "HookEnded onSuccess",
      "RunEnded p success"
    ])
  }))

it.effect("a step outside a pipeline waits for its background hooks too", () =>
  Effect.gen(function*() {
    const seen = calls()
    for (const body of [Effect.void, Effect.fail("no"), Effect.interrupt]) {
      seen.list.length = 0
      const step = Step.make("s", body).pipe(
        Step.hooks(
          Hook.onExit(() => Effect.andThen(Effect.sleep("5 seconds"), seen.note("background"))).pipe(Hook.background)
        ),
        Step.onExit(() => seen.note("exit"))
      )
      const fiber = yield* Effect.forkChild(step)
      yield* TestClock.adjust("4 seconds")
      assert.deepEqual(seen.list, ["exit"])
      assert.equal(fiber.pollUnsafe(), undefined)
      yield* TestClock.adjust("1 second")
      assert.deepEqual(seen.list, ["exit", "background"])
      assert.deepEqual(plain(fiber.pollUnsafe()!), plain(yield* Effect.exit(body)))
    }
  }))

it.effect("a background hook has a time limit, and its failure is logged and counted in RunEnded", () =>
  Effect.gen(function*() {
    const [log, emitted] = [logs(), events()]
    const step = Step.make("s", Effect.succeed(1)).pipe(
      Step.hooks(Hooks.make(
        Hook.onSuccess(() => Effect.never).pipe(Hook.named("hung"), Hook.timeout("2 seconds"), Hook.background),
        Hook.onSuccess(() => Effect.andThen(Effect.sleep("1 second"), Effect.die("x"))).pipe(
          Hook.named("dies"),
          Hook.background
        )
      ))
    )
    const fiber = yield* Effect.forkChild(Pipeline.make("p", step).pipe(Effect.provide([log.layer, emitted.layer])))
    yield* TestClock.adjust("2 seconds")
    assert.deepEqual(fiber.pollUnsafe(), Exit.succeed(1))
    assert.deepEqual(log.list.map(({ message }) => message), [
      `hook "dies" (success) of "s" failed`,
      `hook "hung" (success) of "s" failed`
    ])
    const ended = emitted.list.at(-1)!
    assert.ok(ended._tag === "RunEnded" && ended.hookFailures === 2)
  }))

it.effect("an interrupted run waits for its background hooks no longer than their time limits", () =>
  Effect.gen(function*() {
    const run = Pipeline.make(
      "p",
      Effect.andThen(
        Step.make("s", Effect.void).pipe(Step.hooks(Hook.onSuccess(() => Effect.never).pipe(Hook.background))),
        Effect.never
      )
    )
    const fiber = yield* Effect.forkChild(run)
    yield* TestClock.adjust("10 seconds")
    const interruption = yield* Effect.forkChild(Fiber.interrupt(fiber))
    yield* TestClock.adjust("19 seconds")
    assert.equal(interruption.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 second")
    assert.deepEqual(interruption.pollUnsafe(), Exit.void)
  }))

// -----------------------------------------------------------------------------
// required
// -----------------------------------------------------------------------------

const audit = (end: Effect.Effect<unknown, unknown>) => Hook.required(Hook.named(Hook.onSuccess(() => end), "audit"))

it.effect("a required hook that succeeds changes nothing", () =>
  Effect.gen(function*() {
    assert.equal(yield* Step.make("s", Effect.succeed(1)).pipe(Step.hooks(audit(Effect.void))), 1)
  }))

it.effect("a required success hook that fails makes the step fail before its ordinary success hooks run", () =>
  Effect.gen(function*() {
    const [seen, log, emitted] = [calls(), logs(), events()]
    const step = Step.make("s", Effect.succeed(1)).pipe(
      Step.onSuccess(() => seen.note("success")),
      Step.onFailure((cause) => seen.note(`failure ${(Cause.squash(cause) as Error).message}`)),
      Step.onExit((exit) => seen.note(`exit ${exit._tag}`)),
      Step.hooks(audit(Effect.fail("the log is full")))
    )
    const run = Pipeline.make("p", step).pipe(Effect.provide([log.layer, emitted.layer]))
    const error = yield* Effect.flip(run)
    assert.ok(error instanceof Hook.HookError)
    const { cause, hook, kind, pipelineName, stepName } = error
    assert.deepEqual({ cause, hook, kind, pipelineName, stepName }, {
      cause: "the log is full",
      hook: "audit",
      kind: "success",
      pipelineName: "p",
      stepName: "s"
    })
    const message = `required hook "audit" (success) of "s" failed`
    assert.deepEqual(seen.list, [`failure ${message}`, "exit Failure"])
    assert.equal(log.list.length, 1)
    assert.deepEqual(emitted.list.filter(({ _tag }) => _tag.startsWith("Step") || _tag === "HookFailed").map(brief), [
      "StepStarted s",
      "HookFailed audit",
      "StepEnded s failure"
    ])
    // HookError is part of the step's error type and can be caught by its tag
    const caught = step.pipe(
      Effect.catchTag("HookError", (error) => Effect.succeed(error.hook)),
      Effect.provide(log.layer)
    )
    assert.equal(yield* caught, "audit")
  }))

it.effect("a required hook that fails, dies, throws, interrupts itself or hangs fails the step with a HookError", () =>
  Effect.gen(function*() {
    const ways: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
      Effect.fail("x"),
      Effect.die("x"),
      Effect.suspend(() => {
        throw new Error("x")
      }),
      Effect.interrupt,
      Effect.never
    ]
    for (const way of ways) {
      const fiber = yield* Effect.forkChild(Effect.flip(
        Step.make("s", Effect.void).pipe(Step.hooks(audit(way)), Effect.provide(logs().layer))
      ))
      yield* TestClock.adjust("30 seconds")
      assert.equal((yield* Fiber.join(fiber))._tag, "HookError")
    }
  }))

it.effect("a required failure hook's error is added after the step's own error in the cause", () =>
  Effect.gen(function*() {
    const seen = calls()
    const required = Hook.onFailure(() => Effect.fail("x")).pipe(Hook.required)
    const step = Step.make("s", Effect.fail({ _tag: "Mine" as const })).pipe(
      Step.hooks(Hooks.make(required, noting(seen, "failure", "ordinary"), noting(seen, "exit", "exit"))),
      Effect.provide(logs().layer)
    )
    const exit = yield* Effect.exit(step)
    assert.ok(Exit.isFailure(exit))
    assert.deepEqual(
      exit.cause.reasons.map((reason) => Cause.isFailReason(reason) ? reason.error._tag : reason._tag),
      ["Mine", "HookError"]
    )
    assert.deepEqual(seen.list, ["ordinary", "exit"])
    // catchTag sees only the first error of a cause
    assert.equal(yield* step.pipe(Effect.catchTag("Mine", () => Effect.succeed("caught"))), "caught")
  }))

it.effect("a required hook that fails makes a failure of any exit, and hooks and events see the caller's cause", () =>
  Effect.gen(function*() {
    const cases: ReadonlyArray<readonly [Effect.Effect<unknown, unknown>, string, ReadonlyArray<string>]> = [
      [Effect.succeed(1), "failure", ["Fail"]],
      [Effect.fail("no"), "failure", ["Fail", "Fail"]],
      [Effect.interrupt, "failure", ["Interrupt", "Fail"]],
      // as for Effect's finalizers: an error beside a defect is not recoverable
      [Effect.die("boom"), "failure", ["Die", "Die"]],
      [Effect.failCause(Cause.combine(Cause.fail("no"), Cause.die("boom"))), "failure", ["Die", "Die", "Die"]]
    ]
    for (const [body, outcome, reasons] of cases) {
      const [seen, emitted] = [calls(), events()]
      const seenExits: Array<Exit.Exit<unknown, unknown>> = []
      const step = Step.make("s", body).pipe(
        Step.hooks(Hooks.make(
          Hook.onExit(() => Effect.fail("x")).pipe(Hook.required),
          ...(["success", "failure", "interrupt"] as const).map((kind) => noting(seen, kind, kind)),
          Hook.onExit((exit) => Effect.sync(() => seenExits.push(exit)))
        )),
        Effect.provide([logs().layer, emitted.layer])
      )
      const exit = yield* Effect.exit(step)
      assert.ok(Exit.isFailure(exit))
      assert.deepEqual(exit.cause.reasons.map(({ _tag }) => _tag), reasons)
      assert.deepEqual(seen.list, [outcome])
      const ended = emitted.list.find((event) => event._tag === "StepEnded")!
      assert.equal(ended.outcome, outcome)
      assert.deepEqual([seenExits.map(plain), plain(ended.exit)], [[plain(exit)], plain(exit)])
    }
  }))

it.effect("a required start hook that fails prevents the step's body from running", () =>
  Effect.gen(function*() {
    const [seen, emitted] = [calls(), events()]
    const step = Step.make("s", seen.note("body")).pipe(
      Step.hooks(Hooks.make(
        Hook.onStart(Effect.fail("not allowed")).pipe(Hook.named("gate"), Hook.required),
        noting(seen, "start", "next start"),
        noting(seen, "success", "success"),
        noting(seen, "failure", "failure"),
        noting(seen, "exit", "exit")
      )),
      Effect.provide([logs().layer, emitted.layer])
    )
    const error = yield* Effect.flip(step)
    assert.ok(error instanceof Hook.HookError && error.kind === "start" && error.hook === "gate")
    assert.deepEqual(seen.list, ["failure", "exit"])
    assert.equal(emitted.list.filter(({ _tag }) => _tag === "StepEnded").length, 1)
  }))

it.effect("after a required success hook fails, required failure hooks run once and required exit hooks see the failure", () =>
  Effect.gen(function*() {
    const seen = calls()
    const required = (kind: Hook.Kind, end: Effect.Effect<unknown, unknown> = Effect.void) =>
      Hook.required(noting(seen, kind, kind, end))
    const step = Step.make("s", Effect.void).pipe(
      Step.hooks(
        Hooks.make(required("exit"), required("failure", Effect.fail("y")), required("success", Effect.fail("x")))
      ),
      Effect.provide(logs().layer)
    )
    const exit = yield* Effect.exit(step)
    assert.deepEqual(seen.list, ["success", "failure", "exit"])
    assert.ok(Exit.isFailure(exit))
    assert.deepEqual(
      exit.cause.reasons.map((reason) => Cause.isFailReason(reason) ? reason.error.cause : reason._tag),
      ["x", "y"]
    )
  }))

it.effect("a required hook of a pipeline that fails makes the run fail", () =>
  Effect.gen(function*() {
    const [seen, emitted] = [calls(), events()]
    const run = Pipeline.make("p", Effect.succeed(1)).pipe(
      Pipeline.hooks(audit(Effect.fail("x"))),
      Pipeline.onSuccess(() => seen.note("success")),
      Pipeline.onFailure(() => seen.note("failure")),
      Effect.provide([logs().layer, emitted.layer])
    )
    assert.equal((yield* Effect.flip(run)).stepName, "p")
    assert.deepEqual(seen.list, ["failure"])
    assert.equal(brief(emitted.list.at(-1)!), "RunEnded p failure")
  }))

it.effect("a required retry hook that fails ends the retries and adds its error to the attempt's", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make("s", Effect.andThen(seen.note("attempt"), Effect.fail("x"))).pipe(
      Step.retry({ times: 3 }),
      Step.hooks(Hook.required(noting(seen, "retry", "retry", Effect.fail("budget spent")))),
      Step.onFailure(() => seen.note("failure")),
      Effect.provide(logs().layer)
    )
    const exit = yield* Effect.exit(step)
    assert.deepEqual(seen.list, ["attempt", "retry", "failure"])
    assert.ok(Exit.isFailure(exit))
    const errors = exit.cause.reasons.map((reason) => Cause.isFailReason(reason) ? reason.error : reason._tag)
    assert.equal(errors[0], "x")
    assert.ok(errors[1] instanceof Hook.HookError && errors[1].kind === "retry")
  }))

it.effect("required start hooks run before ordinary start hooks", () =>
  Effect.gen(function*() {
    const seen = calls()
    yield* Step.make("s", seen.note("body")).pipe(
      Step.hooks(Hooks.make(noting(seen, "start", "announce"), Hook.required(noting(seen, "start", "gate"))))
    )
    assert.deepEqual(seen.list, ["gate", "announce", "body"])
  }))

// -----------------------------------------------------------------------------
// when
// -----------------------------------------------------------------------------

const failingPredicates: Readonly<Record<string, () => Effect.Effect<boolean, string>>> = {
  "fails": () => Effect.fail("no answer"),
  "dies later": () => Effect.andThen(Effect.yieldNow, Effect.die("no answer")),
  "throws": () => {
    throw new Error("no answer")
  },
  // as from JavaScript
  "returns a promise": () => Promise.resolve(false) as unknown as Effect.Effect<boolean>
}

for (const [does, predicate] of Object.entries(failingPredicates)) {
  it.effect(`an alert about a failure is posted once where its predicate ${does}, and the hook fails`, () =>
    Effect.gen(function*() {
      const [emitted, log] = [events(), logs()]
      const failing = Step.make("load", Effect.fail("disk full")).pipe(
        Step.hooks(AlerterHooks.failure.pipe(Hook.when(predicate)))
      )
      const run = Pipeline.make("p", failing).pipe(
        Pipeline.stepHooks(AlerterHooks.all),
        Pipeline.hooks(AlerterHooks.all)
      )
      const alerts = yield* alertsOf(run.pipe(Effect.provide([emitted.layer, log.layer])))
      assert.deepEqual(alerts.map(({ title }) => title), ["p › load failed"])
      assert.equal(emitted.list.filter(({ _tag }) => _tag === "HookFailed").length, 1)
      assert.equal(log.list.length, 1)
    }))
}

it.effect("a success is not posted, nor is another hook called, where the predicate fails", () =>
  Effect.gen(function*() {
    const seen = calls()
    const predicate = () => Effect.fail("no answer")
    const step = Step.make("load", Effect.void).pipe(
      Step.hooks(Hooks.make(
        AlerterHooks.success.pipe(Hook.when(predicate)),
        Hook.onSuccess(() => seen.note("hook")).pipe(Hook.when(predicate))
      ))
    )
    assert.deepEqual(yield* alertsOf(step.pipe(Effect.provide(logs().layer))), [])
    assert.deepEqual(seen.list, [])
  }))
