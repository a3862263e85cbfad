import { expect, test } from "bun:test"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock, TestConsole } from "effect/testing"
import { Alerter, AlerterErrorReason, AlerterHooks, RunEvent, Step } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"

const failing = Step.make("load", Effect.fail("no such file")).pipe(Step.hooks(AlerterHooks.all))

test("TestAlerter records posted alerts with the time of the TestClock", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(1_000)
    yield* Effect.exit(failing)
    yield* (yield* Alerter).post("by hand")
    const [first, second] = yield* TestAlerter.sent
    expect(first!.title).toBe("load failed")
    expect(first!.at!.epochMilliseconds).toBe(1_000)
    expect(second!.title).toBe("by hand")
  }).pipe(Effect.provide([TestAlerter.layer, TestClock.layer()]), Effect.runPromise))

test("observers are told of the alerts that TestAlerter records or refuses", async () => {
  const results: Array<string> = []
  const observer = RunEvent.layer((event) => {
    if (event._tag === "AlertPosted") results.push(`${event.title} ${event.result} by ${event.by}`)
  })
  const run = Effect.exit(failing)
  await Effect.runPromise(
    Effect.andThen(
      Effect.provide(run, TestAlerter.layer),
      Effect.provide(run, TestAlerter.layerFailing())
    ).pipe(Effect.provide([observer, TestConsole.layer]))
  )
  expect(results).toEqual(["load failed delivered by test", "load failed failed by test"])
})

test("two uses of TestAlerter.layer record separately", async () => {
  const sent = Effect.gen(function*() {
    yield* Effect.exit(failing)
    return (yield* TestAlerter.sent).length
  }).pipe(Effect.provide(TestAlerter.layer))
  expect(await Effect.runPromise(Effect.all([sent, sent]))).toEqual([1, 1])
})

test("TestAlerter.layerFailing fails n times with the given reason and then records", () =>
  Effect.gen(function*() {
    const alerter = yield* Alerter
    const errors = yield* Effect.forEach([1, 2, 3], (n) => Effect.result(alerter.post(`${n}`)))
    expect(errors.map((result) => result._tag)).toEqual(["Failure", "Failure", "Success"])
    const error = yield* Effect.flip(Effect.fromResult(errors[0]!))
    expect(error.message).toBe("test: the credentials were not accepted: expired")
    expect((yield* TestAlerter.sent).map((alert) => alert.title)).toEqual(["3"])
    expect(yield* TestAlerter.attempts).toBe(3)
  }).pipe(
    Effect.provide(
      TestAlerter.layerFailing({ times: 2, reason: AlerterErrorReason.Unauthorized({ detail: "expired" }) })
    ),
    Effect.runPromise
  ))

test("TestAlerter.layerHanging delays a step until the hook's time limit and does not change its exit", () =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.exit(failing))
    yield* TestClock.adjust("29 seconds")
    expect(fiber.pollUnsafe()).toBeUndefined()
    yield* TestClock.adjust("1 second")
    expect((yield* Fiber.join(fiber))._tag).toBe("Failure")
    expect(yield* TestAlerter.attempts).toBe(1)
    expect(yield* TestAlerter.sent).toEqual([])
  }).pipe(Effect.provide([TestAlerter.layerHanging, TestClock.layer(), TestConsole.layer]), Effect.runPromise))
