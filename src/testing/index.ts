/**
 * Provides test doubles for alerters and approvers, and tools to test hooks.
 *
 * @since 0.1.0
 */
export { TestAlerter } from "./TestAlerter.ts"
export { TestApprover } from "./TestApprover.ts"
/** Runs a single hook against any outcome. */
export * as TestHook from "./TestHook.ts"
export { TestObserver } from "./TestObserver.ts"
