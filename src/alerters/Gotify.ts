/**
 * Posts alerts to Gotify, which shows them as notifications on phones and in browsers.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Severity } from "../Alert.ts"
import { type Alerter, AlerterErrorReason } from "../Alerter.ts"
import { priorityMistakes, text } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { areHeaders } from "./internal/channel/headers.ts"
import { readable } from "./internal/channel/readable.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/gotify/message.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface GotifyOptions extends ChannelOptions {
  /** The URL of the server. */
  readonly server: string
  /** The token of an application. */
  readonly token: Redacted.Redacted<string>
  /**
   * The priorities by severity, from 0 to 10. 1 for `info`, 3 for `success`, 5 for `warning`, 8 for `error` and 10 for
   * `critical` unless set.
   */
  readonly priorities?: { readonly [severity in Severity]?: number | undefined } | undefined
}

/**
 * Sends alerts as messages of an application (https://gotify.net/docs/pushmsg).
 *
 * **Details**
 *
 * A message is Markdown (https://gotify.net/docs/msgextras), in which the texts of an alert are escaped. A tap on the
 * notification opens the alert's address. Apps are silent below priority 4, make a sound from 4 on, and vibrate from 8
 * on (https://github.com/gotify/android#message-priorities).
 *
 * Gotify documents no limits. Texts of more than 16,000 bytes are cut, the detail first, and say so; unless `pace` is set,
 * five alerts are sent a second.
 *
 * **Gotchas**
 *
 * The token of an application can't change or remove messages, so that a recovery is a message of its own. A repeated post
 * appears twice, even with the same `idempotencyKey`: the API has no argument for such a key.
 *
 * @example
 * ```ts
 * import { Gotify } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Gotify.layer({
 *   server: "https://gotify.example.com",
 *   token: Redacted.make("A3kJq2xWm4cVt9z"),
 *   priorities: { warning: 3 }
 * })
 * ```
 *
 * @see {@link layerConfig} to read the options from the environment
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: GotifyOptions): Layer.Layer<Alerter> =>
  channel.layer("gotify", options, own, () => {
    const token = Redacted.value(options.token)
    const headers = { "x-gotify-key": token }
    const url = `${withoutTrailingSlashes(options.server)}/message`
    return {
      secrets: [token],
      start: ({ error, http, time, words }) =>
        Effect.succeed((alert) =>
          areHeaders(headers)
            ? Effect.mapError(
              http.send(
                HttpClientRequest.post(url).pipe(
                  HttpClientRequest.setHeaders(headers),
                  HttpClientRequest.bodyJsonUnsafe(internal.message(alert, options, { time, words }))
                )
              ),
              (refused) => readable(refused, internal.said)
            )
            : Effect.fail(error(AlerterErrorReason.Rejected({ detail: "its token can't be sent in a header" })))
        ),
      pace: internal.pace
    }
  })

const own: channel.OwnOptions<GotifyOptions> = {
  server: text,
  token: secret,
  priorities: (_, value) => priorityMistakes(value, 0, 10)
}

/**
 * Like {@link layer}, with the server from `GOTIFY_SERVER` and the token from `GOTIFY_TOKEN`, or the options from a config.
 *
 * @example
 * ```ts
 * import { Gotify } from "effect-epilogue/alerters"
 *
 * const alerter = Gotify.layerConfig()
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<GotifyOptions> = {
    server: variable.text("GOTIFY_SERVER"),
    token: variable.secret("GOTIFY_TOKEN")
  }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)
