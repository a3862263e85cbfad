/**
 * Policies around any alerter: each takes a Layer of `Alerter` and gives another.
 *
 * The one piped last is asked first: in `slack.pipe(dedupe(…), minSeverity("error"))`
 * alerts of lesser severity never reach `dedupe`.
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
