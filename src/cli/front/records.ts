/** The commands for recorded runs: `runs`, `show`, `report` and `prune`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { UsageError } from "../request.ts"
import type { Perform } from "./flags.ts"

/** Loads the commands for recorded runs, without the charts. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const records = () => import("../records/records.ts")
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const charts = () => import("../records/charts.ts")

const folder = Flag.String("folder").pipe(
  Flag.withMetavar("DIR"),
  Flag.withDescription("The folder of the records; .epilogue/runs unless set"),
  Flag.optional
)

const run = Argument.String("run").pipe(
  Argument.withMetavar("RUN"),
  Argument.withDescription(
    "The id of a run or the beginning of it, as \"epilogue runs\" prints them; the file of a record; or latest"
  ),
  Argument.withDefault("latest")
)

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

/** @internal */
export const make = (perform: Perform) => {
  const runs = Command.make("runs", {
    folder,
    pipelines: Flag.String("pipeline").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Only runs of this pipeline; may be given more than once"),
      Flag.atLeast(0)
    ),
    statuses: Flag.Literals("status", ["success", "failure", "interrupt", "running", "cutOff"]).pipe(
      Flag.withMetavar("STATUS"),
      Flag.withDescription(
        "Only runs with this status; may be given more than once. A run is cutOff if it has no end and has recorded " +
          "nothing for a minute"
      ),
      Flag.atLeast(0)
    ),
    since: Flag.String("since").pipe(
      Flag.withMetavar("WHEN"),
      Flag.withDescription("Only runs that started since then: \"2 days\", 90m, 2026-11-23, \"2026-11-23 18:00\""),
      Flag.optional
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withAlias("n"),
      Flag.withDescription("The largest number of runs, the newest first; 0 for all"),
      Flag.withDefault(20)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print a JSON object on each line instead of a table"),
      Flag.withDefault(false)
    )
  }, ({ folder, json, limit, pipelines, since, statuses }) =>
    Effect.gen(function*() {
      if (!isCount(limit)) return yield* new UsageError({ message: `--limit ${limit} is not a number of runs` })
      const request = {
        folder: Option.getOrUndefined(folder),
        since: Option.getOrUndefined(since),
        pipelines,
        statuses,
        limit,
        json
      }
      yield* perform(async () => (await records()).runs(request))
    })).pipe(
      Command.withDescription(
        "List the runs that were recorded, by \"epilogue run --record\" or by Report.layerRecord() in code. Times are in the local time zone."
      ),
      Command.withShortDescription("List recorded runs"),
      Command.withExamples([
        { command: "epilogue runs --status failure --since \"2 days\"", description: "List recent failures" },
        {
          command: "epilogue runs --json | jq -r .path",
          description: "Print the files of the records for another program"
        }
      ])
    )

  const show = Command.make(
    "show",
    {
      run,
      folder,
      json: Flag.Boolean("json").pipe(
        Flag.withDescription("Print the run's events as JSON lines"),
        Flag.withDefault(false)
      )
    },
    ({ folder, json, run }) =>
      perform(async () => (await records()).show({ folder: Option.getOrUndefined(folder), run, json }))
  ).pipe(
    Command.withDescription(
      "Print a recorded run: its steps with their attempts and hooks, parameters, annotations, and why it failed. The " +
        "exit code is 0 if the run is found, however it ended, and 2 if no run or more than one is found."
    ),
    Command.withShortDescription("Print a recorded run"),
    Command.withExamples([
      { command: "epilogue show latest" },
      { command: "epilogue show 7f6c1a2b --json | jq -r 'select(._tag == \"HookFailed\").cause'" }
    ])
  )

  const chart = (name: "html" | "svg" | "png", what: string) =>
    Flag.String(name).pipe(Flag.withMetavar("FILE"), Flag.withDescription(what), Flag.optional)

  const report = Command.make("report", {
    run,
    html: chart("html", "An interactive page in one file; - for standard output"),
    svg: chart("svg", "An SVG picture; - for standard output"),
    png: chart("png", "A PNG picture; needs the package @resvg/resvg-js"),
    mermaid: Flag.String("mermaid").pipe(
      Flag.withMetavar("FILE"),
      Flag.withOptionalValue("-"),
      Flag.withDescription("A Mermaid chart for Markdown, to standard output, or to a file with --mermaid=FILE"),
      Flag.optional
    ),
    title: Flag.String("title").pipe(
      Flag.withMetavar("TEXT"),
      Flag.withDescription("The title of the chart; unless set, the name of the run"),
      Flag.optional
    ),
    theme: Flag.Literals("theme", ["light", "dark"]).pipe(
      Flag.withMetavar("THEME"),
      Flag.withDescription("The theme of the pictures; the page has both"),
      Flag.optional
    ),
    folder
  }, ({ run, ...options }) =>
    Effect.gen(function*() {
      const given = {
        html: Option.getOrUndefined(options.html),
        svg: Option.getOrUndefined(options.svg),
        png: Option.getOrUndefined(options.png),
        mermaid: Option.getOrUndefined(options.mermaid)
      }
      const targets = Object.values(given).filter((target) => target !== undefined)
      if (targets.length === 0) {
        return yield* new UsageError({ message: "name what to make: --html FILE, --svg FILE, --png FILE or --mermaid" })
      }
      if (targets.includes("")) return yield* new UsageError({ message: "the name of a file is empty" })
      if (given.png === "-") {
        return yield* new UsageError({ message: "--png needs a file: standard output is for text" })
      }
      const path = yield* Path.Path
      if (new Set(targets.map((target) => target === "-" ? target : path.resolve(target))).size < targets.length) {
        return yield* new UsageError({ message: "two of the charts would be written to the same place" })
      }
      const request = {
        ...given,
        run,
        title: Option.getOrUndefined(options.title),
        theme: Option.getOrUndefined(options.theme),
        folder: Option.getOrUndefined(options.folder)
      }
      yield* perform(async () => (await charts()).report(request))
    })).pipe(
      Command.withDescription(
        "Make charts of a recorded run: when each step ran, which attempts there were, what failed. Several kinds may be " +
          "made at once. Files are replaced only once all charts are made."
      ),
      Command.withShortDescription("Make a chart of a recorded run"),
      Command.withExamples([
        { command: "epilogue report --html run.html", description: "Make a page of the latest run" },
        { command: "epilogue report 7f6c1a2b --svg run.svg --theme dark" },
        { command: "epilogue report latest --mermaid >> README.md" }
      ])
    )

  const prune = Command.make("prune", {
    keep: Flag.Int("keep").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("The number of runs to keep, the newest; running ones are kept besides")
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Only print which records would be removed"),
      Flag.withDefault(false)
    ),
    folder
  }, ({ dryRun, folder, keep }) =>
    Effect.gen(function*() {
      if (!isCount(keep)) return yield* new UsageError({ message: `--keep ${keep} is not a number of runs` })
      const request = { keep, dryRun, folder: Option.getOrUndefined(folder) }
      yield* perform(async () => (await records()).prune(request))
    })).pipe(
      Command.withDescription("Remove the records of all but the newest runs, and print which they were"),
      Command.withShortDescription("Remove old records"),
      Command.withExamples([{ command: "epilogue prune --keep 100" }])
    )

  return [runs, show, report, prune] as const
}
