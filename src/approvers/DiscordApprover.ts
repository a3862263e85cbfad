/**
 * Asks in Discord, where people answer by reactions or replies.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { OwnOptions } from "../alerters/internal/channel/channel.ts"
import * as variable from "../alerters/internal/channel/config.ts"
import { secret } from "../alerters/internal/channel/secrets.ts"
import type { Approver } from "../Approver.ts"
import { optionalText, spanMistakes, text } from "../internal/model/options.ts"
import type { ApproverOptions } from "./ApproverOptions.ts"
import * as internal from "./internal/discord.ts"
import * as polling from "./internal/polling.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ApproverOptions {
  /** The bot's token, without `Bot ` before it. */
  readonly token: Redacted.Redacted<string>
  /** The id of a channel or a thread. */
  readonly channelId: string
  /** The URL of the API. `https://discord.com/api/v10` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Asks in a channel. The first answer counts: a reaction of ✅ or ❌, or a reply to the question
 * that begins with the label of an answer, or with yes, no, approve or deny.
 *
 * **Details**
 *
 * The rest of a reply is the comment. Answers of bots are ignored. `approvers` are ids of users.
 *
 * The bot needs the permissions to view the channel, send messages, embed links, add reactions
 * and read the message history. Without the message content intent, it can read only replies that
 * mention it, which replies do unless the author turns that off
 * (https://docs.discord.com/developers/events/gateway#message-content-intent). Looking for answers
 * takes five requests.
 *
 * The approver is resumable: Discord stores reactions and replies, so a process that resumes
 * listening finds them.
 *
 * **Gotchas**
 *
 * To find replies, it reads all messages of the channel since the question, fifty per request. In
 * a busy channel, let people answer in a thread or a channel of its own. Reactions have no time:
 * if no process listened when the question timed out, only a reply can approve it.
 *
 * @example
 * ```ts
 * import { DiscordApprover } from "effect-epilogue/approvers"
 * import { Redacted } from "effect"
 *
 * const approver = DiscordApprover.layer({ token: Redacted.make("the bot's token"), channelId: "1234567890" })
 * ```
 *
 * @see {@link layerConfig} to read the options from the environment
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: BotOptions): Layer.Layer<Approver> =>
  polling.layer("discord", options, own, () => {
    const { channelId } = options
    const token = Redacted.value(options.token)
    const baseUrl = options.baseUrl || "https://discord.com/api/v10"
    return {
      secrets: [token],
      make: (channel) => Effect.sync(() => internal.make({ token, channelId, baseUrl }, channel))
    }
  })

const own: OwnOptions<BotOptions> = { interval: spanMistakes, token: secret, channelId: text, baseUrl: optionalText }

/**
 * Like {@link layer}, with the token from `DISCORD_BOT_TOKEN` and the channel from
 * `DISCORD_CHANNEL_ID`, or the options from a config.
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
    token: variable.secret("DISCORD_BOT_TOKEN"),
    channelId: variable.text("DISCORD_CHANNEL_ID")
  }
): Layer.Layer<Approver, Config.ConfigError> => variable.layerOf(config, layer)
