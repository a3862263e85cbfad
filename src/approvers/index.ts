/**
 * The channels that can hear an answer: each a Layer of `Approver`.
 *
 * @since 0.1.0
 */
export type { ApproverOptions } from "./ApproverOptions.ts"
