/** Measures how fast a channel takes alerts while others wait. */

/** The times at which the channel took alerts. */
export interface Takings {
  readonly add: (now: number) => void
  /** Returns how long the channel takes for an alert: 0 where too few are known to tell. */
  readonly interval: () => number
  readonly clear: () => void
}

/** The number of alerts that count: few, so that a burst at the beginning is soon forgotten. */
const counted = 6

/** @internal */
export const takings = (): Takings => {
  let times: ReadonlyArray<number> = []
  return {
    add: (now) => {
      times = [...times, now].slice(-counted)
    },
    interval: () => times.length < counted / 2 ? 0 : (times.at(-1)! - times[0]!) / (times.length - 1),
    clear: () => {
      times = []
    }
  }
}
