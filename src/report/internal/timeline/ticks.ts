/** Places and labels the marks of a time axis. */

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const steps: ReadonlyArray<number> = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
  [1, 2, 5, 10, 15, 30].map((n) => n * second),
  [1, 2, 5, 10, 15, 30].map((n) => n * minute),
  [1, 2, 3, 6, 12].map((n) => n * hour),
  [1, 2, 7, 14, 28].map((n) => n * day)
)

/** @internal */
export interface Ticks {
  readonly step: number
  readonly at: ReadonlyArray<number>
}

/** Returns how far a clock is ahead of UTC at a time, in milliseconds. */
export type Offset = (millis: number) => number

const utc: Offset = () => 0

/**
 * Returns at most `most` marks at round times between `from` and `to`, on a clock that is ahead of UTC by `offset`, each by
 * the offset of its own time: a clock is set twice a year. A time that the clock shows twice has two marks.
 */
export const ticks = (from: number, to: number, most: number, offset: Offset = utc): Ticks => {
  const least = (to - from) / Math.max(1, most)
  const step = steps.find((step) => step >= least) ?? Math.ceil(least / (28 * day)) * 28 * day
  const first = Math.ceil((from + offset(from)) / step) * step
  // from a step before, which the clock shows again where it is set back after `from`
  // by count: very far from 1970, adding a step may not change a number, and the loop would not end
  const shown = Array.from({ length: Math.ceil(most) + 3 }, (_, n) => first + (n - 1) * step)
  const at = shown.flatMap((time) => timesOf(time, offset)).filter((time) => time >= from && time <= to)
  return { step, at: [...new Set(at)].toSorted((a, b) => a - b) }
}

/** Returns the times at which a clock shows a time: two where it is set back, and none where it is set forward. */
const timesOf = (shown: number, offset: Offset): ReadonlyArray<number> => {
  const [before, after] = [offset(shown - day), offset(shown + day)]
  if (before === after) return [shown - before]
  return [shown - before, shown - after].filter((time) => time + offset(time) === shown)
}

/** Returns whether a clock is set between two times. */
export const isSetWithin = (from: number, to: number, offset: Offset): boolean => offset(from) !== offset(to)

/** Formats a time since the start as on a clock, as exact as marks at a distance of `step` need it. */
export const elapsed = (millis: number, step: number): string => {
  if (millis === 0) return "0"
  const sign = millis < 0 ? "−" : ""
  const size = Math.abs(millis)
  if (size < second) return `${sign}${Number(size.toFixed(3))} ms`
  const digits = step >= second ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : 3
  if (size < minute) return `${sign}${Number((size / second).toFixed(digits))} s`
  const parts = [Math.floor(size / hour), Math.floor(size / minute) % 60, (size % minute) / second]
  const [hours, minutes, seconds] = parts as [number, number, number]
  const two = (n: number) => String(n).padStart(2, "0")
  const rest = digits === 0 ? two(Math.round(seconds)) : seconds.toFixed(digits).padStart(digits + 3, "0")
  if (hours >= 24) return `${sign}${Math.floor(hours / 24)} d ${hours % 24}:${two(minutes)}`
  return hours === 0 ? `${sign}${minutes}:${rest}` : `${sign}${hours}:${two(minutes)}:${rest}`
}
