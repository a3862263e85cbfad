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

/** Joins two alerts to one that shows the last `shown` of all, and counts the others. */
const join = (older: Content, newer: Content, all: ReadonlyArray<Alert>, shown: number): Content => {
  const hidden = Math.max(0, all.length - shown)
  return {
    subjects: new Set([...older.subjects, ...newer.subjects]),
    rank: Math.max(older.rank, newer.rank),
    alerts: all.slice(hidden),
    more: plus(newer.more, older.more, all.slice(0, hidden))
  }
}

/** Joins alerts about the same. Shows the later one, which tells how things are now. */
const joinSame = (older: Content, newer: Content): Content =>
  join(older, newer, [...older.alerts, ...newer.alerts], newer.alerts.length)

/** Joins alerts about different things to one that lists them. */
const joinOthers = (older: Content, newer: Content, words: Words): Content =>
  join(older, newer, [...older.alerts, ...newer.alerts].map((alert) => listedOnly(alert, words)), maxListed)

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

/** Returns the subject of an alert that can be folded with others about the same. */
const groupOf = ({ alerts }: Content): string | undefined => {
  const [alert, second] = alerts
  return alert === undefined || second !== undefined || isDigest(alert) ? undefined : subject(alert)
}

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
  const groups = new Map<string, Array<number>>()
  let largest: Array<number> = []
  waiting.forEach((content, i) => {
    const subject = groupOf(content)
    if (subject === undefined) return
    const group = groups.get(subject) ?? []
    group.push(i)
    groups.set(subject, group)
    if (group.length > largest.length) largest = group
  })
  const [first, second] = largest
  if (first !== undefined && second !== undefined) {
    return { older: first, newer: second, content: joinSame(waiting[first]!, waiting[second]!) }
  }
  if (!across) return undefined
  const least = waiting.map((content, i) => ({ content, i })).toSorted((a, b) =>
    a.content.rank - b.content.rank || b.content.alerts.length - a.content.alerts.length || a.i - b.i
  )
  for (const a of least) {
    for (const b of least) {
      if (a.i >= b.i) continue
      // what stands between would be overtaken by an older alert about the same
      const between = waiting.slice(a.i + 1, b.i)
      if (between.some(({ subjects }) => !subjects.isDisjointFrom(a.content.subjects))) continue
      return { older: a.i, newer: b.i, content: joinOthers(a.content, b.content, words) }
    }
  }
  return undefined
}
