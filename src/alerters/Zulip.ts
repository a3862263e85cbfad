/**
 * Posts alerts to Zulip.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Alerter } from "../Alerter.ts"
import { optionalText, text } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { bodyForm } from "./internal/channel/form.ts"
import { wordsOf } from "./internal/channel/headers.ts"
import { readable } from "./internal/channel/readable.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/zulip/message.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ZulipOptions extends ChannelOptions {
  /** The URL of the organization: `https://example.zulipchat.com`, say. */
  readonly server: string
  /** The email of the bot that posts. */
  readonly email: string
  /** The API key of the bot. */
  readonly apiKey: Redacted.Redacted<string>
  /** The channel (a stream, before Zulip 9), by its name or its id. The bot must be allowed to post there. */
  readonly channel: string
  /** The topic of all alerts. The name of the pipeline unless set. */
  readonly topic?: string | undefined
}

/**
 * Posts alerts as a bot to a channel (https://zulip.com/api/send-message).
 *
 * **Details**
 *
 * The title is code, and body, fields, detail and time are a block of code: Zulip's Markdown has no escapes,
 * and in code nothing is markup, nor a mention such as `@**all**`. Addresses and actions stand below it as
 * links. A message has at most 10,000 code points, and a topic 60. Longer alerts are cut, the detail first,
 * and say so.
 *
 * Unless `topic` is set, each pipeline has a topic of its own, in which a recovery follows its failure.
 *
 * A server takes 200 requests of a user a minute, unless it is set otherwise
 * (https://zulip.com/api/rest-error-handling), and says in each answer how many more it takes: the mailbox
 * waits before one is refused.
 *
 * **Gotchas**
 *
 * A repeated post appears twice, even with the same `idempotencyKey`: the API has no argument for such a key.
 *
 * @example
 * ```ts
 * import { Zulip } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Zulip.layer({
 *   server: "https://example.zulipchat.com",
 *   email: "jobs-bot@example.zulipchat.com",
 *   apiKey: Redacted.make("a0b1c2d3e4f5"),
 *   channel: "operations"
 * })
 * ```
 *
 * @see {@link layerConfig} to read the options from the environment
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: ZulipOptions): Layer.Layer<Alerter> =>
  channel.layer("zulip", options, own, () => {
    const apiKey = Redacted.value(options.apiKey)
    const authorization = `Basic ${Base64.encode(`${options.email}:${apiKey}`)}`
    const request = HttpClientRequest.setHeaders(
      HttpClientRequest.post(`${withoutTrailingSlashes(options.server)}/api/v1/messages`),
      { authorization }
    )
    return {
      secrets: [apiKey, ...wordsOf(authorization)],
      start: ({ http, time, words }) =>
        Effect.succeed((alert) =>
          Effect.mapError(
            http.send(
              bodyForm(request, {
                // the name of the type that servers before Zulip 9 know, too
                type: "stream",
                to: options.channel,
                topic: internal.topicOf(alert, options.topic),
                content: internal.message(alert, { time, words })
              }),
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

const own: channel.OwnOptions<ZulipOptions> = {
  server: text,
  email: text,
  apiKey: secret,
  channel: text,
  topic: optionalText
}

/**
 * Like {@link layer}, with `ZULIP_SERVER`, `ZULIP_EMAIL`, `ZULIP_API_KEY`, `ZULIP_CHANNEL` and, if it is set,
 * `ZULIP_TOPIC`; or the options from a config.
 *
 * @example
 * ```ts
 * import { Zulip } from "effect-epilogue/alerters"
 *
 * const alerter = Zulip.layerConfig()
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (config: Config.Wrap<ZulipOptions> = fromEnvironment): Layer.Layer<
  Alerter,
  Config.ConfigError
> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<ZulipOptions> = {
  server: variable.text("ZULIP_SERVER"),
  email: variable.text("ZULIP_EMAIL"),
  apiKey: variable.secret("ZULIP_API_KEY"),
  channel: variable.text("ZULIP_CHANNEL"),
  topic: variable.textOr("ZULIP_TOPIC", undefined)
}
