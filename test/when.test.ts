/** Tests steps with a predicate, which are skipped where it is false. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Pipeline, Step, StepContext } from "../src/index.ts"
import { TestApprover } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { brief, calls, events, noteAll, plain } from "./support/observe.ts"

const it = makeIt(test)

it.effect("a step whose predicate is false is skipped: callers get None, and skip and exit hooks run alone", () =>
  Effect.gen(function*() {
    const seen = calls()
    const told = events()
    const step = Step.make("report", seen.note("body")).pipe(
      Step.hooks(noteAll(seen)),
      Step.when(false, { reason: "only on Mondays" })
    )
    const value = yield* Pipeline.make("p", step).pipe(Effect.provide(told.layer))
    assert.deepEqual(value, Option.none())
    assert.deepEqual(seen.list, ["skip", "exit"])
    assert.deepEqual(told.list.map(brief), [
      "RunStarted p",
      "StepStarted report",
      "StepSkipped report: only on Mondays",
      "HookEnded skip",
      "HookEnded exit",
      "RunEnded p success"
    ])
  }))

it.effect("a step whose predicate is true runs, and callers get Some of its value", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make("report", Effect.succeed(1)).pipe(Step.hooks(noteAll(seen)), Step.when(true))
    assert.deepEqual(yield* step, Option.some(1))
    assert.deepEqual(seen.list, ["start", "success", "exit"])
  }))

it.effect("the predicate is a boolean, a function or an Effect, and is evaluated anew each time", () =>
  Effect.gen(function*() {
    let asked = 0
    const everyOther = () => asked++ % 2 === 0
    const lazy = Step.make("lazy", Effect.succeed(1)).pipe(Step.when(everyOther))
    const effect = Step.when(Step.make("effect", Effect.succeed(1)), Effect.sync(everyOther))
    assert.deepEqual([yield* lazy, yield* lazy, yield* effect, yield* effect].map(Option.isSome), [
      true,
      false,
      true,
      false
    ])
  }))

it.effect("a step may be the predicate, in both forms, and is evaluated inside", () =>
  Effect.gen(function*() {
    const told = events()
    const isDue = Step.make("is-due", Effect.succeed(false))
    const load = Step.make("load", Effect.succeed(1))
    const both = Effect.all([load.pipe(Step.when(isDue)), Step.when(load, isDue)])
    assert.deepEqual(yield* Pipeline.make("p", both).pipe(Effect.provide(told.layer)), [Option.none(), Option.none()])
    const inner = told.list.flatMap((event) => event._tag === "StepEnded" ? [event.stepPath.join("/")] : [])
    assert.deepEqual(inner, ["load/is-due", "load/is-due"])
  }))

it.effect("the predicate sees the context of the step, and may skip with a reason of its own", () =>
  Effect.gen(function*() {
    const seen = calls()
    const predicate = Effect.flatMap(StepContext, ({ stepLabels }) => Step.skip(`not ${stepLabels.join()}`))
    const step = Step.make("load", Effect.void).pipe(
      Step.key(7),
      Step.when(predicate, { reason: "unused" }),
      Step.onSkip(({ reason }) => seen.note(String(reason)))
    )
    assert.deepEqual(yield* step, Option.none())
    assert.deepEqual(seen.list, ["not load[7]"])
  }))

it.effect("a predicate that fails or dies fails the step before its start hooks", () =>
  Effect.gen(function*() {
    for (
      const [predicate, cause] of [[Effect.fail("down"), { fail: "down" }], [Effect.die("bug"), {
        die: "bug"
      }]] as const
    ) {
      const seen = calls()
      const step = Step.make("load", seen.note("body")).pipe(Step.when(predicate), Step.hooks(noteAll(seen)))
      assert.deepEqual(plain(yield* Effect.exit(step)), [cause])
      assert.deepEqual(seen.list, ["failure", "exit"])
    }
  }))

it.effect("all of several predicates must be true, and those after the first that is not are not evaluated", () =>
  Effect.gen(function*() {
    const seen = calls()
    const asked = (answer: boolean, name: string) => Effect.as(seen.note(name), answer)
    const load = (a: boolean, b: boolean) =>
      Step.make("load", Effect.succeed(1)).pipe(
        Step.when(asked(a, "a"), { reason: "not a" }),
        Step.when(asked(b, "b"), { reason: "not b" }),
        Step.onSkip(({ reason }) => seen.note(String(reason)))
      )
    assert.deepEqual(yield* load(true, true), Option.some(Option.some(1)))
    assert.deepEqual(yield* load(true, false), Option.none())
    assert.deepEqual(yield* load(false, true), Option.none())
    assert.deepEqual(seen.list, ["a", "b", "a", "b", "not b", "a", "not a"])
  }))

it.effect("nobody is asked to approve a step that is skipped", () =>
  Effect.gen(function*() {
    const step = Step.make("deploy", Effect.void).pipe(
      Step.requireApproval({ title: "Deploy?", timeout: "1 hour" }),
      Step.when(false)
    )
    const asked = yield* Effect.andThen(step, TestApprover.asked).pipe(
      Effect.provide(TestApprover.layerSilent)
    )
    assert.deepEqual(asked, [])
  }))

it.effect("the predicate is neither retried nor part of the time limit, and an interruption ends it", () =>
  Effect.gen(function*() {
    let asked = 0
    const slow = Effect.andThen(Effect.sleep("1 hour"), Effect.sync(() => asked++ > 100))
    const step = Step.make("load", Effect.void).pipe(
      Step.timeout("1 minute"),
      Step.retry({ times: 3 }),
      Step.when(slow)
    )
    const fiber = yield* Effect.forkDetach(step, { startImmediately: true })
    yield* TestClock.adjust("2 hours")
    assert.deepEqual([fiber.pollUnsafe(), asked], [Exit.succeed(Option.none()), 1])
    const seen = calls()
    const other = yield* Effect.forkDetach(Step.hooks(step, noteAll(seen)), { startImmediately: true })
    yield* Fiber.interrupt(other)
    assert.deepEqual(seen.list, ["interrupt", "exit"])
  }))

it.effect("hooks see the value that the step has at their place in the pipe", () =>
  Effect.gen(function*() {
    const seen = calls()
    const show = (name: string) => (exit: Exit.Exit<unknown, unknown>) =>
      seen.note(`${name} ${exit._tag === "Success" ? String(exit.value) : Cause.squash(exit.cause)}`)
    const load = (go: boolean) =>
      Step.make("load", Effect.succeed(1)).pipe(
        Step.onSuccess((rows) => seen.note(`success ${rows}`)),
        Step.onExit(show("exit")),
        Step.when(go),
        Step.onSuccess(Option.match({ onNone: () => Effect.die("none"), onSome: (rows) => seen.note(`some ${rows}`) })),
        Step.onExit(show("exit of option")),
        Step.whenSkipped(() => "nothing"),
        Step.onExit(show("exit of either"))
      )
    assert.deepEqual(yield* load(true), Option.some(1))
    assert.deepEqual(yield* load(false), "nothing")
    assert.deepEqual(seen.list, [
      "success 1",
      "some 1",
      "exit 1",
      "exit of option some(1)",
      "exit of either some(1)",
      "exit StepSkipped: skipped",
      "exit of option none()",
      "exit of either nothing"
    ])
  }))

it.effect("Step.fn takes the argument of a call for the predicate, and applies the rest once", () =>
  Effect.gen(function*() {
    let bodies = 0
    const fetchPage = Step.fn("fetch-page")(
      (page: number) => Effect.sync(() => (bodies++, page)),
      Step.when(Effect.succeed(true)),
      (step, page) => Step.when(step, page < 3, { reason: `page ${page}` }),
      (step, page) => Step.key(step, page)
    )
    const pages = yield* Effect.forEach([1, 2, 3], fetchPage, { concurrency: 3 })
    assert.deepEqual(pages.map((page) => Option.map(page, Option.getOrNull)), [
      Option.some(1),
      Option.some(2),
      Option.none()
    ])
    assert.equal(bodies, 2)
  }))
