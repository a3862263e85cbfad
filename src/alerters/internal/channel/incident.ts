/** Decides what an alert does in a channel that keeps incidents. */
import { isAcknowledgement } from "../../../internal/alerts/notices.ts"
import { repeatsTag } from "../../../internal/alerts/repeats.ts"
import type { Dated } from "./channel.ts"

/** The effect of an alert: trigger, acknowledge or resolve an incident, or tell of a change, which is no incident. */
export type IncidentAction = "trigger" | "acknowledge" | "resolve" | "change"

/** Returns `undefined` for a success that is no news: other evaluations of its step may fail or have failed. */
export const incidentActionOf = ({ dedupeKey, resolves, severity, tags }: Dated): IncidentAction | undefined => {
  // the incident of what was held back is there already, or over
  if (tags.includes(repeatsTag)) return "change"
  if (severity !== "success" && severity !== "info") return "trigger"
  if (dedupeKey === undefined || dedupeKey === "") return "change"
  if (resolves) return "resolve"
  if (isAcknowledgement({ severity, tags })) return "acknowledge"
  return severity === "info" ? "change" : undefined
}
