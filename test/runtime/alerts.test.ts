/**
 * Tests the parts of alerters and approvers that depend on the runtime, on Bun, Deno and Node: `fetch` and its errors,
 * signatures, mail, files, the server of an approval page.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { type AddressInfo, createServer, type Server } from "node:net"
import { test } from "node:test"
import { Alertmanager, Email, JsonLines, Slack, Webhook } from "../../src/alerters/index.ts"
import { WebPage } from "../../src/approvers/index.ts"
import { dedupe, Store } from "../../src/delivery/index.ts"
import { Alerter, AlerterHooks, Approver, Step } from "../../src/index.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { smtpServer } from "../support/smtpServer.ts"

const it = makeIt(test)

const failing = Step.make("load", Effect.fail("no such bucket 🪣 דלי")).pipe(
  Step.hooks(AlerterHooks.failure),
  Effect.exit
)

const post = Effect.flatMap(Alerter, (alerter) => alerter.post("hello"))

const folder = Effect.acquireRelease(
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectory()),
  (path) => Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.orDie(fs.remove(path, { recursive: true })))
)

/** Starts a server that answers each request with this text. */
const answering = (text: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const server = createServer((socket) => {
          socket.on("error", () => {}).once("data", () => socket.end(text))
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => void server.close())
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  )

const slack = (url: string, timeout: "300 millis" | "20 seconds" = "20 seconds") =>
  Slack.layer({ webhookUrl: Redacted.make(`${url}/services/T0`), timeout, delay: "1 millis", retries: 1 })

it.live("a channel maps faults of fetch to the reasons of an AlerterError", () =>
  Effect.gen(function*() {
    const outcome = (...replies: ReadonlyArray<Reply>) =>
      Effect.gen(function*() {
        const server = yield* channelServer(...replies)
        const layer = slack(server.url, replies[0] === "hang" ? "300 millis" : "20 seconds")
        const result = yield* Effect.result(Effect.provide(post, layer))
        return [result._tag === "Success" ? "sent" : result.failure.reason._tag, server.requests.length]
      })
    assert.deepEqual(yield* outcome({ body: "ok" }), ["sent", 1])
    assert.deepEqual(yield* outcome({ status: 429, headers: { "retry-after": "0" } }, { body: "ok" }), ["sent", 2])
    assert.deepEqual(yield* outcome({ status: 400 }), ["Rejected", 1])
    assert.deepEqual(yield* outcome({ status: 302, headers: { location: "/" } }), ["Rejected", 1])
    assert.deepEqual(yield* outcome({ status: 403 }), ["Unauthorized", 1])
    assert.deepEqual(yield* outcome({ status: 503 }), ["Rejected", 2])
    // the number of requests is not asserted, as Deno's fetch itself retries once after a reset
    assert.equal((yield* outcome("reset"))[0], "Unreachable")
    assert.deepEqual(yield* outcome("hang"), ["TimedOut", 2])
    const { url } = yield* Effect.scoped(channelServer())
    const refused = yield* Effect.flip(Effect.provide(post, slack(url)))
    assert.equal(refused.reason._tag, "Unreachable")
    assert.ok(!refused.message.includes("127.0.0.1"), refused.message)
    assert.match(refused.message, /could not be reached: .*(ECONNREFUSED|refused)/)
    const unknown = yield* Effect.flip(Effect.provide(post, slack("http://hooks.example.invalid")))
    assert.match(unknown.message, /could not be reached: (ENOTFOUND|EAI_AGAIN|dns error)/)
    const ssh = yield* answering("SSH-2.0-OpenSSH_9.2\r\n\r\n")
    const garbled = yield* Effect.flip(Effect.provide(post, slack(ssh)))
    assert.match(
      garbled.message,
      /could not be reached: (ECONNRESET|Malformed_HTTP|invalid HTTP|Response does not match)/
    )
    assert.ok(!unknown.message.includes("hooks"), unknown.message)
  }))

it.live("a user and a password in an address are sent as a header, and no error shows them", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 200 }, {
      status: 401,
      body: "jobs:K7dn/Fq2x is wrong, so is K7dn/Fq2x"
    })
    const url = server.url.replace("//", "//jobs:K7dn%2FFq2x@")
    const alertmanager = (token?: string) =>
      Alertmanager.layer({ url, token: token === undefined ? undefined : Redacted.make(token) })
    yield* Effect.provide(post, alertmanager())
    const refused = yield* Effect.flip(Effect.provide(post, alertmanager("t0ken1234")))
    assert.deepEqual(server.requests.map(({ headers }) => headers["authorization"]), [
      `Basic ${btoa("jobs:K7dn/Fq2x")}`,
      "Bearer t0ken1234"
    ])
    assert.equal(refused.reason._tag, "Unauthorized")
    assert.ok(!/K7dn/.test(refused.message), refused.message)
  }))

it.live("Webhook.verify accepts a signed webhook and rejects a changed body", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 204 })
    const secret = Redacted.make("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    yield* failing.pipe(Effect.provide(Webhook.layer({ url: Redacted.make(server.url), secret })))
    const [{ body, headers, json }] = server.requests as [typeof server.requests[number]]
    assert.equal(json.title, "load failed")
    yield* Webhook.verify({ secret, headers, body })
    assert.ok(yield* Effect.isFailure(Webhook.verify({ secret, headers, body: `${body} ` })))
  }))

it.live("Email sends an alert by SMTP", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer()
    yield* failing.pipe(Effect.provide(Email.layer({
      host: "127.0.0.1",
      port: server.port,
      from: "jobs@example.com",
      to: "me@example.com"
    })))
    const [mail] = yield* server.mails
    assert.equal(mail!.subject, "load failed")
    assert.ok(mail!.text!.includes("no such bucket 🪣 דלי"))
  }))

it.live("JsonLines appends to a file, and dedupe remembers alerts in a store across runs", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* folder
    const file = `${path}/alerts.jsonl`
    const layer = JsonLines.layer({ path: file }).pipe(
      dedupe({ window: "1 hour", persist: "test" }),
      Layer.provide(Store.layerKeyValueStore),
      Layer.provide(KeyValueStore.layerFileSystem(`${path}/state`)),
      Layer.provide(Path.layer)
    )
    // fresh layers stand for two processes that share file and store
    yield* Effect.provide(failing, Layer.fresh(layer))
    yield* Effect.provide(failing, Layer.fresh(layer))
    const lines = (yield* fs.readFileString(file)).trimEnd().split("\n")
    assert.deepEqual(lines.map((line) => JSON.parse(line).title), ["load failed"])
  }).pipe(Effect.provide(NodeFileSystem.layer)))

it.live("WebPage serves a page whose form answers the question", () =>
  Effect.gen(function*() {
    const links: Array<string> = []
    const page = WebPage.layer({ announce: (link) => Effect.sync(() => links.push(Redacted.value(link))) })
    const asking = yield* Effect.forkChild(
      Approver.ask({ title: "Deploy?", timeout: "10 seconds" }).pipe(Effect.provide(page))
    )
    while (links.length === 0) yield* Effect.sleep("5 millis")
    const [link] = links as [string]
    const html = yield* Effect.promise(() => fetch(link).then((response) => response.text()))
    const [, field, value] = /name="(\w+)" value="(\w+)"[^>]*>\s*Approve/.exec(html)!
    const headers = { origin: new URL(link).origin }
    const body = new URLSearchParams({ [field!]: value! })
    yield* Effect.promise(() => fetch(link, { method: "POST", body, headers }).then((response) => response.text()))
    assert.equal((yield* Fiber.join(asking))._tag, "Approved")
  }))
