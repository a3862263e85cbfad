/** Tells by words, signs and colours where a durable run stands. */
import type { StoredStep } from "../../../../../internal/model/storedRun.ts"
import { statusColors, statusSigns, statusWords } from "../../../events/status.ts"
import type { DurableRunJson, QuestionJson } from "../../stored/data.ts"
import { timeText } from "../times.ts"

export interface Shown {
  readonly sign: string
  readonly words: string
  readonly color: string
}

const shown = (status: StoredStep["status"] | "suspended" | "cutOff", words: string): Shown => ({
  sign: statusSigns[status],
  words,
  color: statusColors[status]
})

/** The words for the filter. */
export const durableWords: Readonly<Record<DurableRunJson["status"], string>> = {
  running: "running",
  waiting: "waiting",
  setAside: "set aside",
  success: statusWords.success,
  failure: statusWords.failure,
  interrupt: statusWords.interrupt,
  skip: statusWords.skip
}

/** Says how a run ended, or what it waits for. */
export const statusOf = ({ status, until }: DurableRunJson, open: ReadonlyArray<QuestionJson>): Shown => {
  if (status === "waiting") {
    if (open.length > 0) return shown("suspended", "waits for an answer")
    return shown("suspended", until === undefined ? "suspended" : `waits until ${timeText(until)}`)
  }
  return shown(status === "setAside" ? "cutOff" : status, durableWords[status])
}

/** Says how a step stands in a run, which may have ended while the step had no end. */
export const stepStatus = (status: StoredStep["status"], run: DurableRunJson): Shown =>
  status === "running" && run.endedAt !== undefined
    ? shown("cutOff", "no end recorded")
    : status === "running" && run.status === "waiting"
    ? shown("suspended", "waits")
    : shown(status, statusWords[status])
