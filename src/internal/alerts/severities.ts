/** Checks severities among the options of channels and policies. */
import type { Severity } from "../../Alert.ts"
import { rank, severities } from "../model/severity.ts"
import { shown } from "../text/shown.ts"

/** Returns the mistakes in a severity, or in a list of some: one that does not exist would match no alert. */
export const severityMistakes = (
  what: string,
  value: Severity | ReadonlyArray<Severity> | undefined
): ReadonlyArray<string> =>
  [value ?? []].flat().flatMap((one) =>
    rank(one) < 0 ? [`${what} must be one of ${severities.join(", ")}, or a list of some, got ${shown(one)}`] : []
  )
