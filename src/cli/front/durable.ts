/** The commands for durable pipelines: `run --durable`, `worker` and `answer`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { LogLevel } from "effect/LogLevel"
import * as Option from "effect/Option"
import type { Path } from "effect/Path"
import { type DurableRunRequest, type Showing, UsageError } from "../request.ts"
import { alertUrls, allowOutside, config, logLevel, monitors, on, type Perform, record, root, rootOf } from "./flags.ts"
import { absolute, isConfig } from "./references.ts"

/** Loads the commands for workers and their runs. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const library = () => import("../durable/commands.ts")

/** @internal */
export const database = Flag.String("database").pipe(
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

const json = on("json", "Print events as JSON lines to stdout; what the pipelines log or print goes to stderr")

/** Reads `NAME=VALUE`. Of two values of one name the later counts. */
const valuesOf = (given: ReadonlyArray<string>): Readonly<Record<string, string>> =>
  Object.fromEntries(given.map((value) => [value.slice(0, value.indexOf("=")), value.slice(value.indexOf("=") + 1)]))

interface Module {
  readonly reference: string
  readonly layer: Option.Option<string>
}

const moduleOf = ({ layer, reference }: Module) =>
  Effect.all({
    reference: absolute(reference),
    layer: Option.isSome(layer) ? absolute(layer.value) : Effect.undefined
  })

// -----------------------------------------------------------------------------
// run --durable
// -----------------------------------------------------------------------------

/** The flags of `run` that are for durable pipelines. */
export const runFlags = {
  durable: on(
    "durable",
    "Submit a run of a durable pipeline and wait for its end; it runs in this process if no worker has the SQLite file open"
  ),
  payload: Flag.String("payload").pipe(
    Flag.withMetavar("JSON"),
    Flag.withDescription("With --durable: the payload of the run; {} unless set"),
    Flag.optional
  ),
  database,
  layer
}

interface AlertsInput {
  readonly config: Option.Option<string>
  readonly root: Option.Option<string>
  readonly allowOutside: boolean
  readonly alertUrls: ReadonlyArray<string>
  readonly monitors: ReadonlyArray<string>
}

/** Makes a request of the flags for the config file with an alerter, and for monitors. */
const alertsOf = ({ alertUrls, allowOutside, config, monitors, root }: AlertsInput) =>
  Effect.gen(function*() {
    if (Option.isNone(config) && (Option.isSome(root) || allowOutside)) {
      const flag = allowOutside ? "allow-outside" : "root"
      return yield* new UsageError({ message: `--${flag} is for the paths in a config file: add --config` })
    }
    return {
      config: Option.getOrUndefined(config),
      root: yield* rootOf(root),
      allowOutside,
      alertUrls,
      monitors
    }
  })

interface RunInput extends AlertsInput {
  readonly durable: boolean
  readonly payload: Option.Option<string>
  readonly database: Option.Option<string>
  readonly layer: Option.Option<string>
  readonly requireAlerts: boolean
  readonly supervise: Option.Option<boolean>
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
    if (reference === undefined || isConfig(reference)) {
      return yield* new UsageError({
        message: "--durable runs a durable pipeline that a module exports: name a MODULE#EXPORT"
      })
    }
    return {
      ...(yield* moduleOf({ reference, layer: flags.layer })),
      ...(yield* alertsOf(flags)),
      database: Option.getOrUndefined(flags.database),
      payload: Option.getOrUndefined(flags.payload),
      requireAlerts: flags.requireAlerts,
      supervise: Option.getOrElse(flags.supervise, () => false),
      ...showing,
      logLevel
    }
  })

/** Performs `run --durable`. */
export const run = async (request: DurableRunRequest): Promise<number> =>
  // oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
  (await import("../durable/run.ts")).run(request)

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
    trustedNetwork: on(
      "trusted-network",
      "Says that only workers can reach the host. The protocol between them has no authentication: whoever reaches " +
        "the port can start, interrupt and disturb runs"
    ),
    supervise: on(
      "supervise",
      "Work in a child process, and post an alert if that crashes, by the alerter of --config, or the Alerter of the pipelines' services"
    ),
    config: config(
      "A config file whose alerter tells why the worker could not begin, or that it crashed, and gets the alerts of " +
        "pipelines whose services have no Alerter, and whose monitors are told of runs"
    ),
    root,
    allowOutside,
    alertUrls,
    monitors,
    json,
    record
  }, (input) =>
    Effect.gen(function*() {
      const { host, json, port, supervise, trustedNetwork } = input
      if (port < 0 || port > 65_535) return yield* new UsageError({ message: `--port ${port} is not a port` })
      const request = {
        ...(yield* moduleOf(input)),
        ...(yield* alertsOf(input)),
        database: Option.getOrUndefined(input.database),
        logLevel: yield* logLevel,
        host,
        port,
        trustedNetwork,
        supervise,
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
    approve: on("approve", "Approve"),
    deny: on("deny", "Deny"),
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
    with: Flag.String("with").pipe(
      Flag.withMetavar("NAME=VALUE"),
      Flag.withDescription("A value that the question asks for; JSON for lists and objects. Once for each"),
      Flag.atLeast(0)
    ),
    database
  }, ({ approve, deny, ...input }) =>
    Effect.gen(function*() {
      const unnamed = input.with.find((value) => !/^[^=]+=/.test(value))
      if (unnamed !== undefined) return yield* new UsageError({ message: "--with takes NAME=VALUE" })
      if (deny && input.with.length > 0) return yield* new UsageError({ message: "--with goes with --approve" })
      if (approve === deny) return yield* new UsageError({ message: "give either --approve or --deny" })
      const request = {
        token: input.token,
        approve,
        by: Option.getOrUndefined(input.by),
        comment: Option.getOrUndefined(input.comment),
        values: valuesOf(input.with),
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
      Command.withExamples([
        { command: "epilogue answer vF3x… --approve --comment \"go ahead\"" },
        { command: "epilogue answer vF3x… --approve --with percent=10" }
      ])
    )

  return [worker, answer] as const
}
