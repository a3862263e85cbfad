/**
 * Asks in Telegram, where people answer by buttons.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { OwnOptions } from "../alerters/internal/channel/channel.ts"
import * as variable from "../alerters/internal/channel/config.ts"
import { secret } from "../alerters/internal/channel/secrets.ts"
import { chat } from "../alerters/internal/telegram/message.ts"
import type { Approver } from "../Approver.ts"
import { optionalText, spanMistakes } from "../internal/model/options.ts"
import type { ApproverOptions } from "./ApproverOptions.ts"
import * as polling from "./internal/polling.ts"
import * as internal from "./internal/telegram/asking.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ApproverOptions {
  /** The bot's token, from BotFather: `123456:ABC-DEF…`. */
  readonly token: Redacted.Redacted<string>
  /** The chat's id, or the `@name` of a public group or channel. The bot must be a member. */
  readonly chatId: string | number
  /** The URL of the Bot API. `https://api.telegram.org` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Asks in a chat, with two buttons. The first press counts; buttons of settled questions do
 * nothing.
 *
 * **Details**
 *
 * `approvers` are ids of users or their `@username`s (which other people can take once they are
 * given up). Anybody else who presses a button is told that the answer does not count.
 *
 * The layer waits for presses with `getUpdates` (https://core.telegram.org/bots/api#getupdates), 25
 * seconds at a time, as long as a question is open. All questions of a layer share these requests.
 *
 * The approver is resumable: Telegram stores presses that no program has fetched for up to 24
 * hours (https://core.telegram.org/bots/api#getting-updates); after that, people have to press
 * again.
 *
 * **Gotchas**
 *
 * No other program may fetch updates of the same bot, and the bot must not have a webhook: the
 * question would fail with `Rejected`, status 409. The layer asks for presses only, so Telegram
 * drops the bot's other updates until a program asks for them again.
 *
 * Telegram does not say when a button was pressed. A press that is fetched only after the
 * question has timed out can't approve it.
 *
 * After a restart, let one layer listen to all questions that were posted before, without long
 * gaps: it keeps a thousand presses for questions to which no fiber listens yet. If a process is
 * killed after it has fetched a press and before the answer has been stored, Telegram delivers
 * the press again, unless another question has fetched since: then it is lost, and the question
 * times out.
 *
 * @example
 * ```ts
 * import { TelegramApprover } from "effect-epilogue/approvers"
 * import { Redacted } from "effect"
 *
 * const approver = TelegramApprover.layer({ token: Redacted.make("123456:ABC-DEF"), chatId: -1001234567890 })
 * ```
 *
 * @see {@link layerConfig} to read the options from the environment
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: BotOptions): Layer.Layer<Approver> =>
  polling.layer("telegram", options, own, () => {
    const { chatId } = options
    const token = Redacted.value(options.token)
    const baseUrl = options.baseUrl || "https://api.telegram.org"
    const limit = Duration.fromInputUnsafe(options.timeout ?? "10 seconds")
    return {
      secrets: [token],
      make: (channel) => Effect.sync(() => internal.make({ token, chatId, baseUrl, limit }, channel))
    }
  })

const own: OwnOptions<BotOptions> = { interval: spanMistakes, token: secret, chatId: chat, baseUrl: optionalText }

/**
 * Like {@link layer}, with the token from `TELEGRAM_BOT_TOKEN` and the chat from
 * `TELEGRAM_CHAT_ID`, or the options from a config.
 *
 * @example
 * ```ts
 * import { TelegramApprover } from "effect-epilogue/approvers"
 *
 * const approver = TelegramApprover.layerConfig()
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
): Layer.Layer<Approver, Config.ConfigError> => variable.layerOf(config, layer)
