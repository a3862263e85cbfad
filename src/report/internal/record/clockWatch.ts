/** Notices that the clock of the machine was set while a run goes on, by the monotonic clock, which nobody sets. */
import type * as Clock from "effect/Clock"
import { monotonicMillis } from "../../../internal/model/monotonic.ts"

/** A smaller difference is taken for that of two clocks which go at different speeds, and of reading one after the other. */
const leastMillis = 1000

/** An event whose time differs more from that of the clock has it from another clock, or is told late. */
const mostMillis = 100

/** @internal */
export class ClockWatch {
  readonly #clock: Clock.Clock
  #lastAt: number | undefined
  #millis: number | undefined
  #monotonic = 0
  #changed = 0

  constructor(clock: Clock.Clock) {
    this.#clock = clock
  }

  /**
   * Takes the time of an event that is told now. Returns by how many milliseconds the clock was set in all, since events
   * are watched: less than zero where it was set back.
   */
  changedBy(at: number): number {
    // reading two clocks for each event of a millisecond would take as long as recording it
    if (at === this.#lastAt) return this.#changed
    this.#lastAt = at
    const millis = this.#clock.currentTimeMillisUnsafe()
    if (Math.abs(millis - at) > mostMillis) return this.#changed
    const monotonic = monotonicMillis(this.#clock)
    if (this.#millis !== undefined) {
      const by = Math.round(millis - this.#millis - (monotonic - this.#monotonic))
      if (Math.abs(by) >= leastMillis) this.#changed += by
    }
    this.#millis = millis
    this.#monotonic = monotonic
    return this.#changed
  }
}
