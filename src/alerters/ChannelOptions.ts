/**
 * The options that all channels have in common.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type { Pace } from "../internal/alerts/mailbox/pace.ts"

export type { Pace, PaceLimit } from "../internal/alerts/mailbox/pace.ts"

/**
 * Sets how a channel sends, and in which time zone it shows times.
 *
 * **Details**
 *
 * The layer of a channel has a mailbox. Alerts wait in it and are sent one after another: the most severe first, those
 * about the same step in the order of their posts, and no more than `pace` allows. A post succeeds when the channel has
 * accepted the alert. If the time of the hook or the fiber that posts is up before that, the alert stays in the mailbox
 * and is delivered all the same.
 *
 * An attempt is retried after a timeout, after a connection error, and after an answer with status 408 or 5xx. The
 * delay doubles from one attempt to the next, and each is shortened at random by up to half. An answer with status 429
 * refuses the rate, and not the alert: it does not count towards `retries`, unless these are 0. After it, and after
 * every answer with a `Retry-After`, the whole mailbox waits as long as the channel says, and up to a quarter of that
 * longer (5 seconds at most), so that several processes do not come back at once. An alert is given up where the
 * channel takes no alert for an hour.
 *
 * When the layer closes, the mailbox is emptied. If more alerts wait than the pace allows within `drain`, they are
 * folded into fewer; if it allows none, they become one that is sent all the same. What can't be delivered in time is
 * lost, and logged as an error.
 *
 * If more than `capacity` alerts wait, the oldest two about the subject with the most are folded into the later one,
 * whose title says "and 1 more like it". Where all are about different things, the two least severe become one alert
 * that lists both.
 *
 * **Gotchas**
 *
 * A post whose answer was lost is sent again, and may arrive twice. Where the channel knows a key
 * it shows the alert once:
 *
 * - PagerDuty, Opsgenie and Alertmanager (`dedupeKey`),
 * - Discord's bot (`nonce`),
 * - ntfy from version 2.16 on,
 * - Google Chat (`requestId`),
 * - Matrix (its transactions),
 * - Sentry (the id of the event),
 * - receivers of `Webhook` that compare `Idempotency-Key`.
 *
 * Others have no such key. On Deno this also happens with `retries: 0`: its `fetch`
 * sends a request again by itself if the server resets the connection.
 *
 * Proxies and private certificate authorities are the runtime's: see `docs/channels.md`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelOptions {
  /** How long one attempt may take. 10 seconds unless set, 30 for Apprise, which asks several services. */
  readonly timeout?: Duration.Input | undefined
  /** How many attempts may follow the first. 3 unless set. */
  readonly retries?: number | undefined
  /** The delay before the second attempt. 500 milliseconds unless set, 5 seconds for Pushover, which asks for it. */
  readonly delay?: Duration.Input | undefined
  /** The longest delay that the channel has not asked for. One minute unless set. */
  readonly maxDelay?: Duration.Input | undefined
  /**
   * How many alerts are sent in which time. Unless set, as many as the channel takes, by its documentation:
   *
   * - Slack: a webhook five and then one a second, a bot one a second
   * - Discord: five in two seconds (and less where its answers say so), and 30 a minute to a webhook
   * - Teams: four a second
   * - Google Chat: one a second
   * - Mattermost: ten a second
   * - Gotify: five a second
   * - Zulip: 200 a minute (and less where its answers say so)
   * - Matrix: ten and then one every five seconds, as a Synapse takes that is not set otherwise
   * - Rocket.Chat: ten a minute (and less where its answers say so)
   * - Telegram: one a second, and 20 a minute in a group
   * - PagerDuty: 120 a minute
   * - Opsgenie: 60 and then two a second
   * - ntfy: 60 and then one every five seconds
   * - Pushover: five and then one a second
   * - Twilio: one message a second
   * - Sentry: 20 and then one a second
   * - GitHub: one request that creates content a second, 80 a minute and 500 an hour
   *
   * Webhooks, mails, Apprise and Alertmanager have no pace.
   */
  readonly pace?: Pace | undefined
  /**
   * How long the closing layer waits until the mailbox is empty. Unless set, one minute, and 30 seconds where an
   * interruption closes it, as after SIGTERM.
   */
  readonly drain?: Duration.Input | undefined
  /** How many alerts may wait. 1,000 unless set, 20 for Twilio, whose messages cost. */
  readonly capacity?: number | undefined
  /** The time zone of the times in alerts. The machine's unless set. */
  readonly timeZone?: DateTime.TimeZone | undefined
}
