import { expect, test } from "bun:test"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { AlerterErrorReason, Approver, Decision } from "../../src/index.ts"
import { TestApprover } from "../../src/testing/index.ts"

const question = { title: "Deploy?", timeout: "1 hour" } as const
const tester = { id: "tester", name: "tester" }

test("TestApprover approves or denies at the time of the TestClock, and records questions", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(1_000)
    const at = DateTime.makeUnsafe(1_000)
    const ask = Approver.ask(question)
    expect(yield* Effect.provide(ask, TestApprover.layerApproving({ comment: "go" }))).toEqual(
      Decision.Approved({ by: tester, at, comment: "go" })
    )
    const alice = { id: "U1", name: "Alice" }
    expect(yield* Effect.provide(ask, TestApprover.layerDenying({ by: alice }))).toEqual(
      Decision.Denied({ by: alice, at, comment: undefined })
    )
    const asked = yield* Effect.provide(Effect.andThen(ask, TestApprover.asked), TestApprover.layerApproving())
    expect(asked).toEqual([question])
  }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise))

test("TestApprover.layerSilent times out at the question's time limit", () =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Approver.ask(question))
    yield* TestClock.adjust("59 minutes")
    expect(fiber.pollUnsafe()).toBeUndefined()
    yield* TestClock.adjust("1 minute")
    expect((yield* Fiber.join(fiber))._tag).toBe("TimedOut")
    expect(yield* TestApprover.asked).toHaveLength(1)
  }).pipe(Effect.provide([TestApprover.layerSilent, TestClock.layer()]), Effect.runPromise))

test("TestApprover.layerFailing fails with the given reason", () =>
  Effect.gen(function*() {
    const failing = (layer: typeof TestApprover.layerSilent) =>
      Effect.provide(Effect.flip(Approver.ask(question)), layer)
    expect((yield* failing(TestApprover.layerFailing())).message).toBe("test: could not be reached")
    const unauthorized = TestApprover.layerFailing(AlerterErrorReason.Unauthorized({}))
    expect((yield* failing(unauthorized)).reason._tag).toBe("Unauthorized")
  }).pipe(Effect.runPromise))

test("a TestApprover whose person is not among the approvers fails the question", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Approver.ask({ ...question, approvers: ["U1"] }))
    expect(error.reason._tag).toBe("InvalidAlert")
  }).pipe(Effect.provide(TestApprover.layerApproving()), Effect.runPromise))

test("a question posted by one TestApprover layer is answered by another, as after a restart", () =>
  Effect.gen(function*() {
    const resumable = Effect.map(Approver, ({ resumable }) => resumable!)
    const [handle, asked] = yield* Effect.gen(function*() {
      const { listen, post } = yield* resumable
      const handle = yield* post(question)
      const stopped = yield* Effect.forkChild(listen(question, handle))
      yield* TestClock.adjust("20 minutes")
      yield* Fiber.interrupt(stopped)
      expect(yield* TestApprover.withdrawn).toEqual([])
      return [handle, yield* TestApprover.asked] as const
    }).pipe(Effect.provide(TestApprover.layerSilent))
    expect(asked).toEqual([question])
    yield* Effect.gen(function*() {
      const { listen } = yield* resumable
      expect((yield* listen(question, handle))._tag).toBe("Approved")
      expect(yield* TestApprover.asked).toEqual([])
      expect((yield* Effect.flip(listen(question, "{}"))).reason._tag).toBe("InvalidAlert")
    }).pipe(Effect.provide(TestApprover.layerApproving()))
    const fiber = yield* Effect.forkChild(
      Effect.flatMap(resumable, ({ listen }) => listen(question, handle)).pipe(Effect.provide(TestApprover.layerSilent))
    )
    yield* TestClock.adjust("39 minutes")
    expect(fiber.pollUnsafe()).toBeUndefined()
    yield* TestClock.adjust("1 minute")
    expect((yield* Fiber.join(fiber))._tag).toBe("TimedOut")
  }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise))

test("TestApprover records withdrawn questions", () =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Approver.ask(question))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.interrupt(fiber)
    expect(yield* TestApprover.withdrawn).toEqual([question])
    const { resumable } = yield* Approver
    yield* resumable!.withdraw(question, yield* resumable!.post(question))
    expect(yield* TestApprover.withdrawn).toEqual([question, question])
  }).pipe(Effect.provide([TestApprover.layerSilent, TestClock.layer()]), Effect.runPromise))

test("TestApprover.layerFailing fails both post and listen", () =>
  Effect.gen(function*() {
    const { resumable } = yield* Approver
    expect((yield* Effect.flip(resumable!.post(question))).reason._tag).toBe("Unreachable")
    const handle = yield* Effect.flatMap(Approver, ({ resumable }) => resumable!.post(question)).pipe(
      Effect.provide(TestApprover.layerSilent)
    )
    expect((yield* Effect.flip(resumable!.listen(question, handle))).reason._tag).toBe("Unreachable")
  }).pipe(Effect.provide(TestApprover.layerFailing()), Effect.runPromise))
