/** The commands for durable pipelines: `run --durable`, `worker`, `answer` and `interrupt`. */
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

/** Loads the commands for durable pipelines. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const library = () => import("../durable/commands.ts")

const database = Flag.String("database").pipe(
  Flag.withMetavar("FILE|URL"),
  Flag.withDescription(
    "The database of durable runs: a SQLite file, or the postgres:// URL of a cluster's database. Unless set: " +
      "EPILOGUE_DATABASE, DATABASE_URL, or .epilogue/durable.db. Keep a URL with a password in the environment"
  ),
  Flag.optional
)

const layer = Flag.String("layer").pipe(
  Flag.withMetavar("MODULE#EXPORT"),
  Flag.withDescription(
    "A Layer with the services of durable pipelines; unless set, the export \"layer\" of their module"
  ),
  Flag.optional
)

const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print events as JSON lines to stdout; what the pipelines log or print goes to stderr"),
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
      "Submit a run of a durable pipeline and wait for its end; it runs in this process if no worker has the SQLite file open"
    ),
    Flag.withDefault(false)
  ),
  payload: Flag.String("payload").pipe(
    Flag.withMetavar("JSON"),
    Flag.withDescription("With --durable: the payload of the run; {} unless set"),
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

/** Makes the request of `run --durable`. Returns `undefined` without that flag. */
export const toRun = (
  input: RunInput & {
    readonly file: Option.Option<string>
    readonly showing: Showing
    readonly logLevel: LogLevel | undefined
  },
  /** The names of the given flags that apply to pipelines in memory only. */
  others: ReadonlyArray<string>
): Effect.Effect<DurableRunRequest | undefined, UsageError, FileSystem | Path> =>
  Effect.gen(function*() {
    const { durable, file, logLevel, showing, ...flags } = input
    if (!durable) {
      const given = (["payload", "database", "layer"] as const).find((name) => Option.isSome(flags[name]))
      if (given === undefined) return undefined
      return yield* new UsageError({ message: `--${given} is for durable pipelines: add --durable` })
    }
    if (others[0] !== undefined) {
      return yield* new UsageError({ message: `--durable does not go with --${others[0]}` })
    }
    const reference = Option.getOrUndefined(file)
    if (reference === undefined || /\.(ya?ml|json)$/i.test(reference)) {
      return yield* new UsageError({
        message: "--durable runs a durable pipeline that a module exports: name a MODULE#EXPORT"
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

/** Performs `run --durable`. */
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
        "A durable pipeline that a module exports, or an array or a record of them; without #, all that the module exports"
      )
    ),
    layer,
    database,
    host: Flag.String("host").pipe(
      Flag.withDescription(
        "With Postgres: the host at which other workers reach this one; it listens there, or at LISTEN_HOST. " +
          "A host that others than this machine can reach needs --trusted-network"
      ),
      Flag.withDefault("127.0.0.1")
    ),
    port: Flag.Int("port").pipe(
      Flag.withDescription("With Postgres: the port for that; 0 for any free port"),
      Flag.withDefault(0)
    ),
    trustedNetwork: Flag.Boolean("trusted-network").pipe(
      Flag.withDescription(
        "Says that only workers can reach the host. The protocol between them has no authentication: whoever reaches " +
          "the port can start, interrupt and disturb runs"
      ),
      Flag.withDefault(false)
    ),
    json,
    record
  }, (input) =>
    Effect.gen(function*() {
      const { host, json, port, trustedNetwork } = input
      if (port < 0 || port > 65_535) return yield* new UsageError({ message: `--port ${port} is not a port` })
      const request = {
        ...(yield* moduleOf(input)),
        database: Option.getOrUndefined(input.database),
        logLevel: yield* logLevel,
        host,
        port,
        trustedNetwork,
        json,
        progress: "plain" as const,
        record: Option.getOrUndefined(input.record)
      }
      yield* perform(async () => (await library()).worker(request))
    })).pipe(
      Command.withDescription(
        "Run durable pipelines, for all processes that submit runs, until Ctrl-C. Ctrl-C gives the current steps 15 " +
          "seconds to end; a second Ctrl-C quits at once. Unfinished runs continue at the next start, after a crash too. " +
          "A SQLite file allows one worker; workers on one Postgres database share the work. The settings of " +
          "effect/cluster come from the environment: ENTITY_MESSAGE_POLL_INTERVAL, the interval at which a worker looks " +
          "for new runs, is half a second with SQLite and one second with Postgres unless set."
      ),
      Command.withShortDescription("Run durable pipelines"),
      Command.withExamples([
        {
          command: "epilogue worker ./etl.ts",
          description: "Run all durable pipelines of a module, with .epilogue/durable.db"
        },
        {
          command:
            "EPILOGUE_DATABASE=postgres://… epilogue worker ./etl.ts#nightly --host 10.0.0.7 --port 34431 --trusted-network",
          description: "Run one of several workers of a cluster"
        }
      ])
    )

  const answer = Command.make("answer", {
    token: Argument.String("token").pipe(
      Argument.withMetavar("TOKEN"),
      Argument.withDescription("The token in the text of the question, which is a secret")
    ),
    approve: Flag.Boolean("approve").pipe(Flag.withDescription("Approve"), Flag.withDefault(false)),
    deny: Flag.Boolean("deny").pipe(Flag.withDescription("Deny"), Flag.withDefault(false)),
    by: Flag.String("by").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("The name of the person who answers; unless set, the user of this machine"),
      Flag.optional
    ),
    comment: Flag.String("comment").pipe(
      Flag.withMetavar("TEXT"),
      Flag.withDescription("A comment on the answer"),
      Flag.optional
    ),
    database
  }, ({ approve, deny, ...input }) =>
    Effect.gen(function*() {
      if (approve === deny) return yield* new UsageError({ message: "give either --approve or --deny" })
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
        "Answer a question that a durable run waits for. The first answer counts; the exit code is 1 if the question " +
          "is over: it was answered before, its time is up, or its run no longer waits. The token is a secret of those " +
          "who may answer: with it and the database, anybody can answer under any name. A worker continues the run " +
          "within a second or two; if none is running, the next one does."
      ),
      Command.withShortDescription("Answer a question of a durable run"),
      Command.withExamples([{ command: "epilogue answer vF3x… --approve --comment \"go ahead\"" }])
    )

  const interrupt = Command.make("interrupt", {
    reference: Argument.String("pipeline").pipe(
      Argument.withMetavar("MODULE#PIPELINE"),
      Argument.withDescription("The durable pipeline")
    ),
    runId: Argument.String("run").pipe(
      Argument.withMetavar("RUN"),
      Argument.withDescription("The id of the run, which \"epilogue run --durable\" prints")
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
        "Interrupt a durable run, in whichever process it runs or waits. The current step ends first. Hooks run."
      ),
      Command.withShortDescription("Interrupt a durable run"),
      Command.withExamples([{ command: "epilogue interrupt ./etl.ts#nightly 4f1c…" }])
    )

  return [worker, answer, interrupt] as const
}
