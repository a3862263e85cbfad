/** The commands `run`, `check`, `explain`, `schema` and `init`, and `epilogue` itself. */
import * as Argument from "effect/cli/Argument"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { type LoadRequest, UsageError } from "../request.ts"
import * as Durable from "./durable.ts"
import * as Flags from "./flags.ts"
import * as Init from "./init.ts"
import { collectParams } from "./params.ts"
import * as Records from "./records.ts"
import { absolute } from "./references.ts"

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
  config: Flag.String("config").pipe(
    Flag.withAlias("c"),
    Flag.withMetavar("FILE"),
    Flag.withDescription("The config file for a pipeline named by MODULE#EXPORT"),
    Flag.optional
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
  runName: Flag.String("run-name").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("The name of the run"),
    Flag.optional
  ),
  timeout: Flag.String("timeout").pipe(
    Flag.withMetavar("TIME"),
    Flag.withDescription("The time limit of the run: \"2 hours\", 90m, or a number of seconds"),
    Flag.optional
  ),
  root: Flag.String("root").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("The folder that no path in the config may leave; unless set, the folder of the config"),
    Flag.optional
  ),
  allowOutside: Flag.Boolean("allow-outside").pipe(
    Flag.withDescription("Allow paths in the config to leave that folder"),
    Flag.withDefault(false)
  )
}

interface Loading {
  readonly file: Option.Option<string>
  readonly config: Option.Option<string>
  readonly params: Pick<LoadRequest, "params" | "texts">
  readonly runName: Option.Option<string>
  readonly timeout: Option.Option<string>
  readonly root: Option.Option<string>
  readonly allowOutside: boolean
}

/** Returns the names of the given flags that apply to pipelines in memory only. */
const inMemory = (input: Loading & { readonly supervise: Option.Option<boolean> }): ReadonlyArray<string> => [
  ...(Option.isSome(input.config) ? ["config"] : []),
  ...(Object.keys(input.params.texts).length > 0 ? ["param"] : []),
  ...(Option.isSome(input.runName) ? ["run-name"] : []),
  ...(Option.isSome(input.timeout) ? ["timeout"] : []),
  ...(Option.isSome(input.root) ? ["root"] : []),
  ...(input.allowOutside ? ["allow-outside"] : []),
  ...(Option.isSome(input.supervise) ? ["supervise"] : [])
]

const isConfig = (name: string): boolean => /\.(ya?ml|json)$/i.test(name)

/** The config files that are looked for where none is named. */
const defaultConfigs = ["epilogue.yaml", "epilogue.yml", "epilogue.json"]

const usage = (message: string) => new UsageError({ message })

const timeoutOf = (text: string): Effect.Effect<number, UsageError> => {
  const millis = Flags.durationMillis(text)
  return millis === undefined || millis <= 0
    ? Effect.fail(
      usage(`--timeout takes a duration such as "2 hours" or 90m, or a number of seconds, got ${JSON.stringify(text)}`)
    )
    : Effect.succeed(millis)
}

/** Makes a request of the arguments: finds the config file, and resolves paths. */
const toRequest = (input: Loading) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const named = Option.getOrUndefined(input.file)
    const given = Option.getOrUndefined(input.config)
    const asConfig = named !== undefined && isConfig(named) ? named : undefined
    if (asConfig !== undefined && given !== undefined) {
      return yield* usage(`two config files are named: ${asConfig} and --config ${given}`)
    }
    let config = asConfig ?? given
    const pipeline = asConfig === undefined ? named : undefined
    if (config === undefined && pipeline === undefined) {
      for (const name of defaultConfigs) {
        if (config === undefined && (yield* Effect.orElseSucceed(fs.exists(name), () => false))) config = name
      }
      if (config === undefined) {
        return yield* usage(`name a config file or a MODULE#EXPORT: this folder has no ${defaultConfigs.join(", ")}`)
      }
    }
    if (config !== undefined && !(yield* Effect.orElseSucceed(fs.exists(config), () => false))) {
      return yield* usage(`there is no file ${config}`)
    }
    const request: LoadRequest = {
      config,
      pipeline: pipeline === undefined ? undefined : yield* absolute(pipeline),
      ...input.params,
      runName: Option.getOrUndefined(input.runName),
      timeout: Option.isSome(input.timeout) ? yield* timeoutOf(input.timeout.value) : undefined,
      root: Option.getOrUndefined(Option.map(input.root, (root) => path.resolve(root))),
      allowOutside: input.allowOutside
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
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print events as JSON lines to stdout; what the pipeline logs or prints goes to stderr"),
      Flag.withDefault(false)
    ),
    supervise: Flag.Boolean("supervise").pipe(
      Flag.withNegation("no-supervise"),
      Flag.withDescription(
        "Run the pipeline in a child process, and post an alert if that crashes; the default where the config has an alerter (see --no-supervise)"
      ),
      Flag.optional
    ),
    progress: Flags.progress,
    record: Flags.record,
    ...Durable.runFlags
  }, (input) =>
    Effect.gen(function*() {
      const logLevel = Option.getOrUndefined(yield* GlobalFlag.LogLevel)
      const showing = yield* Flags.toShowing(input)
      const durable = yield* Durable.toRun({ ...input, showing, logLevel }, inMemory(input))
      if (durable !== undefined) return yield* perform(() => Durable.run(durable))
      const request = yield* toRequest(input)
      const supervise = Option.getOrUndefined(input.supervise)
      yield* perform(async () => (await library()).run({ ...request, ...showing, supervise, logLevel }))
    })).pipe(
      Command.withDescription(
        "Run a pipeline. The exit code is 0 if it succeeds, 1 if it fails, 2 if the config, the command line or the " +
          "environment is wrong, 130 if it is interrupted. Ctrl-C interrupts it, and its hooks run; a second Ctrl-C " +
          "quits at once. A durable run survives Ctrl-C: a worker continues it, or this command at its next start."
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
      "Check a config file, and the modules and parameters that it names. Prints all mistakes at once, and runs nothing."
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
    )
  }, ({ folder }) => Init.write(folder)).pipe(
    Command.withDescription("Write a small pipeline, hooks for it and a config file. Never overwrites a file."),
    Command.withShortDescription("Write a small pipeline to start from"),
    Command.withExamples([{ command: "epilogue init jobs" }])
  )

  return Command.make("epilogue").pipe(
    Command.withDescription("Run pipelines with hooks, defined in code and in config files"),
    Command.withExamples([
      { command: "epilogue init jobs && epilogue run jobs/epilogue.yaml", description: "Start with a small pipeline" },
      {
        command: "epilogue --completions zsh",
        description: "Print completions for your shell: bash, zsh, fish, powershell"
      }
    ]),
    Command.withSubcommands([
      run,
      check,
      explain,
      schema,
      init,
      ...Records.make(perform),
      ...Durable.make(perform)
    ])
  )
}
