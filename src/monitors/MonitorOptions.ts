/**
 * The options that all monitors have in common.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { ChannelOptions } from "../alerters/ChannelOptions.ts"
import type { RunStarted } from "../RunEvent.ts"

/**
 * Sets which runs a monitor is told of, and how its pings are sent.
 *
 * **Details**
 *
 * A monitor is told of one run at a time: of the first that begins while it knows of no other. A pipeline that is
 * evaluated inside of that run, or beside it, is a part of the work. With `pipeline` or `when` it is told of every run
 * that they choose.
 *
 * Pings never fail a run and never delay it. They wait in a mailbox, as alerts do, and are sent one after another, at the
 * pace of the service. An attempt is repeated after a timeout, a connection error and a status of 408 or 5xx; after 429
 * the mailbox waits as long as the service says. When the layer closes, the mailbox is emptied within `drain`.
 *
 * A ping that does not arrive is logged as a warning, once until another arrives. `epilogue run` also lists it at its
 * end, as it does alerts.
 *
 * @see `effect-epilogue/alerters` for the options of channels, of which these are a part
 *
 * @category models
 * @since 0.1.0
 */
export interface MonitorOptions
  extends Pick<ChannelOptions, "timeout" | "retries" | "delay" | "maxDelay" | "pace" | "drain" | "capacity">
{
  /** The name of the pipeline whose runs it is told of, or several names. */
  readonly pipeline?: string | ReadonlyArray<string> | undefined
  /** Chooses runs by their first event. With `pipeline`, both must hold. */
  readonly when?: ((run: RunStarted) => boolean) | undefined
  /** How often it gets a heartbeat while a run goes on. Never unless set. */
  readonly every?: Duration.Input | undefined
  /**
   * How it is told of a run that was interrupted: as a failure unless set, as a success, or with `"none"` not at all, so
   * that it may miss the end of the run.
   */
  readonly interrupt?: "failure" | "success" | "none" | undefined
}

/**
 * The options of monitors that show the log of a run.
 *
 * @see {@link MonitorOptions} for the options of all monitors
 *
 * @category models
 * @since 0.1.0
 */
export interface LogOptions {
  /** How many of the last lines that the run logged are sent with its end. 50 unless set. */
  readonly logs?: number | undefined
}
