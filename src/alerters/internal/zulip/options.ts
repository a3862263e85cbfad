/** Describes the channel of Zulip in the config file. */
import * as Zulip from "../../Zulip.ts"
import { serverOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const zulip = fileChannel<Zulip.ZulipOptions>({
  description: "A channel of Zulip",
  variables: { server: "ZULIP_SERVER", email: "ZULIP_EMAIL", apiKey: "ZULIP_API_KEY", channel: "ZULIP_CHANNEL" },
  optionalVariables: { topic: "ZULIP_TOPIC" },
  keys: {
    server: required(Leaf.baseUrl, "The address of the organization: `https://example.zulipchat.com`, say."),
    email: required(
      Leaf.text("the email of a bot", (text) => /^[^\s:@]+@[^\s:@]+$/.test(text)),
      "The email of the bot that posts."
    ),
    apiKey: required(Leaf.token("an API key"), "The API key of the bot."),
    channel: required(
      Leaf.id("the name or the id of a channel"),
      "The channel (a stream, before Zulip 9), by its name or its id."
    ),
    topic: optional(Leaf.text("a topic"), "The topic of all alerts. The name of the pipeline unless set."),
    ...sending
  },
  layer: Zulip.layer,
  // https://github.com/caronc/apprise/wiki/Notify_zulip
  urls: [{
    schemes: ["zulip"],
    form: "zulip://BOT@ORGANIZATION/API_KEY/CHANNEL",
    read: (address) => {
      const { path: [apiKey, channel, topic, ...more], user } = address
      if (apiKey === undefined || channel === undefined || user === undefined || more.length > 0) return undefined
      // an organization without a domain is one of Zulip Cloud
      const host = address.host.includes(".") ? address.host : `${address.host}.zulipchat.com`
      return {
        server: serverOf({ ...address, host }, true),
        email: user.includes("@") ? user : `${user.replace(/-bot$/, "")}-bot@${host}`,
        apiKey,
        channel: channel.replace(/^#/, ""),
        ...(topic === undefined ? {} : { topic })
      }
    }
  }]
})
