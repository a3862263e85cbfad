import { expect, test } from "bun:test"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { AlerterErrorReason, Approver, Decision } from "../../src/index.ts"
import { TestApprover } from "../../src/testing/index.ts"

const question = { title: "Deploy?", timeout: "1 hour" } as const
const tester = { id: "tester", name: "tester" }

test("approves and denies, at the time of the clock, and keeps the questions", () =>
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

test("silence lasts until the question's time is up", () =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Approver.ask(question))
    yield* TestClock.adjust("59 minutes")
    expect(fiber.pollUnsafe()).toBeUndefined()
    yield* TestClock.adjust("1 minute")
    expect((yield* Fiber.join(fiber))._tag).toBe("TimedOut")
    expect(yield* TestApprover.asked).toHaveLength(1)
  }).pipe(Effect.provide([TestApprover.layerSilent, TestClock.layer()]), Effect.runPromise))

test("fails for the reason asked for", () =>
  Effect.gen(function*() {
    const failing = (layer: typeof TestApprover.layerSilent) =>
      Effect.provide(Effect.flip(Approver.ask(question)), layer)
    expect((yield* failing(TestApprover.layerFailing())).message).toBe("test: could not be reached")
    const unauthorized = TestApprover.layerFailing(AlerterErrorReason.Unauthorized({}))
    expect((yield* failing(unauthorized)).reason._tag).toBe("Unauthorized")
  }).pipe(Effect.runPromise))

test("who may not answer makes an error, as anywhere", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Approver.ask({ ...question, approvers: ["U1"] }))
    expect(error.reason._tag).toBe("InvalidAlert")
  }).pipe(Effect.provide(TestApprover.layerApproving()), Effect.runPromise))
