/** Names the steps of a run that failed, by the events of the run. */
import type * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type { Occurrence } from "../../internal/model/occurrence.ts"
import { isMadeOf, partsIn } from "../../internal/model/sameError.ts"
import { causeHeadline } from "../../internal/text/errors.ts"
import { pathText } from "../../internal/text/stepLabel.ts"
import type { Outcome } from "../../RunEvent.ts"

/** How many failures are kept: more than a service shows. */
const maxKept = 20

interface Failure {
  readonly label: string
  readonly line: string
  /** The values by which the error and all that it is made of are compared. */
  readonly known: ReadonlySet<unknown>
  /** The step around, or around the last step that has passed the error on. */
  outer: number | undefined
}

/** The steps of a run that failed with errors of their own. It takes constant memory. */
export class Failures {
  /** How many evaluations of steps failed. */
  count = 0
  #kept: Array<Failure> = []
  #more = 0

  stepEnded({ info, labels }: Occurrence, exit: Exit.Exit<unknown, unknown>, outcome: Outcome): void {
    // most steps, of which there may be any number
    if (info === undefined || (outcome === "success" && this.#kept.length === 0)) return
    const { index, parent } = info
    const label = pathText(labels, " › ")
    // the same step has made up for it
    if (outcome === "success") this.#kept = this.#kept.filter((failure) => failure.label !== label)
    if (outcome !== "failure" || exit._tag === "Success") return
    this.count++
    const { cause } = exit
    const inner = this.#kept.filter(({ outer }) => outer === index)
    if (inner.length > 0 && isOf(cause, inner)) {
      for (const failure of inner) failure.outer = parent
      return
    }
    if (this.#kept.length === maxKept) {
      // the latest may be what the run fails with
      this.#kept.pop()
      this.#more++
    }
    const known = new Set(partsIn(cause))
    this.#kept.push({ label, line: `${label}: ${causeHeadline(cause)}`, known, outer: parent })
  }

  /** Whether the errors of a cause are those of the steps. */
  explain(cause: Cause.Cause<unknown>): boolean {
    return this.#kept.length > 0 && isOf(cause, this.#kept)
  }

  /** Returns a line for each step that failed and has not succeeded since. */
  get lines(): ReadonlyArray<string> {
    const lines = [...new Set(this.#kept.map(({ line }) => line))]
    return this.#more === 0 ? lines : [...lines.slice(0, -1), `… and ${this.#more} more`, ...lines.slice(-1)]
  }
}

/** Whether a cause holds no other errors than those of inner steps. */
const isOf = (cause: Cause.Cause<unknown>, inner: ReadonlyArray<Failure>): boolean =>
  isMadeOf(cause, (key) => inner.some(({ known }) => known.has(key)))
