/**
 * Alerts in Telegram.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import type { Answer } from "./internal/channel/http.ts"
import * as internal from "./internal/telegram/message.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ChannelOptions {
  /** Of the bot, from BotFather: `123456:ABC-DEF…`. */
  readonly token: Redacted.Redacted<string>
  /** The chat's id, or the `@name` of a public group or channel. The bot must be in it. */
  readonly chatId: string | number
  /** The topic, in a group that has topics. */
  readonly messageThreadId?: number | undefined
  /** Alerts that make no sound. `"info"` and `"success"` unless set. */
  readonly silent?: ReadonlyArray<Severity> | undefined
  /** Of a Bot API server of one's own. `https://api.telegram.org` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Sends messages as a bot (https://core.telegram.org/bots/api#sendmessage), of 4,096
 * characters at most: the detail is cut first, in its middle.
 *
 * Text of the alert mentions nobody. Where a group has become a supergroup, alerts
 * follow it to its new id, until the layer is built again.
 *
 * A post that is repeated with the same `idempotencyKey` is there twice: the Bot API has
 * nothing to tell it by (https://github.com/tdlib/telegram-bot-api/issues/126).
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
export const layer = (options: BotOptions): Layer.Layer<Alerter> => {
  const token = Redacted.value(options.token)
  const url = internal.methodUrl(options.baseUrl ?? "https://api.telegram.org", token, "sendMessage")
  return channel.layer("telegram", options, [token], ({ http, time }) =>
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
            internal.message(alert, chatId, options, time)
          )
          return Effect.mapError(
            http.send(request, internal.accepted(http, refused), { refused }),
            (error) => ({ error, moved })
          )
        })
      return (alert) =>
        send(alert).pipe(
          Effect.catch((failed) => {
            if (failed.moved === undefined || failed.moved === chatId) return Effect.fail(failed)
            chatId = failed.moved
            return send(alert)
          }),
          Effect.mapError(({ error }) => error)
        )
    }))
}

/**
 * {@link layer} with the token from `TELEGRAM_BOT_TOKEN` and the chat from
 * `TELEGRAM_CHAT_ID`, or with the config given.
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
    token: Config.Redacted("TELEGRAM_BOT_TOKEN"),
    chatId: Config.String("TELEGRAM_CHAT_ID")
  }
): Layer.Layer<Alerter, Config.ConfigError> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))
