/** Converts the retry of a config file into a policy for `Effect.retry` and `Hook.retry`. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Retry } from "./types.ts"

/** Returns the policy of a retry. A number is the largest number of attempts after the first, without a delay. */
export const policyOf = (
  retry: number | Retry
): { readonly times: number; readonly schedule?: Schedule.Schedule<unknown> } => {
  if (typeof retry === "number") return { times: retry }
  const { backoff, delay, factor = 2, jitter, maxDelay, times } = retry
  if (delay === undefined) return { times }
  const first = Duration.toMillis(delay)
  const longest = maxDelay === undefined ? Infinity : Duration.toMillis(maxDelay)
  const delayBefore = (attempt: number): number => {
    if (backoff === "exponential") return first * factor ** (attempt - 1)
    return backoff === "linear" ? first * attempt : first
  }
  const capped = (delays: Schedule.Schedule<number>) =>
    Schedule.modifyDelay(
      delays,
      ({ duration }) => Effect.succeed(Duration.millis(Math.min(longest, Duration.toMillis(duration))))
    )
  const delays = capped(
    Schedule.modifyDelay(Schedule.forever, ({ attempt }) => Effect.succeed(Duration.millis(delayBefore(attempt))))
  )
  // Capped again, since jitter may lengthen a delay beyond the longest.
  return { times, schedule: jitter === true ? capped(Schedule.jittered(delays)) : delays }
}
