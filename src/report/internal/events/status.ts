/** Tells by words, signs and colours how a run ended or where it stands. */
import type { Outcome } from "../../../RunEvent.ts"
import type { Status } from "../../Recorded.ts"

export const outcomeWords: Readonly<Record<Outcome, string>> = {
  success: "succeeded",
  failure: "failed",
  interrupt: "interrupted",
  skip: "skipped"
}

export const statusWords: Readonly<Record<Status, string>> = {
  ...outcomeWords,
  running: "running",
  suspended: "suspended",
  crashed: "crashed",
  cutOff: "cut off"
}

/** The signs beside the words, so that a status is not told by its colour alone. */
export const statusSigns: Readonly<Record<Status, string>> = {
  running: "▶",
  suspended: "‖",
  success: "✓",
  failure: "✗",
  interrupt: "■",
  skip: "↓",
  crashed: "✗",
  cutOff: "⊘"
}

/** The name of the colour of each status. */
export const statusColors: Readonly<Record<Status, Outcome | "cut">> = {
  running: "cut",
  suspended: "cut",
  success: "success",
  failure: "failure",
  interrupt: "interrupt",
  skip: "skip",
  crashed: "failure",
  cutOff: "failure"
}
