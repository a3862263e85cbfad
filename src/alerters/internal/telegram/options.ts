/** Describes the channel of Telegram in the config file. */
import * as Redacted from "effect/Redacted"
import { severities } from "../../../internal/model/severity.ts"
import * as Telegram from "../../Telegram.ts"
import { fileChannel, sending } from "../channel/schema/fileChannel.ts"
import * as Leaf from "../channel/schema/leaf.ts"
import { oneOrMore, optional, required } from "../channel/schema/structure.ts"

/** @internal */
export const telegram = fileChannel<Telegram.BotOptions>({
  description: "A bot in Telegram",
  variables: { token: "TELEGRAM_BOT_TOKEN", chatId: "TELEGRAM_CHAT_ID" },
  keys: {
    token: required(Leaf.token("a token"), "The bot's token, from BotFather: `123456:ABC-DEF…`."),
    chatId: required(Leaf.id("the id of a chat, or the @name of a public one"), "The chat's id, or its `@name`."),
    messageThreadId: optional(Leaf.whole(1), "The topic, in a group that has topics."),
    silent: optional(
      oneOrMore(Leaf.oneOf(severities), 0),
      "The severities of alerts that make no sound. `info` and `success` unless set."
    ),
    baseUrl: optional(
      Leaf.baseUrl,
      "The address of a Bot API server of your own. `https://api.telegram.org` unless set."
    ),
    ...sending
  },
  layer: Telegram.layer,
  // https://github.com/caronc/apprise/wiki/Notify_telegram
  urls: [{
    schemes: ["tgram"],
    form: "tgram://BOT_TOKEN/CHAT_ID",
    parameters: ["detect", "silent", "thread", "topic"],
    read: ({ host, path: [chatId, ...more], query: { silent, thread, topic = thread } }) =>
      chatId === undefined || more.length > 0 ? undefined : {
        token: host,
        chatId,
        ...(silent === undefined ? {} : { silent: /^(?:yes|true|on|1)$/i.test(silent) ? [...severities] : [] }),
        ...(topic === undefined ? {} : { messageThreadId: Redacted.make(topic) })
      }
  }]
})
