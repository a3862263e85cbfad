/** Posts to a webhook and as a bot of Discord: addresses, repeats, answers and configuration. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { Discord } from "../../src/alerters/index.ts"
import { Alert, Alerter, type AlerterError } from "../../src/index.ts"
import { canary } from "../support/canary.ts"
import { sample } from "../support/channelContract.ts"
import { channelServer } from "../support/channelServer.ts"
import { at, embedOf, poster, timeZone, webhook } from "../support/discordPosts.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

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
