/**
 * The channels that can hear an answer: each a Layer of `Approver`.
 *
 * @since 0.1.0
 */
export type { ApproverOptions } from "./ApproverOptions.ts"
export * as Discord from "./Discord.ts"
export * as Slack from "./Slack.ts"
export * as Telegram from "./Telegram.ts"
export * as TerminalPrompt from "./TerminalPrompt.ts"
export * as WebPage from "./WebPage.ts"
