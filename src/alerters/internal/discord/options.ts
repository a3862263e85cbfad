/** Describes the channels of Discord in the config file: a webhook and a bot. */
import * as Discord from "../../Discord.ts"
import { pathOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const discord = fileChannel<Discord.WebhookOptions>({
  description: "A webhook of Discord",
  variables: { webhookUrl: "DISCORD_WEBHOOK_URL" },
  keys: {
    webhookUrl: required(Leaf.webhookUrl, "The address of a webhook."),
    ...sending
  },
  layer: Discord.layer,
  // https://github.com/caronc/apprise/wiki/Notify_discord
  urls: [{
    schemes: ["discord"],
    form: "discord://WEBHOOK_ID/WEBHOOK_TOKEN",
    parameters: ["thread"],
    read: ({ host, path: [token, ...more], query: { thread }, user }) =>
      token === undefined || more.length > 0 || user !== undefined ? undefined : {
        webhookUrl: `https://discord.com/api/webhooks/${pathOf([host, token])}${
          thread === undefined ? "" : `?thread_id=${encodeURIComponent(thread)}`
        }`
      }
  }]
})

/** @internal */
export const discordBot = fileChannel<Discord.BotOptions>({
  description: "A bot in Discord",
  variables: { token: "DISCORD_BOT_TOKEN", channelId: "DISCORD_CHANNEL_ID" },
  keys: {
    token: required(Leaf.token("a token"), "The bot's token, without `Bot ` before it."),
    channelId: required(Leaf.id("the id of a channel"), "The id of a channel or a thread."),
    baseUrl: optional(Leaf.baseUrl, "The address of the API. `https://discord.com/api/v10` unless set."),
    ...sending
  },
  layer: Discord.layerBot,
  urls: [{
    schemes: ["discordbot"],
    form: "discordbot://TOKEN@CHANNEL_ID",
    read: ({ host, path, user }) => path.length === 0 ? { token: user, channelId: host } : undefined
  }]
})
