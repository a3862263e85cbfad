/** Limits and repeats attempts to send. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { CurrentGate, exactly, saidToWait } from "../../../internal/alerts/mailbox/gate.ts"
import type { ChannelOptions } from "../../ChannelOptions.ts"

/** Describes why an attempt failed, and whether to retry it. */
export interface Failure {
  readonly reason: AlerterErrorReason
  readonly retryable: boolean
  /** How long the channel says to wait. Only `RateLimited` has it in its reason, but other failures may have it too. */
  readonly retryAfter: Duration.Duration | undefined
  /** Whether the channel wants the alert later, which may be minutes. Unless `retries` is set, it is tried more often then. */
  readonly deferred?: boolean | undefined
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

/** How many attempts may follow one another that are deferred: with the delays between them, they take some ten minutes. */
const maxDeferrals = 20

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
  const retries = options.retries ?? defaultRetries

  /** Returns a delay that doubles from one retry to the next, shortened at random. */
  const backoff = (retry: number, random: number): number =>
    Math.min(maxDelay, firstDelay * 2 ** Math.min(retry, maxDoublings)) * (1 - random / 2)

  return <A>(attempt: Effect.Effect<A, Failure>, timeout?: Duration.Input) => {
    const within = timeout === undefined ? limit : Duration.fromInputUnsafe(timeout)
    const limited = Effect.timeoutOrElse(attempt, {
      duration: within,
      orElse: () => Effect.fail(failure(AlerterErrorReason.TimedOut({ limit: within }), true))
    })
    /** `refusals` counts the answers in sequence by which the channel refused the rate, or put the alert off. */
    const after = (retry: number, refusals: number): Effect.Effect<A, AlerterError> =>
      Effect.catch(limited, (failed) => {
        const { reason, retryAfter, retryable } = failed
        const error = new AlerterError({ channel, reason })
        if (!retryable) return Effect.fail(error)
        return Effect.withFiber((fiber) =>
          Effect.flatMap(Random.next, (random): Effect.Effect<A, AlerterError> => {
            const gate = fiber.getRef(CurrentGate)
            const said = retryAfter === undefined ? undefined : Duration.toMillis(retryAfter)
            if (gate === undefined) {
              const delay = said ?? backoff(retry, random)
              return retry >= retries || delay > maxDelay
                ? Effect.fail(error)
                : Effect.andThen(Effect.sleep(delay), after(retry + 1, 0))
            }
            const isRate = reason._tag === "RateLimited"
            const isDeferred = failed.deferred === true && options.retries === undefined
            const isRefusal = isRate || isDeferred
            const delay = said === undefined
              ? exactly(backoff(isRefusal ? refusals : retry, random))
              : saidToWait(said, random, refusals === 0 ? 0 : backoff(refusals - 1, random))
            if (isRate || said !== undefined) gate.pause(delay)
            if (isDeferred && refusals >= maxDeferrals) return Effect.fail(error)
            if (retry >= retries && (!isRefusal || retries <= 0)) return Effect.fail(error)
            return Effect.flatMap(
              gate.again(error, delay),
              (again) => again ? after(isRefusal ? retry : retry + 1, isRefusal ? refusals + 1 : 0) : Effect.fail(error)
            )
          })
        )
      })
    return after(0, 0)
  }
}
