/**
 * Posts alerts to Rocket.Chat.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Alerter } from "../Alerter.ts"
import { optionalText } from "../internal/model/options.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { readable } from "./internal/channel/readable.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/rocketChat/message.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** The URL of an incoming webhook: `https://chat.example.com/hooks/…/…`. */
  readonly webhookUrl: Redacted.Redacted<string>
  /** A channel, as in `#nightly`, or a user, as in `@ada`, where the webhook allows it. Those of the webhook unless set. */
  readonly channel?: string | undefined
  /** The name of the sender. That of the webhook unless set. */
  readonly username?: string | undefined
}

/**
 * Posts alerts to an incoming webhook (https://docs.rocket.chat/docs/integrations).
 *
 * **Details**
 *
 * The title is a line of code, and body, fields, detail and time are a block of code beside a bar in the
 * severity's colour: Rocket.Chat's Markdown has no escapes, and in code nothing is markup. Addresses stand
 * below it as links, and the alert's own and its actions are buttons.
 *
 * A message has at most 5,000 characters (https://docs.rocket.chat/docs/message). Longer alerts are cut, the
 * detail first, and say so. Mentions in the text, such as `@all`, notify nobody: in the title a space without
 * width stands behind their `@`, and in attachments the server sees none.
 *
 * A server takes ten messages a minute of a webhook, unless its rate limiter is set otherwise
 * (https://docs.rocket.chat/docs/rate-limiter). Set `pace` to what yours takes.
 *
 * **Gotchas**
 *
 * A webhook's answer does not say which message it has made, so that a recovery is a message of its own. A
 * message can appear twice: if the answer got lost, it is sent again, and webhooks know no key to recognize
 * the repeat by.
 *
 * @example
 * ```ts
 * import { RocketChat } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = RocketChat.layer({
 *   webhookUrl: Redacted.make("https://chat.example.com/hooks/x/y"),
 *   channel: "#nightly",
 *   pace: [{ count: 60, per: "1 minute" }]
 * })
 * ```
 *
 * @see {@link layerConfig} to read the URL from the environment
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: WebhookOptions): Layer.Layer<Alerter> =>
  channel.layer("rocketChat", options, own, () => {
    const url = Redacted.value(options.webhookUrl)
    return {
      secrets: [url],
      start: ({ http, time, words }) =>
        Effect.succeed((alert) =>
          Effect.mapError(
            http.send(
              HttpClientRequest.bodyJsonUnsafe(
                HttpClientRequest.post(url),
                internal.message(alert, options, { time, words })
              ),
              undefined,
              {
                refused: internal.refused,
                exhausted: internal.exhausted
              }
            ),
            (refused) => readable(refused, internal.said)
          )
        ),
      pace: internal.pace
    }
  })

const own: channel.OwnOptions<WebhookOptions> = { webhookUrl: secret, channel: optionalText, username: optionalText }

/**
 * Like {@link layer}, with the URL from `ROCKET_CHAT_WEBHOOK_URL`, or the options from a config.
 *
 * @example
 * ```ts
 * import { RocketChat } from "effect-epilogue/alerters"
 *
 * const alerter = RocketChat.layerConfig()
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<WebhookOptions> = { webhookUrl: variable.address("ROCKET_CHAT_WEBHOOK_URL") }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)
