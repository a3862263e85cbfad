/**
 * The approvers: each module makes Layers of `Approver`.
 *
 * @since 0.1.0
 */
export type { ApproverOptions } from "./ApproverOptions.ts"
/** Questions in Discord, answered by reactions or replies. */
export * as DiscordApprover from "./DiscordApprover.ts"
/** Questions in Slack, answered by reactions or in the thread. */
export * as SlackApprover from "./SlackApprover.ts"
/** Questions in Telegram, answered by buttons. */
export * as TelegramApprover from "./TelegramApprover.ts"
/** Questions to the person at the terminal. */
export * as TerminalPrompt from "./TerminalPrompt.ts"
/** Questions on a web page that the script itself serves. */
export * as WebPage from "./WebPage.ts"
