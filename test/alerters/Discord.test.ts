import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { Discord } from "../../src/alerters/index.ts"
import { Alert, Alerter, type AlerterError } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

channelContract(test, {
  channel: "discord",
  layer: (url, options) =>
    Discord.layer({ ...options, webhookUrl: Redacted.make(`${url}/api/webhooks/1/${canary}0123456789`) }),
  accepted: { status: 204 },
  readsBody: false
})

channelContract(test, {
  channel: "discord",
  layer: (url, options) =>
    Discord.layerBot({ ...options, token: Redacted.make(`${canary}.Abc123.xyz`), channelId: "42", baseUrl: url }),
  accepted: { body: { id: "1", channel_id: "42" } },
  readsBody: false
})

const timeZone = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")
const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")

/** Posts alerts through one layer to one server, and returns the bodies that it received. */
const poster = (make: (url: string) => Layer.Layer<Alerter> = webhook()) =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 204 })
    const context = yield* Layer.build(make(server.url))
    return (alert: Alert) =>
      Effect.gen(function*() {
        yield* Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(Effect.provide(context))
        return server.requests.pop()!
      })
  })

const webhook = (query = "") => (url: string) =>
  Discord.layer({
    webhookUrl: Redacted.make(`${url}/api/webhooks/1/abc${query}`),
    timeZone,
    delay: "1 millis",
    pace: []
  })

const embedOf = (alert: Alert) =>
  Effect.gen(function*() {
    const post = yield* poster()
    return (yield* post(alert.with({ at }))).json.embeds[0]
  })

/** Returns the text that Discord shows of escaped text. */
const shown = (text: string): string => text.replace(/(?<!\\)`([^`]+)`|\\([^0-9A-Za-z\s])/g, "$1$2")

// -----------------------------------------------------------------------------
// rendering
// -----------------------------------------------------------------------------

it.live("an alert is an embed with title, body, fields, detail and time", () =>
  Effect.gen(function*() {
    const post = yield* poster()
    const { json, method } = yield* post(sample.with({ at }))
    assert.equal(method, "POST")
    assert.deepEqual(json, {
      embeds: [{
        title: "❌ nightly › load failed",
        color: 0xe01e5a,
        description: "Error: no such bucket\n```\nError: no such bucket\n    at load (etl.ts:12:3)\n```",
        fields: [
          { name: "pipeline", value: "nightly", inline: true },
          { name: "step", value: "load", inline: true },
          { name: "rows", value: "1461", inline: true }
        ],
        footer: { text: "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)" },
        timestamp: "2026-11-23T12:40:12.000Z"
      }],
      allowed_mentions: { parse: [] }
    })
  }))

it.live("each severity has its own colour and symbol", () =>
  Effect.gen(function*() {
    const severities = ["info", "success", "warning", "error", "critical"] as const
    const embeds = yield* Effect.forEach(severities, (severity) => embedOf(Alert.make({ title: "t", severity })))
    assert.equal(new Set(embeds.map(({ color }) => color)).size, 5)
    assert.deepEqual(embeds.map(({ title }) => title), ["ℹ️ t", "✅ t", "⚠️ t", "❌ t", "🚨 t"])
  }))

it.live("parts that an alert lacks are left out, and invisible texts of fields become a dash", () =>
  Effect.gen(function*() {
    const embed = yield* embedOf(Alert.make("t"))
    assert.deepEqual(Object.keys(embed).toSorted(), ["color", "footer", "timestamp", "title"])
    const blank = yield* embedOf(Alert.make({ title: "t", body: " ", detail: "\n", fields: { "": "", a: "\u0000" } }))
    assert.equal(blank.description, undefined)
    assert.deepEqual(blank.fields, [
      { name: "–", value: "–", inline: true },
      { name: "a", value: "–", inline: true }
    ])
  }))

it.live("long or multi-line field values are not shown inline", () =>
  Effect.gen(function*() {
    const { fields } = yield* embedOf(
      Alert.make({ title: "t", fields: { long: "x".repeat(60), lines: "a\nb", no: "x" } })
    )
    assert.deepEqual(fields.map(({ inline }: { inline: boolean }) => inline), [false, false, true])
  }))

// -----------------------------------------------------------------------------
// markup and mentions
// -----------------------------------------------------------------------------

it.live("markup and mentions in an alert are shown literally, and notify nobody", () =>
  Effect.gen(function*() {
    const texts = [
      "@everyone",
      "@here",
      "<@123>",
      "<@!123>",
      "<@&123>",
      "<#123>",
      "<t:1618953630>",
      "[x](http://evil.test)",
      "http://x.test/a_b_c",
      "*a* **b** _c_ __d__ ~~e~~ ||f|| `g` ```h```",
      ":smile:",
      "# no heading",
      "> no quote",
      "- no list",
      "1. no list",
      "-# no small print",
      "back\\slash \\*",
      "etl.ts:100:3",
      "nightly-etl"
    ]
    const post = yield* poster()
    for (const text of texts) {
      const { json } = yield* post(Alert.make({ title: text, body: text, fields: { [text]: text } }))
      assert.deepEqual(json.allowed_mentions, { parse: [] })
      const { description, fields, title } = json.embeds[0]
      const escaped = [title.slice("ℹ️ ".length), description, fields[0].name, fields[0].value]
      for (const part of escaped) {
        assert.equal(shown(part), text)
        const outside = part.replace(/(?<!\\)`[^`]+`/g, "")
        assert.doesNotMatch(outside, /@(everyone|here|[!&]?\d)/)
        assert.doesNotMatch(outside, /(?<!\\)(\\\\)*[*_~`|<>[\]]/)
        assert.doesNotMatch(part, /(?<!\\):(\/\/|smile:|100:)|^([-#+]|\d+\.)/m)
      }
    }
    // plain text is not escaped
    const { title } = yield* embedOf(Alert.make("nightly-etl (etl.ts:12:3), 50% a@b.test!"))
    assert.equal(title, "ℹ️ nightly-etl (etl.ts:12:3), 50% a@b.test!")
  }))

it.live("backticks in a detail do not end its code block: one with three is shown as other texts are", () =>
  Effect.gen(function*() {
    const detail = "``` @everyone ````\n`a` ` ```"
    const { description } = yield* embedOf(Alert.make({ title: "t", detail }))
    assert.equal(shown(description), detail)
    assert.doesNotMatch(description, /``/)
    const two = yield* embedOf(Alert.make({ title: "t", detail: "`` @everyone `" }))
    assert.equal(two.description, "```\n`` @everyone `\n```")
  }))

// -----------------------------------------------------------------------------
// limits
// -----------------------------------------------------------------------------

interface Embed {
  readonly title: string
  readonly description?: string
  readonly fields?: ReadonlyArray<{ readonly name: string; readonly value: string }>
  readonly footer: { readonly text: string }
}

const assertWithinLimits = ({ description = "-", fields = [], footer, title }: Embed): void => {
  const texts = [title, description, footer.text, ...fields.flatMap(({ name, value }) => [name, value])]
  assert.ok(title.length <= 256, `title: ${title.length}`)
  assert.ok(description.length <= 4096, `description: ${description.length}`)
  assert.ok(fields.length <= 25, `fields: ${fields.length}`)
  assert.ok(fields.every(({ name, value }) => name.length <= 256 && value.length <= 1024))
  assert.ok(texts.join("").length <= 6000, `all: ${texts.join("").length}`)
  for (const text of texts) {
    assert.ok(text.isWellFormed())
    // Discord trims texts, and refuses those of which nothing is left
    assert.notEqual(text.trim(), "")
    // oxlint-disable-next-line no-control-regex -- control characters are what it is about
    assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
  }
}

it.live("any alert becomes a valid embed within the limits", () =>
  Effect.gen(function*() {
    const post = yield* poster()
    yield* forAll(AnyAlert, (any) =>
      Effect.gen(function*() {
        const { json } = yield* post(alertOf(any))
        assert.equal(json.embeds.length, 1)
        assertWithinLimits(json.embeds[0])
      }), 150)
  }))

it.live("a detail of five megabytes is cut in its middle, and says how much is missing", () =>
  Effect.gen(function*() {
    const post = yield* poster()
    const alert = Alert.make({ title: "t", body: "the body", fields: { a: "b" }, detail: hugeDetail() })
    const [elapsed, { json }] = yield* Effect.timed(post(alert))
    const [embed] = json.embeds
    assertWithinLimits(embed)
    assert.ok(embed.description.length > 4000)
    assert.match(
      embed.description,
      /^the body\n```\nError: BEGINNING\n[^]*… \d{7} characters left out …[^]*at END\n```$/
    )
    assert.deepEqual(embed.fields, [{ name: "a", value: "b", inline: true }])
    assert.ok(Duration.toMillis(elapsed) < 10_000, Duration.format(elapsed))
  }))

it.live("if all parts are long, the detail and the body are cut first, then the values of fields", () =>
  Effect.gen(function*() {
    const fields = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`name ${i}`, `${i} `.repeat(400)]))
    const long = Alert.make({ title: "T".repeat(300), body: "b".repeat(9000), detail: "d".repeat(9000), fields })
    const embed = yield* embedOf(long)
    assertWithinLimits(embed)
    assert.equal(embed.fields.length, 25)
    assert.match(embed.title, /^ℹ️ T+…$/)
    assert.match(embed.fields[24].value, /^24 24 [^]*… \d+ characters left out …/)
    const [body, detail] = embed.description.split("\n```\n")
    assert.ok(body.length >= 400 && detail.length >= 900, `${body.length} ${detail.length}`)

    const alone = yield* embedOf(Alert.make({ title: "t", body: "b".repeat(2000), detail: "d".repeat(9000) }))
    assert.ok(alone.description.startsWith("b".repeat(2000) + "\n```\nddd"))
  }))

it.live("fields beyond the limit are replaced by their number", () =>
  Effect.gen(function*() {
    const fields = Array.from({ length: 30 }, (_, i) => ({ name: `n${i}`, value: "v" }))
    const few = yield* embedOf(Alert.make({ title: "t", fields }))
    assert.equal(few.fields.length, 25)
    assert.deepEqual(few.fields[23], { name: "n23", value: "v", inline: true })
    assert.deepEqual(few.fields[24], { name: "…", value: "and 6 more", inline: false })

    const wide = fields.slice(0, 25).map(({ name }) => ({ name: name.padEnd(250, "x"), value: "v".repeat(1000) }))
    const fewer = yield* embedOf(Alert.make({ title: "t", fields: wide }))
    assertWithinLimits(fewer)
    const more = fewer.fields.at(-1)
    assert.equal(more.value, `and ${25 - (fewer.fields.length - 1)} more`)
    assert.ok(fewer.fields.length > 10)
  }))

// -----------------------------------------------------------------------------
// webhook and bot
// -----------------------------------------------------------------------------

it.live("a webhook's query is kept, and wait is added to it", () =>
  Effect.gen(function*() {
    const paths = yield* Effect.forEach(["", "?thread_id=7", "?wait=false"], (query) =>
      Effect.gen(function*() {
        const post = yield* poster(webhook(query))
        return (yield* post(Alert.make("t"))).path
      }))
    const path = "/api/webhooks/1/abc"
    assert.deepEqual(paths, [`${path}?wait=true`, `${path}?thread_id=7&wait=true`, `${path}?wait=false`])
  }))

it.live("an invalid URL is an error that does not quote it", () =>
  Effect.gen(function*() {
    const layer = Discord.layer({ webhookUrl: Redacted.make(`no address ${canary}`), retries: 0 })
    const error: AlerterError = yield* Effect.flatMap(Alerter, (alerter) => alerter.post("t")).pipe(
      Effect.provide(layer),
      Effect.flip
    )
    assert.equal(error.reason._tag, "Rejected")
    assert.ok(!error.message.includes(canary), error.message)
  }))

const bot = (url: string) =>
  Discord.layerBot({
    token: Redacted.make("t0ken"),
    channelId: "42",
    baseUrl: `${url}/`,
    timeZone,
    delay: "1 millis",
    pace: []
  })

it.live("a bot posts the same embed to its channel", () =>
  Effect.gen(function*() {
    const post = yield* poster(bot)
    const { headers, json, path } = yield* post(sample.with({ at }))
    assert.equal(path, "/channels/42/messages")
    assert.equal(headers.authorization, "Bot t0ken")
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
    assert.equal(headers["user-agent"], `DiscordBot (https://www.npmjs.com/package/effect-epilogue, ${version})`)
    assert.deepEqual(json.embeds, [yield* embedOf(sample)])
    assert.deepEqual(json.allowed_mentions, { parse: [] })
  }))

it.live("all attempts at a bot's post have the same nonce, and the next post has another", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 500 }, "reset", {})
    const context = yield* Layer.build(bot(server.url))
    const post = Effect.flatMap(Alerter, (alerter) => alerter.post("t")).pipe(Effect.provide(context))
    yield* post
    yield* post
    const nonces = server.requests.map(({ json }) => json.nonce)
    assert.equal(nonces.length, 4)
    assert.equal(new Set(nonces.slice(0, 3)).size, 1)
    assert.notEqual(nonces[3], nonces[0])
    assert.ok(server.requests.every(({ json }) => json.enforce_nonce === true))
    assert.ok(nonces.every((nonce) => typeof nonce === "string" && nonce.length > 15 && nonce.length <= 25))
  }))

it.live("a bot's nonce is the same in a repeated post, and differs by key and channel", () =>
  Effect.gen(function*() {
    const nonceOf = (idempotencyKey: string, channelId = "42") =>
      Effect.gen(function*() {
        const post = yield* poster((baseUrl) =>
          Discord.layerBot({ token: Redacted.make("t0ken"), channelId, baseUrl, timeZone, pace: [] })
        )
        const { json } = yield* post(sample.with({ idempotencyKey }))
        assert.equal(json.enforce_nonce, true)
        assert.match(json.nonce, /^[0-9a-f]{25}$/)
        return String(json.nonce)
      })
    const nonce = yield* nonceOf("k")
    assert.equal(yield* nonceOf("k"), nonce)
    const others = [yield* nonceOf("k2"), yield* nonceOf("k", "43"), yield* nonceOf("\ud800"), yield* nonceOf("\udc00")]
    // an empty key counts as none
    others.push(yield* nonceOf(""), yield* nonceOf(""))
    assert.equal(new Set([nonce, ...others]).size, 7)
  }))

it.live("Discord's error answers become reasons, and its retry_after is honoured", () =>
  Effect.gen(function*() {
    const errorOf = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      Effect.gen(function*() {
        const server = yield* channelServer({ status, body, headers })
        const layer = Discord.layerBot({
          token: Redacted.make("t0ken"),
          channelId: "42",
          baseUrl: server.url,
          retries: 0
        })
        const post = Effect.flatMap(Alerter, (alerter) => alerter.post("t"))
        return (yield* Effect.flip(Effect.provide(post, layer))).message
      })
    assert.equal(
      yield* errorOf(404, { message: "Unknown Webhook", code: 10015 }),
      "discord: the alert was rejected (404): {\"message\":\"Unknown Webhook\",\"code\":10015}"
    )
    assert.equal(
      yield* errorOf(403, { message: "Missing Access", code: 50001 }),
      "discord: the credentials were not accepted: {\"message\":\"Missing Access\",\"code\":50001}"
    )
    assert.equal(
      yield* errorOf(401, { message: "401: Unauthorized", code: 0 }),
      "discord: the credentials were not accepted: {\"message\":\"401: Unauthorized\",\"code\":0}"
    )
    const limited = { message: "You are being rate limited.", retry_after: 1.337, global: false }
    assert.equal(
      yield* errorOf(429, limited, { "retry-after": "2", "x-ratelimit-scope": "user" }),
      "discord: too many alerts, the next may come in 1.3 s"
    )
  }))

// -----------------------------------------------------------------------------
// config
// -----------------------------------------------------------------------------

const withEnv = (env: Record<string, string>) => Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))

const post = Effect.flatMap(Alerter, (alerter) => alerter.post("t"))

it.live("layerConfig reads the URL from DISCORD_WEBHOOK_URL", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 204 })
    yield* post.pipe(
      Effect.provide(Discord.layerConfig()),
      withEnv({ DISCORD_WEBHOOK_URL: `${server.url}/api/webhooks/1/abc` })
    )
    assert.equal(server.requests[0]?.path, "/api/webhooks/1/abc?wait=true")
    const error = yield* post.pipe(Effect.provide(Discord.layerConfig()), withEnv({}), Effect.flip)
    assert.equal(error._tag, "ConfigError")
    assert.match(String(error), /DISCORD_WEBHOOK_URL/)
  }))

it.live("layerBotConfig reads token and channel from DISCORD_BOT_TOKEN and DISCORD_CHANNEL_ID", () =>
  Effect.gen(function*() {
    const env = { DISCORD_BOT_TOKEN: canary, DISCORD_CHANNEL_ID: "42" }
    yield* Effect.scoped(Layer.build(Discord.layerBotConfig())).pipe(withEnv(env))
    for (const missing of ["DISCORD_BOT_TOKEN", "DISCORD_CHANNEL_ID"] as const) {
      const { [missing]: _, ...rest } = env
      const error = yield* post.pipe(Effect.provide(Discord.layerBotConfig()), withEnv(rest), Effect.flip)
      assert.match(String(error), new RegExp(missing))
      assert.ok(!String(error).includes(canary))
    }
  }))
