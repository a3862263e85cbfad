/**
 * The channels: each module makes Layers of `Alerter`.
 *
 * @since 0.1.0
 */
export type { ChannelOptions } from "./ChannelOptions.ts"
export * as Console from "./Console.ts"
export * as Discord from "./Discord.ts"
export * as Email from "./Email.ts"
export * as JsonLines from "./JsonLines.ts"
export * as Ntfy from "./Ntfy.ts"
export * as PagerDuty from "./PagerDuty.ts"
export * as Slack from "./Slack.ts"
export * as Teams from "./Teams.ts"
export * as Telegram from "./Telegram.ts"
export * as Webhook from "./Webhook.ts"
