/** The delays between the attempts to deliver an alert. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"

/** Returns the delay after an attempt, in milliseconds. */
export type Delays = (attempts: number) => Effect.Effect<number>

/**
 * Returns the delays of a schedule, or the default ones. The number of attempts is all that is stored of a schedule, so it
 * is played up to that one, with the time that the delays before would have taken. Once it is done its last delay stays.
 */
export const delaysOf = (schedule: Schedule.Schedule<unknown, number> | undefined): Delays =>
  schedule === undefined
    ? (attempts) => Effect.succeed(Math.min(1_000 * 2 ** Math.min(attempts - 1, 20), 300_000))
    : (attempts) =>
      Effect.gen(function*() {
        const step = yield* Schedule.toStep(schedule)
        let now = 0
        let delay = 0
        for (let i = 1; i <= attempts; i++) {
          const next = yield* Pull.catchDone(step(now, i), () => Effect.undefined)
          if (next === undefined) break
          delay = Duration.toMillis(next[1])
          now += delay
        }
        return delay
      })
