import { Cause, ConfigProvider, DateTime, Duration, Effect, Fiber, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock, TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { type Alert, isAlerterError } from "../../src/index.ts"
import { canary, leaks } from "../support/canary.ts"
import { sample } from "../support/channelContract.ts"
import { channelServer, type Received, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { cleartextServer, smtpServer } from "../support/smtpServer.ts"
import { folder, issues, keysInSchema, open } from "./alerterSupport.ts"

const it = makeIt(test)

const alert = sample.with({ at: DateTime.makeUnsafe("2026-11-23T12:40:12.345Z") })

// -----------------------------------------------------------------------------
// HTTP channels: addresses, credentials, and options of their own
// -----------------------------------------------------------------------------

interface Http {
  /** The options that the channel requires. */
  readonly needs: (url: string) => Readonly<Record<string, unknown>>
  readonly accepted: Reply
  /** Each key of the channel with another value, and a pattern of the request that shows it. */
  readonly keys: Readonly<
    Record<string, { readonly value?: (url: string) => unknown; readonly alert?: Alert; readonly seen: RegExp }>
  >
  /** Whether the channel shows times, in a time zone. */
  readonly zoned: boolean
}

const bySlack = { body: { ok: true, channel: "C1", ts: "1.0" } }
const aWebhook: Pick<Http, "needs" | "keys" | "zoned"> = {
  needs: (url) => ({ webhookUrl: `${url}/hooks/one` }),
  keys: { webhookUrl: { value: (url) => Redacted.make(`${url}/hooks/two`), seen: /^POST \/hooks\/two/ } },
  zoned: true
}

const channels: Readonly<Record<string, Http>> = {
  slack: { ...aWebhook, accepted: { body: "ok" } },
  discord: { ...aWebhook, accepted: { status: 204 } },
  teams: { ...aWebhook, accepted: { status: 202 } },
  slackBot: {
    needs: (url) => ({ baseUrl: `${url}/one`, token: "xoxb-1", channel: "C1" }),
    accepted: bySlack,
    keys: {
      baseUrl: { value: (url) => `${url}/two/`, seen: /^POST \/two\/chat.postMessage/ },
      token: { value: () => Redacted.make("xoxb-2"), seen: /"authorization":"Bearer xoxb-2"/ },
      channel: { value: () => "#etl", seen: /"channel":"#etl"/ },
      // the second alert of the run is not a reply in a thread
      threads: { value: () => false, seen: /^(?!.*thread_ts)/s }
    },
    zoned: true
  },
  discordBot: {
    needs: (url) => ({ baseUrl: `${url}/one`, token: "t1", channelId: "1" }),
    accepted: { body: { id: "1", channel_id: "42" } },
    keys: {
      baseUrl: { value: (url) => Redacted.make(`${url}/two`), seen: /^POST \/two\/channels\/1\/messages/ },
      token: { value: () => "t2", seen: /"authorization":"Bot t2"/ },
      channelId: { value: () => 42, seen: /\/channels\/42\/messages/ }
    },
    zoned: true
  },
  telegram: {
    needs: (url) => ({ baseUrl: `${url}/one`, token: "1:a", chatId: "@a" }),
    accepted: { body: { ok: true, result: { message_id: 1 } } },
    keys: {
      baseUrl: { value: (url) => `${url}/two`, seen: /^POST \/two\/bot1:a\/sendMessage/ },
      token: { value: () => Redacted.make("2:b"), seen: /\/bot2:b\// },
      chatId: { value: () => -100123, seen: /"chat_id":"?-100123/ },
      messageThreadId: { value: () => Redacted.make("7"), seen: /"message_thread_id":7/ },
      silent: { value: () => "error", seen: /"disable_notification":true/ }
    },
    zoned: true
  },
  pagerDuty: {
    needs: (url) => ({ baseUrl: `${url}/one`, routingKey: "k1" }),
    accepted: { status: 202, body: {} },
    keys: {
      baseUrl: { value: (url) => `${url}/two`, seen: /^POST \/two\/v2\/enqueue/ },
      routingKey: { value: () => Redacted.make("k2"), seen: /"routing_key":"k2"/ },
      component: { value: () => "loader", seen: /"component":"loader"/ },
      group: { value: () => "jobs", seen: /"group":"jobs"/ },
      source: {
        value: () => "box",
        alert: alert.with({ source: undefined }),
        seen: /"source":"box"/
      },
      // dropped
      changeEvents: { value: () => false, alert: alert.with({ severity: "info" }), seen: /^$/ }
    },
    zoned: true
  },
  ntfy: {
    needs: (url) => ({ server: `${url}/one`, topic: "t1" }),
    accepted: { body: {} },
    keys: {
      server: { value: (url) => `${url}/two`, seen: /^POST \/two\// },
      topic: { value: () => Redacted.make("t2"), seen: /"topic":"t2"/ },
      token: { value: () => Redacted.make("tk_1"), seen: /"authorization":"Bearer tk_1"/ }
    },
    zoned: true
  },
  webhook: {
    needs: (url) => ({ url: `${url}/one` }),
    accepted: { status: 204 },
    keys: {
      url: { value: (url) => Redacted.make(`${url}/two`), seen: /^POST \/two/ },
      secret: {
        value: () => Redacted.make("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
        seen: /"webhook-signature":"v1,/
      },
      headers: {
        value: () => ({ authorization: Redacted.make("Bearer x"), "x-team": "data" }),
        seen: /"authorization":"Bearer x".*"x-team":"data"/
      },
      maxBytes: { value: () => 900, seen: /left out/ }
    },
    zoned: false
  }
}

const shown = (request: Received | undefined): string =>
  request === undefined ? "" : `${request.method} ${request.path} ${JSON.stringify(request.headers)} ${request.body}`

for (const [name, { accepted, keys, needs }] of Object.entries(channels)) {
  it.live(`${name}: each key of the channel changes the request as in code`, () =>
    Effect.gen(function*() {
      const server = yield* channelServer(accepted)
      const sent = (options: Readonly<Record<string, unknown>>, alert: Alert) =>
        Effect.gen(function*() {
          server.requests.length = 0
          const post = yield* open({ [name]: options })
          yield* post(alert)
          yield* post(alert)
          return shown(server.requests.at(-1))
        })
      const long = alert.with({ detail: "x".repeat(2000) })
      for (const [key, { alert = long, seen, value }] of Object.entries(keys)) {
        const plain = yield* sent(needs(server.url), alert)
        const changed = yield* sent({ ...needs(server.url), [key]: value?.(server.url) }, alert)
        assert.match(changed, seen, key)
        assert.doesNotMatch(plain, seen, `${key}: without it`)
      }
      for (const key of Object.keys(needs(server.url)).filter((key) => key !== "baseUrl" && key !== "server")) {
        const { [key]: _, ...others } = needs(server.url)
        assert.deepEqual((yield* issues({ [name]: others })).map((issue) => issue.split(": Expected")[0]), [
          `${name}.${key}`
        ])
      }
    }))
}

it.effect("these tests cover every key of every channel", () =>
  Effect.sync(() => {
    const keysOf = keysInSchema()
    for (const [name, { keys, zoned }] of Object.entries(channels)) {
      const sending = ["timeout", "retries", "delay", "maxDelay", ...(zoned ? ["timeZone"] : [])]
      assert.deepEqual(keysOf[name]?.toSorted(), [...Object.keys(keys), ...sending].toSorted(), name)
    }
    const others = Object.keys(keysOf).filter((name) => !(name in channels))
    assert.deepEqual(others.toSorted(), ["console", "email", "jsonLines", "none"])
    assert.deepEqual(keysOf["console"], ["colors", "stream", "timeZone"])
    assert.deepEqual(keysOf["jsonLines"], ["path", "maxBytes"])
    const email =
      "host port secure user password url from to subjectPrefix requireTls tls timeout retries delay maxDelay"
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
      sent.push(body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : "")
      const code = status()
      return code === undefined
        ? Effect.never
        : Effect.succeed(
          HttpClientResponse.fromWeb(request, new Response("{\"ok\":true,\"ts\":\"1\"}", { status: code }))
        )
    })
  )
  return { sent, layer: Layer.succeed(HttpClient.HttpClient, client) }
}

for (const [name, { needs, zoned }] of Object.entries(channels)) {
  const opened = (options: Readonly<Record<string, unknown>>, status: () => number | undefined) => {
    const { layer, sent } = client(status)
    return Effect.map(
      Effect.provide(open({ [name]: { ...needs("http://127.0.0.1:1"), ...options } }), layer),
      (post) => ({ post, sent })
    )
  }

  it.effect(`${name}: timeout, retries, delay, maxDelay and timeZone take effect`, () =>
    Effect.gen(function*() {
      const hanging = yield* opened({ timeout: "2 seconds", retries: 0 }, () => undefined)
      const limited = yield* Effect.forkChild(Effect.flip(hanging.post(alert)))
      yield* TestClock.adjust("2 seconds")
      const error = yield* Fiber.join(limited)
      assert.ok(isAlerterError(error) && error.reason._tag === "TimedOut")
      assert.equal(hanging.sent.length, 1)

      const retried = yield* opened({ retries: Redacted.make("1"), delay: 0 }, () => 500)
      yield* Effect.flip(retried.post(alert))
      assert.equal(retried.sent.length, 2)

      const delayed = yield* opened({ retries: 1, delay: Redacted.make("40") }, () => 500)
      const waiting = yield* Effect.forkChild(Effect.flip(delayed.post(alert)))
      // jitter shortens the delay by up to half
      yield* TestClock.adjust("19 seconds")
      assert.equal(delayed.sent.length, 1)
      yield* TestClock.adjust("21 seconds")
      assert.equal(delayed.sent.length, 2)
      yield* Fiber.join(waiting)

      const capped = yield* opened({ retries: 1, delay: "40 seconds", maxDelay: 2 }, () => 500)
      const soon = yield* Effect.forkChild(Effect.flip(capped.post(alert)))
      yield* TestClock.adjust("2 seconds")
      assert.equal(capped.sent.length, 2)
      yield* Fiber.join(soon)

      if (!zoned) {
        assert.equal((yield* issues({ [name]: { ...needs("http://x.test"), timeZone: "Asia/Tokyo" } })).length, 1)
        return
      }
      const local = yield* opened({ timeZone: "Asia/Tokyo" }, () => 200)
      yield* local.post(alert)
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

const from = "jobs@example.com"

it.live("email: host, port, secure, user, password, from, to, subjectPrefix, requireTls, tls, timeZone", () =>
  Effect.gen(function*() {
    const auth = { user: "ada", pass: "s3cret" }
    const server = yield* smtpServer({ auth, secure: true })
    const post = yield* open({
      email: {
        host: "127.0.0.1",
        port: Redacted.make(String(server.port)),
        secure: true,
        user: "ada",
        password: Redacted.make("s3cret"),
        from,
        to: ["a@example.com", "b@example.com"],
        subjectPrefix: "[production]",
        requireTls: true,
        tls: { ca: server.ca },
        timeZone: "Asia/Tokyo"
      }
    })
    yield* post(alert)
    const [received] = server.received
    assert.deepEqual({ ...received, raw: "" }, {
      raw: "",
      from,
      to: ["a@example.com", "b@example.com"],
      encrypted: true,
      user: "ada"
    })
    const [mail] = yield* server.mails
    assert.ok(mail?.subject?.startsWith("[production]"), mail?.subject)
    assert.match(mail?.text ?? "", /21:40:12 Asia\/Tokyo/)
    const distrusting = yield* open({ email: { host: "127.0.0.1", port: server.port, secure: true, from, to: from } })
    yield* Effect.flip(distrusting(alert))
    assert.equal(server.received.length, 1)
  }))

it.live("email: url, rejectUnauthorized, timeout, retries, delay and maxDelay take effect", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ secure: true, behaviours: [{ at: "data", code: 451 }, "accept"] })
    const options = { from, to: from, tls: { rejectUnauthorized: false } }
    const url = Redacted.make(`smtps://127.0.0.1:${server.port}`)
    const post = yield* open({ email: { ...options, url, retries: 1, delay: "10 seconds", maxDelay: 0.001 } })
    yield* post(alert)
    assert.equal(server.received.length, 1)
    const deferred = { at: "data", code: 451 } as const
    server.behave(deferred)
    const before = server.conversations()
    yield* Effect.flip((yield* open({ email: { ...options, url, retries: 0 } }))(alert))
    assert.equal(server.conversations() - before, 1)
    server.behave(deferred, deferred, deferred, "accept")
    const [elapsed] = yield* Effect.timed((yield* open({ email: { ...options, url, delay: 0 } }))(alert))
    // with the default delay, three retries take at least 1,750 ms
    assert.ok(Duration.toMillis(elapsed) < 1500, Duration.format(elapsed))
    const plain = yield* smtpServer({ behaviours: ["hang"] })
    const hanging = yield* open({
      email: { from, to: from, url: `smtp://127.0.0.1:${plain.port}`, retries: 0, timeout: "100 millis" }
    })
    const error = yield* Effect.flip(hanging(alert))
    assert.ok(isAlerterError(error) && error.reason._tag === "TimedOut")
  }))

it.live("email: with requireTls nothing is sent to a server without TLS", () =>
  Effect.gen(function*() {
    const server = yield* cleartextServer
    const options = { host: "127.0.0.1", port: server.port, from, to: from, retries: 0 }
    yield* Effect.exit((yield* open({ email: { ...options, requireTls: Redacted.make("true") } }))(alert))
    assert.ok(!server.lines.some((line) => line.startsWith("MAIL FROM")))
    yield* Effect.exit((yield* open({ email: options }))(alert))
    assert.ok(server.lines.some((line) => line.startsWith("MAIL FROM")))
  }))

// -----------------------------------------------------------------------------
// options from the environment
// -----------------------------------------------------------------------------

const variables: Readonly<Record<string, ReadonlyArray<string>>> = {
  slack: ["SLACK_WEBHOOK_URL"],
  slackBot: ["SLACK_BOT_TOKEN"],
  discord: ["DISCORD_WEBHOOK_URL"],
  discordBot: ["DISCORD_BOT_TOKEN"],
  teams: ["TEAMS_WEBHOOK_URL"],
  telegram: ["TELEGRAM_BOT_TOKEN"],
  email: ["SMTP_URL"],
  pagerDuty: ["PAGERDUTY_ROUTING_KEY"],
  ntfy: ["NTFY_TOPIC"],
  webhook: ["ALERT_WEBHOOK_URL"],
  jsonLines: ["ALERT_FILE"]
}

it.live("the name of a channel reads its options from the environment, and a missing variable is named", () =>
  Effect.gen(function*() {
    const nothing = ConfigProvider.layer(ConfigProvider.fromEnv({ env: {} }))
    for (const [name, [variable = ""]] of Object.entries(variables)) {
      for (const spec of [name, { use: name }, { [name]: true }]) {
        const exit = yield* Effect.exit(Effect.provide(open(spec), nothing))
        assert.ok(exit._tag === "Failure" && Cause.pretty(exit.cause).includes(variable), `${name}: ${variable}`)
      }
    }
    const server = yield* channelServer({ body: "ok" })
    const env = { SLACK_WEBHOOK_URL: `${server.url}/${canary}0123456789` }
    const post = yield* Effect.provide(open("slack"), ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
    yield* post(alert)
    assert.equal(server.requests[0]?.path, `/${canary}0123456789`)
    server.reply(({ path }) => ({ status: 404, body: path }))
    assert.deepEqual(leaks([yield* Effect.flip(post(alert))]), [])
  }))
