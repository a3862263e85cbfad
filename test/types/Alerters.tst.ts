import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Terminal from "effect/Terminal"
import { describe, expect, test } from "tstyche"
import {
  Discord,
  Email,
  JsonLines,
  Ntfy,
  PagerDuty,
  Slack,
  Teams,
  Telegram,
  Webhook
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
    expect(Telegram.layer({ token: secret, chatId: "1" })).type.toBe<Channel>()
    expect(PagerDuty.layer({ routingKey: secret })).type.toBe<Channel>()
    expect(Ntfy.layer({ topic: secret })).type.toBe<Channel>()
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
    expect(Telegram.layerConfig()).type.toBe<Channel>()
    expect(PagerDuty.layerConfig()).type.toBe<Channel>()
    expect(Ntfy.layerConfig()).type.toBe<Channel>()
    expect(Webhook.layerConfig()).type.toBe<Channel>()
  })

  test("secrets must be Redacted", () => {
    expect(Slack.layer).type.not.toBeCallableWith({ webhookUrl: "https://hooks.slack.com/services/T0/B0/x" })
    expect(Slack.layerBot).type.not.toBeCallableWith({ token: "xoxb-1", channel: "C1" })
    expect(Discord.layer).type.not.toBeCallableWith({ webhookUrl: "https://discord.com/api/webhooks/1/x" })
    expect(Telegram.layer).type.not.toBeCallableWith({ token: "1:x", chatId: "1" })
    expect(PagerDuty.layer).type.not.toBeCallableWith({ routingKey: "x" })
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
