import { Effect, Fiber, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock, TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { type Alert, isAlerterError } from "../../src/index.ts"
import { channelServer, type Received } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { alert, folder, issues, keysInSchema, open } from "./alerterSupport.ts"
import { channels } from "./channelKeys.ts"

const it = makeIt(test)

// -----------------------------------------------------------------------------
// HTTP channels: addresses, credentials, and options of their own
// -----------------------------------------------------------------------------

/** Decodes a form. Its first field has no `=` in its name, and JSON begins otherwise. */
const readable = (body: string): string =>
  /^\w+=/.test(body) ? [...new URLSearchParams(body)].map(([name, value]) => `${name}=${value}`).join("&") : body

const shown = (request: Received | undefined): string =>
  request === undefined
    ? ""
    : `${request.method} ${request.path} ${JSON.stringify(request.headers)} ${readable(request.body)}`

for (const [name, { accepted, alert: posted, keys, needs }] of Object.entries(channels)) {
  it.live(`${name}: each key of the channel changes the request as in code`, () =>
    Effect.gen(function*() {
      const sent = (optionsFor: (url: string) => Readonly<Record<string, unknown>>, alert: Alert) =>
        Effect.gen(function*() {
          const server = yield* channelServer(accepted)
          const post = yield* open({ [name]: optionsFor(server.url) })
          yield* post(alert)
          yield* post(alert)
          return shown(server.requests.at(-1))
        })
      const long = alert.with({ detail: "x".repeat(2000) })
      // all at once, since some channels send an alert a second
      yield* Effect.forEach(Object.entries(keys), ([key, { alert = posted ?? long, seen, value }]) =>
        Effect.gen(function*() {
          const [plain, changed] = yield* Effect.all([
            sent(needs, alert),
            sent((url) => ({ ...needs(url), [key]: value?.(url) }), alert)
          ], { concurrency: 2 })
          assert.match(changed, seen, key)
          assert.doesNotMatch(plain, seen, `${key}: without it`)
        }), { concurrency: "unbounded", discard: true })
      const needed = needs("http://127.0.0.1:1")
      for (
        const key of Object.keys(needed).filter((key) =>
          key !== "baseUrl" && key !== "server"
        )
      ) {
        const { [key]: _, ...others } = needed
        assert.deepEqual(
          (yield* issues({ [name]: others })).map((issue) =>
            issue.split(": Expected")[0]
          ),
          [
            `${name}.${key}`
          ]
        )
      }
    }))
}

it.effect("these tests cover every key of every channel", () =>
  Effect.sync(() => {
    const keysOf = keysInSchema()
    for (const [name, { keys, zoned }] of Object.entries(channels)) {
      const sending = [
        "timeout",
        "retries",
        "delay",
        "maxDelay",
        "pace",
        "drain",
        "capacity",
        ...(zoned ? ["timeZone"] : [])
      ]
      assert.deepEqual(keysOf[name]?.toSorted(), [...Object.keys(keys), ...sending].toSorted(), name)
    }
    const others = Object.keys(keysOf).filter((name) => !(name in channels))
    assert.deepEqual(others.toSorted(), ["console", "email", "jsonLines", "none"])
    assert.deepEqual(keysOf["console"], ["colors", "stream", "timeZone"])
    assert.deepEqual(keysOf["jsonLines"], ["path", "maxBytes"])
    const email =
      "host port secure user password url from to subjectPrefix tls ca rejectUnauthorized maxConnections messagesPerConnection timeout retries delay maxDelay pace drain capacity"
    assert.deepEqual(keysOf["email"], [...email.split(" "), "timeZone"])
  }))

// -----------------------------------------------------------------------------
// attempts and time zones
// -----------------------------------------------------------------------------

/** Returns a client that records requests and answers with a status, or never. */
const client = (status: () => number | undefined) => {
  const sent: Array<string> = []
  const client = HttpClient.make((request) =>
    Effect.suspend(() => {
      const { body } = request
      sent.push(body._tag === "Uint8Array" ? readable(new TextDecoder().decode(body.body)) : "")
      const code = status()
      return code === undefined
        ? Effect.never
        : Effect.succeed(
          HttpClientResponse.fromWeb(
            request,
            new Response("{\"ok\":true,\"ts\":\"1\",\"event_id\":\"$1\"}", { status: code })
          )
        )
    })
  )
  return { sent, layer: Layer.succeed(HttpClient.HttpClient, client) }
}

for (const [name, { alert: posted = alert, needs, zoned }] of Object.entries(channels)) {
  const opened = (options: Readonly<Record<string, unknown>>, status: () => number | undefined) => {
    const { layer, sent } = client(status)
    return Effect.map(
      Effect.provide(open({ [name]: { ...needs("http://127.0.0.1:1"), pace: [], ...options } }), layer),
      (post) => ({ post, sent })
    )
  }

  it.effect(`${name}: timeout, retries, delay, maxDelay, pace and timeZone take effect`, () =>
    Effect.gen(function*() {
      const hanging = yield* opened({ timeout: "2 seconds", retries: 0 }, () => undefined)
      const limited = yield* Effect.forkChild(Effect.flip(hanging.post(posted)))
      yield* TestClock.adjust("2 seconds")
      const error = yield* Fiber.join(limited)
      assert.ok(isAlerterError(error) && error.reason._tag === "TimedOut")
      assert.equal(hanging.sent.length, 1)

      const retried = yield* opened({ retries: Redacted.make("1"), delay: 0 }, () => 500)
      yield* Effect.flip(retried.post(posted))
      assert.equal(retried.sent.length, 2)

      const delayed = yield* opened({ retries: 1, delay: Redacted.make("40") }, () => 500)
      const waiting = yield* Effect.forkChild(Effect.flip(delayed.post(posted)))
      // jitter shortens the delay by up to half
      yield* TestClock.adjust("19 seconds")
      assert.equal(delayed.sent.length, 1)
      yield* TestClock.adjust("21 seconds")
      assert.equal(delayed.sent.length, 2)
      yield* Fiber.join(waiting)

      const capped = yield* opened({ retries: 1, delay: "40 seconds", maxDelay: 2 }, () => 500)
      const soon = yield* Effect.forkChild(Effect.flip(capped.post(posted)))
      yield* TestClock.adjust("2 seconds")
      assert.equal(capped.sent.length, 2)
      yield* Fiber.join(soon)

      const paced = yield* opened({ pace: { count: 1, per: "1 minute", burst: Redacted.make("2") } }, () => 200)
      const all = yield* Effect.forkChild(
        Effect.forEach([posted, posted, posted], paced.post, { concurrency: "unbounded", discard: true })
      )
      yield* TestClock.adjust("59 seconds")
      assert.equal(paced.sent.length, 2)
      yield* TestClock.adjust("1 second")
      assert.equal(paced.sent.length, 3)
      yield* Fiber.join(all)

      if (!zoned) {
        assert.equal((yield* issues({ [name]: { ...needs("http://x.test"), timeZone: "Asia/Tokyo" } })).length, 1)
        return
      }
      const local = yield* opened({ timeZone: "Asia/Tokyo" }, () => 200)
      yield* local.post(posted)
      assert.match(local.sent[0]!, /21:40:12 Asia\/Tokyo/)
    }))
}

// -----------------------------------------------------------------------------
// other channels
// -----------------------------------------------------------------------------

it.effect("console: colors, stream and timeZone take effect", () =>
  Effect.gen(function*() {
    const post = yield* open({ console: { colors: "always", stream: "stderr", timeZone: "Asia/Tokyo" } })
    yield* post(alert)
    assert.deepEqual(yield* TestConsole.logLines, [])
    const text = String((yield* TestConsole.errorLines)[0])
    assert.ok(text.includes("\u001b[") && text.includes("21:40:12"), text)
    yield* (yield* open("console"))(alert)
    assert.ok(!String((yield* TestConsole.logLines)[0]).includes("\u001b["))
    yield* (yield* open({ none: true }))(alert)
    assert.equal((yield* TestConsole.logLines).length, 1)
  }))

it.live("jsonLines: path is relative to the folder of the file, and maxBytes limits a line", () =>
  Effect.gen(function*() {
    const root = yield* folder
    const post = yield* open({ jsonLines: { path: "logs/alerts.jsonl", maxBytes: 900 } }, {}, { folder: root })
    yield* post(alert.with({ detail: "x".repeat(2000) }))
    const line = fs.readFileSync(path.join(root, "logs", "alerts.jsonl"), "utf8")
    assert.ok(line.length <= 900 && JSON.parse(line).title === alert.title, line)
  }))
