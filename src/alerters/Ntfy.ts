/**
 * Alerts through ntfy, as notifications of a phone or a browser.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Alerter, AlerterErrorReason } from "../Alerter.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import { readable } from "./internal/channel/readable.ts"
import * as internal from "./internal/ntfy/message.ts"
import { areHeaders } from "./internal/webhook/request.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface NtfyOptions extends ChannelOptions {
  /**
   * Whoever knows the topic can read and write it, so it is a password, and a
   * `Redacted` is kept out of all that is sent or shown. Only on a server with access
   * control may it be a name like any other: a string.
   */
  readonly topic: Redacted.Redacted<string> | string
  /** `https://ntfy.sh` unless set. */
  readonly server?: string | undefined
  /** An access token, where the server wants one. */
  readonly token?: Redacted.Redacted<string> | undefined
}

/**
 * Publishes plain text to a topic (https://docs.ntfy.sh/publish/). The priority is 2
 * of `info`, 3 of `success` and `warning`, 4 of `error`, 5 of `critical`.
 *
 * A message of 4,096 bytes or more would become an attachment, which is gone after
 * hours (https://docs.ntfy.sh/publish/#limitations), so as much is left out as need be,
 * of the detail first.
 *
 * Of an alert with an `idempotencyKey`, a digest of that is the sequence id, so a repeat
 * of the post takes the place of the first, where server and app can do that: ntfy 2.16
 * or later, on Android and in the browser
 * (https://docs.ntfy.sh/publish/#updating-deleting-notifications). Elsewhere it is there
 * twice.
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
export const layer = (options: NtfyOptions): Layer.Layer<Alerter> => {
  const secret = Redacted.isRedacted(options.topic)
  const topic = Redacted.isRedacted(options.topic) ? Redacted.value(options.topic) : options.topic
  const token = options.token === undefined ? "" : Redacted.value(options.token)
  const root = `${withoutTrailingSlashes(options.server || "https://ntfy.sh")}/`
  const headers: Record<string, string> = token === "" ? {} : { authorization: `Bearer ${token}` }
  const request = HttpClientRequest.setHeaders(HttpClientRequest.post(root), headers)
  return channel.layer(
    "ntfy",
    options,
    secret ? [topic, token] : [token],
    ({ error, http, time }) =>
      Effect.succeed((alert) =>
        areHeaders(headers)
          ? Effect.flatMap(internal.sequenceOf(alert), (sequence) =>
            Effect.mapError(
              http.send(HttpClientRequest.bodyJsonUnsafe(request, internal.message(alert, topic, sequence, time))),
              (refused) => readable(refused, internal.said)
            ))
          : Effect.fail(error(AlerterErrorReason.Rejected({ detail: "its token can't be sent in a header" })))
      )
  )
}

/**
 * {@link layer} with the topic from `NTFY_TOPIC`, and where they are set the server
 * from `NTFY_SERVER` and the token from `NTFY_TOKEN`, or all from the config given.
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
> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))

const fromEnvironment: Config.Wrap<NtfyOptions> = {
  topic: Config.Redacted("NTFY_TOPIC"),
  server: Config.withDefault(Config.String("NTFY_SERVER"), "https://ntfy.sh"),
  token: Config.withDefault(Config.Redacted("NTFY_TOKEN"), undefined)
}
