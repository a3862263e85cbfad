/**
 * The approvers: each module makes Layers of `Approver`.
 *
 * @since 0.1.0
 */
export type { ApproverOptions } from "./ApproverOptions.ts"
export * as DiscordApprover from "./DiscordApprover.ts"
export * as SlackApprover from "./SlackApprover.ts"
export * as TelegramApprover from "./TelegramApprover.ts"
export * as TerminalPrompt from "./TerminalPrompt.ts"
export * as WebPage from "./WebPage.ts"
