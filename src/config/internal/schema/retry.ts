/** What a file says of further attempts, as `Effect.retry` and `Hook.retry` take it. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Retry } from "../../Document.ts"

/** A number is one of times. */
export const policyOf = (
  retry: number | Retry
): { readonly times: number; readonly schedule?: Schedule.Schedule<unknown> } => {
  if (typeof retry === "number") return { times: retry }
  const { backoff, delay, factor = 2, jitter, maxDelay, times } = retry
  if (delay === undefined) return { times }
  const first = Duration.toMillis(delay)
  const most = maxDelay === undefined ? Infinity : Duration.toMillis(maxDelay)
  const delayBefore = (attempt: number): number =>
    backoff === "exponential" ? first * factor ** (attempt - 1) : backoff === "linear" ? first * attempt : first
  const capped = (delays: Schedule.Schedule<number>) =>
    Schedule.modifyDelay(
      delays,
      ({ duration }) => Effect.succeed(Duration.millis(Math.min(most, Duration.toMillis(duration))))
    )
  const delays = capped(
    Schedule.modifyDelay(Schedule.forever, ({ attempt }) => Effect.succeed(Duration.millis(delayBefore(attempt))))
  )
  // once more, since chance may make the longest longer
  return { times, schedule: jitter === true ? capped(Schedule.jittered(delays)) : delays }
}
