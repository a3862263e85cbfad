/** Folds alerts that wait into fewer ones, which say how many they stand for. */
import type { Alert, Severity } from "../../../Alert.ts"
import { isFailure, rank, worst } from "../../model/severity.ts"
import type { Words } from "../../text/alertWords.ts"
import { digestOf, isDigest, listedOnly, maxListed, subject, tally, type Telling } from "../digest.ts"

type Counts = ReadonlyMap<Severity, number>

/** An alert that waits, or several that were folded into one. */
export interface Content {
  /** The subjects of the alerts. An alert about one of them does not overtake this one. */
  readonly subjects: ReadonlySet<string>
  readonly rank: number
  /** The subject by which it may be folded with others about the same. A list of alerts has none. */
  readonly group: string | undefined
  /** The alert, or those that are listed. */
  readonly alerts: ReadonlyArray<Alert>
  /** Counts, by severity, the alerts that it stands for and does not show. */
  readonly more: Counts
}

const none: Counts = new Map()

/** Returns the content of one alert. */
export const contentOf = (alert: Alert): Content => ({
  // a recovery waits for the failures that it is about
  subjects: new Set([alert, ...alert.recovers].map(subject)),
  rank: rank(alert.severity),
  group: isDigest(alert) ? undefined : subject(alert),
  alerts: [alert],
  more: none
})

const sum = (counts: Counts): number => [...counts.values()].reduce((sum, count) => sum + count, 0)

const plus = (counts: Counts, more: Counts, alerts: ReadonlyArray<Alert>): Counts => {
  const all = new Map(counts)
  const add = (severity: Severity, count: number) => all.set(severity, (all.get(severity) ?? 0) + count)
  more.forEach((count, severity) => add(severity, count))
  for (const { severity } of alerts) add(severity, 1)
  return all
}

/** Adds the subjects of fewer alerts to those of more, in place: neither of the two contents stands any longer. */
const union = (a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> => {
  const [few, many] = a.size < b.size ? [a, b] : [b, a]
  // the cast: sets of subjects are made here
  for (const subject of few) (many as Set<string>).add(subject)
  return many
}

/** Joins two alerts to one that shows the last `shown` of all, and counts the others. */
const join = (
  older: Content,
  newer: Content,
  group: string | undefined,
  all: ReadonlyArray<Alert>,
  shown: number
): Content => {
  const hidden = Math.max(0, all.length - shown)
  return {
    subjects: union(older.subjects, newer.subjects),
    rank: Math.max(older.rank, newer.rank),
    group,
    alerts: hidden === 0 ? all : all.slice(hidden),
    more: plus(newer.more, older.more, all.slice(0, hidden))
  }
}

/** Joins alerts about the same. Shows the later one, which tells how things are now. */
const joinSame = (older: Content, newer: Content): Content =>
  join(older, newer, newer.group, [...older.alerts, ...newer.alerts], newer.alerts.length)

/** Joins alerts about different things to one that lists them. */
const joinOthers = (older: Content, newer: Content, words: Words): Content => {
  // those of a list are as short as they get
  const listed = ({ alerts, group }: Content) =>
    group === undefined && alerts.length > 1 ? alerts : alerts.map((alert) => listedOnly(alert, words))
  return join(older, newer, undefined, [...listed(older), ...listed(newer)], maxListed)
}

/** Renders the alert to send. */
export const render = ({ alerts, more }: Content, telling: Telling): Alert => {
  const { words } = telling
  const [first, ...others] = alerts
  const shown = first !== undefined && others.length === 0
    ? first
    : digestOf(alerts, words.digest, telling).with({ at: alerts.at(-1)?.at })
  const count = sum(more)
  if (count === 0) return shown
  const alike = others.length === 0 &&
    [...more.keys()].every((severity) => isFailure({ severity }) === isFailure(shown))
  return shown.with({
    severity: isFailure(shown)
      ? [...more.keys()].reduce(
        (most, severity) => isFailure({ severity }) ? worst(most, severity) : most,
        shown.severity
      )
      : shown.severity,
    title: words.andOthers(shown.title, count, alike),
    fields: [
      ...shown.fields,
      { name: words.notShown, value: words.digest(count, tally(more, words)) }
    ]
  })
}

/** Makes an alert that stands for so many of those of a content. */
export const restOf = ({ alerts: [first], group }: Content, count: number, { words }: Pick<Telling, "words">): Alert =>
  // a content has an alert
  count === 1 ? first! : first!.with({ title: words.andOthers(first!.title, count - 1, group !== undefined) })

/**
 * Folds two of the alerts, which stand in the order of their posts: the oldest two of the subject with the most alerts,
 * or with `across`, where no subject has two, the oldest two of the least severe. Returns their positions and the
 * result, which belongs in the place of the later one, or `undefined` where nothing can be folded.
 */
export const foldTwo = (
  waiting: ReadonlyArray<Content>,
  across: boolean,
  words: Words
): { readonly older: number; readonly newer: number; readonly content: Content } | undefined => {
  const counts = new Map<string, number>()
  let largest: string | undefined
  for (const { group } of waiting) {
    if (group === undefined) continue
    const count = (counts.get(group) ?? 0) + 1
    counts.set(group, count)
    if (count > (largest === undefined ? 1 : counts.get(largest)!)) largest = group
  }
  if (largest !== undefined) {
    const older = waiting.findIndex(({ group }) => group === largest)
    const newer = waiting.findIndex(({ group }, i) => group === largest && i > older)
    return { older, newer, content: joinSame(waiting[older]!, waiting[newer]!) }
  }
  if (!across) return undefined
  // without sorting all that wait: in a storm, this is done for each post
  const isLess = (a: number, b: number): boolean => {
    const difference = waiting[a]!.rank - waiting[b]!.rank || waiting[b]!.alerts.length - waiting[a]!.alerts.length
    return difference === 0 ? a < b : difference < 0
  }
  /** Returns the least severe alert after `from` that is not less than `than`, and comes up to a condition. */
  const leastAfter = (from: number, than: number | undefined, fits: (i: number) => boolean): number | undefined => {
    let least: number | undefined
    for (let i = from + 1; i < waiting.length; i++) {
      if ((than === undefined || isLess(than, i)) && (least === undefined || isLess(i, least)) && fits(i)) least = i
    }
    return least
  }
  for (let a = leastAfter(-1, undefined, () => true); a !== undefined; a = leastAfter(-1, a, () => true)) {
    const older = a
    const { subjects } = waiting[older]!
    let newer = leastAfter(older, undefined, () => true)
    // what stands between would be overtaken by an older alert about the same
    const blocked = waiting.slice(older + 1, newer).findIndex((between) => !between.subjects.isDisjointFrom(subjects))
    if (blocked !== -1) newer = leastAfter(older, undefined, (i) => i <= older + 1 + blocked)
    if (newer !== undefined) return { older, newer, content: joinOthers(waiting[older]!, waiting[newer]!, words) }
  }
  return undefined
}
