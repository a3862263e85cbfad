/**
 * Posts alerts to Mattermost.
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
import * as internal from "./internal/mattermost/message.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** The URL of an incoming webhook: `https://mattermost.example.com/hooks/…`. */
  readonly webhookUrl: Redacted.Redacted<string>
  /** The name of a channel, as in its address, or `@` and a user. That of the webhook unless set. */
  readonly channel?: string | undefined
  /** The name of the sender, where the server lets webhooks set it. That of the webhook unless set. */
  readonly username?: string | undefined
}

/**
 * Posts alerts to an incoming webhook (https://developers.mattermost.com/integrate/webhooks/incoming/).
 *
 * **Details**
 *
 * An alert becomes one message attachment
 * (https://developers.mattermost.com/integrate/reference/message-attachments/) beside a bar in the
 * severity's colour, of at most 16,383 characters: as many as Mattermost takes of a text. Longer
 * alerts are cut, the detail first, and say so.
 *
 * Mentions in the text, such as `@channel`, `@all` or a name, notify nobody: a space without width
 * stands behind their `@`. In a detail, which is code, Mattermost sees none.
 *
 * **Gotchas**
 *
 * A webhook can't reply, edit or react, so a recovery is a message of its own. A message can appear
 * twice: if the answer got lost, it is sent again, and webhooks know no key to recognize the repeat
 * by.
 *
 * Words that people have chosen to be notified of notify them in alerts, too, save in a detail.
 *
 * @example
 * ```ts
 * import { Mattermost } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Mattermost.layer({
 *   webhookUrl: Redacted.make("https://mattermost.example.com/hooks/x"),
 *   channel: "nightly"
 * })
 * ```
 *
 * @see {@link layerConfig} to read the URL from the environment
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: WebhookOptions): Layer.Layer<Alerter> =>
  channel.layer("mattermost", options, own, () => {
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
              )
            ),
            (refused) => readable(refused, internal.said)
          )
        ),
      pace: internal.pace
    }
  })

const own: channel.OwnOptions<WebhookOptions> = { webhookUrl: secret, channel: optionalText, username: optionalText }

/**
 * Like {@link layer}, with the URL from `MATTERMOST_WEBHOOK_URL`, or the options from a config.
 *
 * @example
 * ```ts
 * import { Mattermost } from "effect-epilogue/alerters"
 *
 * const alerter = Mattermost.layerConfig()
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<WebhookOptions> = { webhookUrl: variable.address("MATTERMOST_WEBHOOK_URL") }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)
