/** Describes the channels of Discord in the config file: a webhook and a bot. */
import * as Discord from "../../Discord.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const discord = fileChannel<Discord.WebhookOptions>({
  description: "A webhook of Discord",
  variables: ["DISCORD_WEBHOOK_URL"],
  keys: {
    webhookUrl: required(Leaf.webhookUrl, "The address of a webhook."),
    ...sending
  },
  layer: Discord.layer,
  fromEnvironment: Discord.layerConfig
})

/** @internal */
export const discordBot = fileChannel<Discord.BotOptions>({
  description: "A bot in Discord",
  variables: ["DISCORD_BOT_TOKEN", "DISCORD_CHANNEL_ID"],
  keys: {
    token: required(Leaf.token("a token"), "The bot's token, without `Bot ` before it."),
    channelId: required(Leaf.id("the id of a channel"), "The id of a channel or a thread."),
    baseUrl: optional(Leaf.baseUrl, "The address of the API. `https://discord.com/api/v10` unless set."),
    ...sending
  },
  layer: Discord.layerBot,
  fromEnvironment: Discord.layerBotConfig
})
