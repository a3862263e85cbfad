/** Bounds how much of what the steps of a run log is recorded: the first messages of each step, and its last ones. */
import type { RunLogged, StepLogged } from "../../../RunEvent.ts"

/** @internal */
export type Logged = StepLogged | RunLogged

interface Limit {
  readonly messages: number
  readonly characters: number
}

/** The limits of what is recorded at once. */
const ofStep: Limit = { messages: 200, characters: 100_000 }
const ofRun: Limit = { messages: 10_000, characters: 4_000_000 }

/** How many of the last messages are kept until the end of a step that has logged more. */
const mostLast = 20

/** How many of these are recorded for failed steps of a run that has logged more than its limit. */
const mostLate = 2_000

/** The index of what no step has logged. */
export const ownIndex = -1

interface Step {
  messages: number
  characters: number
  /** The last messages that are not recorded yet, and how many before them are left out. */
  readonly last: Array<Logged>
  omitted: number
}

/** The messages that are recorded at the end of a step, and how many before them are left out. */
export interface Rest {
  readonly last: ReadonlyArray<Logged>
  readonly omitted: number
}

/** Counts what is recorded of the log of one run. */
export class LogLimits {
  private readonly run = { messages: 0, characters: 0 }
  private late = 0
  private readonly steps = new Map<number, Step>()
  /** How many messages of steps that have ended are left out, and no line says so yet. */
  private untold = 0

  /** Returns whether a message is to be recorded now. Another one may be at the end of its step. */
  take(event: Logged): boolean {
    const index = event._tag === "StepLogged" ? event.index : ownIndex
    let step = this.steps.get(index)
    if (step === undefined) this.steps.set(index, step = { messages: 0, characters: 0, last: [], omitted: 0 })
    const { length } = event.message
    if (step.last.length === 0 && fits(step, ofStep, length) && fits(this.run, ofRun, length)) {
      for (const counts of [step, this.run]) {
        counts.messages++
        counts.characters += length
      }
      return true
    }
    step.last.push(event)
    if (step.last.length > mostLast) {
      step.last.shift()
      step.omitted++
    }
    return false
  }

  /** Returns what is to be recorded at the end of a step. Of a run that has logged too much, failed steps alone go on. */
  end(index: number, failed: boolean): Rest | undefined {
    const step = this.steps.get(index)
    this.steps.delete(index)
    if (step === undefined || step.last.length === 0) return undefined
    const { last, omitted } = step
    if (!fits(this.run, ofRun, 0)) {
      if (!failed || this.late >= mostLate) {
        this.untold += omitted + last.length
        return undefined
      }
      this.late += last.length
    }
    return { last, omitted }
  }

  /** Returns how many messages are left out that nothing in the record tells of. */
  endRun(): number {
    for (const { last, omitted } of this.steps.values()) this.untold += omitted + last.length
    return this.untold
  }
}

const fits = ({ characters, messages }: Limit, limit: Limit, length: number): boolean =>
  messages < limit.messages && characters + length <= limit.characters
