/**
 * Creates Postgres databases for tests, on the server that `DATABASE_URL` names or on one that is started from
 * Debian's packages and stopped when the scope or the process ends.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { freePort } from "./freePort.ts"

/** The folder of Debian's Postgres programs, by version. They are not on the `PATH`. */
const debian = "/usr/lib/postgresql"

const bin: string | undefined = (existsSync(debian) ? readdirSync(debian) : [])
  .toSorted((a, b) => Number(b) - Number(a))
  .map((version) => join(debian, version, "bin"))
  .find((folder) => ["initdb", "pg_ctl", "postgres"].every((program) => existsSync(join(folder, program))))

/** Whether a Postgres server is configured or can be started. */
export const available: boolean = process.env["DATABASE_URL"] !== undefined || bin !== undefined

const remedy = "apt-get install postgresql, or set DATABASE_URL"

/** Formats the line that reports a suite skipped for want of Postgres. With `CI_REQUIRE_ALL=1`, a skip is a failure. */
export const skipped = (what: string): string => `skipped: ${what} (needs Postgres: ${remedy})`

/**
 * Returns whether to register a suite that needs Postgres, and reports one that is skipped. With `CI_REQUIRE_ALL=1`
 * the suite is registered even without a server, and fails.
 */
export const required = (what: string): boolean => {
  if (available || process.env["CI_REQUIRE_ALL"] === "1") return true
  process.stderr.write(`${skipped(what)}\n`)
  return false
}

/** A server on which each test gets a database of its own. */
export interface Postgres {
  /**
   * Creates a database and returns its URL. On the server of `DATABASE_URL` it is dropped when the scope closes. Schemas in one database
   * would not isolate tests, as the advisory locks of `effect/cluster` cover the whole database.
   */
  readonly database: Effect.Effect<string, SqlError, Scope.Scope>
}

/** A server that a test may stop and start again. */
export interface OwnPostgres extends Postgres {
  /** Stops the server, which ends its connections, and waits until it has stopped. */
  readonly stop: Effect.Effect<void>
  /** Starts it again on the same port, with its data. */
  readonly start: Effect.Effect<void>
}

/**
 * A shell script that starts Postgres and waits for its standard input to close. That happens when the scope closes,
 * and also when this process is killed, `kill -9` included. The script then stops the server, by the process id in its
 * data directory, and removes the directory. Meanwhile it stops and starts the server for each line that says so.
 *
 * Nothing is synced to disk: that only matters where the machine or Postgres crashes, and the tests crash neither. A
 * benchmark sets `EPILOGUE_POSTGRES_SYNC`, since users of Postgres wait for the disk.
 * The password comes through the pipe rather than an argument, which other users of the machine could read: a
 * superuser of Postgres can run programs as the server's user (`COPY … TO PROGRAM`).
 */
const keeper = `
set -eu
bin=$1 port=$2
umask 077
IFS= read -r password
dir=$(mktemp -d /tmp/epilogue-postgres.XXXXXX)
trap 'rm -rf "$dir"' EXIT
printf '%s\\n' "$password" > "$dir/password"
# on one line, as pg_ctl makes a shell command of it
options="-h 127.0.0.1 -p $port -k ''"
unsynced="fsync=off synchronous_commit=off full_page_writes=off"
test -z "\${EPILOGUE_POSTGRES_SYNC:-}" || unsynced=
for setting in $unsynced wal_level=minimal max_wal_senders=0 max_connections=200
do options="$options -c $setting"
done
if ! "$bin/initdb" -D "$dir/data" -U epilogue --pwfile="$dir/password" -A scram-sha-256 -E UTF8 --locale=C --no-sync \\
  > "$dir/log" 2>&1 || ! "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -o "$options" -w -t 60 start > /dev/null 2>&1
then
  cat "$dir/log" >&2
  exit 1
fi
echo ready
while IFS= read -r order
do
  case $order in
    stop) "$bin/pg_ctl" -D "$dir/data" -m fast -w stop > /dev/null 2>&1 || true ;;
    start) "$bin/pg_ctl" -D "$dir/data" status > /dev/null || "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -o "$options" -w -t 60 start > /dev/null 2>&1 || true ;;
  esac
  echo "$order"
done
"$bin/pg_ctl" -D "$dir/data" -m immediate -w stop > /dev/null 2>&1
`

/** A server that was started, and the way to give an order to its script. */
interface Started {
  readonly url: string
  readonly order: (order: "stop" | "start") => Effect.Effect<void>
}

const start = (folder: string, port: number): Effect.Effect<Started, Error, Scope.Scope> => {
  const password = randomBytes(16).toString("hex")
  // Postgres refuses to run as root; Debian's package creates the user `postgres`
  const asUser = process.getuid?.() === 0
    ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
    : []
  const [command = "sh", ...args] = [...asUser, "sh", "-c", keeper, "postgres-keeper", folder, String(port)]
  return Effect.acquireRelease(
    Effect.callback<{ readonly stop: () => Promise<void>; readonly order: Started["order"] }, Error>((resume) => {
      // detached: Ctrl-C must not kill the shell, which still has to stop the server;
      // cwd: the user `postgres` may not be allowed to read this tree
      const child = spawn(command, args, { cwd: "/", detached: true, stdio: ["pipe", "pipe", "pipe"] })
      const closed = new Promise<void>((resolve) => child.once("close", () => resolve()))
      let said = ""
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk
      })
      child.stdout.once("data", () => {
        const stop = () => {
          child.stdin.end()
          return closed
        }
        const order: Started["order"] = (order) =>
          Effect.promise(() =>
            new Promise((resolve) => {
              child.stdout.once("data", () => resolve())
              child.stdin.write(`${order}\n`)
            })
          )
        resume(Effect.succeed({ stop, order }))
      })
      child.once("error", (error) => resume(Effect.fail(error)))
      void closed.then(() => resume(Effect.fail(new Error(`Postgres did not start:\n${said}`))))
      child.stdin.on("error", () => {})
      child.stdin.write(`${password}\n`)
      return Effect.promise(() => {
        child.stdin.end()
        return closed
      })
    }),
    ({ stop }) => Effect.promise(stop),
    { interruptible: true }
  ).pipe(
    Effect.map(({ order }) => ({ url: `postgres://epilogue:${password}@127.0.0.1:${port}/postgres`, order }))
  )
}

const started: Effect.Effect<Started, Error, Scope.Scope> = Effect.suspend(() => {
  if (bin === undefined) return Effect.fail(new Error(`no Postgres (${remedy})`))
  const folder = bin
  // retried, as another process may take the port in between
  return Effect.flatMap(freePort, (port) => start(folder, port)).pipe(Effect.retry({ times: 2 }))
})

/** Runs one statement on a connection of its own. */
const statement = (url: string, text: string): Effect.Effect<void, SqlError> =>
  Effect.scoped(
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql.unsafe(text)
    }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(url), maxConnections: 1 })))
  )

/** The databases of a server that is removed as a whole need not be dropped, which would take a hook of Bun too long. */
const onServer = (url: string, drops: boolean): Postgres => ({
  database: Effect.acquireRelease(
    Effect.suspend(() => {
      const name = `epilogue_${randomBytes(8).toString("hex")}`
      const own = new URL(url)
      own.pathname = `/${name}`
      // template0 allows no connections; a template with open connections can't be copied
      return Effect.as(statement(url, `CREATE DATABASE ${name} TEMPLATE template0`), { name, url: own.href })
    }),
    // FORCE: the server may not have noticed yet that processes with connections were killed
    ({ name }) => drops ? Effect.ignore(statement(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)) : Effect.void
  ).pipe(Effect.map(({ url }) => url))
})

/** Provides the server until the scope closes. */
export const postgres: Effect.Effect<Postgres, Error, Scope.Scope> = Effect.suspend(() => {
  const url = process.env["DATABASE_URL"]
  return url === undefined
    ? Effect.map(started, ({ url }) => onServer(url, false))
    : Effect.succeed(onServer(url, true))
})

/** Whether a server can be started that a test may stop. */
export const startable: boolean = bin !== undefined

/** Provides a server of the caller's own until the scope closes. */
export const ownPostgres: Effect.Effect<OwnPostgres, Error, Scope.Scope> = Effect.map(started, ({ order, url }) => ({
  ...onServer(url, false),
  stop: order("stop"),
  start: order("start")
}))
