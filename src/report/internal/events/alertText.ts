/** Says what has become of an alert, for trees, timelines and summaries. */
import { formatDuration } from "../../../internal/text/duration.ts"
import { plural } from "../../../internal/text/words.ts"
import type { AlertModel, AlertsModel, RunModel } from "./runModel.ts"

type Result = AlertModel["result"]

/** The signs beside the words. */
export const resultSigns: Readonly<Record<Result, string>> = {
  delivered: "✓",
  failed: "!",
  waiting: "…",
  held: "‖",
  dropped: "-"
}

/** Shorter times say nothing: each channel takes some. */
const worthTelling = 1000

/** Says what has become of an alert in a few words. `isGone`: the process ended before its run did. */
export const resultText = (
  { at, by, postedAt, result, wasHeld }: Omit<AlertModel, "title" | "severity" | "reason">,
  isGone: boolean
): string => {
  const passed = at - postedAt
  const after = passed < worthTelling ? "" : ` after ${formatDuration(passed)}`
  switch (result) {
    case "delivered":
      return wasHeld ? `held by ${by}, delivered${after}` : `delivered by ${by}${after}`
    case "failed":
      return wasHeld ? `held by ${by}, not delivered${after}` : `not delivered by ${by}${after}`
    case "waiting":
      return isGone ? `still waiting for ${by} when the process ended` : `waiting for ${by}`
    case "held":
      return `held by ${by}`
    case "dropped":
      return `dropped by ${by}`
  }
}

/** Whether the process of a run ended before the run did, so that nothing more becomes of its alerts. */
export const isGone = ({ left }: RunModel): boolean => left?._tag === "crashed"

/** Says how many alerts a record leaves out, or returns `undefined`. */
export const omittedText = ({ omitted, omittedFailed }: AlertsModel): string | undefined =>
  omitted === 0
    ? undefined
    : `${plural(omitted, "alert")} left out${omittedFailed === 0 ? "" : `, ${omittedFailed} of them not delivered`}`
