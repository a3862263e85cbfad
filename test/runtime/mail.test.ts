/** Tests pooled connections to a mail server on Bun, Deno and Node: TLS, and what keeps a process alive. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { test } from "node:test"
import { promisify } from "node:util"
import { Email } from "../../src/alerters/index.ts"
import { Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { smtpServer } from "../support/smtpServer.ts"

const it = makeIt(test)

const options = (server: { readonly port: number; readonly ca: string }, secure: boolean): Email.SmtpOptions => ({
  host: "localhost",
  port: server.port,
  secure,
  tls: "required",
  ca: server.ca,
  from: "jobs@example.com",
  to: "ops@example.com"
})

it.live("mails share connections, encrypted by STARTTLS or from their beginning", () =>
  Effect.gen(function*() {
    for (const secure of [false, true]) {
      const server = yield* smtpServer({ secure })
      yield* Effect.flatMap(
        Alerter,
        ({ post }) =>
          Effect.forEach(Array.from({ length: 15 }, (_, i) => `alert ${i}`), post, { concurrency: "unbounded" })
      ).pipe(Effect.provide(Email.layer(options(server, secure))))
      assert.equal(server.received.length, 15)
      assert.ok(server.received.every(({ encrypted }) => encrypted))
      assert.ok(server.conversations() <= 3, `${server.conversations()} connections`)
      const unknown = yield* Effect.flip(
        Effect.flatMap(Alerter, ({ post }) => post("hello")).pipe(
          Effect.provide(Email.layer({ ...options(server, secure), ca: undefined, retries: 0 }))
        )
      )
      assert.equal(unknown.reason._tag, "Unreachable", unknown.message)
      assert.match(unknown.message, /set ca to/)
    }
  }))

it.live("a connection that waits for the next mail does not keep the process alive", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer()
    const fixture = join(import.meta.dirname, "fixtures", "mailing.ts")
    const flags = process.versions["deno"] !== undefined
      ? ["run", "-A"]
      : process.versions["bun"] !== undefined
      ? []
      : ["--conditions=@effect-epilogue/source"]
    const args = [...flags, fixture, JSON.stringify(options(server, false))]
    const { stdout } = yield* Effect.promise(() => promisify(execFile)(process.execPath, args))
    assert.equal(server.received.length, 1)
    // the connection itself would be kept for nine seconds
    assert.ok(Number(stdout) < 4000, stdout)
  }))
