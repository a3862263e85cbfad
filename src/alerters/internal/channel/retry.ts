/** Attempts to send: how long one may take, and when another follows. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import type { ChannelOptions } from "../../ChannelOptions.ts"

/** Why an attempt failed, and whether another is worth it. */
export interface Failure {
  readonly reason: AlerterErrorReason
  readonly retryable: boolean
  /** How long the channel says to wait, also where the reason does not hold it. */
  readonly retryAfter: Duration.Duration | undefined
}

/** @internal */
export const failure = (reason: AlerterErrorReason, retryable = false, retryAfter?: Duration.Duration): Failure => ({
  reason,
  retryable,
  retryAfter: retryAfter ?? (reason._tag === "RateLimited" ? reason.retryAfter : undefined)
})

/** An attempt, made as often as need be, each time within the channel's limit or the one given. */
export type Attempts = <A>(
  attempt: Effect.Effect<A, Failure>,
  timeout?: Duration.Input
) => Effect.Effect<A, AlerterError>

const defaultRetries = 3

/** Far more than any delay takes, and few enough that their number is finite. */
const maxDoublings = 64

/** How long an attempt may take where nothing else is said. */
export const limitOf = (options: ChannelOptions): Duration.Duration =>
  Duration.fromInputUnsafe(options.timeout ?? "10 seconds")

/** @internal */
export const make = (channel: string, options: ChannelOptions): Attempts => {
  const limit = limitOf(options)
  const maxDelay = Duration.toMillis(options.maxDelay ?? "1 minute")
  const firstDelay = Duration.toMillis(options.delay ?? "500 millis")
  // What is no number (of a variable that is not set, say) is never reached, and the attempts would not end.
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
