import { ConfigProvider, Context, DateTime, Duration, Effect, Layer, Redacted, Schema } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Telegram } from "../../src/alerters/index.ts"
import { Alert, Alerter, type Severity } from "../../src/index.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const token = `123456:${canary}-ABC_0123456789`
const accepted = { body: { ok: true, result: { message_id: 7 } } }

channelContract(test, {
  channel: "telegram",
  layer: (url, options) =>
    Telegram.layer({ ...options, token: Redacted.make(token), chatId: "-1001", baseUrl: `${url}/` }),
  accepted,
  readsBody: true
})

const fast = {
  timeout: "2 seconds",
  delay: "1 millis",
  timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin")
} as const

/** Returns an alerter that sends to a server with these replies. */
const against = (replies: ReadonlyArray<Reply>, options: Partial<Telegram.BotOptions> = {}) =>
  Effect.gen(function*() {
    const server = yield* channelServer(...replies)
    const layer = Telegram.layer({
      ...fast,
      pace: [],
      token: Redacted.make(token),
      chatId: -1001,
      baseUrl: server.url,
      ...options
    })
    const { post } = Context.get(yield* Layer.build(layer), Alerter)
    return { server, post }
  })

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">" }

interface Shown {
  readonly text: string
  /** The text less what is code, in which Telegram looks for no mentions. */
  readonly prose: string
  readonly entities: number
}

/** Returns the text that Telegram shows of HTML. Throws if Telegram would refuse it. */
const shown = (html: string): Shown => {
  const open: Array<string> = []
  let text = ""
  let prose = ""
  let count = 0
  for (const [part, closing, tag] of html.matchAll(/<(\/?)([^<>]*)>|[^<>]+|[<>]/g)) {
    if (tag !== undefined) {
      assert.ok(["b", "i", "pre", "code"].includes(tag), `tag ${tag}`)
      count++
      if (closing === "") open.push(tag)
      else assert.equal(open.pop(), tag)
      continue
    }
    assert.ok(part !== "<" && part !== ">", "a bracket is not escaped")
    const plain = part.replace(/&(\w*);?/g, (whole, name: string) => {
      assert.ok(whole.endsWith(";") && name in entities, `entity ${whole}`)
      return entities[name]!
    })
    text += plain
    if (!open.includes("pre") && !open.includes("code")) prose += plain
  }
  assert.deepEqual(open, [])
  return { text, prose, entities: count / 2 }
}

/** Finds mentions as TDLib does, which first drops some characters. */
const mentions = (text: string): ReadonlyArray<string> =>
  text.replace(/[\u2028-\u202e]/g, "").match(/(?<![\p{L}\p{N}_])@[A-Za-z0-9_]{2,32}(?![\p{L}\p{N}_])/gu) ?? []

it.live("telegram: a message shows all parts of the alert", () =>
  Effect.gen(function*() {
    const { post, server } = yield* against([accepted], { messageThreadId: 42 })
    yield* post(sample.with({ at: DateTime.makeUnsafe("2026-11-23T12:40:12Z") }))
    const { json, method, path } = server.requests[0]!
    assert.equal(`${method} ${path}`, `POST /bot${token}/sendMessage`)
    assert.deepEqual(json, {
      chat_id: -1001,
      message_thread_id: 42,
      text: [
        "❌ <b>nightly › load failed</b>",
        "Error: no such bucket",
        "<b>pipeline:</b> nightly\n<b>step:</b> load\n<b>rows:</b> 1461",
        "<pre>Error: no such bucket\n    at load (etl.ts:12:3)</pre>",
        "<i>2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)</i>"
      ].join("\n\n"),
      parse_mode: "HTML",
      link_preview_options: { is_disabled: true },
      disable_notification: false
    })
  }))

it.live("telegram: info and success are silent by default, and the severities in silent otherwise", () =>
  Effect.gen(function*() {
    const silent = (options: Partial<Telegram.BotOptions>) =>
      Effect.gen(function*() {
        const { post, server } = yield* against([accepted], options)
        const severities: ReadonlyArray<Severity> = ["info", "success", "warning", "error", "critical"]
        yield* Effect.forEach(severities, (severity) => post(Alert.make({ title: "t", severity })))
        return severities.filter((_, i) => server.requests[i]!.json.disable_notification)
      })
    assert.deepEqual(yield* silent({}), ["info", "success"])
    assert.deepEqual(yield* silent({ silent: ["warning"] }), ["warning"])
  }))

it.live("telegram: markup and mentions in an alert are shown literally", () =>
  Effect.gen(function*() {
    const { post, server } = yield* against([accepted])
    const nasty =
      "@durov <b>x</b> &lt; <a href=\"tg://user?id=1\">you</a> (@all_admins) @\u202edurov mail a@example.com </pre>"
    yield* post(
      Alert.make({ title: nasty, body: nasty, fields: [{ name: nasty.slice(0, 9), value: nasty }], detail: nasty })
    )
    const { json } = server.requests[0]!
    const { prose, text } = shown(json.text)
    assert.deepEqual(mentions(prose), [])
    // proves that the search finds mentions
    assert.deepEqual(mentions(nasty), ["@durov", "@all_admins", "@durov"])
    assert.ok(json.text.includes("&lt;b&gt;x&lt;/b&gt; &amp;lt;"))
    assert.equal(text.split("mail a@example.com").length, 5)
    assert.ok(text.includes("(@all_admins) @durov mail"))
    // a mail address is no mention
    assert.ok(prose.includes("a@example.com"))
    assert.ok(json.text.includes(`<pre>@durov &lt;b&gt;`))
  }))

const Text = Schema.String
const Input = Schema.Struct({
  title: Text,
  body: Schema.optional(Text),
  severity: Schema.Literals(["info", "success", "warning", "error", "critical"]),
  fields: Schema.Array(Schema.Struct({ name: Text, value: Text })),
  detail: Schema.optional(Text),
  // at the most three times what a message takes: scrubbing more would take seconds
  times: Schema.Literals([1, 30, 300])
})

/** Arbitrary texts, mixed with difficult ones. */
const spice = "@all <pre>&amp; \u{1f4a5}\ud83d שלום\u202e \u0000\u001b[31m`*_</b>\r\n"

it.live("telegram: any alert becomes a message within the limits", () =>
  Effect.gen(function*() {
    const { post, server } = yield* against([accepted])
    yield* forAll(Input, ({ times, ...input }) =>
      Effect.gen(function*() {
        const more = (text: string) => `${text}${spice}`.repeat(times)
        const alert = Alert.make({
          ...input,
          title: more(input.title),
          body: input.body === undefined ? undefined : more(input.body),
          fields: input.fields.map(({ name, value }) => ({ name: more(name), value: more(value) })),
          detail: input.detail === undefined ? undefined : more(input.detail)
        })
        server.requests.length = 0
        yield* post(alert)
        const { body, json } = server.requests[0]!
        assert.ok(body.isWellFormed() && String(json.text).isWellFormed())
        const { entities, prose, text } = shown(json.text)
        assert.ok(text.length <= 4096, `${text.length}`)
        assert.ok(entities <= 100)
        assert.deepEqual(mentions(prose), [])
        // oxlint-disable-next-line no-control-regex -- control characters are what it is about
        assert.ok(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text))
        if (alert.detail !== undefined) assert.ok(json.text.includes("<pre>"), "no detail")
      }), 60)
  }))

it.live("telegram: a detail of five megabytes is cut in its middle, and says how much is missing", () =>
  Effect.gen(function*() {
    const { post, server } = yield* against([accepted])
    const detail = `BEGIN ${"stack \u{1f4a5} שלום <x> ".repeat(300_000)} END`
    const [elapsed] = yield* Effect.timed(post(sample.with({ detail })))
    assert.ok(Duration.toMillis(elapsed) < 10_000, Duration.format(elapsed))
    const { text } = shown(server.requests[0]!.json.text)
    assert.ok(text.includes("\n\nBEGIN stack") && text.includes(" END\n\n"))
    const missing = /… (\d+) characters left out …/.exec(text)?.[1]
    // the rest of the detail: the text between the fields and the time, less the note
    const kept = text.slice(text.indexOf("BEGIN"), text.indexOf(" END") + " END".length).replace(/\n….*…\n/, "").length
    assert.equal(Number(missing), detail.length - kept)
    assert.ok(text.length > 4080 && text.includes("rows: 1461"))
  }))

it.live("telegram: the detail is cut first, then the body, then values of fields, then their number", () =>
  Effect.gen(function*() {
    const { post, server } = yield* against([accepted])
    const textOf = (alert: Alert) => Effect.map(post(alert), () => shown(server.requests.at(-1)!.json.text).text)
    const long = (length: number) => "x".repeat(length)
    const cuts = (text: string) => text.match(/characters left out/g)?.length ?? 0
    const base = { title: "t", body: long(3000), fields: [{ name: "f", value: long(500) }], detail: long(3000) }

    const detailCut = yield* textOf(Alert.make(base))
    assert.equal(cuts(detailCut), 1)
    assert.ok(detailCut.includes(long(3000)) && detailCut.includes(`f: ${long(500)}\n`))

    const bodyCut = yield* textOf(Alert.make({ ...base, body: long(9000), detail: undefined }))
    assert.equal(cuts(bodyCut), 1)
    assert.ok(bodyCut.includes(`f: ${long(500)}\n`))

    const valuesCut = yield* textOf(
      Alert.make({ title: "t", fields: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, long(400)])) })
    )
    assert.equal(cuts(valuesCut), 20)
    assert.ok(valuesCut.includes("f19: xxx"))

    const fewer = yield* textOf(
      Alert.make({ title: "t", fields: Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`f${i}`, `v${i}`])) })
    )
    assert.ok(fewer.includes("f34: v34\n… and 55 more\n") && !fewer.includes("f35"))
  }))

it.live("telegram: alerts follow a group that has become a supergroup to its new id", () =>
  Effect.gen(function*() {
    const moved = {
      status: 400,
      body: {
        ok: false,
        error_code: 400,
        description: "Bad Request: group chat was upgraded to a supergroup chat",
        parameters: { migrate_to_chat_id: -100999 }
      }
    }
    const { post, server } = yield* against([moved, accepted])
    yield* post("one")
    yield* post("two")
    assert.deepEqual(server.requests.map(({ json }) => json.chat_id), [-1001, -100999, -100999])

    server.reply(moved)
    const { reason } = yield* Effect.flip(post("three"))
    assert.equal(server.requests.length, 4)
    assert.deepEqual({ ...reason }, {
      _tag: "Rejected",
      status: 400,
      detail: "Bad Request: group chat was upgraded to a supergroup chat"
    })
  }))

it.live("telegram: error answers become reasons", () =>
  Effect.gen(function*() {
    const retrying = yield* against([accepted], { retries: 1 })
    const reasonOf = (status: number, body: unknown, { post, server } = retrying) =>
      Effect.gen(function*() {
        server.requests.length = 0
        server.reply({ status, body })
        const { reason } = yield* Effect.flip(post("x"))
        return { ...reason, requests: server.requests.length }
      })
    const no = (error_code: number, description: string, more = {}) => ({ ok: false, error_code, description, ...more })
    const unauthorized = (detail: string) => ({ _tag: "Unauthorized", detail, requests: 1 })
    assert.deepEqual(yield* reasonOf(401, no(401, "Unauthorized")), unauthorized("Unauthorized"))
    assert.deepEqual(yield* reasonOf(404, no(404, "Not Found")), unauthorized("Not Found"))
    assert.deepEqual(
      yield* reasonOf(403, no(403, "Forbidden: bot was kicked from the group chat")),
      unauthorized("Forbidden: bot was kicked from the group chat")
    )
    assert.deepEqual(yield* reasonOf(400, no(400, "Bad Request: chat not found")), {
      _tag: "Rejected",
      status: 400,
      detail: "Bad Request: chat not found",
      requests: 1
    })
    assert.deepEqual(yield* reasonOf(500, no(500, "Internal Server Error")), {
      _tag: "Rejected",
      status: 500,
      detail: "Internal Server Error",
      requests: 2
    })
    for (const status of [429, 200]) {
      // one that retries waits for as long as it is told to, and so do the alerts after it
      const trying = yield* against([accepted], { retries: 0 })
      const limited = yield* reasonOf(
        status,
        no(429, "Too Many Requests", { parameters: { retry_after: 900 } }),
        trying
      )
      assert.deepEqual(limited, { _tag: "RateLimited", retryAfter: Duration.seconds(900), requests: 1 })
    }
    assert.deepEqual(yield* reasonOf(200, "<html>a portal</html>"), {
      _tag: "Rejected",
      status: 200,
      detail: "this is no answer of the Bot API",
      requests: 1
    })
    // malformed answers are no defects
    for (const body of [null, [], "null", { ok: false }, { ok: false, error_code: "x", parameters: 3 }]) {
      const { _tag } = yield* reasonOf(400, body)
      assert.equal(_tag, "Rejected")
    }
  }))

it.live("telegram: layerConfig reads token and chat from the environment", () =>
  Effect.gen(function*() {
    const sent: Array<string> = []
    const http = HttpClient.make((request, url) =>
      Effect.sync(() => {
        sent.push(url.href)
        assert.ok(request.body._tag === "Uint8Array")
        sent.push(JSON.parse(new TextDecoder().decode(request.body.body)).chat_id)
        return HttpClientResponse.fromWeb(request, Response.json(accepted.body))
      })
    )
    const withEnv = (env: Readonly<Record<string, string>>) =>
      Effect.flatMap(Alerter, ({ post }) => post("hello")).pipe(
        Effect.provide(
          Telegram.layerConfig().pipe(
            Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
            Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env)))
          )
        )
      )
    yield* withEnv({ TELEGRAM_BOT_TOKEN: "1:abc", TELEGRAM_CHAT_ID: "@ops" })
    assert.deepEqual(sent, ["https://api.telegram.org/bot1:abc/sendMessage", "@ops"])
    const missing = yield* Effect.flip(withEnv({ TELEGRAM_BOT_TOKEN: "1:abc" }))
    assert.equal(missing._tag, "ConfigError")
  }))
