/**
 * Records of runs: files of JSON lines (https://jsonlines.org) that are written while a run goes, and read afterwards,
 * or meanwhile.
 *
 * The first line of a record is `{"_tag":"Record","version":1,…}`. Each line after it is an {@link Event}, less what is
 * said already: in a file of one run the first line has `pipelineName`, `runId` and `runName`; in a file of several the
 * first event of a run has them, and those after it have its `runId`. `params` and `annotations` that are empty are
 * left out. `{"_tag":"Lost","events":3}` stands where so many could not be written.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { Event } from "./Event.ts"
import * as format from "./internal/record/format.ts"
import * as layers from "./internal/record/layer.ts"
import * as listing from "./internal/record/list.ts"
import * as reading from "./internal/record/read.ts"
import type { RecordError } from "./RecordError.ts"

/**
 * Where the records of runs are.
 *
 * @category models
 * @since 0.1.0
 */
export interface FolderOptions {
  /** `.epilogue/runs` in the working directory, unless set. */
  readonly folder?: string | undefined
}

/**
 * Records the runs that go on in the layer, beside the observers that there are: without a path in a file each, in
 * `.epilogue/runs` or the folder given; with one in that file, all of them. What is missing of the path is made, for
 * its owner alone. The layer fails where it can't be written to, and where the file is no record. Nothing else is
 * needed: observers are told at once and can't wait, so records are written with `node:fs`, which all runtimes have,
 * and not with effect's `FileSystem`.
 *
 * **What a crash can lose.** An event is written at once, unless four writes took place in the same millisecond: then
 * it is written with those that follow, after a millisecond more, or when they have 64 KB, or when the run ends. So of
 * a process that is killed (`kill -9`) all is there but, where more happened at once than that, the events of its last
 * millisecond or so; of code that lets nothing else run after such a burst, those until it does. `process.exit` and
 * `Deno.exit` lose nothing. Files are not synced: when the machine itself goes down, what its system had not put on the
 * disk is lost.
 *
 * **Several processes** may record to one file: lines are appended (`O_APPEND`) in one write each time, which local
 * file systems keep whole. Network file systems such as NFS need not.
 *
 * **Durable runs** that go on in another process go on in the file that they have in the folder.
 *
 * Where a file can't be written to any more, since the disk is full, say, the run goes on: that is logged once, at
 * error level, the events that are lost are counted (`epilogue_record_lost_events_total`, a metric), and those after
 * them are written when that is possible again. No record has the value of a step; parameters and annotations are
 * redacted.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 * import { Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const nightly = Pipeline.make("nightly", Step.make("load", Effect.succeed(1)))
 *
 * // a file in .epilogue/runs
 * Effect.runPromise(Effect.provide(nightly, Report.record()))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const record = (path?: string, options?: FolderOptions): Layer.Layer<never, RecordError> =>
  layers.record(path, options?.folder ?? layers.defaultFolder)

/**
 * What a line of a record says: that it is one, an event less what is said of its run before, or that some are missing.
 *
 * @category models
 * @since 0.1.0
 */
export type Line = format.Line

/**
 * The schema of {@link Line}, for whoever reads records with something else: {@link read} puts events together.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Line: Schema.Codec<Line> = format.Line

/**
 * A line of a record from which no event comes, or a place where events are missing.
 *
 * - `torn`: the line has no end, as a crash or a full disk leaves it;
 * - `unknown`: a later version wrote it, and this one doesn't know what it says;
 * - `lost`: so many events could not be written here.
 *
 * @category models
 * @since 0.1.0
 */
export interface Skipped {
  /** From 1. */
  readonly line: number
  readonly reason: "torn" | "unknown" | "lost"
  readonly events: number
}

/**
 * @category models
 * @since 0.1.0
 */
export interface ReadOptions {
  /** Is told of what is left out. Unless set, a warning at the end says how much it was. */
  readonly onSkipped?: ((skipped: Skipped) => void) | undefined
}

/**
 * The events of a record, in the order in which they were written, however many they are: only some are in memory at a
 * time. It ends where the file ends now, also where the run goes on.
 *
 * Fails where the file is no record, or of a later version.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 * import { Effect, Stream } from "effect"
 *
 * const slow = Report.read("runs.jsonl").pipe(
 *   Stream.filter((event) => event._tag === "StepEnded" && event.durationMillis > 60_000),
 *   Stream.runForEach((event) => Effect.log(event))
 * )
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const read = (path: string, options?: ReadOptions): Stream.Stream<Event, RecordError> =>
  reading.read(path, options?.onSkipped)

/**
 * What became of a run. `running` and `cutOff` have no end yet: a recorder touches the files of its runs every quarter
 * of a minute, and a record that nobody has touched for a minute is `cutOff`. Its process was killed, or has been busy
 * without a pause all the time, or it is a durable run that waits to go on.
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
  /** Of the file. */
  readonly path: string
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
  readonly status: Status
  readonly startedAt: DateTime.Utc
  /** Of a run that is `running`, until now; of one that is `cutOff`, until the last event of it. */
  readonly duration: Duration.Duration
  /** How many were evaluated. Of a run that has no end, as far as the last events tell. */
  readonly steps: number
  /** How many hooks failed, once the run has ended. */
  readonly hookFailures: number | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface ListOptions extends FolderOptions {
  /** All of them unless set. */
  readonly limit?: number | undefined
}

/**
 * The runs recorded in the folder, the newest first. Of each no more is read than the beginning and the end of its
 * file. Files of several runs, and what is no record, are left out.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 * import { Effect } from "effect"
 *
 * const failed = Effect.map(Report.list(), (runs) => runs.filter(({ status }) => status === "failure"))
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const list = (options?: ListOptions): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  listing.list(options?.folder ?? layers.defaultFolder, options?.limit ?? Infinity)

/**
 * The run whose id is this, or begins so, if it is the only one.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 * import { Effect, Stream } from "effect"
 *
 * const events = Stream.unwrap(Effect.map(Report.find("7f6c"), ({ path }) => Report.read(path)))
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const find = (idOrPrefix: string, options?: FolderOptions): Effect.Effect<Recorded, RecordError> =>
  listing.find(options?.folder ?? layers.defaultFolder, idOrPrefix)

/**
 * @category models
 * @since 0.1.0
 */
export interface PruneOptions extends FolderOptions {
  /** How many of the newest runs stay. */
  readonly keep: number
}

/**
 * Removes the records of all but the newest runs, and gives what it removed. A run that is `running` stays, beside
 * those: see {@link Status} for how that is known.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 *
 * const pruned = Report.prune({ keep: 100 })
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const prune = (options: PruneOptions): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  listing.prune(options.folder ?? layers.defaultFolder, options.keep)
