/**
 * Sums runs up for others to show: test results for a CI server, a table in Markdown, a badge.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { codeOf, openToAppend, withWords } from "../internal/files/private.ts"
import { replaceFile } from "../internal/files/replace.ts"
import { checked, optionalText, text } from "../internal/model/options.ts"
import { formatDuration } from "../internal/text/duration.ts"
import { variable } from "../internal/text/terminal.ts"
import * as Writer from "../internal/text/writer.ts"
import { Observers } from "../RunEvent.ts"
import type { Event } from "./Event.ts"
import { statusColors, statusWords } from "./internal/events/status.ts"
import * as badges from "./internal/summary/badge.ts"
import { collecting, type EndedRun, lastRuns } from "./internal/summary/collect.ts"
import * as xml from "./internal/summary/junit.ts"
import * as summaries from "./internal/summary/markdown.ts"
import { rowsOf } from "./internal/timeline/pick.ts"
import { timeline } from "./internal/timeline/rows.ts"
import type { Recorded } from "./Recorded.ts"

/**
 * Options of {@link junit}.
 *
 * @category options
 * @since 0.1.0
 */
export interface JunitOptions {
  /** The name of the whole: the pipeline and the name of the run, unless set. */
  readonly title?: string | undefined
}

/**
 * Returns the steps of runs as test results in JUnit XML, which Jenkins, GitLab and others show: a suite for each run,
 * with a case for each step.
 *
 * **Details**
 *
 * A failed step is a `failure`; one that was interrupted, or has no end, is an `error`, and one that was
 * skipped is `skipped`. A run that ended otherwise than
 * its steps, or has a hook that failed, is a case of its own. Hooks that failed are in `system-err`.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 *
 * const results = (events: Iterable<Report.Event>) => Report.junit(events)
 * ```
 *
 * @see {@link layerJunit} to write it at the end of a program
 * @category constructors
 * @since 0.1.0
 */
export const junit = (events: Iterable<Event>, options: JunitOptions = {}): string =>
  xml.junit(timeline(events, checked("Report.junit", options, { title: optionalText }).title))

/**
 * Options of {@link markdown}.
 *
 * @category options
 * @since 0.1.0
 */
export interface MarkdownOptions extends JunitOptions {
  /** How many runs and steps are shown: 100 unless set. Of more, failed ones go first, then long ones. */
  readonly maxRows?: number | undefined
}

/**
 * Returns a summary of runs in GitHub's Markdown: a table of steps, why they failed, and a timeline in Mermaid. Text of
 * events stays text: it is no markup, link or mention.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 *
 * const comment = (events: Iterable<Report.Event>) => Report.markdown(events, { maxRows: 20 })
 * ```
 *
 * @see {@link layerJobSummary} to add it to the summary of a job on GitHub Actions
 * @category constructors
 * @since 0.1.0
 */
export const markdown = (events: Iterable<Event>, options: MarkdownOptions = {}): string => {
  const { maxRows, title } = checked("Report.markdown", options, { title: optionalText, maxRows: 0 })
  return summaries.markdown(timeline(events, title), rowsOf("Report.markdown", maxRows, 100))
}

/**
 * Returns an SVG badge of a recorded run: the name of its pipeline, how it ended and how long it took.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 * import { Effect } from "effect"
 *
 * const latest = Effect.map(Report.list({ limit: 1 }), ([run]) => run && Report.badge(run))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const badge = (run: Pick<Recorded, "pipelineName" | "status" | "duration">): string => {
  const took = run.status === "cutOff" || run.status === "crashed"
    ? ""
    : ` · ${formatDuration(Duration.toMillis(run.duration))}`
  return badges.badge({
    label: run.pipelineName,
    message: statusWords[run.status] + took,
    color: statusColors[run.status]
  })
}

/**
 * Options of {@link layerJunit}.
 *
 * @category options
 * @since 0.1.0
 */
export interface LayerJunitOptions extends JunitOptions {
  /** The file to write, whose folder is made where it is missing. What it held before is replaced. */
  readonly file: string
}

/**
 * Writes the runs of the program that it is provided to as JUnit XML, whenever no run goes on any more.
 *
 * **Details**
 *
 * The layer adds an observer to those already provided. Of a run with more than 2,000 steps, failed ones and the longest
 * are written; of a program with more than 100 runs, failed ones and the last. A file that can't be written is logged
 * as a warning, and the program goes on.
 *
 * @example
 * ```ts
 * import { Pipeline, Step } from "effect-epilogue"
 * import { runMain } from "effect-epilogue/main"
 * import { Report } from "effect-epilogue/report"
 * import { Effect } from "effect"
 *
 * Pipeline.make("nightly", Step.make("load", Effect.succeed(1))).pipe(
 *   Effect.provide(Report.layerJunit({ file: "nightly.xml" })),
 *   runMain
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerJunit = (options: LayerJunitOptions): Layer.Layer<never> =>
  fresh(Effect.sync(() => {
    const { file, title } = checked("Report.layerJunit", options, { file: text, title: optionalText })
    return observing("Report.layerJunit", file, (write) => {
      let all: ReadonlyArray<EndedRun> = []
      return (runs) => {
        // a program that runs for months must not keep all of them
        all = lastRuns([...all, ...runs])
        write(junit(all.flatMap(({ events }) => events), { title }), "replace")
      }
    })
  }))

/**
 * Options of {@link layerJobSummary}.
 *
 * @category options
 * @since 0.1.0
 */
export interface JobSummaryOptions extends MarkdownOptions {
  /** The file to append to. The variable `GITHUB_STEP_SUMMARY` unless set; without either, the layer does nothing. */
  readonly file?: string | undefined
}

/**
 * Adds the runs of the program that it is provided to, as {@link markdown}, to the summary of the job on GitHub Actions.
 *
 * **Details**
 *
 * The layer adds an observer to those already provided. It writes whenever no run goes on any more. GitHub shows nothing
 * of a summary of more than 1 MiB
 * (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits), so
 * the file is kept below 900 kB: as that is approached, runs are told without their timeline, then with less of their
 * causes and fewer steps, of which failed ones go first, and last by their totals alone. A summary that is shortened says
 * so, and how many steps it leaves out; once there is no room at all, a last line says that later runs are left out. A
 * file that can't be written is logged as a warning, and the program goes on.
 *
 * @example
 * ```ts
 * import { Pipeline, Step } from "effect-epilogue"
 * import { runMain } from "effect-epilogue/main"
 * import { Report } from "effect-epilogue/report"
 * import { Effect } from "effect"
 *
 * Pipeline.make("nightly", Step.make("load", Effect.succeed(1))).pipe(
 *   Effect.provide(Report.layerJobSummary()),
 *   runMain
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerJobSummary = (options: JobSummaryOptions = {}): Layer.Layer<never> =>
  fresh(Effect.sync(() => {
    const { file, maxRows, title } = checked("Report.layerJobSummary", options, {
      file: optionalText,
      title: optionalText,
      maxRows: 0
    })
    const rows = rowsOf("Report.layerJobSummary", maxRows, 100)
    const target = file ?? variable("GITHUB_STEP_SUMMARY")
    if (target === undefined || target === "") return Layer.empty
    return observing("Report.layerJobSummary", target, (write) => {
      let full = false
      return (runs) => {
        if (full) return
        const room = maxSummary - noRoom.length - sizeOf(target)
        // some of it is left for later runs
        const most = Math.max(room - 100_000, room / 4)
        const events = runs.flatMap(({ events }) => events)
        const summary = `${summaries.markdown(timeline(events, title), rows, Math.max(0, most))}\n`
        full = Buffer.byteLength(summary) > Math.max(0, most) + 1
        write(full ? noRoom : summary, "append")
      }
    })
  }))

const maxSummary = 900_000

const noRoom = "Later runs are left out: GitHub shows no summary of more than 1 MiB.\n\n"

/** Returns the size of a file, or 0 where there is none. */
const sizeOf = (file: string): number => {
  try {
    return process.getBuiltinModule("node:fs").statSync(file).size
  } catch {
    return 0
  }
}

/** Makes a layer anew wherever it is provided: a memoized one would bring back the observers of the first place. */
const fresh = (layer: Effect.Effect<Layer.Layer<never>>): Layer.Layer<never> => Layer.fresh(Layer.unwrap(layer))

/** Adds an observer that is told of runs that have ended whenever none goes on, and may write a file then. */
const observing = (
  caller: string,
  file: string,
  make: (
    write: (content: string, how: "append" | "replace") => void
  ) => (runs: ReadonlyArray<EndedRun>) => void
): Layer.Layer<never> =>
  Layer.effect(
    Observers,
    Effect.gen(function*() {
      const present = yield* Observers
      const context = yield* Effect.context<never>()
      const onIdle = make((content, how) => {
        try {
          if (how === "append") append(file, content)
          else replaceFile(file, content)
        } catch (cause) {
          Effect.runForkWith(context)(Writer.logWarning(`${caller}: can't write ${file}: ${withWords(codeOf(cause))}`))
        }
      })
      return [...present, collecting(onIdle)]
    })
  )

const append = (file: string, content: string): void => {
  const fd = openToAppend(file)
  const { closeSync, writeFileSync } = process.getBuiltinModule("node:fs")
  try {
    writeFileSync(fd, content)
  } finally {
    closeSync(fd)
  }
}
