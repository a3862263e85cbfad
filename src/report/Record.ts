/**
 * Records runs in files of JSON lines (https://jsonlines.org), which can be read afterwards and while the run goes on.
 *
 * The first line of a record is `{"_tag":"Record","version":2,…}`. Each further line is an {@link Event} without what
 * earlier lines say:
 *
 * - In a file of one run, the first line has `pipelineName`, `runId` and `runName`; in a file of several runs, the first
 *   event of a run has them. There each process that writes to the file adds such a first line, with a `recorder`: the
 *   `run` of its events begins with that. Each event has a `run`, which all events of the run have that one recorder wrote.
 * - The first event with a `stepRef` has the `stepName` and the `stepPath` of the step, and the first one with a `hookRef`
 *   has `hook`, `kind`, `level` and `hookIndex`: later events of the same `run` have only the number.
 * - A `StepStarted` with `durationMillis` is a `StepEnded`, too: the step succeeded at once. `hooks` are those that
 *   succeeded after it, each as its `hookRef` and its duration in milliseconds. `more` has the durations of the next
 *   steps of the same names, and of the same hooks of each, as whole nanoseconds: they succeeded in the same millisecond.
 * - `params` and `annotations` that are empty are left out.
 *
 * `{"_tag":"Lost","events":3}` stands where three events could not be written.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { checked, numberMistakes, optionalText, wholeMistakes } from "../internal/model/options.ts"
import type { Synchronous } from "../internal/model/synchronous.ts"
import type { Event } from "./Event.ts"
import * as format from "./internal/record/format.ts"
import * as layers from "./internal/record/layer.ts"
import * as listing from "./internal/record/list.ts"
import { defaultFolder } from "./internal/record/names.ts"
import * as reading from "./internal/record/read.ts"
import type { Keep, Recorded, Skipped } from "./Recorded.ts"
import type { RecordError } from "./RecordError.ts"

export type { Keep, Recorded, Skipped, Status } from "./Recorded.ts"

/**
 * Says in which folder the records of runs are.
 *
 * @category options
 * @since 0.1.0
 */
export interface FolderOptions {
  /** `.epilogue/runs` in the working directory, unless set. */
  readonly folder?: string | undefined
}

/**
 * Options of {@link layerRecord}: a folder with a file for each run, or one file for all runs.
 *
 * @category options
 * @since 0.1.0
 */
export type RecordOptions =
  | FolderOptions & {
    readonly file?: undefined
    /**
     * Which runs of the folder to keep, whoever recorded them. Others are removed when the layer closes, and once an
     * hour until then, but never one that is running. All are kept unless set.
     */
    readonly keep?: Keep | undefined
  }
  | {
    /** Records all runs in this one file, in place of a file for each in a folder. */
    readonly file: string
    readonly folder?: undefined
    readonly keep?: undefined
  }

/**
 * Records the runs of the program that it is provided to: each in a file of its own, or all of them in one `file`.
 *
 * **When to use**
 *
 * To look at a run afterwards, with `epilogue show` and `epilogue report`, {@link read} and {@link html}.
 *
 * **Details**
 *
 * The layer adds an observer to those already provided. Missing folders and files are made for their owner alone, and a
 * folder `.epilogue` that others have rights on is made private with all that is in it. The layer fails where it can't
 * write, where `file` exists and is no record of this version, and where `file` or a folder from `.epilogue` on is a
 * symbolic link. It needs no other service: observers are called synchronously, so records are written by `node:fs`,
 * which Bun, Deno and Node have, and not by effect's `FileSystem`.
 *
 * *What a crash can lose.* A recorder writes an event at once, unless there are many: it writes four times in a row, and
 * then once for each millisecond that passes. Events in between are collected, and written a millisecond later, when they
 * have 256 KB, or when the run ends. So a process that is killed (`kill -9`) loses the events of its last millisecond at
 * most, and nothing if fewer than five fell into its last four. Code that blocks the thread after such a burst can lose
 * the collected events until it yields. `process.exit` and `Deno.exit` lose nothing. Files are not synced: if the machine
 * itself goes down, the operating system may lose what it had not put on the disk.
 *
 * *Several processes* may record to one file: lines are appended (`O_APPEND`) in one write each time, which local file
 * systems keep whole. Network file systems such as NFS may not.
 *
 * *Durable runs* that another process continues are continued in the file that they have in the folder.
 *
 * *Faults.* If a file can't be written any more, because the disk is full, say, the run goes on. That is logged once,
 * at error level, lost events are counted by the metric `epilogue_record_lost_events_total`, and later events are
 * written as soon as that is possible again.
 *
 * No record has the value of a step. Parameters and annotations are redacted.
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
 * const recorded = Effect.provide(nightly, Report.layerRecord())
 *
 * // of which those of the last 30 days are kept, and no more than 200
 * const some = Effect.provide(nightly, Report.layerRecord({ keep: { runs: 200, age: "30 days" } }))
 *
 * // all runs in one file
 * const all = Effect.provide(nightly, Report.layerRecord({ file: "runs.jsonl" }))
 * ```
 *
 * @see {@link list} for the recorded runs
 * @category layers
 * @since 0.1.0
 */
export const layerRecord = (options: RecordOptions = {}): Layer.Layer<never, RecordError> =>
  layers.record(() => {
    const { file, folder = defaultFolder, keep } = checked("Report.layerRecord", options, {
      file: 0,
      folder: 0,
      keep: 0
    })
    return { path: file, folder, keep }
  })

/**
 * A line of a record: its header, an event without what earlier lines say, or a number of lost events.
 *
 * @category models
 * @since 0.1.0
 */
export type RecordLine = format.Line

/**
 * The schema of {@link RecordLine}.
 *
 * **When to use**
 *
 * To read records by other means, line by line. {@link read} completes the events, which this schema does not.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RecordLine: Schema.Codec<RecordLine> = format.Line

/**
 * Options of {@link follow}.
 *
 * @category options
 * @since 0.1.0
 */
export interface FollowOptions {
  /** Reads only the events of this run, of a file that has those of several. */
  readonly runId?: string | undefined
  /** Called for each line that is left out. Unless set, a warning is logged at the end, with the numbers of them. */
  readonly onSkipped?: ((skipped: Skipped) => Synchronous<"call Effect.runFork">) | undefined
}

/**
 * Options of {@link read}.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReadOptions extends FollowOptions {
  /**
   * The largest file that is read, in bytes; with `runId`, of a file of several runs, the most that the lines of this run
   * may have. Steps of a burst, which share a line, count as if each had one of its own. 256 MiB unless set; `Infinity`
   * for files of any size. What has no size, as a pipe, is read to its end.
   */
  readonly maxBytes?: number | undefined
}

/**
 * Reads the events of a record, in the order in which they were written, in constant memory.
 *
 * **Details**
 *
 * The stream ends at the present end of the file, even if the run goes on. It fails if the file is no record, if it has
 * another version of the format, or if it is larger than `maxBytes`. Torn and unknown lines are left out. Without `runId`
 * it has the events of all runs in the file.
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
 * @see {@link find} for the file of a run
 * @category reading
 * @since 0.1.0
 */
export const read = (path: string, options?: ReadOptions): Stream.Stream<Event, RecordError> =>
  Stream.suspend(() => {
    checked("Report.read", options ?? {}, {
      runId: optionalText,
      onSkipped: 0,
      maxBytes: (what, value) => numberMistakes(what, value, 0)
    })
    return reading.read(path, {
      onSkipped: options?.onSkipped,
      runId: options?.runId,
      maxBytes: options?.maxBytes ?? reading.mostBytes,
      follow: false
    })
  })

/**
 * Reads the events of a record as {@link read} does, and goes on with those that are added to it.
 *
 * **Details**
 *
 * The stream ends with the run, also where the run has crashed and no other process can continue it: every two seconds it
 * looks whether the process lives. Where the system does not tell, the stream ends once nobody has touched the file for a
 * minute. So does that of a file of several runs, unless `runId` names one. New events are seen within a fifth of a second.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 * import { Console, Stream } from "effect"
 *
 * const watch = (path: string) =>
 *   Report.follow(path).pipe(Stream.runForEach((event) => Console.log(event._tag)))
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const follow = (path: string, options?: FollowOptions): Stream.Stream<Event, RecordError> =>
  Stream.suspend(() => {
    checked("Report.follow", options ?? {}, { runId: optionalText, onSkipped: 0 })
    return reading.read(path, {
      onSkipped: options?.onSkipped,
      runId: options?.runId,
      maxBytes: Infinity,
      follow: true
    })
  })

/**
 * Says where recorded runs are looked for: in a folder, or in one file.
 *
 * @category options
 * @since 0.1.0
 */
export interface PlaceOptions extends FolderOptions {
  /** The file of several runs that `layerRecord({ file })` has written, which is looked at in place of a folder. */
  readonly file?: string | undefined
}

/**
 * Options of {@link list}.
 *
 * @category options
 * @since 0.1.0
 */
export interface ListOptions extends PlaceOptions {
  /** How many of the newest runs are returned: all of them unless set. */
  readonly limit?: number | undefined
}

/**
 * Returns the runs recorded in the folder, the newest first.
 *
 * **Details**
 *
 * Of the file of one run, only the beginning and the end is read. Files of several runs, which are those in the folder
 * with another name that ends with `.jsonl`, are read as a whole, and again only as far as they have grown. Files that are
 * no records are left out.
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
  Effect.suspend(() => {
    checked("Report.list", options ?? {}, {
      file: optionalText,
      folder: optionalText,
      limit: (what, value) => wholeMistakes(what, value, 0, Infinity)
    })
    return listing.list(options?.file ?? options?.folder ?? defaultFolder, options?.limit ?? Infinity)
  })

/**
 * Returns the recorded run with this id, or with the only id that begins with it. Fails with `NotFound` or `Ambiguous`
 * otherwise.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 * import { Effect, Stream } from "effect"
 *
 * const events = Stream.unwrap(
 *   Effect.map(Report.find("7f6c"), ({ path, runId }) => Report.read(path, { runId }))
 * )
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const find = (idOrPrefix: string, options?: PlaceOptions): Effect.Effect<Recorded, RecordError> =>
  Effect.suspend(() => {
    const { file, folder = defaultFolder } = checked("Report.find", options ?? {}, {
      file: optionalText,
      folder: optionalText
    })
    return listing.find(file ?? folder, idOrPrefix)
  })

/**
 * Options of {@link prune}. At least one of `keep` and `olderThan` is needed; with both, a run stays if either keeps it.
 *
 * @category options
 * @since 0.1.0
 */
export type PruneOptions =
  & FolderOptions
  & ({
    /** Keeps this many runs, the newest: a whole number, 0 or more. Any other is a defect. */
    readonly keep: number
    readonly olderThan?: Duration.Input | undefined
  } | {
    readonly keep?: number | undefined
    /** Keeps the runs that began more recently than this. */
    readonly olderThan: Duration.Input
  })

/**
 * Removes the records of old runs, and returns the removed runs. Never removes the record of a run that is `running`, or
 * that is `cutOff` although its process is known to live.
 *
 * **Details**
 *
 * Leaves files of several runs alone, since other processes may be writing to them.
 *
 * Follows no symbolic link: it fails if the folder is one, or a folder `.epilogue` on the way to it, and leaves a link
 * among the records alone, which it logs as a warning.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 *
 * const pruned = Report.prune({ olderThan: "30 days", keep: 100 })
 * ```
 *
 * @see `keep` of {@link RecordOptions} for a recorder that does so by itself
 * @category reading
 * @since 0.1.0
 */
export const prune = (options: PruneOptions): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  Effect.suspend(() => {
    const { folder, keep, olderThan } = checked("Report.prune", options, { folder: 0, keep: 0, olderThan: 0 })
    return layers.prune(folder ?? defaultFolder, keep, olderThan)
  })
