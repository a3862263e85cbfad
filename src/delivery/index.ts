/**
 * Policies that decide which alerts are delivered, when, and where. Each takes a layer of `Alerter` and returns
 * another.
 *
 * The policy that is piped last sees an alert first: in `slack.pipe(dedupe(…), minSeverity("error"))` alerts below
 * `error` never reach `dedupe`.
 *
 * @since 0.1.0
 */
export { type Acknowledgement, Acknowledgements, NotOpenError, type OpenAlert } from "./Acknowledgements.ts"
export { afterConsecutive, type AfterConsecutiveOptions } from "./afterConsecutive.ts"
export { askToAcknowledge, type AskToAcknowledgeOptions } from "./askToAcknowledge.ts"
export { dedupe, type DedupeOptions } from "./dedupe.ts"
export { digest, type DigestOptions } from "./digest.ts"
export { escalate, type EscalateOptions } from "./escalate.ts"
export { fallback, type FallbackOptions } from "./fallback.ts"
export { fanOut, type FanOutOptions } from "./fanOut.ts"
export type { Persisted } from "./internal/state/persisted.ts"
export type { State } from "./internal/state/state.ts"
export { mailbox, type MailboxOptions, type Pace, type PaceLimit } from "./mailbox.ts"
export { minSeverity } from "./minSeverity.ts"
export { onLost } from "./onLost.ts"
export { quietHours, type QuietHoursOptions, type Weekday } from "./quietHours.ts"
export { recovered, type RecoveredOptions } from "./recovered.ts"
export { remind, type RemindOptions } from "./remind.ts"
export { type Criteria, type Route, route } from "./route.ts"
export { runUrl } from "./runUrl.ts"
export { Store, StoreError } from "./Store.ts"
export { throttle, type ThrottleOptions } from "./throttle.ts"
