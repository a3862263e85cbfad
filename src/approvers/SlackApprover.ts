/**
 * Asks in Slack, where people answer by reactions or in the thread.
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
import * as polling from "./internal/polling.ts"
import * as internal from "./internal/slack.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ApproverOptions {
  /** The token of a bot: `xoxb-…`. */
  readonly token: Redacted.Redacted<string>
  /** The id, `C…`, or the name of the channel. The bot must be a member. */
  readonly channel: string
  /** The URL of the Web API. `https://slack.com/api` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Asks in a channel. The first answer counts: a reaction of ✅ or ❌, or a reply in the thread that
 * begins with the label of an answer, or with yes, no, approve or deny.
 *
 * **Details**
 *
 * The rest of a reply is the comment. Answers of bots are ignored. `approvers` are ids of members,
 * `U…`: anybody can take somebody else's name.
 *
 * The bot needs the scopes `chat:write`, `reactions:read`, `reactions:write` and `users:read`. With
 * `channels:history` or `groups:history` it also reads replies; without, only reactions count.
 * Without `users:read` Slack does not tell people from bots, so no answer counts, and a warning is
 * logged.
 *
 * The approver is resumable: Slack stores reactions and replies, so a process that resumes
 * listening finds them.
 *
 * **Gotchas**
 *
 * Looking for answers takes two requests. Slack allows fifty a minute, and fewer to commercial
 * apps (https://docs.slack.dev/reference/methods/conversations.replies): if many questions are
 * open at once, set a longer `interval`. Reactions have no time: if no process listened when the
 * question timed out, only a reply can approve it. A question whose post was not answered in time
 * is posted again; if both messages appear, only answers to the later one count.
 *
 * @example
 * ```ts
 * import { SlackApprover } from "effect-epilogue/approvers"
 * import { Redacted } from "effect"
 *
 * const approver = SlackApprover.layer({ token: Redacted.make("xoxb-…"), channel: "C0123456789" })
 * ```
 *
 * @see {@link layerConfig} to read the options from the environment
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: BotOptions): Layer.Layer<Approver> =>
  polling.layer("slack", options, own, () => {
    const { channel } = options
    const token = Redacted.value(options.token)
    const baseUrl = options.baseUrl || "https://slack.com/api"
    return {
      secrets: [token],
      make: (parts) => Effect.sync(() => internal.make({ token, channel, baseUrl }, parts))
    }
  })

const own: OwnOptions<BotOptions> = { interval: spanMistakes, token: secret, channel: text, baseUrl: optionalText }

/**
 * Like {@link layer}, with the token from `SLACK_BOT_TOKEN` and the channel from
 * `SLACK_CHANNEL`, or the options from a config.
 *
 * @example
 * ```ts
 * import { SlackApprover } from "effect-epilogue/approvers"
 * import { Config } from "effect"
 *
 * const approver = SlackApprover.layerConfig()
 * const ofTeam = SlackApprover.layerConfig({ token: Config.Redacted("TEAM_TOKEN"), channel: Config.String("TEAM_CHANNEL") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<BotOptions> = {
    token: variable.secret("SLACK_BOT_TOKEN"),
    channel: variable.text("SLACK_CHANNEL")
  }
): Layer.Layer<Approver, Config.ConfigError> => variable.layerOf(config, layer)
