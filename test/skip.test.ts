/** Tests steps and runs that are skipped: by a predicate, or from their bodies. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, Step, StepContext } from "../src/index.ts"
import { TestHook } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { brief, calls, events, noteAll, plain } from "./support/observe.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

// -----------------------------------------------------------------------------
// Step.skip
// -----------------------------------------------------------------------------

it.effect("Step.skip in a body ends it with a typed failure that the step's callers handle", () =>
  Effect.gen(function*() {
    const seen = calls()
    const load = Step.make("load", Effect.andThen(Step.skip("no rows"), seen.note("rest"))).pipe(
      Step.hooks(noteAll(seen))
    )
    assert.deepEqual(plain(yield* Effect.exit(load)), [{ fail: new Step.StepSkipped({ reason: "no rows" }) }])
    assert.deepEqual(seen.list, ["start", "skip", "exit"])
    assert.equal(yield* Effect.catchTag(load, "StepSkipped", ({ reason }) => Effect.succeed(reason)), "no rows")
    assert.equal(yield* load.pipe(Step.whenSkipped(({ reason }) => reason)), "no rows")
    assert.deepEqual(yield* load.pipe(Step.when(true)), Option.none())
    assert.ok(Step.isStep(load.pipe(Step.whenSkipped(() => 0))))
  }))

it.live("a function that returns a promise skips its step by throwing", () =>
  Effect.gen(function*() {
    const seen = calls()
    const load = Step.promise("load", () => Promise.reject(new Step.StepSkipped({ reason: "no rows" }))).pipe(
      Step.hooks(noteAll(seen)),
      Step.whenSkipped(({ reason }) => reason)
    )
    assert.equal(yield* load, "no rows")
    assert.deepEqual(seen.list, ["start", "skip", "exit"])
  }))

it.effect("a step and a pipeline that do not handle a skip are skipped, too, and the rest of their bodies does not run", () =>
  Effect.gen(function*() {
    const seen = calls()
    const told = events()
    const load = Step.make("load", Step.skip("no rows"))
    const outer = Step.make("outer", Effect.andThen(load, seen.note("rest of outer"))).pipe(
      Step.onSkip(({ reason }) => seen.note(`outer: ${reason}`))
    )
    const run = Pipeline.make("p", Effect.andThen(outer, seen.note("rest of p"))).pipe(Pipeline.hooks(noteAll(seen)))
    assert.deepEqual(plain(yield* Effect.exit(Effect.provide(run, told.layer))), [
      { fail: new Step.StepSkipped({ reason: "no rows" }) }
    ])
    assert.deepEqual(seen.list, ["start", "outer: no rows", "skip", "exit"])
    assert.deepEqual(told.list.map(brief).filter((line) => !line.startsWith("Hook")), [
      "RunStarted p",
      "StepStarted outer",
      "StepStarted load",
      "StepSkipped load: no rows",
      "StepSkipped outer: no rows",
      "RunEnded p skip"
    ])
  }))

it.effect("a skip beside an error or a defect is a failure, and beside an interruption a skip", () =>
  Effect.gen(function*() {
    const skip = Cause.fail(new Step.StepSkipped({}))
    const outcomes = [
      [skip, "skip"],
      [Cause.combine(skip, skip), "skip"],
      [Cause.combine(Cause.interrupt(1), skip), "skip"],
      [Cause.combine(skip, Cause.fail("no")), "failure"],
      [Cause.combine(skip, Cause.die("no")), "failure"],
      [Cause.die(new Step.StepSkipped({})), "failure"]
    ] as const
    for (const [cause, outcome] of outcomes) {
      const seen = calls()
      yield* Effect.exit(Step.make("s", Effect.failCause(cause)).pipe(Step.hooks(noteAll(seen))))
      assert.deepEqual(seen.list, ["start", outcome, "exit"])
    }
  }))

it.effect("the error of somebody else with the same tag, and a proxy that has all properties, are failures", () =>
  Effect.gen(function*() {
    const anything = new Proxy({}, { get: (_, key) => key, has: () => true })
    for (const error of [{ _tag: "StepSkipped", reason: "no" }, anything]) {
      const seen = calls()
      yield* Effect.exit(Step.make("s", Effect.fail(error)).pipe(Step.hooks(noteAll(seen))))
      assert.deepEqual(seen.list, ["start", "failure", "exit"])
    }
  }))

it.effect("a skip is not retried, whatever the policy, and has no retry hooks", () =>
  Effect.gen(function*() {
    const policies = [
      Step.retry({ times: 3 }),
      Step.retry({ schedule: Schedule.recurs(3), while: () => true }),
      Step.retry(Schedule.recurs(3))
    ]
    for (const retry of policies) {
      const seen = calls()
      const load = Step.make("load", Effect.andThen(seen.note("body"), Step.skip())).pipe(retry)
      yield* Effect.exit(Step.hooks(load, noteAll(seen)))
      assert.deepEqual(seen.list, ["start", "body", "skip", "exit"])
    }
  }))

it.effect("a skip after a failed attempt counts the attempts", () =>
  Effect.gen(function*() {
    const told = events()
    let attempt = 0
    const load = Step.make(
      "load",
      Effect.suspend((): Effect.Effect<never, string | Step.StepSkipped> =>
        attempt++ === 0 ? Effect.fail("no") : Step.skip("gone")
      )
    ).pipe(
      Step.retry({ times: 3 })
    )
    yield* Effect.exit(Effect.provide(load, told.layer))
    const skipped = told.list.find((event) => event._tag === "StepSkipped")
    assert.equal(skipped?.attempts, 2)
  }))

it.effect("a skip ends the watch for limits, and counts its duration", () =>
  Effect.gen(function*() {
    const seen = calls()
    const told = events()
    const load = Step.make("load", Effect.andThen(Effect.sleep("30 minutes"), Step.skip("no rows"))).pipe(
      Step.onOverdue("10 minutes", ({ times }) => seen.note(`late ${times}`), { every: "10 minutes" }),
      Step.onSkip(() => seen.note("skip")),
      Step.whenSkipped(() => 0)
    )
    yield* Effect.forkDetach(Effect.provide(load, told.layer), { startImmediately: true })
    yield* TestClock.adjust("29 minutes")
    yield* TestClock.adjust("5 hours")
    assert.deepEqual(seen.list, ["late 1", "late 2", "skip"])
    const skipped = told.list.find((event) => event._tag === "StepSkipped")
    assert.equal(Duration.toMinutes(skipped!.duration), 30)
  }))

// -----------------------------------------------------------------------------
// hooks
// -----------------------------------------------------------------------------

it.effect("a required skip hook that fails fails the step, and who handles a skip does not lose its error", () =>
  Effect.gen(function*() {
    const seen = calls()
    const broken = Hook.onSkip(() => Effect.fail("no network")).pipe(Hook.named("note"), Hook.required)
    const load = Step.make("load", Step.skip("no rows")).pipe(
      Step.hooks(broken),
      Step.onFailure((cause) => seen.note(`failure ${cause.reasons.length}`)),
      Step.whenSkipped(() => 0)
    )
    const failed = Effect.catchTag(load, "HookError", ({ hook, kind }) => Effect.succeed(`${hook} ${kind}`))
    assert.equal(yield* failed, "note skip")
    assert.deepEqual(seen.list, ["failure 1"])
  }))

it.effect("the skip hooks of a pipeline run for steps without any, and a hook that fails changes nothing", () =>
  Effect.gen(function*() {
    const seen = calls()
    const quiet = Step.make("quiet", Step.skip()).pipe(Step.inherit("off", "skip"), Step.whenSkipped(() => 0))
    const own = Step.make("own", Step.skip()).pipe(
      Step.onSkip(() => Effect.andThen(seen.note("own"), Effect.fail("no"))),
      Step.whenSkipped(() => 0)
    )
    const plain = Step.make("plain", Step.skip()).pipe(Step.whenSkipped(() => 0))
    const run = Pipeline.make("p", Effect.all([quiet, own, plain])).pipe(
      Pipeline.stepHooks(
        Hook.onSkip(() => Effect.flatMap(StepContext, ({ stepName }) => seen.note(`pipeline ${stepName}`)))
      )
    )
    assert.deepEqual(yield* run, [0, 0, 0])
    assert.deepEqual(seen.list, ["own", "pipeline plain"])
    assert.deepEqual(Hooks.explain(own, run).map(({ kind, level }) => `${kind} ${level}`), ["skip step"])
  }))

it.effect("TestHook runs a skip hook for a skip, and for no other exit", () =>
  Effect.gen(function*() {
    const hook = Hook.onSkip(() => Effect.void).pipe(Hook.when(({ stepName }) => stepName !== "other"))
    const skipped = Exit.fail(new Step.StepSkipped({ reason: "no rows" }))
    const run = (exit: Exit.Exit<unknown, unknown>) => Effect.map(TestHook.run(hook, exit), ({ _tag }) => _tag)
    assert.deepEqual([yield* run(skipped), yield* run(Exit.fail("no")), yield* run(Exit.void)], [
      "Ended",
      "NotCalled",
      "NotCalled"
    ])
  }))

// -----------------------------------------------------------------------------
// laws
// -----------------------------------------------------------------------------

const Ends = Schema.Literals(["succeed", "fail", "die", "skip", "interrupt"])
const Story = Schema.Struct({
  predicate: Schema.Literals(["none", "true", "false", "skips", "fails"]),
  attempts: Schema.Array(Ends).check(Schema.isMaxLength(4)),
  handled: Schema.Boolean,
  inside: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))
})

const ends: Record<(typeof Ends)["Type"], Effect.Effect<number, unknown>> = {
  succeed: Effect.succeed(1),
  fail: Effect.fail("no"),
  die: Effect.die("no"),
  skip: Step.skip("no rows"),
  interrupt: Effect.interrupt
}

const predicates: Record<"true" | "false" | "skips" | "fails", Effect.Effect<boolean, string | Step.StepSkipped>> = {
  true: Effect.succeed(true),
  false: Effect.succeed(false),
  skips: Step.skip("no rows"),
  fails: Effect.fail("no")
}

/** Returns how the step has to end: its attempts go on until one that does not fail. */
const expectedOf = ({ attempts, predicate }: (typeof Story)["Type"]): string => {
  if (predicate === "false" || predicate === "skips") return "skip"
  if (predicate === "fails") return "failure"
  const end = attempts.find((end) => end !== "fail") ?? (attempts.length === 0 ? "succeed" : "fail")
  return { succeed: "success", fail: "failure", die: "failure", skip: "skip", interrupt: "interrupt" }[end]
}

it.effect("each evaluation has one terminal event, and a skip runs the hooks of a skip and of an exit alone", () =>
  forAll(Story, (story) =>
    Effect.gen(function*() {
      const seen = calls()
      const told = events()
      const { attempts, handled, inside, predicate } = story
      let n = 0
      const body = Effect.suspend(() => ends[attempts[n++] ?? "succeed"])
      const retried = Step.make("s", body).pipe(
        Step.retry({ times: Math.max(0, attempts.length - 1) }),
        Step.hooks(noteAll(seen))
      )
      const asked: Step.Step<unknown, unknown> = predicate === "none"
        ? retried
        : Step.when(retried, predicates[predicate])
      const step: Step.Step<unknown, unknown> = handled ? Step.whenSkipped(asked, () => 0) : asked
      let whole: Effect.Effect<unknown, unknown> = step
      for (let i = 0; i < inside; i++) whole = Step.make(`outer ${i}`, whole)
      const exit = yield* Effect.exit(Pipeline.make("p", whole).pipe(Effect.provide(told.layer)))
      const expected = expectedOf(story)
      const terminal = told.list.filter(({ _tag }) => _tag === "StepEnded" || _tag === "StepSkipped")
      const started = told.list.filter(({ _tag }) => _tag === "StepStarted")
      assert.equal(terminal.length, started.length)
      const first = terminal[0]!
      assert.equal(first._tag === "StepSkipped" ? "skip" : first._tag === "StepEnded" && first.outcome, expected)
      const ofEnd = seen.list.filter((kind) => kind !== "start" && kind !== "retry")
      assert.deepEqual(ofEnd, [expected, "exit"])
      const isHandled = handled || (predicate !== "none" && expected === "skip")
      const outer = expected === "skip" && isHandled ? "success" : expected
      assert.ok(brief(told.list.at(-1)!).endsWith(outer), brief(told.list.at(-1)!))
      assert.equal(exit._tag === "Success", outer === "success")
      assert.ok(n <= attempts.length || attempts.length === 0)
    })))
