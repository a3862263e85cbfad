/**
 * Describes recorded runs, and the lines of a record that can't be read.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"

/**
 * The state of a recorded run: its outcome, or one of two states of a run without a recorded end.
 *
 * **Details**
 *
 * A recorder touches the files of its runs every 15 seconds. A run is `running` if its file was touched within the last
 * minute, and `cutOff` otherwise: its process was killed, or something blocks its thread, or it is a durable run that
 * is suspended.
 *
 * @category models
 * @since 0.1.0
 */
export type Status = "running" | "cutOff" | "success" | "failure" | "interrupt"

/**
 * A run that has a record of its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorded {
  /** The path of the file. */
  readonly path: string
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
  readonly status: Status
  readonly startedAt: DateTime.Utc
  /** Until now for a run that is `running`, and until its last event for one that is `cutOff`. */
  readonly duration: Duration.Duration
  /** How many steps were evaluated. For a run without an end, how many of them its last events show. */
  readonly steps: number
  /** How many hooks failed, or `undefined` for a run without an end. */
  readonly hookFailures: number | undefined
}

/**
 * A line of a record that can't be read as an event, or a place where events are missing.
 *
 * **Details**
 *
 * - `torn`: the line is incomplete, as a crash or a full disk leaves it;
 * - `unknown`: a later version wrote the line, and this one does not know its kind;
 * - `lost`: this many events could not be written here.
 *
 * @category models
 * @since 0.1.0
 */
export interface Skipped {
  /** The number of the line, from 1. */
  readonly line: number
  readonly reason: "torn" | "unknown" | "lost"
  readonly events: number
}
