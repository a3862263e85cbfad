/** The session of a command for durable pipelines: {@link session}, with a database. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type { Path } from "effect/Path"
import { hasProperty } from "effect/Predicate"
import * as References from "effect/References"
import { DatabaseInUse } from "../../durable/Durable.ts"
import { CurrentGuard } from "../../internal/model/secrets.ts"
import type { DurableRequest, Showing } from "../request.ts"
import { err } from "../run/environment.ts"
import { causeText } from "../run/output.ts"
import * as Run from "../run/session.ts"
import { type Database, databaseOf, databaseText, type Engine, secretsOf } from "./database.ts"
import type { Loaded } from "./loading.ts"
import type { Supervision } from "./supervision.ts"

/** The session of a command for durable pipelines. */
export interface Session extends Run.Session {
  readonly database: Database
  /** The ids of the runs that the command was asked for. */
  readonly own: Set<string>
}

type Program = (session: Session) => Effect.Effect<number, unknown, FileSystem | Path>

/** Runs a program to its end and returns the exit code. */
export const session = (
  request: DurableRequest & Partial<Showing>,
  program: Program,
  { reported, supervisor, write }: Partial<Supervision> = {}
): Promise<number> => {
  const own = new Set<string>()
  return Run.session(
    {
      ...request,
      supervisor,
      write,
      isOwn: (runId) => own.has(runId),
      isShared: true,
      describe: (cause) => databaseText(Cause.squash(cause)) ?? causeText(cause)
    },
    (session) => {
      const main = Effect.gen(function*() {
        const database = yield* databaseOf(request.database)
        const guard = yield* CurrentGuard
        guard?.add(secretsOf(database))
        return yield* program({ ...session, database, own })
      }).pipe(Effect.provide(quietLoggers(session.isInterrupted)))
      return reported === undefined ? main : reported(main)
    }
  )
}

/** Registers pipelines with an engine. The services for them may use the engine's, as an outbox uses its `SqlClient`. */
export const runner = (
  { pipelines, services }: Loaded,
  engine: Layer.Layer<Engine, unknown>
): Layer.Layer<Engine, unknown> =>
  Layer.mergeAll(Layer.empty, ...pipelines.map(({ layer }) => layer)).pipe(
    Layer.provide(services),
    Layer.provideMerge(engine)
  )

/** Whether another process has the database open. */
export const isInUse = (error: unknown): error is DatabaseInUse => error instanceof DatabaseInUse

/**
 * Filters messages of the engines: that runs of a pipeline wait for a worker that has it, which `effect/cluster` repeats,
 * is printed once for each pipeline, in plain words; that no runner is left is dropped once this process, the last one, is
 * stopping.
 */
const quietLoggers = (isInterrupted: () => boolean): Layer.Layer<never> =>
  Layer.effect(
    Logger.CurrentLoggers,
    Effect.map(Logger.CurrentLoggers, (loggers) => {
      const reported = new Set<string>()
      return new Set([...loggers].map((logger) => quiet(logger, reported, isInterrupted)))
    })
  )

const quiet = (
  logger: Logger.Logger<unknown, unknown>,
  reported: Set<string>,
  isInterrupted: () => boolean
): Logger.Logger<unknown, unknown> =>
  Logger.make((options) => {
    const [message] = Array.isArray(options.message) ? options.message : [options.message]
    if (message === "No healthy runners available" && isInterrupted()) return undefined
    if (typeof message === "string" && /^runs of ".*" wait for a process that has this pipeline/.test(message)) {
      err(message.replace("a process", "a worker"))
      return undefined
    }
    if (message !== "Could not find entity manager for address, retrying") return logger.log(options)
    const { address } = options.fiber.getRef(References.CurrentLogAnnotations)
    const type = hasProperty(address, "entityType") ? String(address.entityType) : ""
    if (reported.has(type)) return undefined
    reported.add(type)
    const pipeline = JSON.stringify(type.replace(/^Workflow\//, ""))
    err(`runs of ${pipeline} wait for a worker that has this pipeline: it is not among the pipelines here`)
    return undefined
  })
