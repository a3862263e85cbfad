/** Registers the tests that hold for every resumable approver, whose questions outlive the process that posted them. */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import type { ApproverOptions } from "../../src/approvers/index.ts"
import { Approver, type Question, type Resumable } from "../../src/index.ts"
import { answered, type ApproverContract, deploy, fast } from "./approverFixture.ts"
import { canary, leaks } from "./canary.ts"
import type { FakeChannel } from "./fakeApi.ts"
import { makeIt, type RegisterTest } from "./it.ts"

/** Returns invalid handles, made from a valid one. */
export const badHandles = (handle: string): ReadonlyArray<string> => {
  const good: object = JSON.parse(handle)
  return [
    "",
    "null",
    "[]",
    "{",
    "https://example.com",
    handle.slice(0, -1),
    ...[
      { approver: "carrier pigeon" },
      { approver: undefined },
      { message: undefined },
      { askedAt: "today" },
      { askedAt: 1e300 },
      { until: undefined },
      { until: "1" }
    ].map((wrong) => JSON.stringify({ ...good, ...wrong }))
  ]
}

export const resumableContract = <F extends FakeChannel>(test: RegisterTest, contract: ApproverContract<F>): void => {
  const it = makeIt(test)
  const { channel, fake, people: [ada, eve], unauthorized } = contract

  /** Runs with the layer built anew, as in another process, which knows nothing of earlier questions. */
  const inProcess = <A, E>(
    { api }: F,
    run: (resumable: Resumable) => Effect.Effect<A, E>,
    options = fast
  ): Effect.Effect<A, E> =>
    Effect.gen(function*() {
      const { resumable } = yield* Approver
      assert.ok(resumable !== undefined, "the approver is not resumable")
      return yield* run(resumable)
    }).pipe(Effect.provide(contract.layer(api.url, options)))

  const post = (server: F, question = deploy) => inProcess(server, ({ post }) => post(question))
  const listen = (server: F, handle: string, question = deploy, options = fast) =>
    inProcess(server, ({ listen }) => listen(question, handle), options)

  const calls = ({ api, methods }: F, kind: keyof FakeChannel["methods"]) => api.bodies(methods[kind]).length

  it.live(`${channel}: a question is posted once, and an answer given before anyone listens counts`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const handle = yield* post(server)
      assert.equal(calls(server, "poll"), 0)
      assert.equal(calls(server, "edit"), 0)
      server.vote(0, "approve", ada)
      assert.equal(answered(yield* listen(server, handle)), `Approved by Ada Lovelace (${ada})`)
      assert.match(server.shown()[0]!, /Deploy to production.*Approved by Ada Lovelace at \d{4}-/)
      // a process that was killed after listening, before it stored the decision, receives it again
      assert.equal(answered(yield* listen(server, handle)), `Approved by Ada Lovelace (${ada})`)
      assert.equal(calls(server, "ask"), 1)
    }))

  it.live(`${channel}: another process that listens receives the answers of approvers only`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const question = { ...deploy, approvers: [ada] }
      const handle = yield* post(server, question)
      server.vote(0, "approve", eve)
      server.api.on(server.methods.poll, (n) => n === 3 ? server.vote(0, "deny", ada) : undefined)
      assert.equal(answered(yield* listen(server, handle, question)), `Denied by Ada Lovelace (${ada})`)
      assert.equal(calls(server, "ask"), 1)
      assert.match(server.shown()[0]!, /Denied by Ada Lovelace/)
    }))

  it.live(`${channel}: after a restart, each of several questions receives its own answer, in any order of listening`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const questions = ["first?", "second?", "third?"].map((title): Question => ({ ...deploy, title }))
      const handles = yield* Effect.forEach(questions, (question) => post(server, question))
      server.vote(2, "deny", eve)
      server.vote(0, "approve", ada)
      const decisions = yield* inProcess(
        server,
        ({ listen }) =>
          Effect.forEach(handles, (handle, i) =>
            listen(questions[i]!, handle).pipe(
              Effect.timeoutOption(i === 1 ? "30 millis" : "2 seconds")
            ))
      )
      assert.deepEqual(
        decisions.map((decision) => decision._tag === "Some" ? decision.value._tag : "nothing yet"),
        ["Approved", "nothing yet", "Denied"]
      )
      assert.equal(calls(server, "ask"), 3)
    }))

  it.live(`${channel}: a listener that is interrupted or fails leaves the question unchanged`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const handle = yield* post(server)
      const shown = server.shown()
      const fiber = yield* Effect.forkChild(listen(server, handle))
      yield* server.api.called(server.methods.poll, 2)
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      assert.ok(exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause))
      let revoked = true
      server.api.on(server.methods.poll, () => revoked ? unauthorized : undefined)
      assert.equal((yield* Effect.flip(listen(server, handle))).reason._tag, "Unauthorized")
      revoked = false
      assert.deepEqual(server.shown(), shown)
      assert.equal(calls(server, "edit"), 0)
      server.vote(0, "approve", ada)
      assert.equal((yield* listen(server, handle))._tag, "Approved")
    }))

  it.live(`${channel}: a process that listens again receives an answer given in between`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      yield* inProcess(server, ({ listen, post }) =>
        Effect.gen(function*() {
          const handle = yield* post(deploy)
          const other = yield* post({ ...deploy, title: "Other?" })
          const stopped = yield* Effect.timeoutOption(listen(deploy, handle), "20 millis")
          assert.equal(stopped._tag, "None")
          server.vote(0, "deny", eve)
          yield* Effect.timeoutOption(listen({ ...deploy, title: "Other?" }, other), "50 millis")
          assert.equal((yield* listen(deploy, handle))._tag, "Denied")
        }))
    }))

  it.live(`${channel}: interrupting the post, or calling withdraw, withdraws the question`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      let posting: Fiber.Fiber<unknown, unknown> | undefined
      let interrupted: Promise<unknown> | undefined
      server.api.on(server.methods.ask, (n) => {
        if (n === 1) interrupted = Effect.runPromise(Fiber.interrupt(posting!))
      })
      posting = yield* Effect.forkChild(post(server))
      assert.ok(Exit.hasInterrupts(yield* Fiber.await(posting)))
      yield* Effect.promise(() => interrupted!)
      assert.match(server.shown()[0]!, /Withdrawn/)
      const handle = yield* post(server)
      yield* inProcess(server, ({ withdraw }) => withdraw(deploy, handle))
      assert.match(server.shown()[1]!, /Withdrawn/)
    }))

  it.effect(`${channel}: the time limit counts from the post of the question and is the one shown in it`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const question: Question = { ...deploy, timeout: "3 days" }
      const handle = yield* post(server, question)
      yield* TestClock.adjust("2 days")
      // polls only at the start and at the end, as the test clock would overtake polls in between
      const patient: ApproverOptions = { interval: "10 days", timeout: "30 days" }
      const fiber = yield* Effect.forkChild(listen(server, handle, { ...question, timeout: "1 hour" }, patient))
      yield* server.api.called(server.methods.poll)
      yield* Effect.promise(() => new Promise((resume) => setTimeout(resume, 100)))
      assert.equal(fiber.pollUnsafe(), undefined)
      yield* TestClock.adjust("1 day")
      const decision = yield* Fiber.join(fiber)
      assert.equal(decision._tag, "TimedOut")
      assert.equal(DateTime.toEpochMillis(decision.at), 3 * 86_400_000)
      assert.match(server.shown()[0]!, /Timed out/)
    }))

  it.effect(`${channel}: a late approval of a question that nobody listened to in time counts as a timeout`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const question: Question = { ...deploy, timeout: "1 hour" }
      const [yes, no, silence] = yield* Effect.forEach([1, 2, 3], () => post(server, question))
      yield* TestClock.adjust("2 hours")
      server.vote(0, "approve", ada)
      server.vote(1, "deny", ada)
      assert.equal((yield* listen(server, yes!, question))._tag, "TimedOut")
      assert.equal((yield* listen(server, no!, question))._tag, "Denied")
      assert.equal((yield* listen(server, silence!, question))._tag, "TimedOut")
    }))

  it.live(`${channel}: a handle contains when the question was asked and its deadline, and no secret`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const before = Date.now()
      const [handle, forever] = yield* Effect.forEach(
        ["3 seconds", "Infinity"] as const,
        (timeout) => post(server, { ...deploy, timeout })
      )
      assert.ok(
        server.api.calls.some(({ received }) => JSON.stringify(received).includes(canary)),
        "no secret was sent"
      )
      assert.deepEqual(leaks([handle, forever]), [])
      const { approver, askedAt, until } = JSON.parse(handle!)
      assert.equal(approver, channel)
      assert.ok(askedAt >= before && askedAt <= Date.now() && until === askedAt + 3000)
      assert.equal(JSON.parse(forever!).until, null)
      server.vote(1, "approve", ada)
      assert.equal((yield* listen(server, forever!, { ...deploy, timeout: Infinity }))._tag, "Approved")
    }))

  it.live(`${channel}: invalid handles and questions fail without a request to the channel`, () =>
    Effect.gen(function*() {
      const server = yield* fake
      const handle = yield* post(server)
      const sent = server.api.calls.length
      const wrong = [...badHandles(handle), JSON.stringify({ ...JSON.parse(handle), message: {} })]
      for (const bad of [...wrong, canary]) {
        const errors = yield* inProcess(
          server,
          ({ listen, withdraw }) => Effect.all([Effect.flip(listen(deploy, bad)), Effect.flip(withdraw(deploy, bad))])
        )
        for (const error of errors) {
          assert.deepEqual([error.channel, error.reason._tag], [channel, "InvalidAlert"], bad)
          assert.deepEqual(leaks([error]), [])
        }
      }
      const empty = { ...deploy, title: " " }
      const errors = yield* inProcess(
        server,
        ({ listen, post }) => Effect.all([Effect.flip(post(empty)), Effect.flip(listen(empty, handle))])
      )
      assert.deepEqual(
        errors.map(({ reason }) => reason._tag),
        ["InvalidAlert", "InvalidAlert"]
      )
      assert.equal(server.api.calls.length, sent)
    }))
}
