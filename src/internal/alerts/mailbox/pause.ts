/** Pauses that a channel asks for. */
import type { Delay } from "./gate.ts"

/** Adds the spread of a delay to a time, unless it would be later than `deadline`. */
export const spreadOut = (at: number, spread: number, deadline: number): number =>
  at + spread > deadline ? at : at + spread

/** The time until which a mailbox sends nothing. Of several delays the longest counts. */
export interface Pause {
  readonly begin: (now: number, delay: Delay) => void
  /** Returns when it ends, given the time when all must have been sent. */
  readonly end: (deadline: number) => number
}

/** Makes a pause that has not begun. */
export const pause = (): Pause => {
  let until = -Infinity
  let spread = 0
  return {
    begin: (now, delay) => {
      if (now + delay.millis + delay.spread <= until + spread) return
      until = now + delay.millis
      spread = delay.spread
    },
    end: (deadline) => spreadOut(until, spread, deadline)
  }
}
