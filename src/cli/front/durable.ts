/** What can be said on the command line about durable pipelines. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { LogLevel } from "effect/LogLevel"
import * as Option from "effect/Option"
import type { Path } from "effect/Path"
import { type DurableRunRequest, type Showing, UsageError } from "../request.ts"
import { type Perform, record } from "./flags.ts"
import { absolute } from "./references.ts"

/** Loaded only where it is asked for. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const library = () => import("../durable/commands.ts")

const database = Flag.String("database").pipe(
  Flag.withMetavar("FILE|URL"),
  Flag.withDescription(
    "Where durable runs are kept: a SQLite file, or the postgres:// URL of a cluster's database. " +
      "Else EPILOGUE_DATABASE, DATABASE_URL, or .epilogue/durable.db. A URL with a password is better in the environment"
  ),
  Flag.optional
)

const layer = Flag.String("layer").pipe(
  Flag.withMetavar("MODULE#EXPORT"),
  Flag.withDescription("A Layer with the services of durable pipelines; else what their module exports as \"layer\""),
  Flag.optional
)

const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print events as JSON lines; what the pipelines log or print goes to stderr"),
  Flag.withDefault(false)
)

interface Module {
  readonly reference: string
  readonly layer: Option.Option<string>
}

const moduleOf = ({ layer, reference }: Module) =>
  Effect.all({
    reference: absolute(reference),
    layer: Option.isSome(layer) ? absolute(layer.value) : Effect.undefined
  })

const logLevel: Effect.Effect<LogLevel | undefined, never, GlobalFlag.Setting.Identifier<"log-level">> = Effect.map(
  GlobalFlag.LogLevel,
  Option.getOrUndefined
)

// -----------------------------------------------------------------------------
// run --durable
// -----------------------------------------------------------------------------

/** The flags of `run` that are for durable pipelines. */
export const runFlags = {
  durable: Flag.Boolean("durable").pipe(
    Flag.withDescription(
      "Submit a run of a durable pipeline and follow it, in this process where no worker has the file"
    ),
    Flag.withDefault(false)
  ),
  payload: Flag.String("payload").pipe(
    Flag.withMetavar("JSON"),
    Flag.withDescription("With --durable: the payload; {} unless set"),
    Flag.optional
  ),
  database,
  layer
}

interface RunInput {
  readonly durable: boolean
  readonly payload: Option.Option<string>
  readonly database: Option.Option<string>
  readonly layer: Option.Option<string>
}

/** What is asked for with `--durable`; nothing without. */
export const toRun = (
  input: RunInput & {
    readonly file: Option.Option<string>
    readonly showing: Showing
    readonly logLevel: LogLevel | undefined
  },
  /** The flags that were given and are for pipelines in memory. */
  others: ReadonlyArray<string>
): Effect.Effect<DurableRunRequest | undefined, UsageError, FileSystem | Path> =>
  Effect.gen(function*() {
    const { durable, file, logLevel, showing, ...flags } = input
    if (!durable) {
      const given = (["payload", "database", "layer"] as const).find((name) => Option.isSome(flags[name]))
      if (given === undefined) return undefined
      return yield* new UsageError({ message: `--${given} is for durable pipelines: say --durable, too` })
    }
    if (others[0] !== undefined) {
      return yield* new UsageError({ message: `--durable does not go with --${others[0]}` })
    }
    const reference = Option.getOrUndefined(file)
    if (reference === undefined || /\.(ya?ml|json)$/i.test(reference)) {
      return yield* new UsageError({
        message: "--durable runs the durable pipeline that a module exports: name a MODULE#EXPORT"
      })
    }
    return {
      ...(yield* moduleOf({ reference, layer: flags.layer })),
      database: Option.getOrUndefined(flags.database),
      payload: Option.getOrUndefined(flags.payload),
      ...showing,
      logLevel
    }
  })

/** Does it. */
export const run = async (request: DurableRunRequest): Promise<number> => (await library()).run(request)

// -----------------------------------------------------------------------------
// the commands
// -----------------------------------------------------------------------------

/** @internal */
export const make = (perform: Perform) => {
  const worker = Command.make("worker", {
    reference: Argument.String("workflows").pipe(
      Argument.withMetavar("MODULE#WORKFLOWS"),
      Argument.withDescription(
        "A durable pipeline that a module exports, or an array or a record of them; without #, all that it exports"
      )
    ),
    layer,
    database,
    host: Flag.String("host").pipe(
      Flag.withDescription(
        "With Postgres: where the other workers reach this one; it listens there, or at LISTEN_HOST"
      ),
      Flag.withDefault("127.0.0.1")
    ),
    port: Flag.Int("port").pipe(
      Flag.withDescription("With Postgres: the port for that; 0 is any that is free"),
      Flag.withDefault(0)
    ),
    json,
    record
  }, (input) =>
    Effect.gen(function*() {
      const { host, json, port } = input
      if (port < 0 || port > 65_535) return yield* new UsageError({ message: `--port ${port} is no port` })
      const request = {
        ...(yield* moduleOf(input)),
        database: Option.getOrUndefined(input.database),
        logLevel: yield* logLevel,
        host,
        port,
        json,
        progress: "plain" as const,
        record: Option.getOrUndefined(input.record)
      }
      yield* perform(async () => (await library()).worker(request))
    })).pipe(
      Command.withDescription(
        "Run durable pipelines, whoever submits to them, until Ctrl-C, which gives the steps under way 15 seconds to end; " +
          "the second quits at once. What is not done then, or after a crash, goes on at the next start. A SQLite file is " +
          "for one worker; workers on one Postgres share the work. The settings of effect/cluster come from the " +
          "environment: ENTITY_MESSAGE_POLL_INTERVAL, by which submissions are looked for, is half a second with SQLite " +
          "and one with Postgres unless set."
      ),
      Command.withShortDescription("Run durable pipelines"),
      Command.withExamples([
        {
          command: "epilogue worker ./etl.ts",
          description: "All durable pipelines of a module, on .epilogue/durable.db"
        },
        {
          command: "EPILOGUE_DATABASE=postgres://… epilogue worker ./etl.ts#nightly --host 10.0.0.7 --port 34431",
          description: "One of a cluster's workers"
        }
      ])
    )

  const answer = Command.make("answer", {
    token: Argument.String("token").pipe(
      Argument.withMetavar("TOKEN"),
      Argument.withDescription("What the question says to answer with")
    ),
    approve: Flag.Boolean("approve").pipe(Flag.withDescription("Yes"), Flag.withDefault(false)),
    deny: Flag.Boolean("deny").pipe(Flag.withDescription("No"), Flag.withDefault(false)),
    by: Flag.String("by").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Who answers; the user of this machine unless set"),
      Flag.optional
    ),
    comment: Flag.String("comment").pipe(Flag.withMetavar("TEXT"), Flag.optional),
    database
  }, ({ approve, deny, ...input }) =>
    Effect.gen(function*() {
      if (approve === deny) return yield* new UsageError({ message: "say either --approve or --deny" })
      const request = {
        token: input.token,
        approve,
        by: Option.getOrUndefined(input.by),
        comment: Option.getOrUndefined(input.comment),
        database: Option.getOrUndefined(input.database),
        logLevel: yield* logLevel
      }
      yield* perform(async () => (await library()).answer(request))
    })).pipe(
      Command.withDescription(
        "Answer a question that a durable run waits for. The first answer counts. A worker goes on with the run within " +
          "a moment; where there is none, the next one does."
      ),
      Command.withShortDescription("Answer a question of a durable run"),
      Command.withExamples([{ command: "epilogue answer WyJ… --approve --comment \"go ahead\"" }])
    )

  const interrupt = Command.make("interrupt", {
    reference: Argument.String("pipeline").pipe(
      Argument.withMetavar("MODULE#PIPELINE"),
      Argument.withDescription("The durable pipeline")
    ),
    runId: Argument.String("run").pipe(
      Argument.withMetavar("RUN"),
      Argument.withDescription("The run's id, as \"epilogue run --durable\" prints it")
    ),
    database
  }, (input) =>
    Effect.gen(function*() {
      const request = {
        ...(yield* moduleOf({ reference: input.reference, layer: Option.none() })),
        runId: input.runId,
        database: Option.getOrUndefined(input.database),
        logLevel: yield* logLevel
      }
      yield* perform(async () => (await library()).interrupt(request))
    })).pipe(
      Command.withDescription(
        "Interrupt a durable run, wherever it runs or waits. A step that is under way ends first. Hooks run."
      ),
      Command.withShortDescription("Interrupt a durable run"),
      Command.withExamples([{ command: "epilogue interrupt ./etl.ts#nightly 4f1c…" }])
    )

  return [worker, answer, interrupt] as const
}
