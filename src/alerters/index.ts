/**
 * The channels: each a Layer of `Alerter`.
 *
 * @since 0.1.0
 */
export type { ChannelOptions } from "./ChannelOptions.ts"
export * as Slack from "./Slack.ts"
