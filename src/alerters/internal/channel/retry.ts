/** Limits and repeats attempts to send. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import type { ChannelOptions } from "../../ChannelOptions.ts"

/** Describes why an attempt failed, and whether to retry it. */
export interface Failure {
  readonly reason: AlerterErrorReason
  readonly retryable: boolean
  /** How long the channel says to wait. Only `RateLimited` has it in its reason, but other failures may have it too. */
  readonly retryAfter: Duration.Duration | undefined
}

/** @internal */
export const failure = (reason: AlerterErrorReason, retryable = false, retryAfter?: Duration.Duration): Failure => ({
  reason,
  retryable,
  retryAfter: retryAfter ?? (reason._tag === "RateLimited" ? reason.retryAfter : undefined)
})

/** Makes attempts until one succeeds or must not be retried, each within the channel's timeout or the given one. */
export type Attempts = <A>(
  attempt: Effect.Effect<A, Failure>,
  timeout?: Duration.Input
) => Effect.Effect<A, AlerterError>

const defaultRetries = 3

/** More doublings than any delay needs; beyond about 1,000 the delay would be infinite. */
const maxDoublings = 64

/** Returns how long an attempt may take. */
export const limitOf = (options: ChannelOptions): Duration.Duration =>
  Duration.fromInputUnsafe(options.timeout ?? "10 seconds")

/** @internal */
export const make = (channel: string, options: ChannelOptions): Attempts => {
  const limit = limitOf(options)
  const maxDelay = Duration.toMillis(options.maxDelay ?? "1 minute")
  const firstDelay = Duration.toMillis(options.delay ?? "500 millis")
  // No count reaches NaN (as of a variable that is not set), so the attempts would never end.
  const retries = Number.isNaN(options.retries) ? defaultRetries : options.retries ?? defaultRetries

  const delayBefore = ({ retryAfter }: Failure, retry: number): Effect.Effect<number> =>
    retryAfter !== undefined
      ? Effect.succeed(Duration.toMillis(retryAfter))
      : Effect.map(Random.next, (random) =>
        Math.min(maxDelay, firstDelay * 2 ** Math.min(retry, maxDoublings)) * (1 - random / 2))

  return <A>(attempt: Effect.Effect<A, Failure>, timeout?: Duration.Input) => {
    const within = timeout === undefined ? limit : Duration.fromInputUnsafe(timeout)
    const limited = Effect.timeoutOrElse(attempt, {
      duration: within,
      orElse: () => Effect.fail(failure(AlerterErrorReason.TimedOut({ limit: within }), true))
    })
    const after = (retry: number): Effect.Effect<A, AlerterError> =>
      Effect.catch(limited, (failed) => {
        const error = Effect.fail(new AlerterError({ channel, reason: failed.reason }))
        if (!failed.retryable || retry >= retries) return error
        return Effect.flatMap(
          delayBefore(failed, retry),
          (delay) => delay > maxDelay ? error : Effect.andThen(Effect.sleep(delay), after(retry + 1))
        )
      })
    return after(0)
  }
}
