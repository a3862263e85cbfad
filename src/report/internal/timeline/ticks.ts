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

/**
 * Returns at most `most` marks at round times between `from` and `to`. Times are round on a clock that is `offset`
 * milliseconds ahead of UTC.
 */
export const ticks = (from: number, to: number, most: number, offset = 0): Ticks => {
  const least = (to - from) / Math.max(1, most)
  const step = steps.find((step) => step >= least) ?? Math.ceil(least / (28 * day)) * 28 * day
  const first = Math.ceil((from + offset) / step) * step - offset
  // by count: very far from 1970, adding a step may not change a number, and the loop would not end
  const at = Array.from({ length: Math.ceil(most) + 2 }, (_, n) => first + n * step).filter((time) => time <= to)
  return { step, at }
}

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
