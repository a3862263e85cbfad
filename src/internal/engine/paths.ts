/** Names evaluations, and says which steps they are in. */
import type { StepInfo } from "../model/eventInfo.ts"
import type { Occurrence } from "../model/occurrence.ts"
import { stepLabel } from "../text/stepLabel.ts"

export const noPath: ReadonlyArray<string> = []

export const nameOf = ({ owner }: Occurrence): string => owner.name

export const labelOf = ({ owner }: Occurrence): string =>
  owner.label === "Step" && owner.key !== undefined ? stepLabel(owner.name, owner.key) : owner.name

/** Computes the paths of a step when they are read, and keeps none: an observer may keep all events of a run. */
export const deepInfo = (
  step: Occurrence,
  rest: Omit<StepInfo, "stepPath" | "stepLabels">
): StepInfo => ({
  ...rest,
  get stepPath() {
    return step.path
  },
  get stepLabels() {
    return step.labels
  }
})

/** Returns a text of each step from the outermost to this one. Without recursion: steps may be nested however deep. */
export const along = (step: Occurrence, text: (step: Occurrence) => string): ReadonlyArray<string> => {
  const texts: Array<string> = []
  for (let at: Occurrence | undefined = step; at !== undefined && !at.isRun; at = at.parent) texts.push(text(at))
  return texts.toReversed()
}
