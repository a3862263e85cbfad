/**
 * Describes recorded runs, and the lines of a record that can't be read.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"

/**
 * The state of a recorded run: its outcome, or the state of a run that has not ended.
 *
 * **Details**
 *
 * - `running`: a process has the run. Recorders touch the files of their runs every 15 seconds.
 * - `suspended`: the process let go of a durable run, which waits or goes on in another process.
 * - `crashed`: the process ended before the run did, and nothing of it is left to tell.
 * - `cutOff`: the file was not touched for a minute, and nobody knows why: something blocks the thread of the process, or
 *   it is or was on another machine.
 *
 * On Windows, `crashed` is known only while no other process has the number of the one that ended; else the run is `cutOff`
 * after a minute.
 *
 * A supervisor notes in the record how the process ended; where there was none, whoever looks at the record next notes
 * that it has.
 *
 * @category models
 * @since 0.1.0
 */
export type Status = "running" | "suspended" | "crashed" | "cutOff" | "success" | "failure" | "interrupt" | "skip"

/**
 * A recorded run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorded {
  /** The path of the file, which may have other runs, too. */
  readonly path: string
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
  readonly status: Status
  readonly startedAt: DateTime.Utc
  /** Until now for a run that is `running`, and until its last event for another one without an end. */
  readonly duration: Duration.Duration
  /** How many steps were evaluated. For a run without an end, how many of them its last events show. */
  readonly steps: number
  /** How many hooks failed, or `undefined` for a run without an end. */
  readonly hookFailures: number | undefined
}

/**
 * The recorded runs that a recorder keeps: those within both limits, or within the one that is set.
 *
 * @category options
 * @since 0.1.0
 */
export interface Keep {
  /** How long ago a run may have begun. */
  readonly age?: Duration.Input | undefined
  /** How many of the newest runs stay: a whole number, 0 or more. */
  readonly runs?: number | undefined
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
