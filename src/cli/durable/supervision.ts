/** Runs `run --durable` and `worker` in a child process, so that its death is told. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Path } from "effect/Path"
import process from "node:process"
import { Alerter } from "../../Alerter.ts"
import { CurrentProcess } from "../../durable/internal/crashes/crashes.ts"
import { CurrentHolding } from "../../internal/model/holding.ts"
import { newToken } from "../../internal/text/token.ts"
import {
  type DurableAlerts,
  type DurableModule,
  type DurableRequest,
  ExitCode,
  type Showing,
  UsageError
} from "../request.ts"
import { err } from "../run/environment.ts"
import { again } from "../run/runtime.ts"
import { guardFor } from "../run/session.ts"
import { jsonLines, keep } from "../run/stdout.ts"
import { settings, superviseChild } from "../run/supervised.ts"
import { connect, reportingEvents, type Supervisor } from "../supervise/child.ts"
import * as Config from "../supervise/config.ts"
import { toLostCode } from "../supervise/protocol.ts"
import { client, databaseOf, existing } from "./database.ts"
import { load } from "./loading.ts"
import { Runs } from "./runs.ts"

/** The environment variable with the name of a supervised process, under which it stores what is under way in it. */
const variable = "EPILOGUE_PROCESS"

interface Request extends DurableRequest, DurableModule, DurableAlerts, Showing {
  readonly supervise: boolean
  readonly requireAlerts?: boolean | undefined
}

/** The supervision of a command: by another process, or by none. */
export interface Supervision {
  readonly supervisor: Supervisor | undefined
  /** Writes to standard output, where that is kept for events. */
  readonly write: ((text: string) => void) | undefined
  /** Reports to the supervisor, if there is one, what happens while a program runs. */
  readonly reported: <A, E, R>(program: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

const reportedTo = (supervisor: Supervisor, name: string | undefined): Supervision["reported"] => (program) =>
  Effect.provide(program, [
    reportingEvents(supervisor),
    Layer.succeed(CurrentProcess, name),
    Layer.succeed(CurrentHolding, (pipelineName, runId) => {
      supervisor.send({ _tag: "RunHeld", pipelineName, runId, at: Date.now() })
      return () => supervisor.send({ _tag: "RunReleased", runId })
    })
  ])

/**
 * Runs a command in this process, or in a child process where that is asked for. `name` stands for the pipelines in
 * alerts until the child has loaded them.
 */
export const supervised = async (
  request: Request,
  name: string,
  here: (supervision: Supervision) => Promise<number>
): Promise<number> => {
  const supervisor = connect()
  const ownName = process.env[variable]
  delete process.env[variable]
  // before the user's modules are imported, since they may print
  const write = request.json ? keep() : undefined
  if (supervisor === undefined && request.supervise) {
    const command = await again()
    if ("refused" in command) {
      err(`error: the process can't be supervised: ${command.refused}`)
      return ExitCode.usage
    }
    const child = newToken()
    const guard = guardFor()
    const read = await settings(Config.read({ ...request, pipeline: undefined }), guard)
    if (typeof read === "number") return read
    const { alerter = alerterOf(request), monitors } = read
    return superviseChild({
      ...command,
      env: { [variable]: child },
      pipeline: name,
      alerter,
      monitors,
      guard,
      emit: write && jsonLines(write),
      progress: request.progress,
      requireAlerts: request.requireAlerts,
      durable: (death) => storeDeath(request, child, death)
    })
  }
  const reported = supervisor === undefined ? <A>(program: A) => program : reportedTo(supervisor, ownName)
  const code = await here({ supervisor, write, reported })
  return supervisor?.isLost() === true ? toLostCode(code) : code
}

/** The alerter among the services of the pipelines. Only once there is an alert to post is the user's module imported. */
export const alerterOf = (
  request: DurableModule & DurableRequest
): Layer.Layer<Alerter, unknown, FileSystem | Path> =>
  Layer.effect(
    Alerter,
    Effect.gen(function*() {
      const { services } = yield* load(request)
      const database = yield* databaseOf(request.database)
      // posting an alert must not create the database
      const isThere = (yield* Effect.result(existing(database)))._tag === "Success"
      // one that can't be opened may be why there is an alert, and most alerters need none
      const opened = isThere ? yield* Effect.option(Layer.build(client(database))) : Option.none()
      const building = Layer.build(services)
      const context = yield* Option.isSome(opened) ? Effect.provide(building, opened.value) : building
      return Context.getOrUndefined(context, Alerter) ??
        (yield* new UsageError({ message: "the Layer of the pipelines' services has no Alerter" }))
    })
  )

/** Stores how the process ended, for the steps and hooks that were under way in it. */
const storeDeath = (request: DurableRequest, name: string, death: string): Effect.Effect<void> =>
  Effect.gen(function*() {
    const database = yield* databaseOf(request.database)
    yield* Effect.provide(Effect.flatMap(Runs, (runs) => runs.died(name, death)), client(database))
  }).pipe(
    Effect.timeout("5 seconds"),
    Effect.catchCause((cause) => Effect.sync(() => err(`epilogue: can't store how it ended: ${Cause.squash(cause)}`)))
  )
