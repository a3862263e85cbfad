/** Rollback hooks: what is undone when a run fails, in which order, and what becomes of a hook that fails. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterHooks, Hook, Pipeline, Step, StepContext } from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { brief, type Calls, calls, events, logs, noting, plain } from "./support/observe.ts"
import { boom, undoable } from "./support/rollback.ts"

const it = makeIt(test)

it.effect("when a run fails, the steps that have succeeded are undone in reverse order, before the hooks of the run", () =>
  Effect.gen(function*() {
    const seen = calls()
    const body = Effect.all([undoable(seen, "a"), undoable(seen, "b"), undoable(seen, "c"), boom], { discard: true })
    const run = Pipeline.make("p", body).pipe(
      Pipeline.onFailure(() => seen.note("failure")),
      Pipeline.onExit(() => seen.note("exit"))
    )
    assert.deepEqual(yield* Effect.exit(run), Exit.fail("boom"))
    assert.deepEqual(seen.list, ["a", "b", "c", "undo c", "undo b", "undo a", "failure", "exit"])
  }))

it.effect("a run that succeeds undoes nothing, also where it has caught the failure of a step around others", () =>
  Effect.gen(function*() {
    const seen = calls()
    const outer = Step.make("outer", Effect.andThen(undoable(seen, "inner"), boom))
    const run = Pipeline.make("p", Effect.andThen(undoable(seen, "a"), Effect.ignore(outer)))
    yield* run
    assert.deepEqual(seen.list, ["a", "inner"])
  }))

it.effect("a rollback hook gets the value of the step, the cause of the run, and the context of the step", () =>
  Effect.gen(function*() {
    const seen: Array<unknown> = []
    const charge = Step.make("charge", Effect.succeed({ payment: 7 })).pipe(
      Step.key(7),
      Step.onRollback(({ payment }, cause) =>
        Effect.map(
          StepContext,
          ({ pipelineName, stepKey }) => void seen.push(payment, Cause.squash(cause), pipelineName, stepKey)
        )
      )
    )
    yield* Effect.exit(Pipeline.make("order", Effect.andThen(charge, boom)))
    assert.deepEqual(seen, [7, "boom", "order", "7"])
  }))

it.effect("an interruption of the run undoes its steps, and does not interrupt that", () =>
  Effect.gen(function*() {
    const seen = calls()
    const waiting = yield* Deferred.make<void>()
    const slow = Step.make("slow", Effect.succeed(1)).pipe(
      Step.onRollback((_, cause) =>
        Effect.andThen(Effect.sleep("10 seconds"), seen.note(`undo ${Cause.hasInterruptsOnly(cause)}`))
      )
    )
    const run = Pipeline.make(
      "p",
      Effect.andThen(slow, Effect.andThen(Deferred.succeed(waiting, undefined), Effect.never))
    ).pipe(Pipeline.onInterrupt(() => seen.note("interrupt")))
    const fiber = yield* Effect.forkChild(run)
    yield* Deferred.await(waiting)
    const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
    yield* TestClock.adjust("5 seconds")
    yield* Effect.forkChild(Fiber.interrupt(fiber))
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(interrupting)
    assert.deepEqual(seen.list, ["undo true", "interrupt"])
  }))

const broken: Record<string, Effect.Effect<unknown, unknown>> = {
  fails: Effect.fail("no"),
  dies: Effect.die("no"),
  throws: Effect.suspend(() => {
    throw new Error("no")
  }),
  "interrupts itself": Effect.interrupt,
  hangs: Effect.never
}

for (const [how, effect] of Object.entries(broken)) {
  it.effect(`a rollback hook that ${how} is told, and keeps neither the others nor the exit from what they are`, () =>
    Effect.gen(function*() {
      const seen = calls()
      const observed = events()
      const logged = logs()
      const undo = Hook.onRollback(() => effect).pipe(Hook.named("undo it"), Hook.timeout("5 seconds"))
      const bad = Step.make("bad", Effect.void).pipe(Step.hooks(undo), Step.onRollback(() => seen.note("second")))
      const run = Pipeline.make("p", Effect.all([undoable(seen, "a"), bad, undoable(seen, "c"), boom])).pipe(
        Effect.provide([observed.layer, logged.layer])
      )
      const fiber = yield* Effect.forkChild(Effect.exit(run))
      yield* TestClock.adjust("5 seconds")
      assert.deepEqual(yield* Fiber.join(fiber), Exit.fail("boom"))
      assert.deepEqual(seen.list, ["a", "c", "undo c", "second", "undo a"])
      assert.deepEqual(
        observed.list.filter(({ _tag }) => _tag === "HookFailed").map(brief),
        ["HookFailed undo it"]
      )
      assert.deepEqual(
        logged.list.filter(({ level }) => level === "Error").map(({ message }) => message),
        [`hook "undo it" (rollback) of "bad" failed`]
      )
      const [ended] = observed.list.slice(-1)
      assert.ok(ended?._tag === "RunEnded" && ended.hookFailures === 1 && ended.outcome === "failure")
    }))
}

it.effect("each evaluation that succeeded is undone once: with keys, made by Step.fn, and in attempts that failed later", () =>
  Effect.gen(function*() {
    const seen = calls()
    const page = Step.fn("page")(
      (n: number) => Effect.succeed(n),
      (step, n) => Step.key(step, n),
      Step.onRollback((n) => seen.note(`undo ${n}`))
    )
    let attempts = 0
    const outer = Step.make(
      "outer",
      Effect.andThen(page(1), Effect.suspend(() => attempts++ === 0 ? Effect.fail("once") : Effect.void))
    ).pipe(Step.retry({ times: 1 }), Step.onRollback(() => seen.note("undo outer")))
    yield* Effect.exit(Pipeline.make("p", Effect.all([outer, page(2), page(2), boom])))
    assert.deepEqual(seen.list, ["undo 2", "undo 2", "undo outer", "undo 1", "undo 1"])
  }))

it.effect("a step that was retried is undone once, with the value of the attempt that succeeded", () =>
  Effect.gen(function*() {
    const seen = calls()
    let attempts = 0
    const flaky = Step.make(
      "flaky",
      Effect.suspend(() => ++attempts < 3 ? Effect.fail("not yet") : Effect.succeed(attempts))
    )
      .pipe(Step.retry({ times: 5 }), Step.onRollback((n) => seen.note(`undo ${n}`)))
    yield* Effect.exit(Pipeline.make("p", Effect.andThen(flaky, boom)))
    assert.deepEqual(seen.list, ["undo 3"])
  }))

it.effect("concurrent steps are undone in the reverse order of their success, one after another", () =>
  Effect.gen(function*() {
    const seen = calls()
    const after = (name: string, seconds: number) =>
      Step.make(name, Effect.sleep(seconds * 1000)).pipe(
        Step.onRollback(() =>
          Effect.andThen(
            seen.note(`undoing ${name}`),
            Effect.andThen(Effect.sleep("1 second"), seen.note(`undone ${name}`))
          )
        )
      )
    const body = Effect.all([after("slow", 3), after("fast", 1), Effect.andThen(Effect.sleep("5 seconds"), boom)], {
      concurrency: "unbounded"
    })
    const fiber = yield* Effect.forkChild(Effect.exit(Pipeline.make("p", body)))
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(fiber)
    assert.deepEqual(seen.list, ["undoing slow", "undone slow", "undoing fast", "undone fast"])
  }))

it.effect("outside of a pipeline, the outermost step is the run: it undoes the steps inside of it, and not itself", () =>
  Effect.gen(function*() {
    const seen = calls()
    const observed = events()
    yield* undoable(seen, "alone")
    const outer = Step.make("outer", Effect.andThen(undoable(seen, "inner"), boom)).pipe(
      Step.onRollback(() => seen.note("undo outer")),
      Step.onFailure(() => seen.note("failure"))
    )
    yield* Effect.exit(Effect.provide(outer, observed.layer))
    assert.deepEqual(seen.list, ["alone", "inner", "undo inner", "failure"])
    assert.deepEqual(observed.list.map(brief), [
      "RunStarted outer",
      "StepStarted outer",
      "StepStarted inner",
      "StepEnded inner success",
      "StepStarted boom",
      "StepEnded boom failure",
      "HookEnded onRollback",
      "StepEnded outer failure",
      "HookEnded onFailure",
      "RunEnded outer failure"
    ])
  }))

it.effect("a step whose body succeeded is undone, though a required success hook has failed it", () =>
  Effect.gen(function*() {
    const seen = calls()
    const audited = undoable(seen, "audited").pipe(
      Step.hooks(Hook.onSuccess(() => Effect.fail("audit log is full")).pipe(Hook.required))
    )
    yield* Effect.exit(Pipeline.make("p", audited))
    yield* Effect.exit(audited)
    assert.deepEqual(seen.list, ["audited", "undo audited", "audited", "undo audited"])
  }))

it.effect("a required success hook that fails the run has its steps undone, before the failure hooks", () =>
  Effect.gen(function*() {
    const seen = calls()
    const run = Pipeline.make("p", undoable(seen, "a")).pipe(
      Pipeline.hooks(Hook.onSuccess(() => Effect.fail("audit log is full")).pipe(Hook.named("audit"), Hook.required)),
      Pipeline.hooks(Hook.required(noting(seen, "failure", "required failure"))),
      Pipeline.onFailure(() => seen.note("failure"))
    )
    const exit = yield* Effect.exit(run)
    assert.ok(exit._tag === "Failure" && Cause.squash(exit.cause) instanceof Hook.HookError)
    assert.deepEqual(seen.list, ["a", "undo a", "required failure", "failure"])
  }))

it.effect("a pipeline inside of a step undoes its own steps when it fails, and forgets them when it succeeds", () =>
  Effect.gen(function*() {
    const seen = calls()
    const inner = (name: string, end: Effect.Effect<unknown, string>) =>
      Step.make(name, Pipeline.make(`${name} run`, Effect.andThen(undoable(seen, `${name} step`), end))).pipe(
        Step.onRollback(() => seen.note(`undo ${name}`))
      )
    const body = Effect.andThen(inner("good", Effect.void), inner("bad", boom))
    yield* Effect.exit(Pipeline.make("p", body))
    assert.deepEqual(seen.list, ["good step", "bad step", "undo bad step", "undo good"])
  }))

it.effect("a hook with a condition that does not hold undoes nothing, and a step that a rollback hook evaluates stays", () =>
  Effect.gen(function*() {
    const seen = calls()
    const skipped = Step.make("skipped", Effect.void).pipe(
      Step.hooks(Hook.when(Hook.onRollback(() => seen.note("never")), (_, exit) => exit?._tag === "Success"))
    )
    const helped = Step.make("helped", Effect.void).pipe(Step.onRollback(() => undoable(seen, "helper")))
    const run = Pipeline.make("p", Effect.all([skipped, helped, boom])).pipe(Pipeline.hooks(AlerterHooks.failure))
    yield* Effect.exit(run)
    assert.deepEqual(seen.list, ["helper"])
    const [alert] = yield* TestAlerter.sent
    assert.deepEqual(alert?.fields.filter(({ name }) => name.includes("undone")), [{ name: "undone", value: "helped" }])
  }).pipe(Effect.provide(TestAlerter.layer)))

it.effect("Pipeline.stepHooks gives steps a rollback hook, which one of their own replaces", () =>
  Effect.gen(function*() {
    const seen = calls()
    const run = Pipeline.make("p", Effect.all([Step.make("plain", Effect.void), undoable(seen, "own"), boom])).pipe(
      Pipeline.stepHooks(
        Hook.onRollback(() => Effect.flatMap(StepContext, ({ stepName }) => seen.note(`all ${stepName}`)))
      )
    )
    yield* Effect.exit(run)
    assert.deepEqual(seen.list, ["own", "undo own", "all plain"])
  }))

class Db extends Context.Service<Db, { open: boolean }>()("Db") {}

const layer = ({ note }: Calls) =>
  Layer.effect(
    Db,
    Effect.acquireRelease(
      Effect.sync((): Db["Service"] => ({ open: true })),
      (db) => Effect.andThen(note("closed"), Effect.sync(() => void (db.open = false)))
    )
  )

const useDb = ({ note }: Calls) =>
  Step.make("insert", Db).pipe(
    Step.onRollback(() => Effect.flatMap(Db, ({ open }) => note(`delete, ${open ? "open" : "closed"}`)))
  )

it.effect("layers of Pipeline.provide are open until the rollback has ended, and closed before the hooks of the run", () =>
  Effect.gen(function*() {
    const seen = calls()
    const failing = Pipeline.make("p", Effect.andThen(useDb(seen), boom)).pipe(
      Pipeline.onFailure(() => seen.note("failure")),
      Pipeline.provide([layer(seen)])
    )
    yield* Effect.exit(failing)
    assert.deepEqual(seen.list.splice(0), ["delete, open", "closed", "failure"])
    const late = Pipeline.make("p", Effect.andThen(useDb(seen), Effect.never)).pipe(
      Pipeline.provide(layer(seen)),
      Pipeline.timeout("1 minute")
    )
    const fiber = yield* Effect.forkChild(Effect.exit(late))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(fiber)
    assert.deepEqual(seen.list.splice(0), ["delete, open", "closed"])
    const refused = Pipeline.make("p", useDb(seen)).pipe(
      Pipeline.hooks(Hook.onSuccess(() => Effect.fail("no")).pipe(Hook.required)),
      Pipeline.onFailure(() => seen.note("failure")),
      Pipeline.provide(layer(seen))
    )
    yield* Effect.exit(refused)
    assert.deepEqual(seen.list.splice(0), ["delete, open", "closed", "failure"])
    const fine = Pipeline.make("p", useDb(seen)).pipe(
      Pipeline.onSuccess(() => seen.note("success")),
      Pipeline.provide(layer(seen))
    )
    yield* fine
    assert.deepEqual(seen.list, ["closed", "success"])
  }))

it.effect("a layer that fails to close after a rollback is logged, and the exit of the run stays", () =>
  Effect.gen(function*() {
    const seen = calls()
    const logged = logs()
    const bad = Layer.effect(Db, Effect.acquireRelease(Effect.succeed({ open: true }), () => Effect.die("stuck")))
    const run = Pipeline.make("p", Effect.andThen(useDb(seen), boom)).pipe(Pipeline.provide(bad))
    assert.deepEqual(plain(yield* Effect.exit(Effect.provide(run, logged.layer))), [{ fail: "boom" }])
    assert.deepEqual(seen.list, ["delete, open"])
    assert.deepEqual(logged.list.map(({ message }) => message), [
      "effect-epilogue: a layer failed to close after a rollback"
    ])
  }))

it.effect("the time limit of hooks that is provided around a step holds for its rollback hooks, on another fiber too", () =>
  Effect.gen(function*() {
    const observed = events()
    const hanging = Step.make("hanging", Effect.void).pipe(Step.onRollback(() => Effect.never))
    const limited = Effect.provideService(hanging, Hook.defaultTimeout, "2 seconds")
    const body = Effect.andThen(Effect.flatMap(Effect.forkChild(limited), Fiber.join), boom)
    const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(Pipeline.make("p", body), observed.layer)))
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.join(fiber)
    assert.deepEqual(observed.list.slice(-3).map(brief), [
      "HookStarted onRollback",
      "HookFailed onRollback",
      "RunEnded p failure"
    ])
  }))

it.effect("a rollback hook that is required, in the background or of a run is a mistake", () =>
  Effect.gen(function*() {
    const undo = Hook.onRollback(() => Effect.void)
    const died = (effect: Effect.Effect<unknown, unknown>) =>
      Effect.map(Effect.exit(effect), (exit) => exit._tag === "Failure" ? String(Cause.squash(exit.cause)) : "")
    assert.match(yield* died(Step.make("s", Effect.void).pipe(Step.hooks(Hook.required(undo)))), /can't be required/)
    assert.match(yield* died(Step.make("s", Effect.void).pipe(Step.hooks(Hook.background(undo)))), /background/)
    assert.match(yield* died(Pipeline.make("p", Effect.void).pipe(Pipeline.hooks(undo))), /a run has no rollback hooks/)
  }))
