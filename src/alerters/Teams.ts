/**
 * Posts alerts to Microsoft Teams.
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
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/teams/card.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** The URL of a workflow whose trigger is "When a Teams webhook request is received". */
  readonly webhookUrl: Redacted.Redacted<string>
}

/**
 * Posts alerts to a webhook of Workflows, which replaced the connectors of Teams
 * (https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using).
 *
 * **Details**
 *
 * An alert becomes one Adaptive Card of at most 20,000 bytes. Teams accepts about 28 KB
 * (https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams), counted after
 * it has converted the card, which makes it larger. Longer texts are cut, the detail first, and
 * say so. Mentions in the text notify nobody.
 *
 * **Gotchas**
 *
 * A delivered alert means that the workflow has started: it answers with 202 before it posts the
 * card. A card can appear twice: if the answer got lost, it is sent again, and Workflows know no
 * key to recognize the repeat by.
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
export const layer = (options: WebhookOptions): Layer.Layer<Alerter> =>
  channel.layer("teams", options, own, () => {
    const url = Redacted.value(options.webhookUrl)
    const request = HttpClientRequest.post(url)
    return {
      secrets: [url],
      start: ({ http, time, words }) =>
        Effect.succeed((alert) =>
          http.send(
            // Teams requires the charset: https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-format
            HttpClientRequest.bodyText(
              request,
              JSON.stringify(internal.render(alert, { time, words })),
              "application/json; charset=utf-8"
            )
          )
        ),
      pace: internal.pace
    }
  })

const own: channel.OwnOptions<WebhookOptions> = { webhookUrl: secret }

/**
 * Like {@link layer}, with the URL from `TEAMS_WEBHOOK_URL`, or the options from a config.
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
  config: Config.Wrap<WebhookOptions> = { webhookUrl: variable.address("TEAMS_WEBHOOK_URL") }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)
