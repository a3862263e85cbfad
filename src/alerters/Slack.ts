/**
 * Alerts in Slack.
 *
 * The title is the message's text, which notifications show; beside a bar of the
 * severity's colour stand the body, the fields, the detail as a code block, and the
 * time. Limits are Slack's: 3,000 characters a section, 2,000 a field and 10 fields a
 * section (https://docs.slack.dev/reference/block-kit/blocks/section-block), 50 blocks
 * (https://docs.slack.dev/reference/block-kit/blocks). Besides, all blocks together
 * have no more than 12,000 characters, since Slack refuses messages that have not many
 * more, and no more than 100 fields. What is too long is cut in the middle: the detail
 * first, then the body, then the values of fields, then their number.
 *
 * Nothing in an alert is markup, a link or a mention: `<!channel>` pings nobody.
 *
 * A post that is repeated with the same `idempotencyKey` is there twice: neither a webhook
 * nor `chat.postMessage` has an argument by which Slack would know it
 * (https://docs.slack.dev/reference/methods/chat.postMessage#arguments).
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Alerter } from "../Alerter.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import { address } from "./internal/channel/config.ts"
import * as bot from "./internal/slack/bot.ts"
import * as internal from "./internal/slack/message.ts"
import { maxAttached } from "./internal/slack/upload.ts"

/**
 * What {@link layer} needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** Of an incoming webhook: `https://hooks.slack.com/services/…`. */
  readonly webhookUrl: Redacted.Redacted<string>
}

/**
 * What {@link layerBot} needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ChannelOptions {
  /** Of a bot with the scope `chat:write`: `xoxb-…`. */
  readonly token: Redacted.Redacted<string>
  /** The channel's id, or its name. The bot must be in it, unless it has the scope `chat:write.public`. */
  readonly channel: string
  /** Whether the alerts of one run share a thread. They do unless this is `false`. */
  readonly threads?: boolean | undefined
  /** Where the Web API is. `https://slack.com/api` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Posts to an incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Slack.layer({ webhookUrl: Redacted.make("https://hooks.slack.com/services/T0/B0/x") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: WebhookOptions): Layer.Layer<Alerter> => {
  const url = Redacted.value(options.webhookUrl)
  return channel.layer(
    "slack",
    options,
    [url],
    ({ http, time }) =>
      Effect.succeed((alert) =>
        http.send(
          HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(url), {
            ...internal.message(alert, time),
            ...internal.quiet
          })
        )
      )
  )
}

/**
 * {@link layer} with the address from `SLACK_WEBHOOK_URL`, or from the config given.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Slack.layerConfig()
 * const ofTeam = Slack.layerConfig({ webhookUrl: Config.Redacted("TEAM_SLACK") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<WebhookOptions> = { webhookUrl: address("SLACK_WEBHOOK_URL") }
): Layer.Layer<Alerter, Config.ConfigError> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))

/**
 * Posts as a bot, by `chat.postMessage` (https://docs.slack.dev/reference/methods/chat.postMessage).
 *
 * Alerts with a `source` share a thread a run: the first that arrives opens it, and
 * those that follow are replies. A reply of severity `error` or `critical` is shown in
 * the channel too (`reply_broadcast`), so that nobody misses it. The threads of the
 * 1,000 runs that posted last are known, for as long as the layer lives. Where a
 * thread is gone, or locked, the next alert opens another.
 *
 * Attachments are uploaded into the thread, up to 8 MiB together, for which the bot needs the
 * scope `files:write` too (https://docs.slack.dev/reference/methods/files.getUploadURLExternal,
 * https://docs.slack.dev/reference/methods/files.completeUploadExternal). Where that fails, or
 * takes more than 10 seconds, the alert has arrived all the same, and a warning is logged.
 *
 * Where Slack says that its answer is none of success (`ok: false`), bad credentials
 * and missing scopes are `Unauthorized`, `ratelimited` is `RateLimited` and followed by
 * another attempt, and so are its internal errors, which are `Unreachable`. All else is
 * `Rejected` with Slack's word for it: `not_in_channel`, `channel_not_found`, `is_archived`.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Slack.layerBot({ token: Redacted.make("xoxb-…"), channel: "C0123456789" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerBot = (options: BotOptions): Layer.Layer<Alerter> =>
  channel.layer(
    "slack",
    options,
    [Redacted.value(options.token)],
    (channel) => Effect.sync(() => bot.post(channel, options)),
    maxAttached
  )

/**
 * {@link layerBot} with the token from `SLACK_BOT_TOKEN` and the channel from
 * `SLACK_CHANNEL`, or from the config given.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Slack.layerBotConfig()
 * const ofTeam = Slack.layerBotConfig({
 *   token: Config.Redacted("SLACK_BOT_TOKEN"),
 *   channel: Config.succeed("#etl"),
 *   threads: Config.succeed(false)
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerBotConfig = (
  config: Config.Wrap<BotOptions> = {
    token: Config.Redacted("SLACK_BOT_TOKEN"),
    channel: Config.String("SLACK_CHANNEL")
  }
): Layer.Layer<Alerter, Config.ConfigError> => Layer.unwrap(Effect.map(Config.unwrap(config), layerBot))
