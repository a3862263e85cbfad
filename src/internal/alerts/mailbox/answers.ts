/** Remembers what a channel answered to the latest attempts, and tells by that why an alert did not arrive. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import { type AlerterError, AlerterErrorReason, isAlerterError } from "../../model/alerterError.ts"
import type { Item } from "./item.ts"
import type { Schedule } from "./schedule.ts"

/** The channel's answers to the latest attempts. */
export interface Answers {
  /** Returns whether the channel refused the last attempt, or did not answer it. */
  readonly isFailing: () => boolean
  /** Returns when the channel took an alert last. */
  readonly takenAt: () => number
  readonly delivered: () => void
  /** Notes that the channel refused an alert, or without an error that it did not answer. */
  readonly refused: (error?: AlerterError) => void
  /** Notes that an alert was given up. Returns why. */
  readonly failed: (item: Item, cause: Cause.Cause<AlerterError>) => AlerterError
  /** Returns the error of an alert for which there was no time: that of its last attempt, or why there was none. */
  readonly lateError: (item: Item) => AlerterError
}

/** Returns whether the channel would have taken no other alert either. */
const isOutage = ({ reason }: AlerterError): boolean =>
  reason._tag === "Rejected" ? (reason.status ?? 0) >= 500 : reason._tag !== "InvalidAlert"

/** Makes the answers of a channel that was not asked yet. */
export const answers = (
  { deadline, drain, now, pausedUntil }: Schedule,
  errorOf: (reason: AlerterErrorReason) => AlerterError
): Answers => {
  let isFailing = false
  let takenAt = -Infinity
  /** Why the channel took no alert last, until it takes one. */
  let refusal: AlerterError | undefined
  const refused = (error?: AlerterError) => {
    isFailing = true
    refusal = error ?? refusal
  }
  const lateError = ({ error, fiber }: Item): AlerterError => {
    const limit = drain() ?? 0
    // while one waited, others were taken
    const isLate = fiber === undefined && (takenAt > deadline() - limit || pausedUntil() > now())
    return error ?? refusal ?? errorOf(
      isLate ? AlerterErrorReason.RateLimited({}) : AlerterErrorReason.TimedOut({ limit: Duration.millis(limit) })
    )
  }
  const errorIn = (item: Item, cause: Cause.Cause<AlerterError>): AlerterError => {
    if (Cause.hasInterruptsOnly(cause)) return lateError(item)
    const error = Cause.squash(cause)
    return isAlerterError(error) ? error : errorOf(AlerterErrorReason.Rejected({ detail: "it failed" }))
  }
  return {
    isFailing: () => isFailing,
    takenAt: () => takenAt,
    delivered: () => {
      isFailing = false
      refusal = undefined
      takenAt = now()
    },
    refused,
    failed: (item, cause) => {
      const error = errorIn(item, cause)
      if (isOutage(error)) refused(error)
      else isFailing = false
      return error
    },
    lateError
  }
}
