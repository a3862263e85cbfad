/** Bounds how many deliveries of alerts are recorded: the first ones of each step and run, and those that fail. */
import type { AlertPosted, StepInfo } from "../../../RunEvent.ts"

/** How many deliveries are recorded of a step, or of the run itself, and of all of them. */
const mostOfStep = 50
const mostOfRun = 1_000

/** How many deliveries that failed are recorded beyond these. */
const mostFailed = 200

/** Of how many deliveries what becomes of them is recorded after the end of their run. */
const mostLate = 200

/** The deliveries of a step, or of the run itself, that are left out. */
export interface Omitted {
  /** `undefined` for the run itself, and for steps without any delivery that is recorded. */
  readonly step: StepInfo | undefined
  deliveries: number
  failed: number
}

interface Counted extends Omitted {
  recorded: number
}

const ownIndex = -1

/** Counts what is recorded of the alerts of one run. */
export class AlertLimits {
  private readonly counts = new Map<number, Counted>()
  /** The deliveries that are recorded, and may yet end in another way. */
  private readonly open = new Set<string>()
  private recorded = 0
  private failed = 0

  /** Returns whether an event is to be recorded: all events of a delivery of which the first one is. */
  take(event: AlertPosted): boolean {
    const { deliveryId, previous, result } = event
    const isOpen = result === "held" || result === "waiting"
    if (this.open.has(deliveryId)) {
      if (!isOpen) this.open.delete(deliveryId)
      return true
    }
    const count = this.countOf(event.step)
    if (previous === undefined && this.recorded < mostOfRun && count.recorded < mostOfStep) {
      this.recorded++
      count.recorded++
      if (isOpen) this.open.add(deliveryId)
      return true
    }
    if (result === "failed" && this.failed < mostFailed) {
      this.failed++
      if (previous !== undefined) count.deliveries--
      return true
    }
    if (previous === undefined) count.deliveries++
    if (result === "failed") count.failed++
    return false
  }

  /** Ends the run, and returns what is left out. */
  end(): ReadonlyArray<Omitted> {
    const omitted = [...this.counts.values()].filter(({ deliveries }) => deliveries > 0)
    this.counts.clear()
    for (const oldest of this.open) {
      if (this.open.size <= mostLate) break
      this.open.delete(oldest)
    }
    return omitted
  }

  /** Returns the counts of a step. In a run of many steps, those that come late share the counts of the run. */
  private countOf(step: StepInfo | undefined): Counted {
    const index = step?.index ?? ownIndex
    const known = this.counts.get(index)
    if (known !== undefined) return known
    const isShared = this.recorded >= mostOfRun && index !== ownIndex
    if (isShared) return this.countOf(undefined)
    const count = { step, deliveries: 0, failed: 0, recorded: 0 }
    this.counts.set(index, count)
    return count
  }
}
