/** Durations for people, in one notation: `12 ms`, `1.4 s`, `1 min 12 s`, `1 h 30 min`, `8 d`. */

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/**
 * A number of one unit, as part of a duration.
 *
 * @category models
 * @since 0.1.0
 */
export interface DurationPart {
  /** The number of units. */
  readonly count: number
  /** The unit: milliseconds, seconds, minutes, hours or days. */
  readonly unit: "ms" | "s" | "min" | "h" | "d"
}

/** Writes the parts of a duration with the symbols of their units. */
export const partsText = (parts: ReadonlyArray<DurationPart>): string =>
  parts.map(({ count, unit }) => `${count} ${unit}`).join(" ")

/**
 * Formats a duration, given in milliseconds, in at most two units, which `text` writes.
 *
 * **Details**
 *
 * The result is rounded, not floored: to milliseconds below a second, to tenths of a second below a minute, and from
 * then on to the smaller of the two units. A smaller unit that is zero is left out. `Infinity` stays `Infinity`.
 */
export const formatDuration = (millis: number, text = partsText): string => {
  if (!Number.isFinite(millis)) return String(millis)
  return millis <= -0.5 ? `-${text(partsOf(-millis))}` : text(partsOf(millis))
}

const partsOf = (millis: number): ReadonlyArray<DurationPart> => {
  if (Math.round(millis) < second) return [{ count: Math.round(millis), unit: "ms" }]
  // each unit is chosen by the rounded number, or 59.96 s would read "60 s"
  const tenths = Math.round(millis / 100)
  if (tenths < 600) return [{ count: tenths / 10, unit: "s" }]
  const [large, small, unit, perLarge] = Math.round(millis / second) < 3600
    ? ["min", "s", second, 60] as const
    : Math.round(millis / minute) < 1440
    ? ["h", "min", minute, 60] as const
    : ["d", "h", hour, 24] as const
  const count = Math.round(millis / unit)
  const rest = count % perLarge
  const whole = { count: Math.floor(count / perLarge), unit: large }
  return rest === 0 ? [whole] : [whole, { count: rest, unit: small }]
}

/**
 * Formats the time that something has been running for, for a display that is redrawn several times a second.
 *
 * **Details**
 *
 * Differs from {@link formatDuration} below a minute only: there it always has one decimal (`0.4 s`, `2.0 s`), or the
 * rest of the line would move to and fro at each full second.
 */
export const formatRunningTime = (millis: number): string => {
  const tenths = Math.round(Math.max(0, millis) / 100)
  return tenths < 600 ? `${(tenths / 10).toFixed(1)} s` : formatDuration(millis)
}
