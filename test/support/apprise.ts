/**
 * Starts a server with the API of Apprise on 127.0.0.1. It notifies with the library of the Debian package `apprise`; the
 * API's own server is no package of Debian.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import process from "node:process"

// the Python of Debian, which finds Debian's packages
const python = "/usr/bin/python3"
const library = "/usr/lib/python3/dist-packages/apprise/__init__.py"

const remedy = "with apt-get install apprise"

const isInstalled = (): boolean => existsSync(python) && existsSync(library)

/**
 * Returns whether to register a suite that needs Apprise, and reports one that is skipped. With `CI_REQUIRE_ALL=1` the
 * suite is registered even without Apprise, and fails.
 */
export const required = (what: string): boolean => {
  if (isInstalled() || process.env["CI_REQUIRE_ALL"] === "1") return true
  process.stderr.write(`skipped: ${what} (needs Apprise: ${remedy})\n`)
  return false
}

/** Answers as https://github.com/caronc/apprise-api does. Its first argument has the URLs and tags of each key, as JSON. */
const server = `
import json, logging, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import apprise

configurations = json.loads(sys.argv[1])

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, body):
        content = b"" if status == 204 else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self):
        content = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not content.get("body") or content.get("type", "info") not in apprise.NOTIFY_TYPES:
            return self.answer(400, {"error": "Payload lacks minimum requirements"})
        if content.get("format", "text") not in apprise.NOTIFY_FORMATS:
            return self.answer(400, {"error": "An invalid body input format was specified"})
        notifier = apprise.Apprise()
        if self.path == "/notify":
            notifier.add(content.get("urls", ""))
        else:
            services = configurations.get(self.path[len("/notify/"):])
            for service in services or []:
                notifier.add(service["url"], tag=service.get("tag"))
        if len(notifier) == 0:
            return self.answer(204, None)
        tags = [[t for t in part.split() if t] for part in content["tag"].split(",")] if content.get("tag") else None
        with apprise.LogCapture(level=logging.WARNING, fmt="%(levelname)s|%(asctime)s|%(message)s") as log:
            sent = notifier.notify(
                content["body"],
                title=content.get("title", ""),
                notify_type=content.get("type", "info"),
                body_format=content.get("format", "text"),
                tag=[tuple(part) for part in tags] if tags else None,
            )
            lines = [line.split("|", 2) for line in log.getvalue().splitlines()]
        if not sent:
            return self.answer(424, {"error": "One or more notification could not be sent", "details": lines})
        self.answer(200, {"error": None, "details": lines})

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
`

/** A service of a key, by its URL of Apprise. */
export interface Service {
  readonly url: string
  readonly tag?: string
}

/** Starts the server with configurations by their keys, and stops it when the scope closes. Succeeds with its URL. */
export const apprise = (
  configurations: Readonly<Record<string, ReadonlyArray<Service>>>
): Effect.Effect<string, Error, Scope.Scope> =>
  Effect.gen(function*() {
    if (!isInstalled()) return yield* Effect.fail(new Error(`no Apprise (${remedy})`))
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(python, ["-c", server, JSON.stringify(configurations)], { stdio: ["pipe", "pipe", "pipe"] })
      ),
      (child) =>
        Effect.promise(() =>
          new Promise<void>((resolve) => {
            child.once("close", () => resolve())
            child.stdin.end()
          })
        )
    )
    const port = yield* Effect.promise(() =>
      new Promise<string>((resolve) => {
        let said = ""
        child.stdout.once("data", (chunk) => resolve(String(chunk).trim()))
        child.stderr.on("data", (chunk) => {
          said += String(chunk)
        })
        child.once("close", () => resolve(said))
      })
    )
    return /^\d+$/.test(port)
      ? `http://127.0.0.1:${port}`
      : yield* Effect.fail(new Error(`the server of Apprise did not start:\n${port}`))
  })
