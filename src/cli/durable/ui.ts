/** Implements `epilogue ui`, which serves a page with the recorded runs, and the durable ones where there are any. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import { createServer } from "node:http"
import { layerUi as durableRuns } from "../../durable/Ui.ts"
import { codeOf } from "../../internal/files/private.ts"
import { CurrentGuard } from "../../internal/model/secrets.ts"
import { errorMessage } from "../../internal/text/errors.ts"
import { defaultFolder } from "../../report/internal/record/names.ts"
import { layerUi } from "../../report/Ui.ts"
import { type UiRequest, UsageError } from "../request.ts"
import { err, out } from "../run/environment.ts"
import { causeText } from "../run/output.ts"
import { type Session, session } from "../run/session.ts"
import { userName } from "../run/userName.ts"
import {
  client,
  type Database,
  databaseOf,
  databaseText,
  type EngineError,
  existing,
  secretsOf,
  shown,
  sql
} from "./database.ts"

/** Serves the page until the process is ended. */
export const ui = (request: UiRequest): Promise<number> =>
  session(
    { logLevel: request.logLevel, describe: (cause) => databaseText(Cause.squash(cause)) ?? causeText(cause) },
    (session) =>
      Effect.gen(function*() {
        const { folder, port } = request
        const actor = request.allowActions ? request.as ?? userName() : undefined
        session.messages.interrupt = "closing the page"
        const stored = yield* storedRuns(request, actor, session)
        const page = layerUi({
          folder,
          onLink: (link) => {
            out(link)
            const places = [folder ?? defaultFolder, ...(stored === undefined ? [] : [shown(stored.database)])]
            const acting = stored === undefined || actor === undefined ? "" : ` and acts as ${actor}`
            err(`shows the runs in ${places.join(" and ")}${acting}; Ctrl-C ends it`)
          }
        }).pipe(Layer.provide(stored?.layer ?? Layer.empty))
        const server = NodeHttpServer.layer(createServer, { host: "127.0.0.1", port })
        return yield* Layer.launch(Layer.provide(page, server)).pipe(
          Effect.catchTag(
            "ServeError",
            ({ cause }) =>
              Effect.fail(new UsageError({ message: `can't listen on port ${port} of 127.0.0.1: ${codeOf(cause)}` }))
          )
        )
      }).pipe(Effect.scoped)
  )

/**
 * Returns the durable runs of the database. One that the command line names must be there; where another one is missing,
 * or can't be used, the page has recorded runs alone.
 */
const storedRuns = ({ database: named }: UiRequest, actor: string | undefined, { redact }: Session) => {
  const actionsAs = actor === undefined ? undefined : { id: actor, name: actor }
  const opened = Effect.gen(function*() {
    const database = yield* databaseOf(named)
    const guard = yield* CurrentGuard
    guard?.add(secretsOf(database))
    if (named !== undefined) yield* existing(database)
    if (!(yield* hasRuns(database))) {
      return named === undefined
        ? undefined
        : yield* new UsageError({ message: `there are no durable runs in ${shown(database)}` })
    }
    // opened here, so that what is wrong is told before the link is
    const context = yield* Layer.build(Layer.provide(durableRuns({ actionsAs }), client(database)))
    return { database, layer: Layer.succeedContext(context) }
  })
  return named !== undefined ? opened : Effect.catch(opened, (error) =>
    Effect.sync(() => {
      err(`shows no durable runs: ${redact(databaseText(error) ?? errorMessage(error))}`)
      return undefined
    }))
}

/** Whether there are runs. The environment may name the database of an application for its own sake: nothing is made in it. */
const hasRuns = (database: Database): Effect.Effect<boolean, EngineError, FileSystem> =>
  database._tag === "Sqlite"
    ? Effect.isSuccess(existing(database))
    : Effect.provide(
      Effect.flatMap(SqlClient, (sql) =>
        Effect.map(
          sql<{ readonly found: boolean }>`SELECT to_regclass('cluster_messages') IS NOT NULL AS found`,
          ([row]) => row?.found === true
        )),
      sql(database)
    )
