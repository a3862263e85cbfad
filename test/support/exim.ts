/** Starts Exim, Debian's mail server, with a configuration and a spool of its own. It delivers nothing. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createConnection } from "node:net"
import { join } from "node:path"
import process from "node:process"
import { type Certificate, selfSigned } from "./certificate.ts"
import { freePort } from "./freePort.ts"

const program = "/usr/sbin/exim4"

/** Whether Exim can be started: as root, which it becomes another user from. */
export const available: boolean = existsSync(program) && process.getuid?.() === 0

const remedy = "as root, with apt-get install exim4-daemon-light"

/**
 * Returns whether to register a suite that needs Exim, and reports one that is skipped. With `CI_REQUIRE_ALL=1` the suite
 * is registered even without Exim, and fails.
 */
export const required = (what: string): boolean => {
  if (available || process.env["CI_REQUIRE_ALL"] === "1") return true
  process.stderr.write(`skipped: ${what} (needs Exim: ${remedy})\n`)
  return false
}

export interface EximOptions {
  /** How many connections it accepts at a time, and how many mails over each. */
  readonly connections: number
  readonly mails: number
  /** The login that it asks for. */
  readonly user: string
  readonly password: string
}

export interface Exim {
  readonly port: number
  /** The server's self-signed certificate. */
  readonly ca: string
  /** The subjects of the mails in its queue, sorted. */
  readonly subjects: () => ReadonlyArray<string>
  /** Its log, in which each mail that it accepted is a line. */
  readonly log: () => string
}

const configuration = (
  folder: string,
  port: number,
  { connections, mails, password, user }: EximOptions
): string => `
primary_hostname = localhost
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
pid_file_path = ${folder}/pid
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
log_selector = +smtp_connection
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
queue_only = true
smtp_accept_max = ${connections}
smtp_accept_max_per_connection = ${mails}
tls_advertise_hosts = *
tls_certificate = ${folder}/certificate.pem
tls_privatekey = ${folder}/key.pem
auth_advertise_hosts = \${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = recipient
acl_smtp_data = accept

begin acl
recipient:
  deny !encrypted = *
  accept authenticated = *

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = \${if and{{eq{$auth2}{${user}}}{eq{$auth3}{${password}}}}}
  server_set_id = $auth2

begin routers
begin transports
`

/** Stops Exim when its standard input closes: when the scope closes, or this process is killed. */
const keeper = `"$1" -C "$2/exim.conf" -bdf & while IFS= read -r _; do :; done; kill $!; wait; rm -rf "$2"`

/** Makes a folder that only root can write to, with folders in it for the user that Exim becomes. */
const folderOf = (port: number, { cert, key }: Certificate, options: EximOptions): string => {
  const folder = mkdtempSync("/tmp/epilogue-exim-")
  writeFileSync(join(folder, "exim.conf"), configuration(folder, port, options), { mode: 0o644 })
  writeFileSync(join(folder, "certificate.pem"), cert)
  writeFileSync(join(folder, "key.pem"), key)
  const made = spawnSync("sh", [
    "-c",
    "chmod 755 . && mkdir spool log && chown Debian-exim:Debian-exim spool log key.pem && chmod 600 key.pem"
  ], { cwd: folder, encoding: "utf8" })
  if (made.status !== 0) throw new Error(`no folder for Exim: ${made.stderr}`)
  return folder
}

const accepts = (port: number): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const socket = createConnection({ host: "127.0.0.1", port })
    socket.once("connect", () => resume(Effect.succeed(true)))
    socket.once("error", () => resume(Effect.succeed(false)))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: "1 second", orElse: () => Effect.succeed(false) }))

export const exim = (options: EximOptions): Effect.Effect<Exim, Error, Scope.Scope> =>
  Effect.gen(function*() {
    if (!available) return yield* Effect.fail(new Error(`no Exim (${remedy})`))
    const port = yield* freePort
    const certificate = selfSigned()
    const { folder } = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const folder = folderOf(port, certificate, options)
        const child = spawn("sh", ["-c", keeper, "exim-keeper", program, folder], {
          cwd: "/",
          detached: true,
          stdio: ["pipe", "ignore", "ignore"]
        })
        return { folder, child }
      }),
      ({ child, folder }) =>
        Effect.promise(() =>
          new Promise<void>((resolve) => {
            child.once("close", () => {
              rmSync(folder, { recursive: true, force: true })
              resolve()
            })
            child.stdin.end()
          })
        )
    )
    const log = (name: string) => {
      const file = join(folder, "log", name)
      return existsSync(file) ? readFileSync(file, "utf8") : ""
    }
    const up = yield* Effect.repeat(Effect.delay(accepts(port), "20 millis"), { until: (up) => up, times: 500 })
    if (!up) return yield* Effect.fail(new Error(`Exim did not start:\n${log("mainlog")}${log("paniclog")}`))
    return {
      port,
      ca: certificate.cert,
      subjects: () => {
        const queue = join(folder, "spool", "input")
        // made with the first mail
        if (!existsSync(queue)) return []
        return readdirSync(queue).filter((name) => name.endsWith("-H")).map((name) =>
          /^\d+\s+Subject: (.*)$/m.exec(readFileSync(join(queue, name), "utf8"))?.[1] ?? ""
        ).toSorted()
      },
      log: () => log("mainlog")
    }
  })
