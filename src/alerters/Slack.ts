/**
 * Alerts in Slack.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Alerter } from "../Alerter.ts"
import * as channel from "../internal/alerters/channel.ts"
import * as internal from "../internal/alerters/slack.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** Of an incoming webhook: `https://hooks.slack.com/services/…`. */
  readonly webhookUrl: Redacted.Redacted<string>
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
        http.send(HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(url), internal.message(alert, time)))
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
  config: Config.Wrap<WebhookOptions> = { webhookUrl: Config.Redacted("SLACK_WEBHOOK_URL") }
): Layer.Layer<Alerter, Config.ConfigError> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))
