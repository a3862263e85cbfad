/**
 * Posts alerts to Google Chat.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Alerter } from "../Alerter.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { readable } from "./internal/channel/readable.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/googleChat/message.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** The URL of a webhook of a space: `https://chat.googleapis.com/v1/spaces/…/messages?key=…&token=…`. */
  readonly webhookUrl: Redacted.Redacted<string>
  /**
   * Whether all alerts about one subject (its `dedupeKey`) share a thread. True unless set. An address that has a
   * `threadKey` of its own posts everything to that thread.
   */
  readonly threads?: boolean | undefined
}

/**
 * Posts alerts to an incoming webhook (https://developers.google.com/workspace/chat/quickstart/webhooks).
 *
 * **Details**
 *
 * An alert becomes one card of at most 30,000 bytes: Google accepts messages of 32,000
 * (https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create).
 * Longer texts are cut, the detail first, and say so. Mentions in the text, such as
 * `<users/all>`, notify nobody.
 *
 * A recovery is a reply in the thread of its failure, since both have the same `dedupeKey`: also
 * where another process has posted the failure. A space without threads shows one message after
 * another.
 *
 * Each message has a request id, derived from the alert's `idempotencyKey` if it has one, so that
 * Google shows a message that is sent again once.
 *
 * **Gotchas**
 *
 * People who do not follow a thread are not notified of a reply, and a step that fails again after weeks
 * replies to its first failure. Let people follow all threads of the space, or set `threads` to
 * `false`.
 *
 * A space takes one message of webhooks a second. Several processes that post to one space share
 * that.
 *
 * @example
 * ```ts
 * import { GoogleChat } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = GoogleChat.layer({
 *   webhookUrl: Redacted.make("https://chat.googleapis.com/v1/spaces/AAAA/messages?key=x&token=y")
 * })
 * ```
 *
 * @see {@link layerConfig} to read the URL from the environment
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: WebhookOptions): Layer.Layer<Alerter> =>
  channel.layer("googleChat", options, own, () => {
    const url = Redacted.value(options.webhookUrl)
    const threads = options.threads !== false && !internal.hasThread(url)
    return {
      secrets: [url],
      start: ({ http, time, words }) =>
        Effect.succeed((alert) =>
          Effect.gen(function*() {
            const thread = threads ? yield* internal.threadOf(alert) : undefined
            const address = internal.addressOf(url, yield* internal.requestIdOf(alert), thread !== undefined)
            const request = HttpClientRequest.bodyText(
              HttpClientRequest.post(address),
              JSON.stringify(internal.message(alert, thread, { time, words })),
              "application/json; charset=UTF-8"
            )
            yield* Effect.mapError(http.send(request), (refused) => readable(refused, internal.said))
          })
        ),
      pace: internal.pace
    }
  })

const own: channel.OwnOptions<WebhookOptions> = { webhookUrl: secret, threads: 0 }

/**
 * Like {@link layer}, with the URL from `GOOGLE_CHAT_WEBHOOK_URL`, or the options from a config.
 *
 * @example
 * ```ts
 * import { GoogleChat } from "effect-epilogue/alerters"
 *
 * const alerter = GoogleChat.layerConfig()
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<WebhookOptions> = { webhookUrl: variable.address("GOOGLE_CHAT_WEBHOOK_URL") }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)
