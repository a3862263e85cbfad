/** What can be said on the command line. */
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

/** Loaded only where it is asked for: to print the version takes none of it. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const library = () => import("../run/run.ts")

// -----------------------------------------------------------------------------
// what the commands have in common
// -----------------------------------------------------------------------------

const file = Argument.String("file").pipe(
  Argument.withMetavar("FILE|MODULE#EXPORT"),
  Argument.withDescription(
    "A config (.yaml, .yml, .json), or the pipeline that a module exports; else --config, or epilogue.yaml here"
  ),
  Argument.optional
)

const loading = {
  file,
  config: Flag.String("config").pipe(
    Flag.withAlias("c"),
    Flag.withMetavar("FILE"),
    Flag.withDescription("The config that a pipeline named by MODULE#EXPORT is run with"),
    Flag.optional
  ),
  params: Flag.String("param").pipe(
    Flag.withAlias("p"),
    Flag.withMetavar("Service.field=value"),
    Flag.withDescription("A parameter, over the file's and the code's: JSON where it is such, else text"),
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
    Flag.withDescription("What the run is called"),
    Flag.optional
  ),
  root: Flag.String("root").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("The folder that no path in the config may leave; else the config's own"),
    Flag.optional
  ),
  allowOutside: Flag.Boolean("allow-outside").pipe(
    Flag.withDescription("Let paths in the config leave that folder"),
    Flag.withDefault(false)
  )
}

interface Loading {
  readonly file: Option.Option<string>
  readonly config: Option.Option<string>
  readonly params: Pick<LoadRequest, "params" | "texts">
  readonly runName: Option.Option<string>
  readonly root: Option.Option<string>
  readonly allowOutside: boolean
}

/** The flags that were given and say something about a pipeline in memory. */
const inMemory = (input: Loading & { readonly supervise: Option.Option<boolean> }): ReadonlyArray<string> => [
  ...(Option.isSome(input.config) ? ["config"] : []),
  ...(Object.keys(input.params.texts).length > 0 ? ["param"] : []),
  ...(Option.isSome(input.runName) ? ["run-name"] : []),
  ...(Option.isSome(input.root) ? ["root"] : []),
  ...(input.allowOutside ? ["allow-outside"] : []),
  ...(Option.isSome(input.supervise) ? ["supervise"] : [])
]

const isConfig = (name: string): boolean => /\.(ya?ml|json)$/i.test(name)

/** What a config is called where none is named. */
const defaultConfigs = ["epilogue.yaml", "epilogue.yml", "epilogue.json"]

const usage = (message: string) => new UsageError({ message })

const toRequest = (input: Loading) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const named = Option.getOrUndefined(input.file)
    const given = Option.getOrUndefined(input.config)
    const asConfig = named !== undefined && isConfig(named) ? named : undefined
    if (asConfig !== undefined && given !== undefined) {
      return yield* usage(`there are two configs: ${asConfig} and --config ${given}`)
    }
    let config = asConfig ?? given
    const pipeline = asConfig === undefined ? named : undefined
    if (config === undefined && pipeline === undefined) {
      for (const name of defaultConfigs) {
        if (config === undefined && (yield* Effect.orElseSucceed(fs.exists(name), () => false))) config = name
      }
      if (config === undefined) {
        return yield* usage(`name a config or a MODULE#EXPORT: there is no ${defaultConfigs.join(", ")} here`)
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
      Flag.withDescription("Print events as JSON lines; what the pipeline logs or prints goes to stderr"),
      Flag.withDefault(false)
    ),
    supervise: Flag.Boolean("supervise").pipe(
      Flag.withNegation("no-supervise"),
      Flag.withDescription(
        "Run in a child process, and alert should it die: the default where the config has an alerter (or --no-supervise)"
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
        "Run a pipeline. Exits with 0 where it succeeded, 1 where it failed, 2 where the config or the command line " +
          "is wrong, 130 where it was interrupted. Ctrl-C interrupts it, and its hooks run; the second quits at once. " +
          "A durable run outlives Ctrl-C: a worker goes on with it, or the next start does."
      ),
      Command.withShortDescription("Run a pipeline"),
      Command.withExamples([
        { command: "epilogue run nightly.yaml", description: "What the config says" },
        { command: "epilogue run ./etl.ts#pipeline", description: "A pipeline as it is in the code" },
        {
          command: "epilogue run ./etl.ts#pipeline --config nightly.yaml --param TrainParams.epochs=5",
          description: "With the config's hooks, and one parameter over it"
        },
        { command: "epilogue run nightly.yaml --json | jq -r ._tag", description: "Its events, for a program" },
        {
          command: "epilogue run nightly.yaml --record && epilogue show latest",
          description: "What there is to see later"
        },
        {
          command: "epilogue run ./etl.ts#nightly --durable --payload '{\"day\":\"2026-11-25\"}'",
          description: "A durable pipeline"
        }
      ])
    )

  const check = Command.make(
    "check",
    loading,
    (input) => Effect.flatMap(toRequest(input), (request) => perform(async () => (await library()).check(request)))
  ).pipe(
    Command.withDescription("Check a config, the modules and parameters it names, all mistakes at once; run nothing"),
    Command.withShortDescription("Find the mistakes in a config"),
    Command.withExamples([{ command: "epilogue check nightly.yaml" }])
  )

  const explain = Command.make(
    "explain",
    loading,
    (input) => Effect.flatMap(toRequest(input), (request) => perform(async () => (await library()).explain(request)))
  ).pipe(
    Command.withDescription("Print each step's hooks, where each comes from (a line of the file, or code), and why"),
    Command.withShortDescription("Print where each hook comes from"),
    Command.withExamples([{ command: "epilogue explain nightly.yaml" }])
  )

  const schema = Command.make("schema", {}, () => perform(async () => (await library()).schema())).pipe(
    Command.withDescription("Print the JSON Schema of configs, for editors"),
    Command.withExamples([{ command: "epilogue schema > epilogue.schema.json" }])
  )

  const init = Command.make("init", {
    folder: Argument.String("dir").pipe(
      Argument.withMetavar("DIR"),
      Argument.withDescription("Where to; it is made if need be"),
      Argument.withDefault(".")
    )
  }, ({ folder }) => Init.write(folder)).pipe(
    Command.withDescription("Write a small pipeline, hooks for it and a config. Files that are there are left alone."),
    Command.withShortDescription("Write a small pipeline to begin with"),
    Command.withExamples([{ command: "epilogue init jobs" }])
  )

  return Command.make("epilogue").pipe(
    Command.withDescription("Pipelines with hooks, from code and from files"),
    Command.withExamples([
      { command: "epilogue init jobs && epilogue run jobs/epilogue.yaml", description: "Begin" },
      { command: "epilogue --completions zsh", description: "Completion for your shell: bash, zsh, fish, powershell" }
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
