/** Describes the channels of Slack in the config file: a webhook and a bot. */
import * as Slack from "../../Slack.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const slack = fileChannel<Slack.WebhookOptions>({
  description: "An incoming webhook of Slack",
  variables: ["SLACK_WEBHOOK_URL"],
  keys: {
    webhookUrl: required(Leaf.webhookUrl, "The address of an incoming webhook."),
    ...sending
  },
  layer: Slack.layer,
  fromEnvironment: Slack.layerConfig
})

/** @internal */
export const slackBot = fileChannel<Slack.BotOptions>({
  description: "A bot in Slack",
  variables: ["SLACK_BOT_TOKEN", "SLACK_CHANNEL"],
  keys: {
    token: required(Leaf.token("a token"), "The token of a bot with the scope `chat:write`: `xoxb-…`."),
    channel: required(Leaf.text("the id or the name of a channel"), "The channel's id, or its name."),
    threads: optional(Leaf.flag, "Whether the alerts of one run share a thread. They do unless this is false."),
    baseUrl: optional(Leaf.baseUrl, "The address of the Web API. `https://slack.com/api` unless set."),
    ...sending
  },
  layer: Slack.layerBot,
  fromEnvironment: Slack.layerBotConfig
})
