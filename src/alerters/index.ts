/**
 * The channels: each module makes Layers of `Alerter`.
 *
 * @since 0.1.0
 */
/** Alerts in Prometheus Alertmanager, which groups, silences and routes them. */
export * as Alertmanager from "./Alertmanager.ts"
/** Alerts by a server of Apprise, which notifies more than a hundred services. */
export * as Apprise from "./Apprise.ts"
export type { ChannelOptions } from "./ChannelOptions.ts"
/** Alerts on the console. */
export * as Console from "./Console.ts"
/** Alerts in Discord. */
export * as Discord from "./Discord.ts"
/** Alerts by mail. */
export * as Email from "./Email.ts"
/** Failures as issues on GitHub, which the next success closes. */
export * as GitHubIssues from "./GitHubIssues.ts"
/** Alerts in Google Chat. */
export * as GoogleChat from "./GoogleChat.ts"
/** Alerts by Gotify, as notifications on phones and in browsers. */
export * as Gotify from "./Gotify.ts"
/** Alerts as lines of JSON, in a file. */
export * as JsonLines from "./JsonLines.ts"
/** Alerts in rooms of Matrix. */
export * as Matrix from "./Matrix.ts"
/** Alerts in Mattermost. */
export * as Mattermost from "./Mattermost.ts"
/** Alerts by ntfy, as notifications on phones and in browsers. */
export * as Ntfy from "./Ntfy.ts"
/** Alerts in Opsgenie or Jira Service Management, which page people. */
export * as Opsgenie from "./Opsgenie.ts"
/** Incidents in PagerDuty, which the next success resolves. */
export * as PagerDuty from "./PagerDuty.ts"
/** Alerts by Pushover, as notifications on phones. */
export * as Pushover from "./Pushover.ts"
/** Alerts in Rocket.Chat. */
export * as RocketChat from "./RocketChat.ts"
/** Alerts as events and issues in Sentry. */
export * as Sentry from "./Sentry.ts"
/** Alerts in Slack, and in receivers that take Slack's webhooks. */
export * as Slack from "./Slack.ts"
/** Alerts in Microsoft Teams. */
export * as Teams from "./Teams.ts"
/** Alerts in Telegram. */
export * as Telegram from "./Telegram.ts"
/** Alerts as short messages (SMS) by Twilio. */
export * as Twilio from "./Twilio.ts"
/** Alerts as signed JSON, to a server of your own. */
export * as Webhook from "./Webhook.ts"
/** Alerts in Zulip. */
export * as Zulip from "./Zulip.ts"
