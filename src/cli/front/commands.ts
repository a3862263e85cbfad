/** The commands `run`, `check`, `explain`, `schema` and `init`, and `epilogue` itself. */
import * as Argument from "effect/cli/Argument"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { defaultConfigs, type LoadRequest, UsageError } from "../request.ts"
import * as Ack from "./ack.ts"
import * as Alert from "./alert.ts"
import { configOf } from "./config.ts"
import * as Durable from "./durable.ts"
import * as Exec from "./exec.ts"
import * as Flags from "./flags.ts"
import * as Init from "./init.ts"
import { channelNames, runtimes } from "./initFiles.ts"
import * as Outbox from "./outbox.ts"
import { collectParams } from "./params.ts"
import * as Records from "./records.ts"
import { absolute, isConfig } from "./references.ts"
import * as Stored from "./stored.ts"

/** Loads the commands that import the library, which `--version` or `--help` do not need. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const library = () => import("../run/run.ts")

// -----------------------------------------------------------------------------
// shared arguments and flags
// -----------------------------------------------------------------------------

const file = Argument.String("file").pipe(
  Argument.withMetavar("FILE|MODULE#EXPORT"),
  Argument.withDescription(
    "A config file (.yaml, .yml, .json), or the pipeline that a module exports; unless set, --config, or epilogue.yaml in this folder"
  ),
  Argument.optional
)

const loading = {
  file,
  config: Flags.config(
    "The config file for a pipeline named by MODULE#EXPORT; with --durable, only its alerter is used"
  ),
  params: Flag.String("param").pipe(
    Flag.withAlias("p"),
    Flag.withMetavar("Service.field=value"),
    Flag.withDescription(
      "A parameter, which overrides the file's and the code's: as JSON if it is valid JSON, else as text"
    ),
    Flag.atLeast(0),
    Flag.mapEffect((params) => {
      const collected = collectParams(params)
      const texts = collectParams(params, (text) => text)
      return typeof collected === "string" || typeof texts === "string"
        ? Effect.fail(
          new CliError.InvalidValue({
            option: "param",
            value: String(collected),
            expected: "Service.field=value",
            kind: "flag"
          })
        )
        : Effect.succeed({ params: collected, texts })
    })
  ),
  runName: Flags.runName,
  timeout: Flag.String("timeout").pipe(
    Flag.withMetavar("TIME"),
    Flag.withDescription("The time limit of the run: \"2 hours\", 90m, or a number of seconds"),
    Flag.optional
  ),
  root: Flags.root,
  allowOutside: Flags.allowOutside,
  project: Flags.project,
  alertUrls: Flags.alertUrls
}

interface Loading {
  readonly file: Option.Option<string>
  readonly config: Option.Option<string>
  readonly params: Pick<LoadRequest, "params" | "texts">
  readonly runName: Option.Option<string>
  readonly timeout: Option.Option<string>
  readonly root: Option.Option<string>
  readonly allowOutside: boolean
  readonly project: boolean
  readonly alertUrls: ReadonlyArray<string>
}

/** Returns the names of the given flags that apply to pipelines in memory only. */
const inMemory = (input: Loading): ReadonlyArray<string> => [
  ...(Object.keys(input.params.texts).length > 0 ? ["param"] : []),
  ...(Option.isSome(input.runName) ? ["run-name"] : []),
  ...(Option.isSome(input.timeout) ? ["timeout"] : [])
]

const usage = (message: string) => new UsageError({ message })

/** Makes a request of the arguments: finds the config file, and resolves paths. */
const toRequest = (input: Loading) =>
  Effect.gen(function*() {
    const named = Option.getOrUndefined(input.file)
    const given = Option.getOrUndefined(input.config)
    const asConfig = named !== undefined && isConfig(named) ? named : undefined
    if (asConfig !== undefined && given !== undefined) {
      return yield* usage(`two config files are named: ${asConfig} and --config ${given}`)
    }
    const pipeline = asConfig === undefined ? named : undefined
    // the pipeline of a flag needs no file
    const config = pipeline !== undefined && given === undefined ? undefined : yield* configOf(asConfig ?? given)
    if (config === undefined && pipeline === undefined) {
      return yield* usage(`name a config file or a MODULE#EXPORT: this folder has no ${defaultConfigs.join(", ")}`)
    }
    const request: LoadRequest = {
      config,
      pipeline: pipeline === undefined ? undefined : yield* absolute(pipeline),
      ...input.params,
      runName: Option.getOrUndefined(input.runName),
      timeout: yield* Flags.optionalTime("timeout", input.timeout),
      root: yield* Flags.rootOf(input.root),
      allowOutside: input.allowOutside,
      project: input.project,
      alertUrls: input.alertUrls
    }
    return request
  })

// -----------------------------------------------------------------------------
// the commands
// -----------------------------------------------------------------------------

/** @internal */
export const make = (perform: Flags.Perform) => {
  const run = Command.make("run", {
    ...loading,
    json: Flags.on("json", "Print events as JSON lines to stdout; what the pipeline logs or prints goes to stderr"),
    supervise: Flag.Boolean("supervise").pipe(
      Flag.withNegation("no-supervise"),
      Flag.withDescription(
        "Run the pipeline in a child process, and tell of it if that crashes; the default where the config has an alerter " +
          "or a monitor (see --no-supervise). A durable run takes the alerter of --config for that, or the Alerter of its services"
      ),
      Flag.optional
    ),
    requireAlerts: Flags.requireAlerts,
    monitors: Flags.monitors,
    progress: Flags.progress,
    record: Flags.record,
    junit: Flags.junit,
    ...Durable.runFlags
  }, (input) =>
    Effect.gen(function*() {
      const logLevel = Option.getOrUndefined(yield* GlobalFlag.LogLevel)
      const showing = yield* Flags.toShowing(input)
      const durable = yield* Durable.toRun({ ...input, showing, logLevel }, inMemory(input))
      if (durable !== undefined) return yield* perform(() => Durable.run(durable))
      const request = yield* toRequest(input)
      const supervise = Option.getOrUndefined(input.supervise)
      const { monitors, requireAlerts } = input
      yield* perform(async () =>
        (await library()).run({ ...request, ...showing, supervise, requireAlerts, monitors, logLevel })
      )
    })).pipe(
      Command.withDescription(
        "Run a pipeline. The exit code is 0 if it succeeds, 1 if it fails, 2 if the config, the command line or the " +
          "environment is wrong, 130 after Ctrl-C, 143 after SIGTERM; with --require-alerts 3 if it succeeds and an " +
          "alert did not arrive. Alerts that did not arrive are listed at the end. Ctrl-C interrupts the run, and its hooks run; a " +
          "second Ctrl-C quits at once. A durable run survives Ctrl-C: a worker continues it, or this command at its next start."
      ),
      Command.withShortDescription("Run a pipeline"),
      Command.withExamples([
        { command: "epilogue run nightly.yaml", description: "Run the pipeline of a config file" },
        { command: "epilogue run ./etl.ts#pipeline", description: "Run a pipeline as it is in the code" },
        {
          command: "epilogue run ./etl.ts#pipeline --config nightly.yaml --param TrainParams.epochs=5",
          description: "Run it with the hooks of a config file, and set one parameter"
        },
        {
          command: "epilogue run nightly.yaml --json | jq -r ._tag",
          description: "Print its events for another program"
        },
        {
          command: "epilogue run nightly.yaml --monitor https://hc-ping.com/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278",
          description: "Let Healthchecks.io notice when it has not run"
        },
        {
          command: "ALERT_URL=discord://ID/TOKEN epilogue run ./etl.ts#pipeline --alert-url '${ALERT_URL}'",
          description: "Send its alerts to a channel, without a config file"
        },
        {
          command: "epilogue run nightly.yaml --record && epilogue show latest",
          description: "Record the run, and print it afterwards"
        },
        {
          command: "epilogue run ./etl.ts#nightly --durable --payload '{\"day\":\"2026-11-25\"}'",
          description: "Run a durable pipeline"
        }
      ])
    )

  const check = Command.make(
    "check",
    loading,
    (input) => Effect.flatMap(toRequest(input), (request) => perform(async () => (await library()).check(request)))
  ).pipe(
    Command.withDescription(
      "Check a config file, and the modules, parameters and variables that it names. Builds its alerter and posts nothing. " +
        "Prints all mistakes at once, and runs nothing."
    ),
    Command.withShortDescription("Find the mistakes in a config file"),
    Command.withExamples([{ command: "epilogue check nightly.yaml" }])
  )

  const explain = Command.make(
    "explain",
    loading,
    (input) => Effect.flatMap(toRequest(input), (request) => perform(async () => (await library()).explain(request)))
  ).pipe(
    Command.withDescription(
      "Print the hooks of each step, the source of each (a line of the file, or code), and the reason for it"
    ),
    Command.withShortDescription("Print where each hook comes from"),
    Command.withExamples([{ command: "epilogue explain nightly.yaml" }])
  )

  const schema = Command.make("schema", {}, () => perform(async () => (await library()).schema())).pipe(
    Command.withDescription("Print the JSON Schema of config files, for editors"),
    Command.withExamples([{ command: "epilogue schema > epilogue.schema.json" }])
  )

  const init = Command.make("init", {
    folder: Argument.String("dir").pipe(
      Argument.withMetavar("DIR"),
      Argument.withDescription("The folder to write to, which is created if need be"),
      Argument.withDefault(".")
    ),
    runtime: Flag.Literals("runtime", runtimes).pipe(
      Flag.withDescription(
        "The runtime of the commands that it prints, and of the workflow; the one it runs on unless set"
      ),
      Flag.optional
    ),
    channel: Flag.Literals("channel", channelNames).pipe(
      Flag.withDescription("The channel of the alerts; console unless set"),
      Flag.optional
    ),
    editor: Flags.on(
      "editor",
      "Write snippets for VS Code to .vscode/epilogue.code-snippets in DIR, and nothing else"
    )
  }, Init.write).pipe(
    Command.withDescription(
      "Write a small pipeline, hooks for it with a test, a config file, a workflow for GitHub Actions that checks " +
        "them, and a tsconfig.json where there is none. Asks for the runtime and the channel on a terminal, where their flags do not say them. Never overwrites a file."
    ),
    Command.withShortDescription("Write a small pipeline to start from"),
    Command.withExamples([
      { command: "epilogue init jobs" },
      { command: "epilogue init --runtime bun --channel slack" },
      { command: "epilogue init --editor", description: "Add snippets to a project that is there" }
    ])
  )

  return Command.make("epilogue").pipe(
    Command.withDescription("Run pipelines with hooks, defined in code and in config files"),
    Command.withExamples([
      { command: "epilogue init && epilogue run", description: "Start with a small pipeline" },
      {
        command: "epilogue --completions zsh",
        description: "Print completions for your shell: bash, zsh, fish, powershell"
      }
    ]),
    Command.withSubcommands([
      run,
      Exec.make(perform),
      check,
      explain,
      schema,
      init,
      Alert.make(perform),
      Ack.make(perform),
      ...Records.make(perform),
      ...Durable.make(perform),
      Stored.make(perform),
      Outbox.make(perform)
    ])
  )
}
