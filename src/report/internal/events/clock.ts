/**
 * Keeps the events of a run on one clock, where the machine's was set while the run went on. A record says by how much.
 * Other events do not, and then it shows only where something seems to have ended before it began.
 */
import { formatDuration } from "../../../internal/text/duration.ts"
import { count } from "../../../internal/text/words.ts"
import type { EventJson } from "./eventJson.ts"

/** A change of the clock, forward unless `byMillis` is less than zero. `at` is on the clock from before it. */
export interface ClockModel {
  readonly at: number
  readonly byMillis: number
}

/** Smaller differences are those of rounding, and of two clocks that go at different speeds. */
const leastMillis = 1000

/** @internal */
export class Clock {
  readonly changes: Array<ClockModel> = []
  /** The milliseconds that are added to the times of events. */
  #shift = 0
  /** The latest time of an event since the clock was set. */
  #latest = -Infinity
  /** When the run began, unless another process may have continued it since. */
  #runStartedAt: number | undefined

  /**
   * Returns an event with its time on the clock by which the run began.
   *
   * @param startOf returns when the step or run began whose end an event tells
   */
  steady(event: EventJson, startOf: (event: EventJson) => number | undefined): EventJson {
    switch (event._tag) {
      case "ClockChanged":
        this.#change(event.at - event.byMillis, event.byMillis)
        break
      case "RunStarted":
        this.#runStartedAt = event.at + this.#shift
        break
      case "RunSuspended":
      case "RunCrashed":
        this.#runStartedAt = undefined
        break
      case "StepEnded":
      case "StepSkipped":
      case "RunEnded":
        this.#look(event, startOf)
    }
    // the last lines that a step logged are recorded at its end
    if (event._tag !== "StepLogged" && event._tag !== "RunLogged") this.#latest = Math.max(this.#latest, event.at)
    return this.#shift === 0 ? event : { ...event, at: event.at + this.#shift }
  }

  #change(at: number, byMillis: number): void {
    this.changes.push({ at: at + this.#shift, byMillis })
    this.#shift -= byMillis
    this.#latest = -Infinity
  }

  /** Compares an end with the recorded duration. */
  #look(
    event: Extract<EventJson, { readonly _tag: "StepEnded" | "StepSkipped" | "RunEnded" }>,
    startOf: (event: EventJson) => number | undefined
  ): void {
    const { at, durationMillis } = event
    // of what another process began, or whose start is not among the events, the duration is that of more than is known
    const start = at < this.#latest ? startOf(event) : undefined
    const early = start === undefined ? 0 : start + durationMillis - at - this.#shift
    if (early >= leastMillis) return this.#change(at + early, -early)
    if (event._tag !== "RunEnded" || this.#runStartedAt === undefined) return
    const late = at + this.#shift - this.#runStartedAt - durationMillis
    // nothing says when: the times of all steps are suspect
    if (late >= leastMillis + durationMillis / 1000) this.changes.push({ at: this.#runStartedAt, byMillis: late })
  }
}

/** How many changes are told one by one: two that correct each other, once more and a last one. */
const mostTold = 5

const how = ({ byMillis }: ClockModel): string =>
  byMillis < 0
    ? `set back by ${formatDuration(-byMillis)}`
    : `set forward by ${formatDuration(byMillis)}, or the machine slept`

/**
 * Says how the clock was set: `set back by 1 h`. Returns `undefined` if it was not. Where two programs set it against each
 * other, each step of a day would have a text of a thousand changes.
 */
export const clockText = (changes: ReadonlyArray<ClockModel>): string | undefined =>
  changes.length === 0
    ? undefined
    : changes.length <= mostTold
    ? changes.map(how).join(", then ")
    : `set ${count(changes.length)} times, by ${
      formatDuration(changes.reduce((most, { byMillis }) => Math.max(most, Math.abs(byMillis)), 0))
    } at most`
