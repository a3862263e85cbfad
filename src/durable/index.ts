/**
 * Durable steps and pipelines, approvals and an outbox, on `effect/workflow` and `effect/cluster`.
 *
 * @since 0.1.0
 */
export * as Approval from "./Approval.ts"
export * as Durable from "./Durable.ts"
export * as Outbox from "./Outbox.ts"
