/** Describes the channel of Mattermost in the config file. */
import * as Mattermost from "../../Mattermost.ts"
import { pathOf, serverOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const mattermost = fileChannel<Mattermost.WebhookOptions>({
  description: "A webhook of Mattermost",
  variables: { webhookUrl: "MATTERMOST_WEBHOOK_URL" },
  keys: {
    webhookUrl: required(Leaf.webhookUrl, "The address of an incoming webhook."),
    channel: optional(Leaf.text("the name of a channel"), "The channel, in place of that of the webhook."),
    username: optional(Leaf.text("a name"), "The name of the sender, in place of that of the webhook."),
    ...sending
  },
  layer: Mattermost.layer,
  // https://github.com/caronc/apprise/wiki/Notify_mattermost
  urls: [{
    schemes: ["mmost", "mmosts"],
    form: "mmosts://HOST/TOKEN?channel=CHANNEL",
    parameters: ["channel", "channels", "to"],
    read: (address) => {
      const { path, query, user } = address
      const channel = query["channel"] ?? query["channels"] ?? query["to"]
      // one request posts to one channel
      if (path.length === 0 || channel?.includes(",") === true) return undefined
      return {
        webhookUrl: `${serverOf(address)}/${pathOf([...path.slice(0, -1), "hooks", ...path.slice(-1)])}`,
        ...(channel === undefined ? {} : { channel: channel.replace(/^#/, "") }),
        ...(user === undefined ? {} : { username: user })
      }
    }
  }]
})
