/** Makes error messages that a channel sends as JSON readable. */
import { AlerterError, AlerterErrorReason } from "../../../Alerter.ts"

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Replaces an error's detail, if it is JSON, by the text that it is, or that `pick` finds in it. */
export const readable = (error: AlerterError, pick: (answer: object) => string | undefined): AlerterError => {
  const { channel, reason } = error
  if (reason._tag !== "Rejected" && reason._tag !== "Unauthorized") return error
  const answer = parsed(reason.detail ?? "")
  const detail = typeof answer === "string"
    ? answer
    : typeof answer === "object" && answer !== null
    ? pick(answer)
    : undefined
  if (detail === undefined) return error
  return new AlerterError({
    channel,
    reason: reason._tag === "Rejected"
      ? AlerterErrorReason.Rejected({ ...reason, detail })
      : AlerterErrorReason.Unauthorized({ detail })
  })
}
