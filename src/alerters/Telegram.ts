/**
 * Posts alerts to Telegram.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { severityMistakes } from "../internal/alerts/severities.ts"
import { fromOne, optionalText } from "../internal/model/options.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import type { Answer } from "./internal/channel/http.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/telegram/message.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ChannelOptions {
  /** The bot's token, from BotFather: `123456:ABC-DEF…`. */
  readonly token: Redacted.Redacted<string>
  /** The chat's id, or the `@name` of a public group or channel. The bot must be a member. */
  readonly chatId: string | number
  /** The id of the topic, in a group with topics. */
  readonly messageThreadId?: number | undefined
  /** The severities of alerts that make no sound. `"info"` and `"success"` unless set. */
  readonly silent?: ReadonlyArray<Severity> | undefined
  /** The URL of the Bot API. `https://api.telegram.org` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Sends alerts as messages of a bot (https://core.telegram.org/bots/api#sendmessage).
 *
 * **Details**
 *
 * A message has at most 4,096 characters: longer alerts are shortened, first the detail, in its
 * middle. Mentions in the text notify nobody. If a group has become a supergroup, the layer
 * follows it to its new id.
 *
 * **Gotchas**
 *
 * A repeated post appears twice, even with the same `idempotencyKey`: the Bot API has no argument
 * for such a key (https://github.com/tdlib/telegram-bot-api/issues/126).
 *
 * @example
 * ```ts
 * import { Telegram } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Telegram.layer({
 *   token: Redacted.make("123456:ABC-DEF"),
 *   chatId: -1001234567890,
 *   silent: ["info", "success", "warning"]
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: BotOptions): Layer.Layer<Alerter> =>
  channel.layer("telegram", options, own, () => {
    const token = Redacted.value(options.token)
    const url = internal.methodUrl(options.baseUrl || "https://api.telegram.org", token, "sendMessage")
    const start = ({ http, time, words }: channel.Channel) =>
      Effect.sync(() => {
        let chatId = options.chatId
        const understand = internal.refused(http)
        const send = (alert: channel.Dated) =>
          Effect.suspend(() => {
            let moved: number | undefined
            const refused = (answer: Answer) => {
              moved = internal.migratedTo(answer)
              return understand(answer)
            }
            const request = HttpClientRequest.bodyJsonUnsafe(
              HttpClientRequest.post(url),
              internal.message(alert, chatId, options, { time, words })
            )
            return Effect.mapError(
              http.send(request, internal.accepted(http, refused), { refused }),
              (error) => ({ error, moved })
            )
          })
        return (alert: channel.Dated) =>
          send(alert).pipe(
            Effect.catch((failed) => {
              if (failed.moved === undefined || failed.moved === chatId) return Effect.fail(failed)
              chatId = failed.moved
              return send(alert)
            }),
            Effect.mapError(({ error }) => error)
          )
      })
    // a bot may send 20 messages a minute to one group
    return { secrets: [token], start, pace: internal.paceOf(options.chatId) }
  })

const own: channel.OwnOptions<BotOptions> = {
  token: secret,
  chatId: internal.chat,
  messageThreadId: fromOne,
  silent: severityMistakes,
  baseUrl: optionalText
}

/**
 * Like {@link layer}, with the token from `TELEGRAM_BOT_TOKEN` and the chat from
 * `TELEGRAM_CHAT_ID`, or the options from a config.
 *
 * @example
 * ```ts
 * import { Telegram } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Telegram.layerConfig()
 * const ofTeam = Telegram.layerConfig({
 *   token: Config.Redacted("TEAM_BOT_TOKEN"),
 *   chatId: Config.String("TEAM_CHAT")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<BotOptions> = {
    token: variable.secret("TELEGRAM_BOT_TOKEN"),
    chatId: variable.text("TELEGRAM_CHAT_ID")
  }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)
