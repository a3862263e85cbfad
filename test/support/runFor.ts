/** Evaluates effects for a time of the test clock. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"

/** Evaluates an effect while the test clock moves, and returns its exit, if it has ended. */
export const runFor = <A, E>(duration: Duration.Input, effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
    yield* TestClock.adjust(duration)
    return fiber.pollUnsafe()
  })

export const minutes = (duration: Duration.Duration): number => Duration.toMinutes(duration)
