/**
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"

/**
 * The options of `runMain`.
 *
 * @category models
 * @since 0.1.0
 */
export interface MainOptions {
  /**
   * How long hooks, finalizers and mailboxes may take after a signal, before the process is ended; 2 minutes unless set.
   * `Infinity` for as long as they like.
   */
  readonly grace?: Duration.Input | undefined
  /** Whether a success becomes exit code 3 where an alert did not arrive. */
  readonly requireAlerts?: boolean | undefined
  /** Whether a failure is not printed, since something else tells of it, such as a console alerter. */
  readonly disableErrorReporting?: boolean | undefined
  /**
   * Whether the process stays alive while the run waits for something that the runtime does not know of, such as a signal.
   * A run that waits so is ended with exit code 13 unless this is set.
   */
  readonly keepAlive?: boolean | undefined
}
