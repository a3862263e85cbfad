/**
 * Posts alerts to Discord.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Alerter } from "../Alerter.ts"
import { optionalText, text } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/discord/message.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** The webhook's URL: `https://discord.com/api/webhooks/…`. Append `?thread_id=…` to post to a thread. */
  readonly webhookUrl: Redacted.Redacted<string>
}

/**
 * The options of {@link layerBot}.
 *
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ChannelOptions {
  /** The bot's token, without `Bot ` before it. */
  readonly token: Redacted.Redacted<string>
  /** The id of a channel or a thread in which the bot may send messages and embed links. */
  readonly channelId: string
  /** The URL of the API. `https://discord.com/api/v10` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Posts alerts to a webhook (https://docs.discord.com/developers/resources/webhook#execute-webhook).
 *
 * **Details**
 *
 * An alert becomes one embed, within Discord's limits: 256 characters of title, 25 fields of
 * 1,024, 4,096 of body and detail, 6,000 in all
 * (https://docs.discord.com/developers/resources/message#embed-object-embed-limits). Longer
 * texts are cut, the detail first, and say so. Mentions in the text notify nobody.
 *
 * Attachments are sent along, up to 8 MiB together. If Discord refuses the message with its
 * attachments, it is sent without them, and a warning is logged.
 *
 * **Gotchas**
 *
 * A message can appear twice: if Discord accepted it but the answer got lost, it is sent
 * again, and webhooks know no key to recognize the repeat by. {@link layerBot} avoids that.
 *
 * @example
 * ```ts
 * import { Discord } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Discord.layer({ webhookUrl: Redacted.make("https://discord.com/api/webhooks/1/x") })
 * ```
 *
 * @see {@link layerConfig} to read the URL from the environment
 * @see {@link layerBot} to post as a bot
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: WebhookOptions): Layer.Layer<Alerter> =>
  channel.layer("discord", options, ofWebhook, () => {
    const url = Redacted.value(options.webhookUrl)
    const request = HttpClientRequest.post(internal.waiting(url))
    return {
      secrets: [url],
      start: (channel) =>
        Effect.succeed((alert) =>
          internal.send(channel, request, alert, (alert) => internal.webhookMessage(alert, channel))
        ),
      pace: internal.webhookPace,
      maxAttached: internal.maxAttached
    }
  })

const ofWebhook: channel.OwnOptions<WebhookOptions> = {
  webhookUrl: secret
}

/**
 * Like {@link layer}, with the URL from `DISCORD_WEBHOOK_URL`, or the options from a config.
 *
 * @example
 * ```ts
 * import { Discord } from "effect-epilogue/alerters"
 *
 * const alerter = Discord.layerConfig()
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<WebhookOptions> = { webhookUrl: variable.address("DISCORD_WEBHOOK_URL") }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)

/**
 * Posts alerts as a bot (https://docs.discord.com/developers/resources/message#create-message),
 * with the same embed as {@link layer}.
 *
 * **Details**
 *
 * Each message has a nonce, by which Discord recognizes a message that is sent again, and shows
 * it once. The nonce is derived from the alert's `idempotencyKey` if it has one, so a repeated
 * post is dropped too, within the few minutes for which Discord remembers nonces.
 *
 * @example
 * ```ts
 * import { Discord } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Discord.layerBot({ token: Redacted.make("the bot's token"), channelId: "1234567890" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerBot = (options: BotOptions): Layer.Layer<Alerter> =>
  channel.layer("discord", options, ofBot, () => {
    const token = Redacted.value(options.token)
    const baseUrl = withoutTrailingSlashes(options.baseUrl || "https://discord.com/api/v10")
    const request = HttpClientRequest.post(`${baseUrl}/channels/${encodeURIComponent(options.channelId)}/messages`)
      .pipe(
        HttpClientRequest.setHeaders({ authorization: `Bot ${token}`, "user-agent": internal.userAgent })
      )
    return {
      secrets: [token],
      start: (channel) =>
        Effect.succeed((alert) =>
          // one nonce for all attempts, or a retry would appear as another message
          Effect.flatMap(
            internal.nonceOf(alert, options.channelId),
            (nonce) => internal.send(channel, request, alert, (alert) => internal.botMessage(alert, channel, nonce))
          )
        ),
      pace: internal.botPace,
      maxAttached: internal.maxAttached
    }
  })

const ofBot: channel.OwnOptions<BotOptions> = {
  token: secret,
  channelId: text,
  baseUrl: optionalText
}

/**
 * Like {@link layerBot}, with the token from `DISCORD_BOT_TOKEN` and the channel from
 * `DISCORD_CHANNEL_ID`, or the options from a config.
 *
 * @example
 * ```ts
 * import { Discord } from "effect-epilogue/alerters"
 *
 * const alerter = Discord.layerBotConfig()
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerBotConfig = (
  config: Config.Wrap<BotOptions> = {
    token: variable.secret("DISCORD_BOT_TOKEN"),
    channelId: variable.text("DISCORD_CHANNEL_ID")
  }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layerBot)
