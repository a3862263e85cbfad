/** Counts of alerts that were held back, by what they were. */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { Alert } from "../../../Alert.ts"
import {
  commonSource,
  digestTag,
  kindOf,
  lasted,
  listedOnly,
  short,
  tally,
  type Telling
} from "../../../internal/alerts/digest.ts"
import { fromJson, SeverityJson, single, SingleJson } from "../../../internal/alerts/json.ts"
import { heldBackBefore, withNote } from "../../../internal/alerts/notes.ts"
import { repeatsTag } from "../../../internal/alerts/repeats.ts"
import { rank, worst } from "../../../internal/model/severity.ts"
import { english, type Words } from "../../../internal/text/alertWords.ts"
import { localTime } from "../../../internal/text/localTime.ts"
import { Millis } from "../entries.ts"
import { isResolving } from "../policy.ts"

/** A count of held back alerts that no delivered alert has reported yet. */
export const Count = Schema.Struct({
  count: Schema.Int,
  /** When the first of them was held back. */
  since: Millis,
  /** The highest of their severities. */
  severity: SeverityJson,
  /** The numbers of alerts of each kind: `error`, `success`, `recovered`, …. */
  kinds: Schema.Array(Schema.Tuple([Schema.String, Schema.Int])),
  /** The worst of them, by which a summary finds its way. */
  worst: SingleJson,
  /** Whether the latest of them says that all is well again. */
  over: Schema.optionalKey(Schema.Boolean)
})

/** @internal */
export type Count = typeof Count.Type

/** Returns the count of one alert, and of those that it reports itself. */
export const countOf = (alert: Alert, since: number, words: Words): Count => {
  const before = heldBackBefore(alert)
  return {
    count: 1 + before,
    since,
    severity: alert.severity,
    kinds: [[kindOf(alert), 1], ...(before === 0 ? [] : [["more", before] as const])],
    worst: single(listedOnly(alert, words).with({ told: [] })),
    ...(isResolving(alert) && { over: true })
  }
}

/** Returns the sum of two counts. */
export const sum = (a: Count | undefined, b: Count): Count => {
  if (a === undefined) return b
  const kinds = new Map(a.kinds)
  for (const [kind, count] of b.kinds) kinds.set(kind, (kinds.get(kind) ?? 0) + count)
  const { over } = a.since > b.since ? a : b
  return {
    count: a.count + b.count,
    since: Math.min(a.since, b.since),
    severity: worst(a.severity, b.severity),
    kinds: [...kinds],
    worst: rank(b.severity) > rank(a.severity) ? b.worst : a.worst,
    ...(over && { over })
  }
}

/** A count with the name of what was counted. */
export interface Row {
  /** `undefined` for those that are counted together since there are too many. */
  readonly name: string | undefined
  readonly count: Count
}

/** Returns the sum of all rows. There is at least one. */
export const total = (rows: ReadonlyArray<Row>): Count => rows.map(({ count }) => count).reduce((a, b) => sum(a, b))

/** Returns a count in words, as in `3 failed, 1 recovered`. */
const inWords = ({ kinds }: Count, words: Words): string => tally(new Map(kinds), words)

/** The largest number of names in a report. */
const maxNamed = 20

/** Returns the rows by name, largest first. The smallest are summed up, which bounds the list. */
const byName = (
  rows: ReadonlyArray<Row>,
  words: Words
): ReadonlyArray<{ readonly name: string; readonly count: Count }> => {
  const counts = new Map<string, Count>()
  for (const { count, name = words.otherSubjects } of rows) counts.set(name, sum(counts.get(name), count))
  const sorted = [...counts].map(([name, count]) => ({ name, count })).toSorted((a, b) => b.count.count - a.count.count)
  const rest = sorted.slice(maxNamed)
  return rest.length === 0
    ? sorted
    : [...sorted.slice(0, maxNamed), { name: words.andMore(rest.length), count: total(rest) }]
}

/** Returns a sentence about the rows, for a field of another alert. */
export const sentence = (rows: ReadonlyArray<Row>, { words, zone }: Telling): string => {
  const { count, since } = total(rows)
  const names = byName(rows, words).map(({ count, name }) => `${name} (${inWords(count, words)})`).join(", ")
  return words.alertsSince(count, timeIn(since, zone), names)
}

/** Formats milliseconds since the epoch in a time zone. */
export const timeIn = (millis: number, zone: DateTime.TimeZone): string => localTime(DateTime.makeUnsafe(millis), zone)

/** The words of a summary, and whether it is about duplicates of alerts that were delivered. */
export interface Summing {
  readonly telling: Telling
  /** Makes the title, of the number of alerts and their tally. */
  readonly title: (count: number, tally: string) => string
  readonly isRepeats: boolean
}

/** Returns an alert that sums up the rows. */
export const summaryOf = (
  rows: ReadonlyArray<Row>,
  now: number,
  { isRepeats, telling: { words, zone }, title }: Summing
): Alert => {
  const all = total(rows)
  const { count, severity, since } = all
  const combines = rows.map(({ count: { count, over, worst } }) => {
    const alert = fromJson(worst).with({ resolves: over ?? false })
    return count === 1
      ? alert
      : withNote(
        alert.with({ fields: [], notes: [] }),
        { kind: "held back", name: words.heldBack, count: count - 1 },
        words.moreLikeIt(count - 1)
      )
  })
  return Alert.make({
    title: title(count, inWords(all, words)),
    body: words.heldBackSince(timeIn(since, zone), lasted(now - since, words)),
    severity,
    resolves: false,
    fields: byName(rows, words).map(({ count, name }) => ({ name, value: inWords(count, words) })),
    tags: isRepeats ? [digestTag, repeatsTag] : [digestTag],
    source: commonSource(combines),
    combines
  })
}

/** Returns the lines of a log entry about the rows. */
export const lines = (rows: ReadonlyArray<Row>): string =>
  byName(rows, english).map(({ count, name }) => `${short(name, 200)}: ${inWords(count, english)}`).join("\n")
