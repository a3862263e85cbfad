/**
 * Typed success and failure hooks for named steps and pipelines.
 *
 * @since 0.1.0
 */
export { Alert, type AlertInput, type AlertSource, type Attachment, type Field, type Severity } from "./Alert.ts"
export { Alerter, AlerterError, type AlerterErrorFields, AlerterErrorReason, isAlerterError } from "./Alerter.ts"
export * as AlerterHooks from "./AlerterHooks.ts"
export { Approver, Decision, NotApproved, type NotApprovedFields, type Person, type Question } from "./Approver.ts"
export * as Hook from "./Hook.ts"
export * as Hooks from "./Hooks.ts"
export * as Params from "./Params.ts"
export * as Pipeline from "./Pipeline.ts"
export * as RunEvent from "./RunEvent.ts"
export * as Step from "./Step.ts"
export { StepContext } from "./StepContext.ts"
