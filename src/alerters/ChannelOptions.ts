/**
 * What every channel can be told.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"

/**
 * How a channel sends, and how it shows the time.
 *
 * An attempt that was not answered in time, was not connected, or was answered with
 * status 408, 429 or 5xx is followed by another, after a delay that doubles from one
 * to the next, less up to half of it by chance. Where the channel says how long to
 * wait (`Retry-After`), it is that long, or no further attempt if it is longer than
 * `maxDelay`.
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
  /** In which times are shown. The machine's unless set. */
  readonly timeZone?: DateTime.TimeZone | undefined
}
