/**
 * The same steps and hooks on `effect/workflow` and `effect/cluster`, for scripts that outgrow one process.
 *
 * @since 0.1.0
 */
export * as Approval from "./Approval.ts"
export * as Durable from "./Durable.ts"
export * as Outbox from "./Outbox.ts"
export * as SqliteClient from "./SqliteClient.ts"
