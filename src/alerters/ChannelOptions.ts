/**
 * The options that all channels have in common.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"

/**
 * Sets how a channel sends, and in which time zone it shows times.
 *
 * **Details**
 *
 * An attempt is retried after a timeout, after a connection error, and after an answer with
 * status 408, 429 or 5xx. The delay doubles from one attempt to the next, and each is
 * shortened at random by up to half. If the answer has a `Retry-After`, that is the delay;
 * if it is longer than `maxDelay`, there is no further attempt.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelOptions {
  /** How long one attempt may take. 10 seconds unless set. */
  readonly timeout?: Duration.Input | undefined
  /** How many attempts may follow the first. 3 unless set. */
  readonly retries?: number | undefined
  /** The delay before the second attempt. 500 milliseconds unless set. */
  readonly delay?: Duration.Input | undefined
  /** The longest delay. One minute unless set. */
  readonly maxDelay?: Duration.Input | undefined
  /** The time zone of the times in alerts. The machine's unless set. */
  readonly timeZone?: DateTime.TimeZone | undefined
}
