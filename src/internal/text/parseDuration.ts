/** Reads durations as people write them: in a config file, and on the command line. */

/** The words of units, also with capitals: `2 Days`. Symbols are as they are: `M` and `m` differ elsewhere. */
const words = ["weeks?", "days?", "hours?", "minutes?", "min", "seconds?", "millis?", "micros?", "nanos?"].flatMap((
  word
) => [
  word,
  word[0]!.toUpperCase() + word.slice(1),
  word.toUpperCase()
])

const units = [...words, "w", "d", "h", "m", "s", "ms"].join("|")

/**
 * Accepts parts such as `5 seconds`, `2 Days`, `90s`, `1h30m` and `1 h 30 min`, or the time of ISO 8601 such as `PT1H30M`,
 * with white space around it. No sign, and no number without a unit.
 */
export const durationText = new RegExp(
  `^\\s*(?:(?:\\d{1,15}(?:\\.\\d{1,15})?\\s*(?:${units})\\s*){1,8}|` +
    "P(?=[\\dT])(?:\\d{1,15}W)?(?:\\d{1,15}D)?(?:T(?=\\d)(?:\\d{1,15}H)?(?:\\d{1,15}M)?(?:\\d{1,15}(?:\\.\\d{1,15})?S)?)?\\s*)$",
  "u"
)

// in ISO 8601 a `T` may follow the days, with nothing in between
const part = /(\d{1,15}(?:\.\d{1,15})?)\s*([WDHMS](?![A-Za-z])|[WDHMS](?=T)|[A-Za-z]+)/gu

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
