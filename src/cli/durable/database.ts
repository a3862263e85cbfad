/** The database of durable runs: a SQLite file, or a Postgres database that several processes share. */
import type { MessageStorage } from "effect/cluster/MessageStorage"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SqlMessageStorage from "effect/cluster/SqlMessageStorage"
import type { ConfigError } from "effect/Config"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { SocketServerError } from "effect/socket/SocketServer"
import type { SqlClient } from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { existsSync } from "node:fs"
import process from "node:process"
import * as Durable from "../../durable/Durable.ts"
import * as Embedded from "../../durable/internal/engine/embedded/layer.ts"
import { isPostgres, refusedPath, refusedUrl } from "../../internal/text/databaseAddress.ts"
import { errorMessage } from "../../internal/text/errors.ts"
import { UsageError } from "../request.ts"
import { deniedText } from "../terminal.ts"
import { type Address, runnerLayer } from "./cluster.ts"
import * as Runs from "./runs.ts"

/** A database. The URL is redacted, since it may hold a password. */
export type Database =
  | { readonly _tag: "Sqlite"; readonly filename: string }
  | { readonly _tag: "Postgres"; readonly url: Redacted.Redacted }

/** The database where neither the command line nor the environment names one. */
const defaultFile = ".epilogue/durable.db"

const variables = ["EPILOGUE_DATABASE", "DATABASE_URL"] as const

/** Returns the text that names the database, and where it stands. */
const named = (flag: string | undefined): readonly [by: string, text: string] => {
  if (flag !== undefined) return ["--database", flag]
  for (const variable of variables) {
    const value = process.env[variable] ?? ""
    if (value !== "") return [variable, value]
  }
  return ["", defaultFile]
}

/** Returns the database that the command line names, else the one that the environment names. */
export const databaseOf = (flag: string | undefined): Effect.Effect<Database, UsageError> => {
  const [by, text] = named(flag)
  const isUrl = isPostgres(text)
  const problem = isUrl ? refusedUrl(text) : refusedPath(text)
  return problem === undefined
    ? Effect.succeed(
      isUrl
        ? { _tag: "Postgres", url: Redacted.make(text, { label: "database" }) }
        : { _tag: "Sqlite", filename: text }
    )
    // the text is left out of the message, since it may contain a password
    : new UsageError({
      message: isUrl
        ? `${by} ${problem}`
        : `${by} is neither a postgres:// URL nor the path of a SQLite file: ${problem}`
    })
}

/** Returns the messages of an error of the database and of its causes, or `undefined` for other errors. */
export const databaseText = (error: unknown): string | undefined => {
  if (!hasProperty(error, "_tag") || (error._tag !== "SqlError" && error._tag !== "PersistenceError")) return undefined
  const messages: Array<string> = []
  for (let cause: unknown = error; cause instanceof Error && messages.length < 4; cause = cause.cause) {
    const { message } = cause
    // an error may have the message of its cause in its own
    if (message !== "" && !messages.some((known) => known.endsWith(message))) messages.push(message)
  }
  return messages.join(": ")
}

/** Describes a database without its URL. */
export const shown = (database: Database): string =>
  database._tag === "Sqlite" ? `SQLite ${database.filename}` : "Postgres"

/** Fails where the file of a SQLite database does not exist: a command that expects a run in it must not create it. */
export const existing = (database: Database): Effect.Effect<void, UsageError, FileSystem.FileSystem> =>
  database._tag === "Postgres" ? Effect.void : Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    // not `fs.exists`, which on Deno needs to know the user
    const found = yield* Effect.result(fs.stat(database.filename))
    if (Result.isSuccess(found) && (found.success.type !== "File" || found.success.size > 0n)) return
    const denied = Result.isFailure(found) ? deniedText(found.failure.reason.cause) : undefined
    if (denied !== undefined) return yield* new UsageError({ message: `can't read ${database.filename}: ${denied}` })
    // an empty file would become a database, which a command that reads one must not make
    const what = Result.isSuccess(found)
      ? `${database.filename} is empty, and no database`
      : `there is no database ${database.filename}`
    return yield* new UsageError({ message: `${what}: name it with --database or ${variables.join(" or ")}` })
  })

/** Returns what must not be shown of a database. */
export const secretsOf = (database: Database): ReadonlyArray<string> => {
  if (database._tag === "Sqlite") return []
  const url = Redacted.value(database.url)
  const passwords = [...new URL(url).searchParams].flatMap(([name, value]) => /pass/i.test(name) ? [value] : [])
  return [url, ...passwords]
}

// -----------------------------------------------------------------------------
// engines
// -----------------------------------------------------------------------------

/** The services of an engine. */
export type Engine = WorkflowEngine | SqlClient | Runs.Runs

/** The errors of starting an engine. */
export type EngineError =
  | ConfigError
  | SqlError
  | Durable.DatabaseInUse
  | Durable.DatabaseRefused
  | SocketServerError
  | Durable.UntrustedNetwork
  | UsageError

type Settings = Partial<ShardingConfig.ShardingConfig["Service"]>

/**
 * Settings that suit a command better than the defaults of `effect/cluster`, unless the environment sets them.
 *
 * - `entityMessagePollInterval`: shorter, since an engine finds what another process submits only by polling;
 * - `entityRegistrationTimeout`: none, so that runs of pipelines that this process does not have wait for a worker that
 *   has them. By default they fail after a minute.
 */
const settings = (): Settings => ({
  ...(process.env["ENTITY_MESSAGE_POLL_INTERVAL"] === undefined ? { entityMessagePollInterval: "1 second" } : {}),
  ...(process.env["ENTITY_REGISTRATION_TIMEOUT"] === undefined ? { entityRegistrationTimeout: Infinity } : {})
})

const onCluster = <E>(
  sharding: Layer.Layer<Sharding.Sharding | MessageStorage, E, SqlClient>,
  url: Redacted.Redacted
): Layer.Layer<Engine, E | SqlError | UsageError> =>
  Layer.merge(Durable.layerCluster, Runs.layerCluster).pipe(
    Layer.provide(sharding),
    Layer.provideMerge(postgres(url))
  )

/**
 * A file that can't be opened is a mistake of the command line or the environment. One that is locked is none: another
 * try may find it free.
 */
const opening = <A, E>(layer: Layer.Layer<A, E | SqlError>): Layer.Layer<A, E | SqlError | UsageError> =>
  Layer.catch(layer, (error) =>
    Layer.effectContext(Effect.fail(
      isSqlError(error) && error.reason._tag !== "LockTimeoutError"
        ? new UsageError({ message: error.message })
        : error
    )))

const inFile = <E>(
  engine: Layer.Layer<WorkflowEngine | SqlClient, E | SqlError>
): Layer.Layer<Engine, E | SqlError | UsageError> => Layer.provideMerge(Runs.layerSqlite, opening(engine))

/** An engine that executes the runs in the database. */
export const engine = (database: Database, address: Address): Layer.Layer<Engine, EngineError> =>
  database._tag === "Sqlite"
    ? inFile(Durable.layerSqlite({ filename: database.filename }))
    : onCluster(runnerLayer(address, settings()), database.url)

/** An engine that submits and polls runs but executes none: a worker finds its requests in the database. */
export const client = (database: Database): Layer.Layer<Engine, EngineError> =>
  database._tag === "Sqlite"
    ? inFile(Durable.layerSqliteClient({ filename: database.filename }))
    : onCluster(
      Sharding.layer.pipe(
        Layer.provide(Runners.layerNoop),
        Layer.provideMerge(SqlMessageStorage.layer),
        Layer.provide([
          RunnerStorage.layerMemory,
          RunnerHealth.layerNoop,
          Digest.layerWebCrypto,
          ShardingConfig.layerFromEnv({ runnerAddress: Option.none() })
        ])
      ),
      database.url
    )

/** A client of Postgres, by an optional peer dependency. */
const postgres = (url: Redacted.Redacted): Layer.Layer<SqlClient, SqlError | UsageError> =>
  Layer.unwrap(Effect.map(
    Effect.tryPromise({
      try: () => import("@effect/sql-pg/PgClient"),
      catch: (error) => {
        const message = errorMessage(error)
        return new UsageError({
          message: `Postgres needs the package @effect/sql-pg (npm install @effect/sql-pg): ${message.split("\n")[0]}`
        })
      }
    }),
    (PgClient) => PgClient.layer({ url })
  ))

/** The client of the database alone. */
export const sql = (database: Database): Layer.Layer<SqlClient, EngineError> =>
  database._tag === "Sqlite"
    ? opening(Durable.layerSqliteClient({ filename: database.filename }))
    : postgres(database.url)

/** Whether a process runs what is in the file, or may do so where nobody can tell. */
export const isHeld = (filename: string): Effect.Effect<boolean> =>
  Effect.suspend(() => existsSync(filename) ? Embedded.isRun(filename) : Effect.succeed(false))
