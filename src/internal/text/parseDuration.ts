/** Reads durations as people write them: in a config file, and on the command line. */

/**
 * Accepts parts such as `5 seconds`, `90s`, `1h30m` and `1 h 30 min`, or the time of ISO 8601 such as `PT1H30M`, with white
 * space around it. No sign, and no number without a unit.
 */
export const durationText =
  /^\s*(?:(?:\d{1,15}(?:\.\d{1,15})?\s*(?:weeks?|w|days?|d|hours?|h|minutes?|min|m|seconds?|s|millis?|ms|micros?|nanos?)\s*){1,8}|P(?=[\dT])(?:\d{1,15}W)?(?:\d{1,15}D)?(?:T(?=\d)(?:\d{1,15}H)?(?:\d{1,15}M)?(?:\d{1,15}(?:\.\d{1,15})?S)?)?\s*)$/u

const part = /(\d{1,15}(?:\.\d{1,15})?)\s*([A-Z]|[a-z]+)/gu

const millisOf: ReadonlyMap<string, number> = new Map([
  ["weeks", 604_800_000],
  ["w", 604_800_000],
  ["days", 86_400_000],
  ["d", 86_400_000],
  ["hours", 3_600_000],
  ["h", 3_600_000],
  ["minutes", 60_000],
  ["min", 60_000],
  ["m", 60_000],
  ["seconds", 1_000],
  ["s", 1_000],
  ["millis", 1],
  ["ms", 1],
  ["micros", 1e-3],
  ["nanos", 1e-6]
])

/** Returns the milliseconds of a duration that {@link durationText} accepts, and `undefined` of other texts. */
export const durationIn = (text: string): number | undefined => {
  if (!durationText.test(text)) return undefined
  let sum = 0
  for (const [, count, unit] of text.matchAll(part)) {
    const name = unit!.toLowerCase()
    sum += Number(count) * (millisOf.get(name) ?? millisOf.get(`${name}s`) ?? NaN)
  }
  return sum
}
