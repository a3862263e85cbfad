/** Describes the channel of Rocket.Chat in the config file. */
import * as RocketChat from "../../RocketChat.ts"
import { pathOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** The tokens of a webhook have a slash between them, which Apprise takes as it is, too, before the `@`. */
const shape = /^(?:([^:/@]+):)?([A-Za-z0-9]+)(?:\/|%2F)([A-Za-z0-9]+)@([^/?@]+)\/?(?:[^?]*)/i

/** @internal */
export const rocketChat = fileChannel<RocketChat.WebhookOptions>({
  description: "A webhook of Rocket.Chat",
  variables: { webhookUrl: "ROCKET_CHAT_WEBHOOK_URL" },
  keys: {
    webhookUrl: required(Leaf.webhookUrl, "The address of an incoming webhook."),
    channel: optional(
      Leaf.text("a channel as in #name, or a user as in @name"),
      "The channel, in place of that of the webhook, which must allow it."
    ),
    username: optional(Leaf.text("a name"), "The name of the sender, in place of that of the webhook."),
    ...sending
  },
  layer: RocketChat.layer,
  // https://github.com/caronc/apprise/wiki/Notify_rocketchat
  urls: [{
    schemes: ["rocket", "rockets"],
    form: "rockets://TOKEN_A/TOKEN_B@HOST/#CHANNEL",
    parameters: ["mode"],
    read: ({ path, rest, scheme }) => {
      const [, username, a = "", b = "", host = ""] = shape.exec(rest) ?? []
      // the segments behind the host
      const channels = path.slice(path.findIndex((segment) => segment.includes("@") && !segment.startsWith("@")) + 1)
      if (a === "" || channels.length > 1) return undefined
      return {
        webhookUrl: `${scheme === "rockets" ? "https" : "http"}://${host}/hooks/${pathOf([a, b])}`,
        ...(channels[0] === undefined ? {} : { channel: channels[0] }),
        ...(username === undefined ? {} : { username })
      }
    }
  }]
})
