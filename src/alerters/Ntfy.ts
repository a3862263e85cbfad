/**
 * Posts alerts to ntfy, which shows them as notifications on phones and in browsers.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Alerter, AlerterErrorReason } from "../Alerter.ts"
import { optionalText, text } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { areHeaders } from "./internal/channel/headers.ts"
import { readable } from "./internal/channel/readable.ts"
import { optionalSecret, secret, textOf } from "./internal/channel/secrets.ts"
import * as internal from "./internal/ntfy/message.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface NtfyOptions extends ChannelOptions {
  /**
   * The topic. A string is a name like any other, and may be shown. A `Redacted` is kept out of all that is sent or
   * shown: on a server without access control, such as `https://ntfy.sh`, anybody who knows the topic can read and
   * write it.
   */
  readonly topic: Redacted.Redacted<string> | string
  /** The URL of the server. `https://ntfy.sh` unless set. */
  readonly server?: string | undefined
  /** An access token, if the server requires one. */
  readonly token?: Redacted.Redacted<string> | undefined
}

/**
 * Publishes alerts as plain text to a topic (https://docs.ntfy.sh/publish/).
 *
 * **Details**
 *
 * The priority is 2 for `info`, 3 for `success` and `warning`, 4 for `error`, 5 for `critical`.
 * ntfy turns a message of 4,096 bytes or more into an attachment, which expires after hours
 * (https://docs.ntfy.sh/publish/#limitations), so longer alerts are shortened, the detail first.
 *
 * If the alert has an `idempotencyKey`, its digest is the sequence id, so that a repeated post
 * replaces the first one.
 *
 * **Gotchas**
 *
 * Only ntfy 2.16 or later, on Android and in the browser, replaces notifications
 * (https://docs.ntfy.sh/publish/#updating-deleting-notifications). Elsewhere a repeated post
 * appears twice.
 *
 * @example
 * ```ts
 * import { Ntfy } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Ntfy.layer({ topic: Redacted.make("etl-7Jq2xWm4cVt9") })
 * const ownServer = Ntfy.layer({
 *   topic: "etl",
 *   server: "https://ntfy.example.com",
 *   token: Redacted.make("tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: NtfyOptions): Layer.Layer<Alerter> =>
  channel.layer("ntfy", options, own, () => {
    const isSecret = Redacted.isRedacted(options.topic)
    const topic = Redacted.isRedacted(options.topic) ? Redacted.value(options.topic) : options.topic
    const token = textOf(options.token)
    const root = `${withoutTrailingSlashes(options.server || "https://ntfy.sh")}/`
    const headers: Record<string, string> = token === "" ? {} : { authorization: `Bearer ${token}` }
    const request = HttpClientRequest.setHeaders(HttpClientRequest.post(root), headers)
    return {
      secrets: isSecret ? [topic, token] : [token],
      start: ({ error, http, time, words }) =>
        Effect.succeed((alert) =>
          areHeaders(headers)
            ? Effect.flatMap(internal.sequenceOf(alert), (sequence) =>
              Effect.mapError(
                http.send(
                  HttpClientRequest.bodyJsonUnsafe(request, internal.message(alert, topic, sequence, { time, words }))
                ),
                (refused) => readable(refused, internal.said)
              ))
            : Effect.fail(error(AlerterErrorReason.Rejected({ detail: "its token can't be sent in a header" })))
        ),
      pace: internal.pace
    }
  })

const own: channel.OwnOptions<NtfyOptions> = {
  topic: (what, value) => Redacted.isRedacted(value) ? secret(what, value) : text(what, value),
  server: optionalText,
  token: optionalSecret
}

/**
 * Like {@link layer}, with the topic from `NTFY_TOPIC` and, if they are set, the server from
 * `NTFY_SERVER` and the token from `NTFY_TOKEN`; or the options from a config. The topic in
 * `NTFY_TOPIC` may be shown; read one that may not with `Config.Redacted`.
 *
 * @example
 * ```ts
 * import { Ntfy } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Ntfy.layerConfig()
 * const ofTeam = Ntfy.layerConfig({ topic: Config.Redacted("TEAM_TOPIC") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (config: Config.Wrap<NtfyOptions> = fromEnvironment): Layer.Layer<
  Alerter,
  Config.ConfigError
> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<NtfyOptions> = {
  topic: variable.text("NTFY_TOPIC"),
  server: variable.textOr("NTFY_SERVER", "https://ntfy.sh"),
  token: variable.optionalSecret("NTFY_TOKEN")
}
