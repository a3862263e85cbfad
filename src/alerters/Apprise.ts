/**
 * Sends alerts by a server of Apprise, which notifies more than a hundred services.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { Alerter } from "../Alerter.ts"
import { optionalText, text, wholeMistakes } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as internal from "./internal/apprise/message.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { wordsOf } from "./internal/channel/headers.ts"
import { readable } from "./internal/channel/readable.ts"
import { optionalSecret, textOf } from "./internal/channel/secrets.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface AppriseOptions extends ChannelOptions {
  /** The URL of the server, as in `http://apprise:8000`. */
  readonly url: string
  /** The key of a configuration that the server has. Anybody who knows it can notify its services. */
  readonly key?: Redacted.Redacted<string> | undefined
  /**
   * The services to notify, as Apprise's URLs (https://appriseit.com/services/) with spaces between them. With neither
   * this nor `key`, those of the server's `APPRISE_STATELESS_URLS`.
   */
  readonly urls?: Redacted.Redacted<string> | undefined
  /** Chooses services of the key: those with the tag; `a, b` with one of them, `a b` with both. */
  readonly tag?: string | undefined
  /** A user and a password for a proxy before the server, as in `user:password`. */
  readonly basicAuth?: Redacted.Redacted<string> | undefined
  /** How many characters a message has at most. 1,500 unless set. */
  readonly maxLength?: number | undefined
}

/**
 * Posts alerts to the API of Apprise (https://github.com/caronc/apprise-api), of which each becomes a notification of all
 * services of the key, or those in `urls`.
 *
 * **Details**
 *
 * The type is `info`, `success` or `warning` as the severity is, and `failure` for `error` and `critical`. The text is
 * plain, and Apprise converts it to what a service takes. Links are lines of it. Longer alerts than `maxLength` are
 * shortened, the detail first: Apprise passes on what is too long for a service, which then refuses it.
 *
 * The server answers when it has notified all services, so an attempt may take 30 seconds unless `timeout` is set.
 * There is no pace unless it is set: Apprise itself waits between the notifications of a service.
 *
 * An answer of 424 says that a service was not notified. The post fails, and is not repeated, since other services have
 * been: they would be again. An answer of 204, that there is no service under the key, fails, too.
 *
 * **Gotchas**
 *
 * A repeated post appears twice, even with the same `idempotencyKey`: the API has no argument for such a key.
 *
 * @example
 * ```ts
 * import { Apprise } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Apprise.layer({
 *   url: "http://apprise:8000",
 *   key: Redacted.make("jobs-7Jq2xWm4"),
 *   tag: "oncall"
 * })
 * const withoutKey = Apprise.layer({
 *   url: "http://apprise:8000",
 *   urls: Redacted.make("signal://localhost:9922/+15557122661/+15558675310")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: AppriseOptions): Layer.Layer<Alerter> =>
  channel.layer("apprise", { ...options, timeout: options.timeout ?? "30 seconds" }, own, () => {
    const key = textOf(options.key)
    const urls = textOf(options.urls)
    const login = textOf(options.basicAuth)
    const authorization = login === "" ? undefined : `Basic ${Base64.encode(login)}`
    const settings = {
      urls: key === "" && urls !== "" ? urls : undefined,
      tag: options.tag || undefined,
      maxLength: options.maxLength
    }
    const headers: Record<string, string> = {
      // the log of what went wrong, as data
      accept: "application/json",
      ...(authorization === undefined ? {} : { authorization })
    }
    const path = key === "" ? "/notify" : `/notify/${encodeURIComponent(key)}`
    const request = HttpClientRequest.setHeaders(
      HttpClientRequest.post(`${withoutTrailingSlashes(options.url)}${path}`),
      headers
    )
    return {
      secrets: [key, urls, ...urls.split(/[\s,]+/), ...(authorization === undefined ? [] : wordsOf(authorization))],
      start: ({ http, time, words }) =>
        Effect.succeed((alert) =>
          Effect.mapError(
            http.send(
              HttpClientRequest.bodyJsonUnsafe(request, internal.message(alert, settings, { time, words })),
              undefined,
              { accepts: internal.accepts, refused: internal.refused(http) }
            ),
            (refused) => readable(refused, internal.said)
          )
        ),
      pace: []
    }
  })

const own: channel.OwnOptions<AppriseOptions> = {
  url: text,
  key: optionalSecret,
  urls: optionalSecret,
  tag: optionalText,
  basicAuth: optionalSecret,
  maxLength: (what, value) => wholeMistakes(what, value, 100)
}

/**
 * Like {@link layer}, with the URL of the server from `APPRISE_URL` and, if they are set, `APPRISE_KEY`, `APPRISE_URLS`
 * and `APPRISE_TAG`; or the options from a config.
 *
 * @example
 * ```ts
 * import { Apprise } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Apprise.layerConfig()
 * const ofTeam = Apprise.layerConfig({
 *   url: Config.String("APPRISE_URL"),
 *   key: Config.Redacted("TEAM_APPRISE")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<AppriseOptions> = fromEnvironment
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<AppriseOptions> = {
  url: variable.text("APPRISE_URL"),
  key: variable.optionalSecret("APPRISE_KEY"),
  urls: variable.optionalSecret("APPRISE_URLS"),
  tag: variable.textOr("APPRISE_TAG", undefined)
}
