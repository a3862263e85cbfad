/** Counts the steps of a run that did not succeed, and knows which of them have succeeded since. */
import type * as Cause from "effect/Cause"
import type { Outcome } from "../model/events.ts"
import { type FailedStep, hasKey, type Occurrence, type Unsuccessful } from "../model/occurrence.ts"
import { isAgain, isWithin } from "../model/place.ts"

/** How many failures are listed: enough to name the steps that failed in an alert. */
const maxListed = 64

/** How many failures are remembered until their steps succeed. */
const maxOpen = 1_000

/** How many failures of one step are remembered. */
const maxOpenOfOne = 100

/** How many names of a path are compared: those of thousands of nested steps would take quadratic memory. */
const maxCompared = 64

class Failure implements FailedStep {
  readonly step: Occurrence
  readonly cause: Cause.Cause<unknown>
  /** How many evaluations had begun when it failed: only a later one can make up for it. */
  readonly until: number
  readonly params: string
  over = false
  constructor(step: Occurrence, cause: Cause.Cause<unknown>) {
    this.step = step
    this.cause = cause
    this.until = step.run.steps
    this.params = paramsOf(step)
  }
}

/** @internal */
export class Failures implements Unsuccessful {
  failed = 0
  interrupted = 0
  skipped = 0
  readonly failures: Array<Failure> = []
  /** The failures that no success has made up for, by what the steps are about. */
  readonly #open = new Map<string, Array<Failure>>()
  #count = 0
  #latest: { readonly owner: unknown; readonly parent: unknown; readonly subject: string } | undefined
  /** The labels of steps that failed: a success of any other step, as of most, is of no interest. */
  readonly #labels = new Set<string>()
  readonly #interrupted = new Set<string>()
  /** Whether failures have been forgotten. */
  #overflowed = false

  add(step: Occurrence, cause: Cause.Cause<unknown>, outcome: Outcome): void {
    // a skip is no failure, and makes up for none
    if (outcome === "skip") {
      this.skipped++
      return
    }
    if (outcome === "interrupt") {
      this.interrupted++
      if (this.#interrupted.size < maxOpen) this.#interrupted.add(subjectOf(step))
      else this.#overflowed = true
      return
    }
    this.failed++
    const subject = this.#subjectOf(step)
    const open = this.#open.get(subject)
    // stays open in this run, since further failures are not remembered
    if (open !== undefined && open.length === maxOpenOfOne) return
    const failure = new Failure(step, cause)
    if (this.failures.length < maxListed && !isPassedOn(this.failures.at(-1), step, cause)) this.failures.push(failure)
    if (this.#count === maxOpen) {
      this.#overflowed = true
      return
    }
    this.#count++
    this.#labels.add(step.label)
    if (open === undefined) this.#open.set(subject, [failure])
    else open.push(failure)
  }

  /** A step value that fails again and again, as in a loop, has its subject computed once. */
  #subjectOf(step: Occurrence): string {
    if (this.#latest?.owner !== step.owner || this.#latest.parent !== step.parent) {
      this.#latest = { owner: step.owner, parent: step.parent, subject: subjectOf(step) }
    }
    return this.#latest.subject
  }

  /**
   * Makes up for the failures that a success repairs: those of earlier evaluations of the same step value, or of the
   * same key, at the same place; and those inside of what it repeated.
   */
  succeeded(step: Occurrence): void {
    if (this.#count === 0) return
    // an earlier attempt of this step is over, with all that failed in it
    if (step.attempt > 1) this.#close((failure) => isWithin(failure.step, step) && failure.until <= step.attemptFrom)
    if (!this.#labels.has(step.label)) return
    const repaired = (this.#open.get(subjectOf(step)) ?? []).filter((failure) => isRepeat(failure, step))
    if (repaired.length === 0) return
    this.#close((failure) => repaired.some((whole) => failure === whole || isWithin(failure.step, whole.step)))
  }

  get hasOpen(): boolean {
    return this.#overflowed || this.#count > 0
  }

  isOpen(step: Occurrence): boolean {
    return this.#overflowed || this.#open.has(subjectOf(step))
  }

  wasInterrupted(step: Occurrence): boolean {
    return this.#overflowed || this.#interrupted.has(subjectOf(step))
  }

  #close(isOver: (failure: Failure) => boolean): void {
    for (const [subject, failures] of this.#open) {
      if (failures.length === maxOpenOfOne) continue
      const open = failures.filter((failure) => !isOver(failure))
      if (open.length === failures.length) continue
      for (const failure of failures) failure.over = !open.includes(failure)
      this.#count -= failures.length - open.length
      if (open.length === 0) this.#open.delete(subject)
      else this.#open.set(subject, open)
    }
  }
}

/** Returns what a step is about within its run: its path, with keys. */
const subjectOf = (step: Occurrence): string => {
  const labels: Array<string> = []
  for (
    let at: Occurrence | undefined = step;
    at !== undefined && !at.isRun && labels.length < maxCompared;
    at = at.parent
  ) {
    labels.push(at.label)
  }
  return `${step.depth}/${labels.join("/")}`
}

/** Whether a step does again what had failed. Without a key, the same value with other parameters does something else. */
const isRepeat = ({ params, step: failed, until }: Failure, step: Occurrence): boolean =>
  step.index >= until && isSamePlace(failed.around, step.around) &&
  (hasKey(step) || (failed.owner === step.owner && params === paramsOf(step)))

const isSamePlace = (a: Occurrence | undefined, b: Occurrence | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && isAgain(a, b))

const paramsOf = ({ owner, params }: Occurrence): string => {
  if (owner.label === "Pipeline" || owner.params.length === 0) return ""
  try {
    return JSON.stringify(params)
  } catch {
    return ""
  }
}

/** Whether an inner step failed just before with the same error: then only the inner one is listed. */
const isPassedOn = (
  last: FailedStep | undefined,
  { index }: Occurrence,
  { reasons }: Cause.Cause<unknown>
): boolean => {
  // steps that began later than this one are inside of it or beside it
  if (last === undefined || last.step.index < index || last.cause.reasons.length !== reasons.length) return false
  return reasons.every((reason, i) => reason === last.cause.reasons[i])
}
