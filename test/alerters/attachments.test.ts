/** Attachments of alerts, as they arrive in each channel. */
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, FileSystem, Layer, Redacted } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Discord, Email, JsonLines, Slack, Telegram, Webhook } from "../../src/alerters/index.ts"
import { fitAttachments } from "../../src/alerters/internal/channel/attachments.ts"
import { digest, fanOut } from "../../src/delivery/index.ts"
import { Outbox } from "../../src/durable/index.ts"
import * as SqliteClient from "../../src/durable/internal/engine/sqliteClient.ts"
import { Alert, Alerter, type Attachment } from "../../src/index.ts"
import { scrubAlert } from "../../src/internal/model/scrubAlert.ts"
import { english } from "../../src/internal/text/alertWords.ts"
import { scrubber } from "../../src/internal/text/secrets.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { open } from "../delivery/support.ts"
import { canary } from "../support/canary.ts"
import { type ChannelServer, channelServer, type Received, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { memoryStore } from "../support/policies.ts"
import { smtpServer } from "../support/smtpServer.ts"

const it = makeIt(test)

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** A file with every byte, which code that treats it as text would damage. */
const png: Attachment = {
  name: "timeline.png",
  mediaType: "image/png",
  content: Uint8Array.from({ length: 512 }, (_, i) => i % 256)
}
const csv: Attachment = { name: "rows.csv", mediaType: "text/csv", content: bytesOf("a,b\n1,2\n") }
const large: Attachment = { name: "core.dump", mediaType: "x/y", content: new Uint8Array(30 << 20) }

const of = (...attachments: ReadonlyArray<Attachment>) =>
  Alert.make({ title: "load failed", severity: "error", attachments })

const post = (alert: Alert) => Effect.flatMap(Alerter, (alerter) => alerter.post(alert))

// -----------------------------------------------------------------------------
// email
// -----------------------------------------------------------------------------

const mailed = (alert: Alert) =>
  Effect.gen(function*() {
    const server = yield* smtpServer()
    const email = Email.layer({ host: "127.0.0.1", port: server.port, from: "jobs@example.com", to: "ops@example.com" })
    yield* Effect.provide(post(alert), email)
    const [mail] = yield* server.mails
    assert.ok(mail !== undefined)
    return mail
  })

it.live("email: pictures are shown inline, other files are attached", () =>
  Effect.gen(function*() {
    const { attachments, html, text } = yield* mailed(
      of(png, csv, { ...csv, name: "../naïve\nname.svg", mediaType: "image/svg+xml" })
    )
    const [picture, file, drawing] = attachments
    assert.deepEqual(
      attachments.map(({ contentType, filename, related = false }) => [filename, contentType, related]),
      [
        ["timeline.png", "image/png", true],
        ["rows.csv", "text/csv", false],
        [".._naïve name.svg", "image/svg+xml", false]
      ]
    )
    assert.deepEqual(Uint8Array.from(picture!.content), png.content)
    assert.deepEqual([file, drawing].map((each) => each!.content.toString()), ["a,b\n1,2\n", "a,b\n1,2\n"])
    assert.ok(picture!.cid !== undefined && String(html).includes(`<img src="cid:${picture!.cid}" alt="timeline.png"`))
    assert.ok(!String(html).includes("cid:undefined"))
    for (const shown of [text, html]) assert.match(String(shown), /Attached: rows\.csv/)
  }))

it.live("email: attachments that are too large are left out, and named", () =>
  Effect.gen(function*() {
    const { attachments, text } = yield* mailed(of(large, png))
    assert.deepEqual(attachments.map(({ filename }) => filename), ["timeline.png"])
    assert.match(text!, /not attached: core\.dump \(31458 kB\)/)
  }))

// -----------------------------------------------------------------------------
// slack
// -----------------------------------------------------------------------------

const token = Redacted.make(`xoxb-1-2-${canary}`)

/** A server that behaves as Slack does with messages, threads and uploads. */
const slackServer = (more: (received: Received) => Reply | undefined = () => undefined) =>
  Effect.gen(function*() {
    let files = 0
    let messages = 0
    const server: ChannelServer = yield* channelServer((received) => {
      const { path } = received
      const other = more(received)
      if (other !== undefined) return typeof other === "function" ? other(received) : other
      switch (path) {
        case "/chat.postMessage":
          return {
            body: { ok: true, channel: "C1", ts: `${++messages}.0`, message: { thread_ts: received.json.thread_ts } }
          }
        case "/files.getUploadURLExternal":
          return { body: { ok: true, upload_url: `${server.url}/upload/${canary}/${++files}`, file_id: `F${files}` } }
        case "/files.completeUploadExternal":
          return { body: { ok: true, files: [] } }
        default:
          return { body: "OK - 512" }
      }
    })
    return server
  })

const bot = (server: ChannelServer, more: Partial<Slack.BotOptions> = {}) =>
  Slack.layerBot({ token, channel: "#ops", baseUrl: server.url, retries: 0, ...more })

const inRun = (alert: Alert) => alert.with({ source: { pipeline: "p", runId: "1", runName: "r", stepPath: [] } })

it.live("slack: attachments are uploaded and shared in the thread of the run", () =>
  Effect.gen(function*() {
    const server = yield* slackServer()
    yield* Effect.provide(
      Effect.andThen(post(inRun(of(png, csv))), post(inRun(of(csv)))),
      bot(server)
    )
    const [, first, upload, second, , complete, ...others] = server.requests
    assert.deepEqual(server.requests.map(({ path }) => path.replace(canary, "…")), [
      "/chat.postMessage",
      "/files.getUploadURLExternal",
      "/upload/…/1",
      "/files.getUploadURLExternal",
      "/upload/…/2",
      "/files.completeUploadExternal",
      "/chat.postMessage",
      "/files.getUploadURLExternal",
      "/upload/…/3",
      "/files.completeUploadExternal"
    ])
    assert.equal(first!.headers["content-type"], "application/x-www-form-urlencoded")
    assert.equal(first!.headers.authorization, `Bearer ${Redacted.value(token)}`)
    assert.equal(first!.body, "filename=timeline.png&length=512")
    assert.equal(second!.body, "filename=rows.csv&length=8")
    // the upload URL grants access by itself, and the token must not be sent to it
    assert.deepEqual(
      [
        upload!.method,
        upload!.headers.authorization,
        upload!.headers["content-type"],
        upload!.headers["content-length"]
      ],
      ["POST", undefined, "image/png", "512"]
    )
    assert.deepEqual(complete!.json, {
      files: [{ id: "F1", title: "timeline.png" }, { id: "F2", title: "rows.csv" }],
      channel_id: "C1",
      thread_ts: "1.0"
    })
    // the `ts` is that of the thread's first message, and not the reply's
    assert.deepEqual(others.at(-1)!.json.thread_ts, "1.0")
  }))

it.live("slack: without threads, attachments are shared below the message", () =>
  Effect.gen(function*() {
    const server = yield* slackServer()
    yield* Effect.provide(Effect.andThen(post(of(png)), post(of(png))), bot(server, { threads: false }))
    assert.deepEqual(
      server.requests.filter(({ path }) => path.endsWith("completeUploadExternal")).map(({ json }) => json.thread_ts),
      ["1.0", "2.0"]
    )
  }))

it.live("slack: a failed upload is logged, and the alert counts as delivered", () =>
  Effect.gen(function*() {
    const refused = { body: { ok: false, error: "missing_scope", needed: "files:write" } }
    const cases: ReadonlyArray<readonly [string, Reply, RegExp]> = [
      ["/files.getUploadURLExternal", refused, /missing_scope \(needed: files:write\)/],
      ["/files.getUploadURLExternal", { body: { ok: true } }, /address/],
      ["/upload/", { status: 500, body: canary }, /rejected \(500\)/],
      ["/files.completeUploadExternal", { body: { ok: false, error: "channel_not_found" } }, /channel_not_found/],
      ["/upload/", "reset", /could not be reached/]
    ]
    for (const [where, reply, expected] of cases) {
      const log = logs()
      const server = yield* slackServer(({ path }) => path.startsWith(where) ? reply : undefined)
      yield* Effect.provide(post(of(png)), Layer.mergeAll(bot(server), log.layer))
      assert.deepEqual(log.list.map(({ level }) => level), ["Warn"], where)
      assert.match(log.list[0]!.message, expected)
      assert.ok(!log.list[0]!.message.includes(canary), log.list[0]!.message)
    }
  }))

// -----------------------------------------------------------------------------
// discord
// -----------------------------------------------------------------------------

const part = (body: string, name: string): string | undefined => {
  const found = body.split("; name=\"").find((part) => part.startsWith(`${name}"`))
  return found?.slice(found.indexOf("\r\n\r\n") + 4).replace(/\r\n--[^]*$/, "")
}

const discord = ({ url }: ChannelServer) =>
  Discord.layer({ webhookUrl: Redacted.make(`${url}/webhook`), retries: 0, delay: "1 millis" })

it.live("discord: attachments are sent as parts of the message", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 500 }, { body: { id: "1" } })
    // a retry sends the files again
    const retrying = Discord.layer({ webhookUrl: Redacted.make(`${server.url}/webhook`), delay: "1 millis" })
    yield* Effect.provide(post(of(csv, png)), retrying)
    const bodies = server.requests.map(({ body }) => body)
    assert.equal(bodies.length, 2)
    for (const body of bodies) {
      assert.equal(JSON.parse(part(body, "payload_json")!).embeds[0].title, "❌ load failed")
      assert.equal(part(body, "files[0]"), "a,b\n1,2\n")
      assert.match(body, /name="files\[1\]"; filename="timeline.png"\r\nContent-Type: image\/png/i)
    }
    assert.match(server.requests[1]!.headers["content-type"]!, /^multipart\/form-data; boundary=/)
  }))

it.live("discord: a message that is refused with attachments is sent without them", () =>
  Effect.gen(function*() {
    const log = logs()
    const missing = { status: 403, body: { code: 50013, message: "Missing Permissions" } }
    const server = yield* channelServer(missing, { body: { id: "1" } })
    yield* Effect.provide(post(of(png)), Layer.mergeAll(discord(server), log.layer))
    const { embeds } = server.requests[1]!.json
    assert.deepEqual(embeds[0].fields.map(({ value }: { value: string }) => value), ["timeline.png (512 bytes)"])
    assert.match(log.list[0]!.message, /not uploaded.*Missing Permissions/)

    // if it is refused without files too, the post has failed
    server.reply(missing)
    const error = yield* Effect.flip(Effect.provide(post(of(png)), discord(server)))
    assert.equal(error.reason._tag, "Unauthorized")
    // a server error (5xx) is no reason to send without files
    server.requests.length = 0
    server.reply({ status: 503 })
    yield* Effect.flip(Effect.provide(post(of(png)), discord(server)))
    assert.equal(server.requests.length, 1)
  }))

// -----------------------------------------------------------------------------
// all others
// -----------------------------------------------------------------------------

it.live("webhook: the JSON describes attachments, and render gets their content", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({})
    const url = Redacted.make(`${server.url}/hook`)
    yield* Effect.provide(post(of(png, csv)), Webhook.layer({ url }))
    assert.deepEqual(server.requests[0]!.json.attachments, [
      { name: "timeline.png", mediaType: "image/png", size: 512 },
      { name: "rows.csv", mediaType: "text/csv", size: 8 }
    ])
    const render = ({ attachments, detail, title }: Alert) => ({
      title,
      detail,
      files: attachments.map(({ content }) => new TextDecoder().decode(content))
    })
    yield* Effect.provide(post(of(csv)), Webhook.layer({ url, render }))
    assert.deepEqual(server.requests[1]!.json, { title: "load failed", files: ["a,b\n1,2\n"] })
    // attachments are left out before any text
    const long = { ...csv, content: bytesOf("x".repeat(5000)) }
    yield* Effect.provide(
      post(of(csv, long).with({ detail: "y".repeat(900) })),
      Webhook.layer({ url, render, maxBytes: 1500 })
    )
    assert.deepEqual(server.requests[2]!.json, { title: "load failed", detail: "y".repeat(900), files: [] })
  }))

it.live("channels without attachments name them in the alert", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ body: { ok: true } })
    const telegram = Telegram.layer({ token: Redacted.make("1:a"), chatId: "1", baseUrl: server.url })
    const slack = Slack.layer({ webhookUrl: Redacted.make(server.url) })
    yield* Effect.provide(post(of(png)), fanOut([telegram, slack]))
    assert.equal(server.requests.length, 2)
    for (const { body } of server.requests) assert.match(body, /not attached[^]*timeline\\*\.png/)
  }))

it.effect("the console names attachments", () =>
  Effect.gen(function*() {
    yield* Effect.provide(post(of(png)), Alerter.layerConsole)
    assert.match(String((yield* TestConsole.logLines)[0]), /\n {2}not attached {2}timeline\.png$/)
  }))

it.live("a line of a file has the names, types and sizes of attachments only", () =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const path = `${yield* files.makeTempDirectoryScoped()}/alerts.jsonl`
    yield* Effect.provide(post(of(large)), JsonLines.layer({ path }))
    const line = JSON.parse(yield* files.readFileString(path))
    assert.deepEqual(line.attachments, [{ name: "core.dump", mediaType: "x/y", size: 30 << 20 }])
  }).pipe(Effect.provide(NodeFileSystem.layer)))

// -----------------------------------------------------------------------------
// policies and stores
// -----------------------------------------------------------------------------

it.effect("a digest of one alert keeps its attachments, a digest of several has none", () =>
  Effect.gen(function*() {
    const services = yield* Layer.build(Layer.provideMerge(
      TestAlerter.layer.pipe(digest({ window: "1 minute" })),
      TestAlerter.layer
    ))
    const both = (...alerts: ReadonlyArray<Alert>) =>
      Effect.andThen(Effect.forEach(alerts, post), TestClock.adjust("1 minute")).pipe(Effect.provide(services))
    yield* both(of(png))
    yield* both(of(png), of(csv))
    const [alone, several] = yield* TestAlerter.sent.pipe(Effect.provide(services))
    assert.deepEqual(alone?.attachments, [png])
    assert.deepEqual(several?.attachments, [])
  }))

it.effect("attachments survive storage, in a persistent policy and in an outbox", () =>
  Effect.gen(function*() {
    const kept = yield* memoryStore
    const held = (self: Layer.Layer<Alerter>) =>
      self.pipe(digest({ window: "1 hour", persist: "x" }), Layer.provide(kept.layer))
    const first = yield* open(held)
    yield* first.post(of(png))
    yield* first.close
    const second = yield* open(held)
    yield* TestClock.adjust("1 hour")
    assert.deepEqual((yield* second.sent).map(({ attachments }) => attachments), [[png]])

    const outbox = (self: Layer.Layer<Alerter>) =>
      Layer.orDie(Outbox.layer(self).pipe(Layer.provide(SqliteClient.layer({ filename: ":memory:" }))))
    const stored = yield* open(outbox)
    yield* stored.post(of(png, csv))
    yield* TestClock.adjust("1 second")
    assert.deepEqual((yield* stored.sent).map(({ attachments }) => attachments), [[png, csv]])
  }))

test("secrets are removed from attachments of text, and other attachments are unchanged", () => {
  const scrub = scrubber([`https://hooks.example.com/${canary}-0123456789`])
  const svg = {
    name: `${canary}-0123456789.svg`,
    mediaType: "image/svg+xml",
    content: bytesOf(`<text>${canary}-0123456789</text>`)
  }
  const [drawing, picture] = scrubAlert(of(svg, png), scrub).attachments
  assert.equal(drawing!.name, "<redacted>.svg")
  assert.equal(new TextDecoder().decode(drawing!.content), "<text><redacted></text>")
  assert.equal(picture!.content, png.content)
})

test("at most ten files are attached, with harmless names and types", () => {
  const many = of(...Array.from({ length: 12 }, (_, i) => ({ ...csv, name: `${i}.csv` })))
  const { attachments, fields } = fitAttachments(many, Infinity, english)
  assert.equal(attachments.length, 10)
  assert.deepEqual(fields, [{ name: "not attached", value: "10.csv (8 bytes), 11.csv (8 bytes)" }])
  const odd = { ...csv, name: "a/b\\c\r\n\u0000" + "d".repeat(200), mediaType: "text/html\r\nX-Evil: 1" }
  const [one, empty] = fitAttachments(of(odd, { ...csv, name: " " }), 100, english).attachments
  assert.match(one!.name, /^a_b_c d+…$/)
  assert.ok(one!.name.length <= 100)
  assert.equal(one!.mediaType, "application/octet-stream")
  assert.equal(empty!.name, "attachment")
  const alert = of()
  assert.equal(fitAttachments(alert, 0, english), alert)
})
