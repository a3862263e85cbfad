import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import {
  AlerterError,
  AlerterErrorReason,
  Approver,
  Decision,
  Hook,
  NotApproved,
  Pipeline,
  type Question,
  Step,
  StepContext
} from "../src/index.ts"
import { TestApprover } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { brief, calls, events, noting } from "./support/observe.ts"

const it = makeIt(test)

const at = DateTime.makeUnsafe(0)
const alice = { id: "U1", name: "Alice" }
const question: Question = { title: "Deploy?", timeout: "1 hour" }

const approving = (comment?: string) =>
  Approver.layer(() => Effect.succeed(Decision.Approved({ by: alice, at, comment })))

/** Asks a question and returns the reason of the error. */
const reasonOf = (asked: Question, layer: Layer.Layer<Approver>) =>
  Approver.ask(asked).pipe(Effect.flip, Effect.map((error) => error.reason), Effect.provide(layer))

// -----------------------------------------------------------------------------
// Approver.layer
// -----------------------------------------------------------------------------

it.effect("Approver.ask returns who decided, when, and the comment", () =>
  Effect.gen(function*() {
    const decision = yield* Effect.provide(Approver.ask(question), approving("go on"))
    assert.deepEqual(decision, Decision.Approved({ by: alice, at, comment: "go on" }))
  }))

it.effect("an unanswered question is interrupted at its time limit and counts as TimedOut", () =>
  Effect.gen(function*() {
    const { list, note } = calls()
    const layer = Approver.layer(() => Effect.onInterrupt(Effect.never, () => note("withdrawn")))
    const fiber = yield* Effect.forkChild(Effect.provide(Approver.ask(question), layer))
    yield* TestClock.adjust("59 minutes")
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(yield* Fiber.join(fiber), Decision.TimedOut({ at: DateTime.makeUnsafe(3_600_000) }))
    assert.deepEqual(list, ["withdrawn"])
  }))

it.effect("a decision by a person who is not among the approvers is an error", () =>
  Effect.gen(function*() {
    const asked = { ...question, approvers: ["U2", "U3"] }
    const reason = yield* reasonOf(asked, approving())
    assert.equal(reason._tag, "InvalidAlert")
    const decision = yield* Effect.provide(Approver.ask({ ...asked, approvers: ["U2", "U1"] }), approving())
    assert.equal(decision._tag, "Approved")
  }))

it.effect("an invalid question fails with a reason and is never asked", () =>
  Effect.gen(function*() {
    const wrong: ReadonlyArray<[Question, RegExp]> = [
      [{ title: " ", timeout: "1 hour" }, /no title/],
      [{ title: "\u0007\u001b[31m", timeout: "1 hour" }, /no title/],
      [{ ...question, approvers: [] }, /empty list/],
      [{ ...question, approvers: ["U1", " "] }, /no id/],
      [{ ...question, options: { approve: "Go", deny: " go\n" } }, /the same name/],
      [{ ...question, options: { approve: "deny" } }, /the same name/],
      [{ ...question, options: { approve: `${"x".repeat(70)} yes`, deny: `${"x".repeat(70)} no` } }, /the same name/],
      [{ ...question, options: { approve: "" } }, /an empty name/],
      [{ ...question, options: { deny: "\u0000 " } }, /an empty name/],
      [{ ...question, timeout: 0 }, /not a positive duration/],
      [{ ...question, timeout: NaN }, /not a positive duration/],
      [{ ...question, timeout: -1 }, /not a positive duration/]
    ]
    for (const [asked, message] of wrong) {
      const reason = yield* reasonOf(asked, Approver.layer(() => Effect.die("asked")))
      assert.ok(reason._tag === "InvalidAlert" && message.test(reason.detail), JSON.stringify(reason))
    }
  }))

it.effect("Approver.layer turns failures and defects into an AlerterError without URLs", () =>
  Effect.gen(function*() {
    for (
      const effect of [
        Effect.fail(new Error("no route to https://hooks.example.com/s3cret")),
        Effect.die(new Error("no route to https://hooks.example.com/s3cret"))
      ]
    ) {
      const error = yield* Approver.ask(question).pipe(
        Effect.flip,
        Effect.provide(Approver.layer(() => effect, { channel: "pager" }))
      )
      assert.ok(error instanceof AlerterError)
      assert.equal(error.message, "pager: the alert was rejected: no route to <url>")
    }
    const unreachable = new AlerterError({ channel: "x", reason: AlerterErrorReason.Unreachable({}) })
    const layer = Approver.layer(() => Effect.fail(unreachable))
    assert.equal(yield* Effect.flip(Effect.provide(Approver.ask(question), layer)), unreachable)
  }))

it.effect("ask uses the services of the layer", () =>
  Effect.gen(function*() {
    class Boss extends Context.Service<Boss, { readonly mood: string }>()("Boss") {}
    const layer: Layer.Layer<Approver, never, Boss> = Approver.layer(() =>
      Effect.map(Boss, ({ mood }) => Decision.Denied({ by: alice, at, comment: mood }))
    )
    const decision = yield* Approver.ask(question).pipe(
      Effect.provide(Layer.provide(layer, Layer.succeed(Boss, { mood: "grumpy" })))
    )
    assert.ok(decision._tag === "Denied" && decision.comment === "grumpy")
  }))

// -----------------------------------------------------------------------------
// Step.requireApproval
// -----------------------------------------------------------------------------

const guarded = <A, E>(body: Effect.Effect<A, E>) => Step.make("deploy", body).pipe(Step.requireApproval(question))

it.effect("an approved step runs its body, and its hooks see who approved", () =>
  Effect.gen(function*() {
    const { list, note } = calls()
    const emitted = events()
    const step = guarded(note("body")).pipe(
      Step.hooks(noting({ list, note }, "start", "start")),
      Step.onSuccess(() => Effect.flatMap(StepContext, ({ annotations }) => note(JSON.stringify(annotations))))
    )
    yield* step.pipe(Effect.provide([TestApprover.layerApproving({ by: alice }), emitted.layer]))
    assert.deepEqual(list, ["start", "body", `{"approved by":"Alice (U1)"}`])
    assert.deepEqual(emitted.list.map(brief).filter((event) => event.startsWith("Step")), [
      "StepStarted deploy",
      "StepEnded deploy success"
    ])
  }))

it.effect("the question has fields for the pipeline, run and step that it is about", () =>
  Effect.gen(function*() {
    yield* Pipeline.make("nightly", guarded(Effect.void)).pipe(Pipeline.runName("n-1"))
    const [asked] = yield* TestApprover.asked
    assert.equal(asked!.title, "Deploy?")
    assert.deepEqual(asked!.fields, [
      { name: "pipeline", value: "nightly" },
      { name: "run", value: "n-1" },
      { name: "step", value: "deploy" }
    ])
  }).pipe(Effect.provide(TestApprover.layerApproving())))

it.effect("a denied step fails with NotApproved without running its body", () =>
  Effect.gen(function*() {
    const { list, note } = calls()
    const error = yield* guarded(note("body")).pipe(
      Step.onFailureTag("NotApproved", (error) => note(error.message)),
      Step.hooks(Hook.onSuccess(() => note("success"))),
      Effect.flip
    )
    assert.ok(error instanceof NotApproved)
    assert.equal(error.step, "deploy")
    assert.equal(error.decision._tag, "Denied")
    assert.deepEqual(list, [`step "deploy" was denied by tester: not today`])
  }).pipe(Effect.provide(TestApprover.layerDenying({ comment: "not today" }))))

it.effect("a step without an answer in time fails with NotApproved without running its body", () =>
  Effect.gen(function*() {
    const { list, note } = calls()
    const fiber = yield* Effect.forkChild(Effect.flip(guarded(note("body"))))
    yield* TestClock.adjust("1 hour")
    const error = yield* Fiber.join(fiber)
    assert.ok(error instanceof NotApproved)
    assert.equal(error.message, `step "deploy" was not approved in time`)
    assert.deepEqual(list, [])
  }).pipe(Effect.provide(TestApprover.layerSilent)))

it.effect("a step whose approver fails ends with the approver's error without running its body", () =>
  Effect.gen(function*() {
    const { list, note } = calls()
    const error = yield* Effect.flip(guarded(note("body")))
    assert.ok(error instanceof AlerterError)
    assert.deepEqual(list, [])
  }).pipe(Effect.provide(TestApprover.layerFailing())))

it.effect("retries do not ask again, and the step's time limit excludes the wait for approval", () =>
  Effect.gen(function*() {
    let attempts = 0
    const slowly = Approver.layer(() =>
      Effect.delay(Effect.succeed(Decision.Approved({ by: alice, at })), "30 minutes")
    )
    const asked = calls()
    const layer = Layer.effect(
      Approver,
      Effect.map(
        Approver,
        (approver) => Approver.of({ ask: (question) => Effect.andThen(asked.note("asked"), approver.ask(question)) })
      )
    ).pipe(Layer.provide(slowly))
    const step = guarded(Effect.suspend(() => ++attempts < 3 ? Effect.fail("again") : Effect.void)).pipe(
      Step.retry({ times: 5 }),
      Step.timeout("1 second")
    )
    const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(step, layer)))
    yield* TestClock.adjust("30 minutes")
    assert.ok(Exit.isSuccess(yield* Fiber.join(fiber)))
    assert.equal(attempts, 3)
    assert.deepEqual(asked.list, ["asked"])
  }))

it.effect("a step with two approvals needs both", () =>
  Effect.gen(function*() {
    const twice = guarded(Effect.die("ran")).pipe(Step.requireApproval({ title: "Really?", timeout: "1 hour" }))
    const layer = Approver.layer(({ title }) =>
      Effect.succeed((title === "Deploy?" ? Decision.Approved : Decision.Denied)({ by: alice, at }))
    )
    const error = yield* Effect.flip(Effect.provide(twice, layer))
    assert.ok(error instanceof NotApproved)
  }))

it.effect("interrupting a step that waits for approval withdraws the question", () =>
  Effect.gen(function*() {
    const { list, note } = calls()
    const layer = Approver.layer(() =>
      Effect.onInterrupt(Effect.andThen(note("asked"), Effect.never), () => note("withdrawn"))
    )
    const step = guarded(note("body")).pipe(Step.onInterrupt(() => note("interrupted")))
    const fiber = yield* Effect.forkChild(Effect.provide(step, layer))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.interrupt(fiber)
    assert.deepEqual(list, ["asked", "withdrawn", "interrupted"])
  }))

it.effect("requireApproval, retry and timeout may be combined in any order, and in Step.fn", () =>
  Effect.gen(function*() {
    const limits = [Step.retry({ times: 5 }), Step.timeout("1 second")] as const
    const approval = Step.requireApproval(question)
    const body = (attempt: { n: number }) => Effect.suspend(() => ++attempt.n < 3 ? Effect.fail("again") : Effect.void)
    const attempts = Array.from({ length: 4 }, () => ({ n: 0 }))
    const steps = [
      Step.make("deploy", body(attempts[0]!)).pipe(approval, limits[0], limits[1]),
      Step.make("deploy", body(attempts[1]!)).pipe(limits[0], approval, limits[1]),
      Step.make("deploy", body(attempts[2]!)).pipe(limits[1], limits[0], approval),
      Step.fn("deploy")(
        (attempt: { n: number }) => body(attempt),
        Step.retry({ times: 5 }),
        (step) => Step.requireApproval(step, question)
      )(attempts[3]!)
    ]
    for (const [i, step] of steps.entries()) {
      const { list, note } = calls()
      const layer = Approver.layer(() =>
        Effect.andThen(note("asked"), Effect.delay(Effect.succeed(Decision.Approved({ by: alice, at })), "30 minutes"))
      )
      const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(step, layer)))
      yield* TestClock.adjust("30 minutes")
      assert.ok(Exit.isSuccess(yield* Fiber.join(fiber)), `${i}`)
      assert.deepEqual([attempts[i]!.n, list], [3, ["asked"]])
    }
  }))

it.effect("a step does not ask after a required start hook failed or an outer step was denied", () =>
  Effect.gen(function*() {
    const { list, note } = calls()
    const locked = guarded(note("body")).pipe(
      Step.hooks(Hook.onStart(Effect.fail("no lock")).pipe(Hook.named("lock"), Hook.required))
    )
    const outer = Step.make("outer", guarded(note("inner"))).pipe(
      Step.requireApproval({ ...question, title: "Outer?" })
    )
    const layer = Approver.layer(({ title }) =>
      Effect.as(note(title), Decision.Denied({ by: alice, at, comment: "no" }))
    )
    const failed = yield* Effect.flip(Effect.provide(locked, layer))
    assert.ok(failed instanceof Hook.HookError)
    assert.deepEqual(list, [])
    const denied = yield* Effect.flip(Effect.provide(outer, layer))
    assert.ok(denied instanceof NotApproved && denied.step === "outer")
    assert.deepEqual(list, ["Outer?"])
  }))

it.effect("two concurrent steps and a step inside a hook can each ask for approval", () =>
  Effect.gen(function*() {
    const { list, note } = calls()
    const layer = Approver.layer(({ fields = [], title }) =>
      Effect.gen(function*() {
        const step = fields.find(({ name }) => name === "step")?.value
        yield* note(`${title} ${step}`)
        yield* Effect.sleep("1 minute")
        return (step === "b" ? Decision.Denied : Decision.Approved)({ by: alice, at })
      })
    )
    const ask = (name: string) => Step.make(name, note(name)).pipe(Step.requireApproval(question))
    const both = Effect.all([Effect.exit(ask("a")), Effect.exit(ask("b"))], { concurrency: 2 })
    const rollback = Step.make("load", Effect.fail("boom")).pipe(
      Step.onFailure(() => ask("rollback")),
      Effect.provideService(Hook.defaultTimeout, "1 hour")
    )
    const fiber = yield* Effect.forkChild(Effect.provide(Effect.andThen(both, Effect.exit(rollback)), layer))
    yield* TestClock.adjust("1 minute")
    yield* TestClock.adjust("1 minute")
    assert.ok(Exit.isSuccess(yield* Fiber.await(fiber)))
    assert.deepEqual(list, ["Deploy? a", "Deploy? b", "a", "Deploy? rollback", "rollback"])
  }))

it.effect("events and hooks report a denial as a failure and an interrupted wait as an interruption", () =>
  Effect.gen(function*() {
    const emitted = events()
    const { list, note } = calls()
    const step = guarded(note("body")).pipe(Step.onExit((exit) => note(exit._tag)))
    const denied = Pipeline.make("p", step).pipe(Pipeline.onFailure(() => note("pipeline")))
    yield* Effect.exit(Effect.provide(denied, [TestApprover.layerDenying(), emitted.layer]))
    assert.deepEqual(emitted.list.map(brief).filter((event) => event.startsWith("Step") || event.startsWith("Run")), [
      "RunStarted p",
      "StepStarted deploy",
      "StepEnded deploy failure",
      "RunEnded p failure"
    ])
    assert.deepEqual(list, ["Failure", "pipeline"])
    const waiting = events()
    const fiber = yield* Effect.forkChild(Effect.provide(step, [TestApprover.layerSilent, waiting.layer]))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.interrupt(fiber)
    assert.ok(waiting.list.map(brief).includes("StepEnded deploy interrupt"))
  }))
