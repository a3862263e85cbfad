/**
 * Questions in Discord, answered by reactions or replies.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Approver } from "../Approver.ts"
import type { ApproverOptions } from "./ApproverOptions.ts"
import * as internal from "./internal/discord.ts"
import * as polling from "./internal/polling.ts"

/**
 * What {@link layer} needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ApproverOptions {
  /** The bot's, without `Bot ` before it. */
  readonly token: Redacted.Redacted<string>
  /** Of a channel or a thread. */
  readonly channelId: string
  /** `https://discord.com/api/v10` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Asks in a channel, and counts the first reaction of ✅ or ❌, or the first reply to the
 * question that begins with what an answer is called, or with yes, no, approve or deny.
 * The rest of a reply is its comment. Bots don't count. `approvers` are ids of users.
 *
 * In the channel the bot must be allowed to view it, to send messages, embed links, add
 * reactions and read the history. Without the message content intent it sees what is
 * in replies that mention it, as they do unless the mention is turned off
 * (https://docs.discord.com/developers/events/gateway#message-content-intent). One look
 * is five requests.
 *
 * It is resumable: the answers are kept by Discord, with the message, and a process that
 * goes on listening finds them. For replies it reads all that was said in the channel
 * since the question, fifty messages a request: in a busy channel let people answer in a
 * thread, or one of its own. Reactions have no time; where nobody listened when the
 * question's time was up, an approval counts only as a reply.
 *
 * @example
 * ```ts
 * import { DiscordApprover } from "effect-epilogue/approvers"
 * import { Redacted } from "effect"
 *
 * const approver = DiscordApprover.layer({ token: Redacted.make("the bot's token"), channelId: "1234567890" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: BotOptions): Layer.Layer<Approver> => {
  const token = Redacted.value(options.token)
  const { baseUrl = "https://discord.com/api/v10", channelId } = options
  return polling.layer(
    "discord",
    options,
    [token],
    (channel) => Effect.sync(() => internal.make({ token, channelId, baseUrl }, channel))
  )
}

/**
 * {@link layer} with the token from `DISCORD_BOT_TOKEN` and the channel from
 * `DISCORD_CHANNEL_ID`, or from the config given.
 *
 * @example
 * ```ts
 * import { DiscordApprover } from "effect-epilogue/approvers"
 *
 * const approver = DiscordApprover.layerConfig()
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<BotOptions> = {
    token: Config.Redacted("DISCORD_BOT_TOKEN"),
    channelId: Config.String("DISCORD_CHANNEL_ID")
  }
): Layer.Layer<Approver, Config.ConfigError> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))
