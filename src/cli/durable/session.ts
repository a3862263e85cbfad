/** What the commands for durable pipelines have in common. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type { Path } from "effect/Path"
import { hasProperty } from "effect/Predicate"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { Alerter } from "../../Alerter.ts"
import { ConfigFileError } from "../../config/index.ts"
import { DatabaseInUse } from "../../durable/Durable.ts"
import { clean } from "../../internal/text/fit.ts"
import type { RunEvent } from "../../RunEvent.ts"
import { type DurableRequest, ExitCode, type Showing } from "../request.ts"
import { err, out, services } from "../run/environment.ts"
import * as Observers from "../run/observers.ts"
import * as Progress from "../run/openWork.ts"
import { line } from "../run/output.ts"
import * as Signals from "../run/signals.ts"
import { keep } from "../run/stdout.ts"
import { causeText } from "../run/text.ts"
import { toLine, toTold } from "../supervise/protocol.ts"
import { type Database, databaseOf, type Engine, secretsOf } from "./database.ts"
import type { Loaded } from "./loading.ts"

/** What a command has to do with. */
export interface Session {
  readonly database: Database
  /** For a program that reads standard output, which is its alone then; else nothing. */
  readonly emit: ((told: object) => void) | undefined
  /** What a first Ctrl-C is answered with from now on. */
  readonly onInterrupt: (text: string) => void
  /** The runs that are followed: what others do is told with their ids. */
  readonly followed: Set<string>
}

type Program = (session: Session) => Effect.Effect<number, unknown, FileSystem | Path>

/** Does it, with all that signals and failures come to. Gives the exit code. */
export const session = async (
  { database: named, json = false, logLevel, progress: shown = "plain", record }: DurableRequest & Partial<Showing>,
  program: Program
): Promise<number> => {
  // before any module of the user's, which may print when it is imported
  const write = json ? keep() : undefined
  const progress = Progress.make()
  const followed = new Set<string>()
  let secrets: ReadonlyArray<string> = []
  let onInterrupt = "interrupting"
  let stopping = false

  const print = (event: RunEvent): void => {
    if (write !== undefined) return write(toLine(toTold(event)))
    const text = line(event)
    if (text !== undefined) out(followed.has(event.runId) ? text : `${event.runId.slice(0, 8)} ${text}`)
  }
  const observers = await Observers.make(
    { json, progress: shown, record },
    { isSupervised: false, observer: progress.observer, print }
  )
  const environment = Layer.mergeAll(
    observers.layer,
    Layer.succeed(Tracer.Tracer, progress.tracer),
    logLevel === undefined ? Layer.empty : Layer.succeed(References.MinimumLogLevel, logLevel),
    Layer.effect(
      Logger.CurrentLoggers,
      Effect.map(Logger.CurrentLoggers, (loggers) => quietly(loggers, () => stopping))
    ),
    Alerter.layerConsole,
    services
  )
  const main = Effect.flatMap(databaseOf(named), (database) => {
    secrets = secretsOf(database)
    return program({
      database,
      emit: write === undefined ? undefined : (told) => write(`${JSON.stringify(told)}\n`),
      onInterrupt: (text) => {
        onInterrupt = text
      },
      followed
    })
  })

  // what waits for the database alone would not keep the process
  const alive = setInterval(() => {}, 2_147_483_647)
  // before it begins, so that no signal comes too early
  const interrupt = () => {
    stopping = true
    fiber.interruptUnsafe(fiber.id)
  }
  const stopListening = Signals.listen(() => onInterrupt, interrupt, progress.open, observers.say)
  const fiber = Effect.runFork(Effect.provide(main, environment))
  const exit = await Effect.runPromise(Fiber.await(fiber))
  stopListening()
  clearInterval(alive)
  if (exit._tag === "Success") return exit.value
  if (Cause.hasInterruptsOnly(exit.cause)) return ExitCode.interrupted
  const error = Cause.squash(exit.cause)
  const isMistake = hasProperty(error, "_tag") && mistakes.has(error._tag)
  const text = isMistake && error instanceof Error ? clean(error.message) : databaseText(error) ?? causeText(exit.cause)
  const prefix = error instanceof ConfigFileError ? "" : "error: "
  err(`${prefix}${secrets.reduce((text, secret) => text.replaceAll(secret, "<redacted>"), text)}`)
  return isMistake ? ExitCode.usage : ExitCode.failed
}

/** Runs pipelines on an engine. Services may come from the engine, too: the `SqlClient` of an outbox. */
export const runner = (
  { pipelines, services }: Loaded,
  engine: Layer.Layer<Engine, unknown>
): Layer.Layer<Engine, unknown> =>
  Layer.mergeAll(Layer.empty, ...pipelines.map(({ layer }) => layer)).pipe(
    Layer.provide(services),
    Layer.provideMerge(engine)
  )

/** What tells, before anything has run, that the command line, the environment or parameters are wrong. */
const mistakes: ReadonlySet<unknown> = new Set([
  "UsageError",
  "ConfigFileError",
  "ParamsError",
  "ConfigError",
  "RecordError",
  "InvalidAnswer"
])

/** What is wrong with the database, where that is it: what the driver says, down to what the system says. */
const databaseText = (error: unknown): string | undefined => {
  if (!hasProperty(error, "_tag") || (error._tag !== "SqlError" && error._tag !== "PersistenceError")) return undefined
  const messages = new Set<string>()
  for (let one: unknown = error; one instanceof Error && messages.size < 4; one = one.cause) messages.add(one.message)
  messages.delete("")
  return clean([...messages].join(": "))
}

/** Whether the file is not to be had. */
export const isInUse = (error: unknown): error is DatabaseInUse => error instanceof DatabaseInUse

/**
 * Of the runs that nobody here knows it is said once for each pipeline that they wait, and not at each look; and who
 * stops does not have to hear that nobody is left.
 */
const quietly = (
  loggers: ReadonlySet<Logger.Logger<unknown, unknown>>,
  isStopping: () => boolean
): ReadonlySet<Logger.Logger<unknown, unknown>> => {
  const told = new Set<string>()
  return new Set([...loggers].map((logger) =>
    Logger.make((options) => {
      const [message] = Array.isArray(options.message) ? options.message : [options.message]
      if (message === "No healthy runners available" && isStopping()) return undefined
      if (message !== "Could not find entity manager for address, retrying") return logger.log(options)
      const { address } = options.fiber.getRef(References.CurrentLogAnnotations)
      const type = hasProperty(address, "entityType") ? String(address.entityType) : ""
      if (told.has(type)) return undefined
      told.add(type)
      const pipeline = JSON.stringify(type.replace(/^Workflow\//, ""))
      err(`runs of ${pipeline}, which is none of the pipelines here, wait for a worker that has it`)
      return undefined
    })
  ))
}
