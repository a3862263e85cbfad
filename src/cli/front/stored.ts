/** The command `durable`, with `list`, `show`, `interrupt`, `retry` and `prune` for stored runs. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { database } from "./durable.ts"
import { checkCount, limit, logLevel, on, type Perform, pipelines, pruneFlags } from "./flags.ts"

/** Loads the commands for stored runs. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const library = () => import("../durable/stored.ts")

const runId = Argument.String("run").pipe(
  Argument.withMetavar("RUN"),
  Argument.withDescription("The id of the run, or the beginning of it, as \"epilogue durable list\" prints it")
)

const json = on("json", "Print JSON, an object on each line")

/** The flags of all commands for what is stored. */
export const common = { database, json }

interface Common {
  readonly database: Option.Option<string>
  readonly json: boolean
}

/** @internal */
export const toCommon = ({ database, json }: Common) =>
  Effect.map(logLevel, (logLevel) => ({
    database: Option.getOrUndefined(database),
    json,
    progress: "none" as const,
    record: undefined,
    logLevel
  }))

/** @internal */
export const make = (perform: Perform) => {
  const list = Command.make("list", {
    ...common,
    pipelines,
    statuses: Flag.Literals("status", ["running", "waiting", "setAside", "success", "failure", "interrupt", "skip"])
      .pipe(
        Flag.withMetavar("STATUS"),
        Flag.withDescription(
          "Only runs with this status; may be given more than once. A run is setAside if what is stored of it does not fit " +
            "the schemas of the code"
        ),
        Flag.atLeast(0)
      ),
    limit
  }, ({ limit, pipelines, statuses, ...input }) =>
    Effect.gen(function*() {
      yield* checkCount("limit", limit)
      const request = { ...(yield* toCommon(input)), pipelines, statuses, limit }
      yield* perform(async () => (await library()).list(request))
    })).pipe(
      Command.withDescription("List the durable runs in a database"),
      Command.withExamples([{ command: "epilogue durable list --status failure" }])
    )

  const show = Command.make("show", { ...common, runId }, ({ runId, ...input }) =>
    Effect.gen(function*() {
      const request = { ...(yield* toCommon(input)), runId }
      yield* perform(async () => (await library()).show(request))
    })).pipe(
      Command.withDescription("Print a durable run: its steps, hooks and questions, as far as they are recorded"),
      Command.withExamples([{ command: "epilogue durable show 4f1c" }])
    )

  const interrupt = Command.make("interrupt", {
    ...common,
    runId,
    now: on("now", "Interrupt the steps that are running, too; unless set, they come to their end first")
  }, ({ now, runId, ...input }) =>
    Effect.gen(function*() {
      const request = { ...(yield* toCommon(input)), runId, now }
      yield* perform(async () => (await library()).interrupt(request))
    })).pipe(
      Command.withDescription(
        "Interrupt a durable run, in whichever process it runs or waits. The current step ends first, unless --now is set. " +
          "Hooks run. The request is stored, so a run that no worker has ends once one does. The exit code is 1 if the run " +
          "has ended already, and 2 if no run or more than one is found."
      ),
      Command.withShortDescription("Interrupt a run"),
      Command.withExamples([
        { command: "epilogue durable interrupt 4f1c", description: "Interrupt a run at its next step" },
        { command: "epilogue durable interrupt 4f1c --now", description: "Interrupt it in its step" }
      ])
    )

  const retry = Command.make("retry", {
    ...common,
    runId,
    from: Flag.String("from").pipe(
      Flag.withMetavar("STEP"),
      Flag.withDescription(
        "The first step that runs again, though it may have succeeded, as \"epilogue durable show\" prints it"
      ),
      Flag.optional
    )
  }, ({ from, runId, ...input }) =>
    Effect.gen(function*() {
      const request = { ...(yield* toCommon(input)), runId, from: Option.getOrUndefined(from) }
      yield* perform(async () => (await library()).retry(request))
    })).pipe(
      Command.withDescription(
        "Run a failed or interrupted run again, as a new run, from its failed step: what has succeeded is reused, and its " +
          "hooks do not run again. A worker runs it."
      ),
      Command.withShortDescription("Run a failed run again from its failed step"),
      Command.withExamples([
        { command: "epilogue durable retry 4f1c" },
        { command: "epilogue durable retry 4f1c --from load", description: "From a step on, whatever came of it" }
      ])
    )

  const prune = Command.make("prune", {
    ...common,
    pipelines,
    older: Flag.String("older").pipe(
      Flag.withMetavar("TIME"),
      Flag.withDescription("Keep what ended more recently than this: 30d, \"12 hours\""),
      Flag.optional
    ),
    keep: Flag.Int("keep").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Keep this many runs of each pipeline, those that ended last"),
      Flag.optional
    )
  }, ({ keep, older, pipelines, ...input }) =>
    Effect.gen(function*() {
      const kept = yield* pruneFlags(keep, older)
      const request = { ...(yield* toCommon(input)), pipelines, ...kept }
      yield* perform(async () => (await library()).prune(request))
    })).pipe(
      Command.withDescription(
        "Remove durable runs that have ended, with all that is stored of them but alerts that are not delivered. With " +
          "--older and --keep a run stays if either keeps it. A payload whose run was removed runs again when it is " +
          "submitted again."
      ),
      Command.withShortDescription("Remove old runs"),
      Command.withExamples([{ command: "epilogue durable prune --older 30d --keep 100" }])
    )

  return Command.make("durable").pipe(
    Command.withDescription("Look after the durable runs in a database: list, show, interrupt, retry and prune them"),
    Command.withShortDescription("Look after stored durable runs"),
    Command.withSubcommands([list, show, interrupt, retry, prune])
  )
}
