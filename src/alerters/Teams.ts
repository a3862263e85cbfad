/**
 * Alerts in Microsoft Teams.
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
import * as internal from "./internal/teams/card.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** Of a workflow that begins with "When a Teams webhook request is received". */
  readonly webhookUrl: Redacted.Redacted<string>
}

/**
 * Posts to a webhook of Workflows, which has taken the place of connectors
 * (https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using).
 *
 * An alert is one Adaptive Card of at most 20,000 bytes, since Teams takes about 28 KB
 * (https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams) of a form
 * larger than what it is sent. What is longer is cut, the detail first, and says so. It
 * mentions nobody.
 *
 * Success means that the workflow has begun: it answers with 202, and says nothing of what
 * becomes of the card. A post that was taken but not answered is sent again, and is then
 * there twice, as is one that is repeated with the same `idempotencyKey`: there is nothing
 * to tell them by.
 *
 * @example
 * ```ts
 * import { Teams } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Teams.layer({ webhookUrl: Redacted.make("https://example.com/workflows/x?sig=y") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: WebhookOptions): Layer.Layer<Alerter> => {
  const url = Redacted.value(options.webhookUrl)
  const request = HttpClientRequest.post(url)
  return channel.layer(
    "teams",
    options,
    [url],
    ({ http, time }) =>
      Effect.succeed((alert) =>
        http.send(
          // Teams wants the charset: https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-format
          HttpClientRequest.bodyText(
            request,
            JSON.stringify(internal.render(alert, time)),
            "application/json; charset=utf-8"
          )
        )
      )
  )
}

/**
 * {@link layer} with the address from `TEAMS_WEBHOOK_URL`, or from the config given.
 *
 * @example
 * ```ts
 * import { Teams } from "effect-epilogue/alerters"
 *
 * const alerter = Teams.layerConfig()
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<WebhookOptions> = { webhookUrl: address("TEAMS_WEBHOOK_URL") }
): Layer.Layer<Alerter, Config.ConfigError> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))
