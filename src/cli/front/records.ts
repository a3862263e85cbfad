/** The commands for recorded runs: `runs`, `show`, `compare`, `logs`, `report`, `ui` and `prune`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { UsageError } from "../request.ts"
import { database } from "./durable.ts"
import { checkCount, limit, logLevel, named, on, type Perform, pipelines, pruneFlags } from "./flags.ts"

/** Loads the commands for recorded runs, without the charts. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const records = () => import("../records/records.ts")
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const charts = () => import("../records/charts.ts")

/** Loads the server of the page. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const page = () => import("../durable/ui.ts")

const folder = Flag.String("folder").pipe(
  Flag.withMetavar("PATH"),
  Flag.withDescription("The folder of the records, or the file of --record=FILE; .epilogue/runs unless set"),
  named,
  Flag.optional
)

const forms =
  "the id of a run or the beginning of it, as \"epilogue runs\" prints them; the file of a record; latest, or latest~1 " +
  "for the one before it"

const run = Argument.String("run").pipe(
  Argument.withMetavar("RUN"),
  Argument.withDescription(`T${forms.slice(1)}`),
  Argument.withDefault("latest")
)

/** The statuses of runs, by their names and by the words that pages and summaries have for them. */
const statuses = [
  ["success", "success"],
  ["succeeded", "success"],
  ["failure", "failure"],
  ["failed", "failure"],
  ["interrupt", "interrupt"],
  ["interrupted", "interrupt"],
  ["skip", "skip"],
  ["skipped", "skip"],
  ["running", "running"],
  ["suspended", "suspended"],
  ["crashed", "crashed"],
  ["cutOff", "cutOff"]
] as const

/** @internal */
export const make = (perform: Perform) => {
  const runs = Command.make("runs", {
    folder,
    pipelines,
    statuses: Flag.ChoiceWithValue("status", statuses).pipe(
      Flag.withMetavar("STATUS"),
      Flag.withDescription(
        "Only runs with this status, or in its words, as failed; may be given more than once. A run has crashed if its process ended before it, and " +
          "is cutOff if nothing was recorded for a minute and nobody knows why"
      ),
      Flag.atLeast(0)
    ),
    since: Flag.String("since").pipe(
      Flag.withMetavar("WHEN"),
      Flag.withDescription(
        "Only runs that started since then: \"2 days\", 90m, today, yesterday, 2026-11-23, \"2026-11-23 18:00\""
      ),
      Flag.optional
    ),
    limit,
    json: on("json", "Print a JSON object on each line instead of a table"),
    watch: on("watch", "Go on until Ctrl-C and keep the table up to date; with --json print each run that changes")
      .pipe(Flag.withAlias("w"))
  }, ({ folder, json, limit, pipelines, since, statuses, watch }) =>
    Effect.gen(function*() {
      yield* checkCount("limit", limit)
      const request = {
        folder: Option.getOrUndefined(folder),
        since: Option.getOrUndefined(since),
        pipelines,
        statuses,
        limit,
        json,
        watch
      }
      yield* perform(async () => (await records()).runs(request))
    })).pipe(
      Command.withDescription(
        "List the runs that were recorded, by \"epilogue run --record\" or by Report.layerRecord() in code. Times are in the local time zone."
      ),
      Command.withShortDescription("List recorded runs"),
      Command.withExamples([
        { command: "epilogue runs --status failed --since yesterday", description: "List recent failures" },
        { command: "epilogue runs --watch", description: "Watch runs begin and end" },
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
      json: on("json", "Print the run's events as JSON lines, what was logged included"),
      logs: on("logs", "Print below each step what it has logged, too")
    },
    ({ folder, json, logs, run }) =>
      perform(async () => (await records()).show({ folder: Option.getOrUndefined(folder), run, json, logs }))
  ).pipe(
    Command.withDescription(
      "Print a recorded run: its steps with their attempts and hooks, parameters, annotations, and why it failed. The " +
        "exit code is 0 if the run is found, however it ended, and 2 if no run or more than one is found."
    ),
    Command.withShortDescription("Print a recorded run"),
    Command.withExamples([
      { command: "epilogue show latest" },
      { command: "epilogue show latest --logs", description: "Print it with what its steps have logged" },
      { command: "epilogue show 7f6c1a2b --json | jq -r 'select(._tag == \"HookFailed\").cause'" }
    ])
  )

  const compare = Command.make(
    "compare",
    {
      before: Argument.String("before").pipe(
        Argument.withMetavar("BEFORE"),
        Argument.withDescription(`The earlier run: ${forms}`)
      ),
      after: Argument.String("after").pipe(
        Argument.withMetavar("AFTER"),
        Argument.withDescription("The later run of the same pipeline, likewise")
      ),
      order: Flag.Literals("order", ["change", "run"]).pipe(
        Flag.withMetavar("ORDER"),
        Flag.withDescription("Steps that changed most first, or in the order of the run"),
        Flag.withDefault("change" as const)
      ),
      threshold: Flag.Int("threshold").pipe(
        Flag.withMetavar("PERCENT"),
        Flag.withDescription("By how much a step has to differ to count as slower or faster, and by 50 ms at least"),
        Flag.withDefault(20)
      ),
      json: on("json", "Print the comparison as JSON, with the steps in the order of the run"),
      folder
    },
    ({ folder, threshold, ...request }) =>
      Effect.gen(function*() {
        if (threshold < 0) {
          return yield* new UsageError({ message: `--threshold ${threshold}: expected a share in per cent, 0 or more` })
        }
        yield* perform(async () =>
          (await records()).compare({ ...request, threshold, folder: Option.getOrUndefined(folder) })
        )
      })
  ).pipe(
    Command.withDescription(
      "Compare two recorded runs of a pipeline step by step: how each step ended, how long it took, and what is newly " +
        "failing, recovered, slower, faster, added or removed. Steps are the same if their names and keys are. The exit " +
        "code is 0 whatever has changed, and 2 if a run is not found."
    ),
    Command.withShortDescription("Compare two recorded runs"),
    Command.withExamples([
      { command: "epilogue compare latest~1 latest" },
      { command: "epilogue compare 7f6c1a2b latest --order run --threshold 50" },
      {
        command:
          "epilogue compare latest~1 latest --json | jq -r '.steps[] | select(.changes | index(\"slower\")) | .name'",
        description: "Print the names of slower steps"
      }
    ])
  )

  const logs = Command.make(
    "logs",
    {
      run,
      step: Argument.String("step").pipe(
        Argument.withMetavar("STEP"),
        Argument.withDescription(
          "Only what this step, and those inside of it, have logged: its name, its name with its key as in fetch[7], or " +
            "its path as in \"load > fetch[7]\""
        ),
        Argument.optional
      ),
      folder,
      follow: on("follow", "Go on with what is logged until the run ends").pipe(Flag.withAlias("f")),
      json: on("json", "Print the messages as JSON lines")
    },
    ({ folder, follow, json, run, step }) =>
      perform(async () =>
        (await records()).logs({
          folder: Option.getOrUndefined(folder),
          run,
          step: Option.getOrUndefined(step),
          follow,
          json
        })
      )
  ).pipe(
    Command.withDescription(
      "Print what the steps of a recorded run have logged, in the order in which they did. A record has of each step the " +
        "first 200 messages and the last 20. The exit code is 2 if there is no such run or step."
    ),
    Command.withShortDescription("Print what a recorded run has logged"),
    Command.withExamples([
      { command: "epilogue logs latest --follow", description: "Watch a run from another terminal" },
      { command: "epilogue logs 7f6c1a2b \"fetch-page[7]\"" }
    ])
  )

  const chart = (name: "html" | "svg" | "png" | "junit" | "markdown" | "badge", what: string) =>
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
    junit: chart("junit", "The steps as test results in JUnit XML, for a CI server; - for standard output"),
    markdown: chart("markdown", "A summary with a table of the steps, for a comment; - for standard output"),
    badge: chart("badge", "An SVG badge that says how the run ended; - for standard output"),
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
        mermaid: Option.getOrUndefined(options.mermaid),
        junit: Option.getOrUndefined(options.junit),
        markdown: Option.getOrUndefined(options.markdown),
        badge: Option.getOrUndefined(options.badge)
      }
      const targets = Object.values(given).filter((target) => target !== undefined)
      if (targets.length === 0) {
        return yield* new UsageError({
          message: "name what to make: --html, --svg, --png, --junit, --markdown or --badge with a FILE, or --mermaid"
        })
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
        "Make charts and summaries of a recorded run: when each step ran, which attempts there were, what failed. Several kinds may be " +
          "made at once. Files are replaced only once all charts are made."
      ),
      Command.withShortDescription("Make a chart of a recorded run"),
      Command.withExamples([
        { command: "epilogue report --html run.html", description: "Make a page of the latest run" },
        { command: "epilogue report 7f6c1a2b --svg run.svg --theme dark" },
        {
          command: "epilogue report --junit results.xml --badge nightly.svg",
          description: "Make them for a CI server"
        },
        { command: "epilogue report latest --mermaid >> README.md" }
      ])
    )

  const prune = Command.make("prune", {
    keep: Flag.Int("keep").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Keep this many runs, the newest"),
      Flag.optional
    ),
    older: Flag.String("older").pipe(
      Flag.withMetavar("TIME"),
      Flag.withDescription("Keep the runs that began more recently than this: 30d, \"12 hours\""),
      Flag.optional
    ),
    dryRun: on("dry-run", "Only print which records would be removed"),
    folder
  }, ({ dryRun, folder, keep, older }) =>
    Effect.gen(function*() {
      const kept = yield* pruneFlags(keep, older)
      const request = { ...kept, dryRun, folder: Option.getOrUndefined(folder) }
      yield* perform(async () => (await records()).prune(request))
    })).pipe(
      Command.withDescription(
        "Remove the records of old runs, and print which they were. With --older and --keep a run stays if either keeps " +
          "it; a running one always does. Files of several runs, as --record=FILE writes them, are left alone."
      ),
      Command.withShortDescription("Remove old records"),
      Command.withExamples([{ command: "epilogue prune --older 30d --keep 100" }])
    )

  const ui = Command.make("ui", {
    port: Flag.Int("port").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("The port to listen at on 127.0.0.1; a free one unless set"),
      Flag.withDefault(0)
    ),
    folder,
    database,
    allowActions: on(
      "allow-actions",
      "Let the page answer questions, and interrupt and retry durable runs; without it, it only shows"
    ),
    as: Flag.String("as").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("With --allow-actions: in whose name; unless set, that of the user of this machine"),
      Flag.optional
    )
  }, ({ allowActions, as, database, folder, port }) =>
    Effect.gen(function*() {
      if (port < 0 || port > 65_535) {
        return yield* new UsageError({ message: `--port ${port}: expected a number from 0 to 65535` })
      }
      if (Option.isSome(as) && (!allowActions || as.value.trim() === "")) {
        return yield* new UsageError({
          message: "--as names who acts on the page: it needs --allow-actions, and a name"
        })
      }
      const request = {
        folder: Option.getOrUndefined(folder),
        database: Option.getOrUndefined(database),
        logLevel: yield* logLevel,
        allowActions,
        as: Option.getOrUndefined(as),
        port
      }
      yield* perform(async () => (await page()).ui(request))
    })).pipe(
      Command.withDescription(
        "Serve a page with the recorded runs, live and past, and print its link: a list with filters, a search and the " +
          "durations of the last runs, and of each run its timeline, live while it goes on, with what its steps logged; and " +
          "the durable runs of the database, if there is one, with their steps and the questions that wait. Only this machine can reach it, and only with the token in the link. Nothing can be changed there without --allow-actions."
      ),
      Command.withShortDescription("Serve a page with recorded runs"),
      Command.withExamples([{ command: "epilogue ui" }, {
        command: "epilogue ui --port 4680 --folder /srv/etl/.epilogue/runs"
      }, {
        command: "epilogue ui --allow-actions --as ada",
        description: "Answer questions, and interrupt and retry durable runs, too"
      }])
    )

  return [runs, show, compare, logs, report, ui, prune] as const
}
