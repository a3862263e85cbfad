/**
 * Tests that channels refuse options that JavaScript, a spread and a variable that is not set let through: unknown ones,
 * missing ones, and those of another kind.
 */
import { NodeFileSystem } from "@effect/platform-node"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import * as alerters from "../../src/alerters/index.ts"
import {
  Alertmanager,
  Apprise,
  Console,
  Discord,
  Email,
  GitHubIssues,
  GoogleChat,
  Gotify,
  JsonLines,
  Matrix,
  Mattermost,
  Ntfy,
  Opsgenie,
  PagerDuty,
  Pushover,
  RocketChat,
  Sentry,
  Slack,
  Teams,
  Telegram,
  Twilio,
  Webhook,
  Zulip
} from "../../src/alerters/index.ts"
import type { Alerter } from "../../src/index.ts"
import { token, webhookUrl } from "../support/channels.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const server = "https://example.com"
const mail = { from: "jobs@example.com", to: "ops@example.com" }
const smtp = Redacted.make("smtps://jobs:s3cr3t@mail.example.com")

type Make = (more: object) => Layer.Layer<Alerter, unknown>

/** All layers, each with the name of its channel in errors, and with more options than it has. */
const layers: Readonly<Record<string, readonly [channel: string, make: Make]>> = {
  "Alertmanager.layer": ["alertmanager", (more) => Alertmanager.layer({ url: server, ...more })],
  "Apprise.layer": ["apprise", (more) => Apprise.layer({ url: server, key: token, ...more })],
  "Console.layer": ["console", (more) => Console.layer({ ...more })],
  "Discord.layer": ["discord", (more) => Discord.layer({ webhookUrl, ...more })],
  "Discord.layerBot": ["discord", (more) => Discord.layerBot({ token, channelId: "1", ...more })],
  "Email.layer": ["email", (more) => Email.layer({ host: "mail.example.com", user: "jobs", ...mail, ...more })],
  "GitHubIssues.layer": ["gitHubIssues", (more) => GitHubIssues.layer({ token, repository: "acme/etl", ...more })],
  "GoogleChat.layer": ["googleChat", (more) => GoogleChat.layer({ webhookUrl, ...more })],
  "Gotify.layer": ["gotify", (more) => Gotify.layer({ server, token, ...more })],
  "JsonLines.layer": [
    "file",
    (more) => Layer.provide(JsonLines.layer({ path: "alerts.jsonl", ...more }), NodeFileSystem.layer)
  ],
  "Matrix.layer": ["matrix", (more) => Matrix.layer({ server, token, room: "!r:example.com", ...more })],
  "Mattermost.layer": ["mattermost", (more) => Mattermost.layer({ webhookUrl, ...more })],
  "Ntfy.layer": ["ntfy", (more) => Ntfy.layer({ topic: "nightly", ...more })],
  "Opsgenie.layer": ["opsgenie", (more) => Opsgenie.layer({ apiKey: token, ...more })],
  "PagerDuty.layer": ["pagerduty", (more) => PagerDuty.layer({ routingKey: token, ...more })],
  "Pushover.layer": ["pushover", (more) => Pushover.layer({ token, user: token, ...more })],
  "RocketChat.layer": ["rocketChat", (more) => RocketChat.layer({ webhookUrl, ...more })],
  "Sentry.layer": ["sentry", (more) => Sentry.layer({ dsn: Redacted.make("https://0123@o0.example.com/0"), ...more })],
  "Slack.layer": ["slack", (more) => Slack.layer({ webhookUrl, ...more })],
  "Slack.layerBot": ["slack", (more) => Slack.layerBot({ token, channel: "C1", ...more })],
  "Teams.layer": ["teams", (more) => Teams.layer({ webhookUrl, ...more })],
  "Telegram.layer": ["telegram", (more) => Telegram.layer({ token, chatId: 1, ...more })],
  "Twilio.layer": [
    "twilio",
    (more) => Twilio.layer({ accountSid: "AC1", authToken: token, from: "+15557122661", to: "+15558675310", ...more })
  ],
  "Webhook.layer": ["webhook", (more) => Webhook.layer({ url: webhookUrl, secret: token, ...more })],
  "Zulip.layer": [
    "zulip",
    (more) => Zulip.layer({ server, email: "b@example.com", apiKey: token, channel: "ops", ...more })
  ]
}

/** The secrets of each channel that has some. */
const secrets: Readonly<Record<string, ReadonlyArray<string>>> = {
  "Alertmanager.layer": ["token", "basicAuth"],
  "Apprise.layer": ["key", "urls", "basicAuth"],
  "Discord.layer": ["webhookUrl"],
  "Discord.layerBot": ["token"],
  "Email.layer": ["password"],
  "GitHubIssues.layer": ["token"],
  "GoogleChat.layer": ["webhookUrl"],
  "Gotify.layer": ["token"],
  "Matrix.layer": ["token"],
  "Mattermost.layer": ["webhookUrl"],
  "Ntfy.layer": ["token"],
  "Opsgenie.layer": ["apiKey"],
  "PagerDuty.layer": ["routingKey"],
  "Pushover.layer": ["token", "user"],
  "RocketChat.layer": ["webhookUrl"],
  "Sentry.layer": ["dsn"],
  "Slack.layer": ["webhookUrl"],
  "Slack.layerBot": ["token"],
  "Teams.layer": ["webhookUrl"],
  "Telegram.layer": ["token"],
  "Twilio.layer": ["authToken"],
  "Webhook.layer": ["url", "secret"],
  "Zulip.layer": ["apiKey"]
}

/** The texts that each channel can't do without. */
const texts: Readonly<Record<string, ReadonlyArray<string>>> = {
  "Alertmanager.layer": ["url"],
  "Apprise.layer": ["url"],
  "Discord.layerBot": ["channelId"],
  "Email.layer": ["host", "from", "to"],
  "GitHubIssues.layer": ["repository"],
  "Gotify.layer": ["server"],
  "JsonLines.layer": ["path"],
  "Matrix.layer": ["server", "room"],
  "Ntfy.layer": ["topic"],
  "Slack.layerBot": ["channel"],
  "Telegram.layer": ["chatId"],
  "Twilio.layer": ["accountSid", "from", "to"],
  "Zulip.layer": ["server", "email", "channel"]
}

/** The secrets that a channel can do without. An empty one is none, save the one with which a webhook signs. */
const optional = ["basicAuth", "key", "password", "urls", "Alertmanager.token", "Ntfy.token", "Webhook.secret"]

/** Builds a layer, and returns with what that died, or what making it threw. */
const refusal = (make: () => Layer.Layer<Alerter, unknown>) =>
  Effect.suspend(() => Effect.scoped(Layer.build(make()))).pipe(Effect.sandbox, Effect.flip, Effect.map(Cause.squash))

for (const [name, [channel, make]] of Object.entries(layers)) {
  it.effect(`${name} refuses an option that it does not have`, () =>
    Effect.gen(function*() {
      const refused = yield* refusal(() => make({ timout: "5 seconds" }))
      assert.ok(refused instanceof TypeError, String(refused))
      const start = `${channel}: it has no option "timout", only `
      assert.equal(refused.message.slice(0, start.length), start)
    }))
}

for (const [name, options] of Object.entries(secrets)) {
  it.effect(`${name} refuses a secret that is a plain text, by its name and without the text`, () =>
    Effect.gen(function*() {
      const [channel, make] = layers[name]!
      for (const option of options) {
        const refused = yield* refusal(() => make({ [option]: "0123456789abcdef" }))
        assert.equal(String(refused), `TypeError: ${channel}: ${option} must be a Redacted, got string`)
      }
    }))
}

for (const [name, options] of Object.entries(texts)) {
  it.effect(`${name} refuses a text that is missing, empty or of another kind, by its name`, () =>
    Effect.gen(function*() {
      const [channel, make] = layers[name]!
      for (const option of options) {
        const wrong = [undefined, null, " ", {}, [], new URL("https://jobs:s3cr3t@example.com"), Symbol("a"), () => "a"]
        // an empty one is an error of Email's own
        for (
          const value of name === "Email.layer"
            ? wrong.filter((value) => value !== " " && String(value))
            : [...wrong, ""]
        ) {
          const refused = String(yield* refusal(() => make({ [option]: value })))
          assert.match(refused, new RegExp(`^TypeError: ${channel}: ${option} must be a text[ ,].*, got \\S+$`))
          assert.doesNotMatch(refused, /s3cr3t/)
        }
      }
    }))
}

for (const [name, options] of Object.entries(secrets)) {
  it.effect(`${name} refuses a secret without a text, as one of a variable that is not set`, () =>
    Effect.gen(function*() {
      const [channel, make] = layers[name]!
      for (const option of options) {
        const needed = !optional.includes(option) && !optional.includes(`${name.split(".")[0]}.${option}`)
        // a cast, as of `process.env.TOKEN!`
        for (const value of [undefined as unknown as string, ...(needed ? ["", " "] : [])]) {
          const refused = yield* refusal(() => make({ [option]: Redacted.make(value) }))
          assert.match(
            String(refused),
            new RegExp(`^TypeError: ${channel}: .*the value of ${option} must be a text that is not empty, got \\S+`)
          )
        }
      }
    }))
}

it.effect("a refusal names all that is missing", () =>
  Effect.gen(function*() {
    // casts, since options that are variables may be missing where no types are checked
    const nothing = {} as Zulip.ZulipOptions
    assert.equal(
      String(yield* refusal(() => Zulip.layer(nothing))),
      "TypeError: zulip: server must be a text that is not empty, got undefined; email must be a text that is not empty, " +
        "got undefined; apiKey must be a Redacted, got undefined; channel must be a text that is not empty, got undefined"
    )
    assert.match(
      String(yield* refusal(() => Slack.layer(undefined as unknown as Slack.WebhookOptions))),
      /webhookUrl must/
    )
  }))

it.effect("a time zone is one, and not its name", () =>
  Effect.gen(function*() {
    for (const [name, [channel, make]] of Object.entries(layers)) {
      if (name === "JsonLines.layer") continue
      assert.equal(
        String(yield* refusal(() => make({ timeZone: "Europe/Berlin" }))),
        `TypeError: ${channel}: timeZone must be a TimeZone, got string`
      )
    }
  }))

it.effect("a chat has an id that is whole, and several recipients are each a text", () =>
  Effect.gen(function*() {
    for (const chatId of [0, NaN, 1.5, Infinity]) {
      assert.equal(
        String(yield* refusal(() => layers["Telegram.layer"]![1]({ chatId }))),
        `TypeError: telegram: chatId must be the id of a chat, got ${chatId}`
      )
    }
    for (const [name, option] of [["Twilio", "to"], ["Alertmanager", "url"]] as const) {
      assert.match(
        String(yield* refusal(() => layers[`${name}.layer`]![1]({ [option]: ["+15558675310", undefined] }))),
        new RegExp(`: each of ${option} must be a text that is not empty, got undefined$`)
      )
    }
  }))

for (const [name, [channel, make]] of Object.entries(layers)) {
  it.effect(`${name} refuses options of any other kind in words, not with an error of the runtime`, () =>
    Effect.gen(function*() {
      const all = String(yield* refusal(() => make({ timout: 1 }))).split(", only ")[1]!.split(", ")
      for (const option of all) {
        for (const value of [undefined, null, "", 0, NaN, -1, [], {}, [undefined], Symbol("a"), () => "a", true]) {
          const exit = yield* Effect.exit(Effect.suspend(() => Effect.scoped(Layer.build(make({ [option]: value })))))
          const said = exit._tag === "Success" ? undefined : String(Cause.squash(exit.cause))
          if (said !== undefined) assert.match(said, new RegExp(`^(TypeError|AlerterError): ${channel}: `), option)
        }
      }
    }))
}

test("every layer of a channel is in the table", () => {
  const all = Object.entries(alerters).flatMap(([module, exported]) =>
    Object.keys(exported).filter((name) => /^layer(?!.*Config$)/.test(name)).map((name) => `${module}.${name}`)
  )
  assert.deepEqual(Object.keys(layers), all.toSorted())
})

it.effect("a refusal names the options that there are, those of the channel first", () =>
  Effect.gen(function*() {
    const misspelt = { chanel: "C2", retry: 1 }
    assert.equal(
      String(yield* refusal(() => Slack.layerBot({ token, channel: "C1", ...misspelt }))),
      "TypeError: slack: it has no option \"chanel\", \"retry\", only token, channel, threads, baseUrl, " +
        "timeout, retries, delay, maxDelay, pace, drain, capacity, timeZone"
    )
  }))

it.effect("mails to a server that is named by its URL have no options that say the same as the URL", () =>
  Effect.gen(function*() {
    const more = { port: 25 }
    const refused = yield* refusal(() => Email.layerConfig(Config.succeed({ url: smtp, ...mail, ...more })))
    assert.match(String(refused), /^TypeError: email: it has no option "port", only url, from, to, /)
  }))
