/**
 * Policies around any alerter: each takes a Layer of `Alerter` and gives another.
 *
 * The one piped last is asked first: in `slack.pipe(dedupe(…), minSeverity("error"))`
 * alerts of lesser severity never reach `dedupe`.
 *
 * @since 0.1.0
 */
export { minSeverity } from "./minSeverity.ts"
