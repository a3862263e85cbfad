/**
 * Sends alerts as short messages (SMS) by Twilio.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Alerter } from "../Alerter.ts"
import { fromOne, optionalText, text, texts } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { bodyForm } from "./internal/channel/form.ts"
import { wordsOf } from "./internal/channel/headers.ts"
import { readable } from "./internal/channel/readable.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/twilio/message.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface TwilioOptions extends ChannelOptions {
  /** The SID of the account: `AC` and 32 digits. */
  readonly accountSid: string
  /** The token of the account, or the secret of `apiKey`. */
  readonly authToken: Redacted.Redacted<string>
  /** The SID of an API key, `SK` and 32 digits, whose secret is `authToken`. The account's own token is used unless set. */
  readonly apiKey?: string | undefined
  /** The number or the name that sends, or the SID of a messaging service: `MG` and 32 digits. */
  readonly from: string
  /** The number that gets each alert, as in `+15558675310`, or several. */
  readonly to: string | ReadonlyArray<string>
  /** How many segments a message has at most, from 1 to 10, each of which costs as much as a message. 3 unless set. */
  readonly maxSegments?: number | undefined
  /** The URL of the API. `https://api.twilio.com` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Sends alerts as messages (https://www.twilio.com/docs/messaging/api/message-resource): the severity and the title, the
 * body (or else fields), the alert's address or its first action, and the time.
 *
 * **Details**
 *
 * A message has at most `maxSegments` segments: three have 457 characters of GSM-7, or 199 of UCS-2. So that a message is
 * one of GSM-7, characters which that does not have are replaced by some that are alike (`›` by `>`, `č` by `c`). Where
 * there are none, as for Greek words and emojis, it is one of UCS-2. The body is cut first, and then the title.
 *
 * Unless `pace` is set, each recipient gets one message a second, as many as a number may send
 * (https://help.twilio.com/articles/115002943027). If more than 20 alerts wait, some are folded into one, unless
 * `capacity` is set.
 *
 * With several recipients the post of an alert fails if one of them can't be sent to; the others have it.
 *
 * **Gotchas**
 *
 * - Twilio accepts a message before a carrier has it. One that the carrier then refuses is in the log of Twilio.
 * - A repeated post appears twice, even with the same `idempotencyKey`: the API has no argument for such a key.
 *
 * @example
 * ```ts
 * import { Twilio } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Twilio.layer({
 *   accountSid: "AC0123456789abcdef0123456789abcdef",
 *   authToken: Redacted.make("0123456789abcdef0123456789abcdef"),
 *   from: "+15557122661",
 *   to: ["+15558675310", "+15558675311"]
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: TwilioOptions): Layer.Layer<Alerter> =>
  channel.layer("twilio", { ...options, capacity: options.capacity ?? internal.capacity }, own, () => {
    const { accountSid, apiKey } = options
    const token = Redacted.value(options.authToken)
    const recipients = typeof options.to === "string" ? [options.to] : options.to
    const authorization = `Basic ${Base64.encode(`${apiKey || accountSid}:${token}`)}`
    const url = `${withoutTrailingSlashes(options.baseUrl || "https://api.twilio.com")}/2010-04-01/Accounts/${
      encodeURIComponent(accountSid)
    }/Messages.json`
    const sender = internal.senderOf(options.from)
    return {
      secrets: [token, ...wordsOf(authorization)],
      start: ({ http, time, words }) =>
        Effect.succeed((alert) =>
          Effect.gen(function*() {
            const Body = internal.bodyOf(alert, options, { time, words })
            const request = HttpClientRequest.setHeaders(HttpClientRequest.post(url), { authorization })
            const results = yield* Effect.forEach(recipients, (To) =>
              Effect.result(
                Effect.mapError(
                  http.send(bodyForm(request, { To, ...sender, Body }), undefined, { refused: internal.refused }),
                  (refused) => readable(refused, internal.said)
                )
              ))
            for (const result of results) yield* Effect.fromResult(result)
          })
        ),
      pace: internal.paceOf(recipients.length)
    }
  })

const own: channel.OwnOptions<TwilioOptions> = {
  accountSid: text,
  authToken: secret,
  apiKey: optionalText,
  from: text,
  to: texts,
  maxSegments: fromOne,
  baseUrl: optionalText
}

/**
 * Like {@link layer}, with `TWILIO_ACCOUNT_SID`, `TWILIO_AUTH_TOKEN`, `TWILIO_FROM`, the numbers in `TWILIO_TO`, which
 * spaces or commas separate, and, if it is set, `TWILIO_API_KEY`; or the options from a config.
 *
 * @example
 * ```ts
 * import { Twilio } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Twilio.layerConfig()
 * const ofTeam = Twilio.layerConfig({
 *   accountSid: Config.String("TWILIO_ACCOUNT_SID"),
 *   authToken: Config.Redacted("TWILIO_AUTH_TOKEN"),
 *   from: Config.String("TWILIO_FROM"),
 *   to: Config.String("TEAM_PHONE")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<TwilioOptions> = fromEnvironment
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<TwilioOptions> = {
  accountSid: variable.text("TWILIO_ACCOUNT_SID"),
  authToken: variable.secret("TWILIO_AUTH_TOKEN"),
  apiKey: variable.textOr("TWILIO_API_KEY", undefined),
  from: variable.text("TWILIO_FROM"),
  to: Config.map(variable.text("TWILIO_TO"), internal.numbersIn)
}
