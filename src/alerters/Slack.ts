/**
 * Posts alerts to Slack, and to receivers that take Slack's webhooks.
 *
 * **Details**
 *
 * Below the title, beside a bar in the severity's colour, are the body, the fields, the detail as
 * a code block, and the time. All of it is `rich_text`
 * (https://docs.slack.dev/reference/block-kit/blocks/rich-text-block) or `plain_text`, so nothing
 * in an alert is rendered as markup, an emoji or a mention: `<!channel>` notifies nobody, and
 * names can be copied as they were written. Addresses of the web are links.
 *
 * Body and detail have at most 3,000 characters each, a field's value 2,000. Slack documents no
 * limit of `rich_text`, but refuses messages with more than about 13,000 characters of blocks, so
 * an alert has at most 12,000, and 100 fields. Longer texts are cut in the middle: first the
 * detail, then the body, then the values of fields; last, fields are left out. An address that
 * was cut is no link.
 *
 * The message also has a text, of at most 2,000 characters, with title, body, fields, detail and
 * time. Slack shows it in notifications only. Mattermost, Rocket.Chat and Discord (at the address
 * of a webhook with `/slack` behind it) know no blocks and show this text: the title as code,
 * the rest as a block of code, and below it the first five addresses as links, since those inside
 * code can't be clicked.
 *
 * **Gotchas**
 *
 * Within the text, three things are not as they were written. A `<` that would begin a mention
 * or a link is `&lt;`, and three backticks are three apostrophes, since neither has an escape in
 * code; so are the backticks of a title. An `@` at the beginning of a word is `\@`, because
 * Rocket.Chat notifies people of mentions even in code. The blocks, which Slack shows, have none
 * of these.
 *
 * Mattermost, Rocket.Chat and Discord have channels of their own, `Mattermost`, `RocketChat` and
 * `Discord`, which show an alert with a bar, links and buttons.
 *
 * A repeated post appears twice, even with the same `idempotencyKey`: neither webhooks nor
 * `chat.postMessage` have an argument for such a key
 * (https://docs.slack.dev/reference/methods/chat.postMessage#arguments).
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
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as bot from "./internal/slack/bot.ts"
import * as internal from "./internal/slack/message.ts"
import { maxAttached } from "./internal/slack/upload.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** The URL of an incoming webhook: `https://hooks.slack.com/services/…`. */
  readonly webhookUrl: Redacted.Redacted<string>
}

/**
 * The options of {@link layerBot}.
 *
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ChannelOptions {
  /** The token of a bot with the scope `chat:write`: `xoxb-…`. */
  readonly token: Redacted.Redacted<string>
  /** The channel's id or name. The bot must be a member, unless it has the scope `chat:write.public`. */
  readonly channel: string
  /** Whether the alerts of one run share a thread. True unless set. */
  readonly threads?: boolean | undefined
  /** The URL of the Web API. `https://slack.com/api` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Posts alerts to an incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Slack.layer({ webhookUrl: Redacted.make("https://hooks.slack.com/services/T0/B0/x") })
 * ```
 *
 * @see {@link layerConfig} to read the URL from the environment
 * @see {@link layerBot} to post as a bot, with one thread per run
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: WebhookOptions): Layer.Layer<Alerter> =>
  channel.layer("slack", options, { webhookUrl: secret }, () => {
    const url = Redacted.value(options.webhookUrl)
    return {
      secrets: [url],
      start: ({ http, time, words }) =>
        Effect.succeed((alert) =>
          http.send(
            HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(url), {
              ...internal.message(alert, { time, words }),
              ...internal.quiet
            })
          )
        ),
      pace: internal.webhookPace
    }
  })

/**
 * Like {@link layer}, with the URL from `SLACK_WEBHOOK_URL`, or the options from a config.
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
  config: Config.Wrap<WebhookOptions> = { webhookUrl: variable.address("SLACK_WEBHOOK_URL") }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)

/**
 * Posts alerts as a bot, with `chat.postMessage`
 * (https://docs.slack.dev/reference/methods/chat.postMessage).
 *
 * **Details**
 *
 * Alerts with a `source` share one thread per run: the first alert that arrives opens it, and
 * the following are replies. A reply with severity `error` or `critical` is also shown in the
 * channel (`reply_broadcast`), so that nobody misses it. The layer remembers the threads of the
 * 1,000 runs that posted last. If a thread was deleted or locked, the next alert opens another.
 *
 * Attachments are uploaded into the thread, up to 8 MiB together, for which the bot also needs
 * the scope `files:write` (https://docs.slack.dev/reference/methods/files.getUploadURLExternal,
 * https://docs.slack.dev/reference/methods/files.completeUploadExternal). If that fails, or takes
 * more than 10 seconds, the alert still counts as delivered, and a warning is logged.
 *
 * An answer with `ok: false` fails with a reason by Slack's error code: bad credentials and
 * missing scopes are `Unauthorized`; `ratelimited` is `RateLimited`, and Slack's internal errors
 * are `Unreachable`, which are both retried; anything else is `Rejected` with the code as its
 * detail, such as `not_in_channel`, `channel_not_found` or `is_archived`.
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
  channel.layer("slack", options, ofBot, () => ({
    secrets: [Redacted.value(options.token)],
    start: (channel) => Effect.sync(() => bot.post(channel, options)),
    pace: internal.botPace,
    maxAttached
  }))

const ofBot: channel.OwnOptions<BotOptions> = { token: secret, channel: text, threads: 0, baseUrl: optionalText }

/**
 * Like {@link layerBot}, with the token from `SLACK_BOT_TOKEN` and the channel from
 * `SLACK_CHANNEL`, or the options from a config.
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
    token: variable.secret("SLACK_BOT_TOKEN"),
    channel: variable.text("SLACK_CHANNEL")
  }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layerBot)
