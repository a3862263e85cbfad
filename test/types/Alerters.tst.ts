import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Terminal from "effect/Terminal"
import { describe, expect, test } from "tstyche"
import {
  Alertmanager,
  Apprise,
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
import * as Approvers from "../../src/approvers/index.ts"
import type { Alerter, AlerterError, Approver } from "../../src/index.ts"
import { AlerterHooks, Step } from "../../src/index.ts"

const secret = Redacted.make("secret")

describe("alerters", () => {
  test("channels are layers without requirements", () => {
    type Channel = Layer.Layer<Alerter>
    expect(Slack.layer({ webhookUrl: secret })).type.toBe<Channel>()
    expect(Slack.layerBot({ token: secret, channel: "C1" })).type.toBe<Channel>()
    expect(Discord.layer({ webhookUrl: secret })).type.toBe<Channel>()
    expect(Discord.layerBot({ token: secret, channelId: "1" })).type.toBe<Channel>()
    expect(Teams.layer({ webhookUrl: secret })).type.toBe<Channel>()
    expect(GoogleChat.layer({ webhookUrl: secret, threads: false })).type.toBe<Channel>()
    expect(Mattermost.layer({ webhookUrl: secret, channel: "ops" })).type.toBe<Channel>()
    expect(RocketChat.layer({ webhookUrl: secret, channel: "#ops" })).type.toBe<Channel>()
    expect(Matrix.layer({ server: "https://a.test", token: secret, room: "!r:a.test", silent: ["info"] })).type.toBe<
      Channel
    >()
    expect(Zulip.layer({ server: "https://a.test", email: "b@a.test", apiKey: secret, channel: "ops" })).type.toBe<
      Channel
    >()
    expect(Gotify.layer({ server: "https://a.test", token: secret, priorities: { error: 9 } })).type.toBe<Channel>()
    expect(Telegram.layer({ token: secret, chatId: "1" })).type.toBe<Channel>()
    expect(Opsgenie.layer({ apiKey: secret, priorities: { error: "P3" } })).type.toBe<Channel>()
    expect(PagerDuty.layer({ routingKey: secret })).type.toBe<Channel>()
    expect(Ntfy.layer({ topic: secret })).type.toBe<Channel>()
    expect(Alertmanager.layer({ url: "http://a.test", token: secret })).type.toBe<Channel>()
    expect(Alertmanager.layer({ url: ["http://a.test", "http://b.test"], resolveAfter: "8 days" })).type.toBe<Channel>()
    expect(Pushover.layer({ token: secret, user: secret, priorities: { error: -1 } })).type.toBe<Channel>()
    expect(Twilio.layer({ accountSid: "AC1", authToken: secret, from: "+1", to: ["+2", "+3"] })).type.toBe<Channel>()
    expect(Apprise.layer({ url: "http://a.test", key: secret })).type.toBe<Channel>()
    expect(Sentry.layer({ dsn: secret, tags: { team: "data" } })).type.toBe<Channel>()
    expect(GitHubIssues.layer({ token: secret, repository: "acme/etl" })).type.toBe<Channel>()
    expect(Webhook.layer({ url: secret })).type.toBe<Channel>()
  })

  test("Email may fail to be built, and JsonLines needs a file system", () => {
    expect(Email.layer({ host: "h", from: "a@b", to: "c@d" })).type.toBe<Layer.Layer<Alerter, AlerterError>>()
    expect(JsonLines.layer({ path: "alerts.jsonl" })).type.toBe<Layer.Layer<Alerter, never, FileSystem.FileSystem>>()
  })

  test("layers that read the environment may fail with a ConfigError", () => {
    type Channel = Layer.Layer<Alerter, Config.ConfigError>
    expect(Slack.layerConfig()).type.toBe<Channel>()
    expect(Slack.layerBotConfig()).type.toBe<Channel>()
    expect(Discord.layerConfig()).type.toBe<Channel>()
    expect(Discord.layerBotConfig()).type.toBe<Channel>()
    expect(Teams.layerConfig()).type.toBe<Channel>()
    expect(GoogleChat.layerConfig()).type.toBe<Channel>()
    expect(Mattermost.layerConfig()).type.toBe<Channel>()
    expect(RocketChat.layerConfig()).type.toBe<Channel>()
    expect(Matrix.layerConfig()).type.toBe<Channel>()
    expect(Zulip.layerConfig()).type.toBe<Channel>()
    expect(Gotify.layerConfig()).type.toBe<Channel>()
    expect(Telegram.layerConfig()).type.toBe<Channel>()
    expect(Opsgenie.layerConfig()).type.toBe<Channel>()
    expect(PagerDuty.layerConfig()).type.toBe<Channel>()
    expect(Ntfy.layerConfig()).type.toBe<Channel>()
    expect(Alertmanager.layerConfig()).type.toBe<Channel>()
    expect(Pushover.layerConfig()).type.toBe<Channel>()
    expect(Twilio.layerConfig()).type.toBe<Channel>()
    expect(Apprise.layerConfig()).type.toBe<Channel>()
    expect(Sentry.layerConfig()).type.toBe<Channel>()
    expect(GitHubIssues.layerConfig()).type.toBe<Channel>()
    expect(Webhook.layerConfig()).type.toBe<Channel>()
  })

  test("secrets must be Redacted", () => {
    expect(Slack.layer).type.not.toBeCallableWith({ webhookUrl: "https://hooks.slack.com/services/T0/B0/x" })
    expect(Slack.layerBot).type.not.toBeCallableWith({ token: "xoxb-1", channel: "C1" })
    expect(Discord.layer).type.not.toBeCallableWith({ webhookUrl: "https://discord.com/api/webhooks/1/x" })
    expect(GoogleChat.layer).type.not.toBeCallableWith({
      webhookUrl: "https://chat.googleapis.com/v1/spaces/a/messages"
    })
    expect(Mattermost.layer).type.not.toBeCallableWith({ webhookUrl: "https://mattermost.example.com/hooks/x" })
    expect(RocketChat.layer).type.not.toBeCallableWith({ webhookUrl: "https://chat.example.com/hooks/x/y" })
    expect(Matrix.layer).type.not.toBeCallableWith({ server: "https://a.test", token: "x", room: "!r:a.test" })
    expect(Zulip.layer).type.not.toBeCallableWith({
      server: "https://a.test",
      email: "b@a.test",
      apiKey: "x",
      channel: "ops"
    })
    expect(Gotify.layer).type.not.toBeCallableWith({ server: "https://a.test", token: "x" })
    expect(Telegram.layer).type.not.toBeCallableWith({ token: "1:x", chatId: "1" })
    expect(Opsgenie.layer).type.not.toBeCallableWith({ apiKey: "x" })
    expect(Opsgenie.layer).type.not.toBeCallableWith({ apiKey: secret, priorities: { error: "P6" } })
    expect(PagerDuty.layer).type.not.toBeCallableWith({ routingKey: "x" })
    expect(Alertmanager.layer).type.not.toBeCallableWith({ url: "http://a.test", token: "x" })
    expect(Alertmanager.layer).type.not.toBeCallableWith({ url: "http://a.test", basicAuth: "user:x" })
    expect(Alertmanager.layer).type.not.toBeCallableWith({ url: "http://a.test", labels: { team: 1 } })
    expect(Pushover.layer).type.not.toBeCallableWith({ token: secret, user: "x" })
    expect(Pushover.layer).type.not.toBeCallableWith({ token: secret, user: secret, priorities: { error: 3 } })
    expect(Twilio.layer).type.not.toBeCallableWith({ accountSid: "AC1", authToken: "x", from: "+1", to: "+2" })
    expect(Apprise.layer).type.not.toBeCallableWith({ url: "http://a.test", key: "x" })
    expect(Apprise.layer).type.not.toBeCallableWith({ url: "http://a.test", urls: "json://a.test" })
    expect(Sentry.layer).type.not.toBeCallableWith({ dsn: "https://k@a.test/1" })
    expect(GitHubIssues.layer).type.not.toBeCallableWith({ token: "x", repository: "acme/etl" })
    expect(Webhook.layer).type.not.toBeCallableWith({ url: "https://example.com" })
    expect(Email.layer).type.not.toBeCallableWith({ host: "h", from: "a@b", to: "c@d", password: "x" })
  })

  test("any channel provides the Alerter of hooks", () => {
    const step = Step.make("s", Effect.void).pipe(Step.hooks(AlerterHooks.all))
    expect(Effect.runPromise).type.not.toBeCallableWith(step)
    expect(Effect.provide(step, Slack.layer({ webhookUrl: secret }))).type.toBe<Effect.Effect<void>>()
    expect(Effect.provide(step, Slack.layerConfig())).type.toBe<Effect.Effect<void, Config.ConfigError>>()
  })
})

describe("approvers", () => {
  test("approvers are layers of Approver, not of Alerter", () => {
    expect(Approvers.SlackApprover.layer({ token: secret, channel: "C1" })).type.toBe<Layer.Layer<Approver>>()
    expect(Approvers.DiscordApprover.layer({ token: secret, channelId: "1" })).type.toBe<Layer.Layer<Approver>>()
    expect(Approvers.TelegramApprover.layer({ token: secret, chatId: "1" })).type.toBe<Layer.Layer<Approver>>()
    expect(Approvers.TerminalPrompt.layer()).type.toBe<Layer.Layer<Approver, never, Terminal.Terminal>>()
    expect(Approvers.SlackApprover.layerConfig()).type.toBe<Layer.Layer<Approver, Config.ConfigError>>()
    expect(Approvers.WebPage.layer()).type.toBeAssignableTo<Layer.Layer<Approver, AlerterError>>()
  })
})
