/**
 * The channels: each module makes Layers of `Alerter`.
 *
 * @since 0.1.0
 */
export * as Alertmanager from "./Alertmanager.ts"
export * as Apprise from "./Apprise.ts"
export type { ChannelOptions } from "./ChannelOptions.ts"
export * as Console from "./Console.ts"
export * as Discord from "./Discord.ts"
export * as Email from "./Email.ts"
export * as GitHubIssues from "./GitHubIssues.ts"
export * as GoogleChat from "./GoogleChat.ts"
export * as Gotify from "./Gotify.ts"
export * as JsonLines from "./JsonLines.ts"
export * as Matrix from "./Matrix.ts"
export * as Mattermost from "./Mattermost.ts"
export * as Ntfy from "./Ntfy.ts"
export * as Opsgenie from "./Opsgenie.ts"
export * as PagerDuty from "./PagerDuty.ts"
export * as Pushover from "./Pushover.ts"
export * as RocketChat from "./RocketChat.ts"
export * as Sentry from "./Sentry.ts"
export * as Slack from "./Slack.ts"
export * as Teams from "./Teams.ts"
export * as Telegram from "./Telegram.ts"
export * as Twilio from "./Twilio.ts"
export * as Webhook from "./Webhook.ts"
export * as Zulip from "./Zulip.ts"
