/**
 * Typed success and failure hooks for named steps and pipelines.
 *
 * @since 0.1.0
 */
export {
  Alert,
  type AlertInput,
  type AlertNote,
  type AlertSource,
  type Attachment,
  type Field,
  type Severity
} from "./Alert.ts"
export {
  Alerter,
  AlerterError,
  type AlerterErrorFields,
  AlerterErrorReason,
  type AlertKind,
  type DurationPart,
  isAlerterError,
  type Words
} from "./Alerter.ts"
/** Standard hooks that post alerts about steps and runs. */
export * as AlerterHooks from "./AlerterHooks.ts"
export {
  Approver,
  Decision,
  NotApproved,
  type NotApprovedFields,
  type Person,
  type Question,
  type Resumable
} from "./Approver.ts"
/** Typed reactions to the start, retries and outcomes of steps, and their policies. */
export * as Hook from "./Hook.ts"
/** Collections of hooks, and how they combine. */
export * as Hooks from "./Hooks.ts"
/** Parameters as services, decoded with Schema. */
export * as Params from "./Params.ts"
/** Named runs, with hooks for their steps and for themselves. */
export * as Pipeline from "./Pipeline.ts"
/** The events of runs, and observers of them. */
export * as RunEvent from "./RunEvent.ts"
/** Secrets, which are kept out of all that is told of runs. */
export * as Secrets from "./Secrets.ts"
/** Steps of the spans that a program opens already. */
export * as Spans from "./Spans.ts"
/** Named Effects with hooks. */
export * as Step from "./Step.ts"
export { StepContext } from "./StepContext.ts"
/** The last lines that steps have logged, for alerts and records. */
export * as StepLogs from "./StepLogs.ts"
