/**
 * Alerts in Discord.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Alerter } from "../Alerter.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import { address } from "./internal/channel/config.ts"
import * as internal from "./internal/discord/message.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** `https://discord.com/api/webhooks/…`. With `?thread_id=…` it posts to that thread. */
  readonly webhookUrl: Redacted.Redacted<string>
}

/**
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ChannelOptions {
  /** The bot's, without `Bot ` before it. */
  readonly token: Redacted.Redacted<string>
  /** Of a channel or a thread in which the bot may send messages and embed links. */
  readonly channelId: string
  /** `https://discord.com/api/v10` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Posts to a webhook (https://docs.discord.com/developers/resources/webhook#execute-webhook).
 *
 * An alert is one embed: 256 characters of title, 25 fields of 1,024, 4,096 of body and
 * detail, 6,000 of all
 * (https://docs.discord.com/developers/resources/message#embed-object-embed-limits). What is
 * longer is cut, the detail first, and says so. It mentions nobody.
 *
 * Attachments are sent with it, up to 8 MiB together. Where Discord refuses it with them, it is
 * sent without, and a warning is logged.
 *
 * A post that was taken but not answered is sent again, and is then there twice, as is
 * one that is repeated with the same `idempotencyKey`: a webhook has nothing to tell them
 * by. One of {@link layerBot} is not.
 *
 * @example
 * ```ts
 * import { Discord } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Discord.layer({ webhookUrl: Redacted.make("https://discord.com/api/webhooks/1/x") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: WebhookOptions): Layer.Layer<Alerter> => {
  const url = Redacted.value(options.webhookUrl)
  const request = HttpClientRequest.post(internal.waiting(url))
  return channel.layer(
    "discord",
    options,
    [url],
    (channel) =>
      Effect.succeed((alert) =>
        internal.send(channel, request, alert, (alert) => internal.webhookMessage(alert, channel.time))
      ),
    internal.maxAttached
  )
}

/**
 * {@link layer} with the address from `DISCORD_WEBHOOK_URL`, or from the config given.
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
  config: Config.Wrap<WebhookOptions> = { webhookUrl: address("DISCORD_WEBHOOK_URL") }
): Layer.Layer<Alerter, Config.ConfigError> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))

/**
 * Posts as a bot (https://docs.discord.com/developers/resources/message#create-message), with
 * the same embed as {@link layer}. Each post has a nonce, by which Discord shows it once even
 * where it had to be sent again. It is made of the alert's `idempotencyKey`, where there is
 * one, so a repeat within the few minutes for which Discord knows a nonce is not shown either.
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
export const layerBot = (options: BotOptions): Layer.Layer<Alerter> => {
  const token = Redacted.value(options.token)
  const baseUrl = withoutTrailingSlashes(options.baseUrl ?? "https://discord.com/api/v10")
  const request = HttpClientRequest.post(`${baseUrl}/channels/${encodeURIComponent(options.channelId)}/messages`).pipe(
    HttpClientRequest.setHeaders({ authorization: `Bot ${token}`, "user-agent": internal.userAgent })
  )
  return channel.layer(
    "discord",
    options,
    [token],
    (channel) =>
      Effect.succeed((alert) =>
        // one nonce for all attempts at this post
        Effect.flatMap(
          internal.nonceOf(alert, options.channelId),
          (nonce) => internal.send(channel, request, alert, (alert) => internal.botMessage(alert, channel.time, nonce))
        )
      ),
    internal.maxAttached
  )
}

/**
 * {@link layerBot} with the token from `DISCORD_BOT_TOKEN` and the channel from
 * `DISCORD_CHANNEL_ID`, or from the config given.
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
    token: Config.Redacted("DISCORD_BOT_TOKEN"),
    channelId: Config.String("DISCORD_CHANNEL_ID")
  }
): Layer.Layer<Alerter, Config.ConfigError> => Layer.unwrap(Effect.map(Config.unwrap(config), layerBot))
