/**
 * Questions in Slack, answered by reactions or in the thread.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Approver } from "../Approver.ts"
import type { ApproverOptions } from "./ApproverOptions.ts"
import * as polling from "./internal/polling.ts"
import * as internal from "./internal/slack.ts"

/**
 * What {@link layer} needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface BotOptions extends ApproverOptions {
  /** Of a bot: `xoxb-…`. */
  readonly token: Redacted.Redacted<string>
  /** Its id, `C…`, or its name. The bot must be a member. */
  readonly channel: string
  /** Of the API. `https://slack.com/api` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Asks in a channel, and counts the first reaction of ✅ or ❌, or the first reply in the
 * thread that begins with what an answer is called, or with yes, no, approve or deny. The
 * rest of a reply is its comment. Bots don't count. `approvers` are ids of members,
 * `U…`: anybody can take somebody else's name.
 *
 * Its scopes are `chat:write`, `reactions:read` and `reactions:write`; for replies the
 * channel's history, `channels:history` or `groups:history`, without which reactions are
 * all that counts; and `users:read`, without which people go by their ids and bots
 * can't be told from them by their reactions. One look is two requests
 * (https://docs.slack.dev/reference/methods/conversations.replies allows fifty a minute,
 * less to apps that are sold): where many questions stand at once, set a longer `interval`.
 *
 * It is resumable: the answers are kept by Slack, with the message, and a process that
 * goes on listening finds them. Reactions have no time; where nobody listened when the
 * question's time was up, an approval counts only as a reply.
 *
 * A question that Slack took but did not answer for in time is posted again, and of the
 * two the later one is heard.
 *
 * @example
 * ```ts
 * import { SlackApprover } from "effect-epilogue/approvers"
 * import { Redacted } from "effect"
 *
 * const approver = SlackApprover.layer({ token: Redacted.make("xoxb-…"), channel: "C0123456789" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: BotOptions): Layer.Layer<Approver> => {
  const token = Redacted.value(options.token)
  const { baseUrl = "https://slack.com/api", channel } = options
  return polling.layer(
    "slack",
    options,
    [token],
    (parts) => Effect.sync(() => internal.make({ token, channel, baseUrl }, parts))
  )
}

/**
 * {@link layer} with the token from `SLACK_BOT_TOKEN` and the channel from
 * `SLACK_CHANNEL`, or from the config given.
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
    token: Config.Redacted("SLACK_BOT_TOKEN"),
    channel: Config.String("SLACK_CHANNEL")
  }
): Layer.Layer<Approver, Config.ConfigError> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))
