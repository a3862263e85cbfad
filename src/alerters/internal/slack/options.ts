/** Describes the channels of Slack in the config file: a webhook and a bot. */
import * as Slack from "../../Slack.ts"
import { pathOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const slack = fileChannel<Slack.WebhookOptions>({
  description: "An incoming webhook of Slack",
  variables: { webhookUrl: "SLACK_WEBHOOK_URL" },
  keys: {
    webhookUrl: required(Leaf.webhookUrl, "The address of an incoming webhook."),
    ...sending
  },
  layer: Slack.layer,
  // https://github.com/caronc/apprise/wiki/Notify_slack
  urls: [{
    schemes: ["slack"],
    form: "slack://TOKEN_A/TOKEN_B/TOKEN_C",
    read: ({ host, path, user }) =>
      path.length === 2 && user === undefined
        ? { webhookUrl: `https://hooks.slack.com/services/${pathOf([host, ...path])}` }
        : undefined
  }]
})

/** @internal */
export const slackBot = fileChannel<Slack.BotOptions>({
  description: "A bot in Slack",
  variables: { token: "SLACK_BOT_TOKEN", channel: "SLACK_CHANNEL" },
  keys: {
    token: required(Leaf.token("a token"), "The token of a bot with the scope `chat:write`: `xoxb-…`."),
    channel: required(Leaf.text("the id or the name of a channel"), "The channel's id, or its name."),
    threads: optional(Leaf.flag, "Whether the alerts of one run share a thread. They do unless this is false."),
    baseUrl: optional(Leaf.baseUrl, "The address of the Web API. `https://slack.com/api` unless set."),
    ...sending
  },
  layer: Slack.layerBot,
  urls: [{
    schemes: ["slack"],
    form: "slack://xoxb-TOKEN/#CHANNEL",
    read: ({ host, path: [channel, ...more], user }) =>
      host.startsWith("xox") && more.length === 0 && user === undefined
        // the id of a channel has a `+` before it
        ? { token: host, channel: channel?.replace(/^\+/, "") }
        : undefined
  }]
})
