/** Describes the channel of Google Chat in the config file. */
import * as GoogleChat from "../../GoogleChat.ts"
import { pathOf } from "../channel/schema/channelUrl.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const googleChat = fileChannel<GoogleChat.WebhookOptions>({
  description: "A webhook of Google Chat",
  variables: { webhookUrl: "GOOGLE_CHAT_WEBHOOK_URL" },
  keys: {
    webhookUrl: required(Leaf.webhookUrl, "The address of a webhook."),
    threads: optional(Leaf.flag, "Whether all alerts about one subject share a thread. True unless set."),
    ...sending
  },
  layer: GoogleChat.layer,
  // https://github.com/caronc/apprise/wiki/Notify_googlechat
  urls: [{
    schemes: ["gchat"],
    form: "gchat://SPACE/KEY/TOKEN",
    parameters: ["thread"],
    read: ({ host, path: [key = "", token = "", inPath, ...more], query: { thread = inPath } }) =>
      token === "" || more.length > 0 ? undefined : {
        webhookUrl: `https://chat.googleapis.com/v1/spaces/${pathOf([host])}/messages?${new URLSearchParams({
          key,
          token,
          ...(thread === undefined ? {} : { threadKey: thread })
        })}`
      }
  }]
})
