/** The order of severities. Loads no `Schema`; the Schema of a severity is `SeverityJson` in `../alerts/json.ts`. */
import type { Alert, Severity } from "../../Alert.ts"

/** All severities, from the least to the most severe. */
export const severities = ["info", "success", "warning", "error", "critical"] as const satisfies ReadonlyArray<Severity>

/** Returns the position of a severity in {@link severities}, or -1 for a value that is not a severity. */
export const rank = (severity: Severity): number => severities.indexOf(severity)

/** Returns the more severe of the two. */
export const worst = (a: Severity, b: Severity): Severity => rank(a) < rank(b) ? b : a

/** Returns a predicate for alerts that are at least as severe. Throws if the value is not a severity. */
export const atLeast = (severity: Severity): (alert: Pick<Alert, "severity">) => boolean => {
  const least = rank(severity)
  // Callers without types may pass any string. A rank of -1 would let every alert pass.
  if (least < 0) throw new Error(`"${severity}" is not a severity, use one of ${severities.join(", ")}`)
  return (alert) => rank(alert.severity) >= least
}

/** Returns whether an alert reports a failure: a `warning` or worse. */
export const isFailure: (alert: Pick<Alert, "severity">) => boolean = atLeast("warning")

/** Symbols for plain text: terminals and the lines of a digest. Channels that show emojis have their own. */
export const textSymbols: Record<Severity, string> = {
  info: "i",
  success: "✓",
  warning: "!",
  error: "✗",
  critical: "✗✗"
}
