/**
 * Policies that decide which alerts are delivered, when, and where. Each takes a layer of `Alerter` and returns
 * another.
 *
 * The policy that is piped last sees an alert first: in `slack.pipe(dedupe(…), minSeverity("error"))` alerts below
 * `error` never reach `dedupe`.
 *
 * @since 0.1.0
 */
export { afterConsecutive, type AfterConsecutiveOptions } from "./afterConsecutive.ts"
export { dedupe, type DedupeOptions } from "./dedupe.ts"
export { digest, type DigestOptions } from "./digest.ts"
export { fallback, type FallbackOptions } from "./fallback.ts"
export { fanOut, type FanOutOptions } from "./fanOut.ts"
export { minSeverity } from "./minSeverity.ts"
export { quietHours, type QuietHoursOptions, type Weekday } from "./quietHours.ts"
export { recovered, type RecoveredOptions } from "./recovered.ts"
export { type Criteria, type Route, route } from "./route.ts"
export { throttle, type ThrottleOptions } from "./throttle.ts"
