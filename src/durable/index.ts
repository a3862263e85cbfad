/**
 * Durable steps and pipelines, approvals and an outbox, on `effect/workflow` and `effect/cluster`.
 *
 * @since 0.1.0
 */
/** Approvers whose questions survive the process. */
export * as Approval from "./Approval.ts"
/** Steps and pipelines whose runs survive the process. */
export * as Durable from "./Durable.ts"
/** Stores alerts in a database, and delivers them from there until they have arrived. */
export * as Outbox from "./Outbox.ts"
