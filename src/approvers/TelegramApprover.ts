/**
 * Questions in Telegram, answered by buttons.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Approver } from "../Approver.ts"
import type { ApproverOptions } from "./ApproverOptions.ts"
import * as polling from "./internal/polling.ts"
import * as internal from "./internal/telegram/asking.ts"

/**
 * What {@link layer} needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ApproverOptions {
  /** Of the bot, from BotFather: `123456:ABC-DEF…`. */
  readonly token: Redacted.Redacted<string>
  /** The chat's id, or the `@name` of a public group or channel. The bot must be in it. */
  readonly chatId: string | number
  /** Of a Bot API server of one's own. `https://api.telegram.org` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Asks in a chat by two buttons, of which the first that is pressed counts. Buttons of
 * questions that are settled do not. `approvers` are ids of users or their `@username`s,
 * which somebody else may take when they are given up; others are told that their answer
 * does not count.
 *
 * It waits for answers by `getUpdates` (https://core.telegram.org/bots/api#getupdates),
 * for as long as a question stands, 25 seconds at a time. Questions of one layer share
 * that. No other program may do so with the same bot, and the bot can have no webhook:
 * then no answer could be heard, which is an error (`Rejected` with status 409). All that
 * it asks for are presses of buttons: from then on Telegram drops the bot's other updates
 * until somebody asks for them again.
 *
 * It is resumable: Telegram keeps presses that nobody has asked for, though for no longer
 * than 24 hours (https://core.telegram.org/bots/api#getting-updates), after which people
 * have to press again. It tells of each until the next request, and does not say when
 * it was: one that is heard only after the question's time is up approves nothing.
 * Questions that were posted before a restart are to be listened to by one layer, soon
 * after each other: of presses for those that nobody listens to yet, it keeps a thousand.
 * A process that is killed between an answer and whatever was to become of it hears it
 * again unless another question has asked since: then the buttons are gone, and the
 * question times out.
 *
 * @example
 * ```ts
 * import { TelegramApprover } from "effect-epilogue/approvers"
 * import { Redacted } from "effect"
 *
 * const approver = TelegramApprover.layer({ token: Redacted.make("123456:ABC-DEF"), chatId: -1001234567890 })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: BotOptions): Layer.Layer<Approver> => {
  const token = Redacted.value(options.token)
  const { baseUrl = "https://api.telegram.org", chatId } = options
  const limit = Duration.fromInputUnsafe(options.timeout ?? "10 seconds")
  return polling.layer(
    "telegram",
    options,
    [token],
    (channel) => Effect.sync(() => internal.make({ token, chatId, baseUrl, limit }, channel))
  )
}

/**
 * {@link layer} with the token from `TELEGRAM_BOT_TOKEN` and the chat from
 * `TELEGRAM_CHAT_ID`, or from the config given.
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
    token: Config.Redacted("TELEGRAM_BOT_TOKEN"),
    chatId: Config.String("TELEGRAM_CHAT_ID")
  }
): Layer.Layer<Approver, Config.ConfigError> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))
