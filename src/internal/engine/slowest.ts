/** Keeps the slowest steps of a run. */
import type { Occurrence, SlowStep } from "../model/occurrence.ts"
import { pathText } from "../text/stepLabel.ts"

/** How many steps are kept. */
const maxKept = 5

/** @internal */
export class Slowest {
  readonly steps: Array<SlowStep> = []

  /** Adds a step that ends now, by the wall clock. */
  add(step: Occurrence, now: number): void {
    const millis = (step.endedMillis ?? now) - step.bodyMillis
    const { steps } = this
    if (steps.length === maxKept && millis <= steps[maxKept - 1]!.millis) return
    steps.push({ label: pathText(step.labels, " › "), millis })
    steps.sort((a, b) => b.millis - a.millis)
    if (steps.length > maxKept) steps.pop()
  }
}
