/** Keeps the alerts that have passed a throttle, and counts those that it held back. */
import * as Schema from "effect/Schema"
import type { Alert } from "../../../Alert.ts"
import { short } from "../../../internal/alerts/digest.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { Millis } from "../entries.ts"
import { Count, countOf, type Row, sum } from "../hold/count.ts"
import { subject } from "../policy.ts"

/** The entry of one subject. */
export const Entry = Schema.Struct({
  /** The alerts that were delivered or are being delivered, each with the time. Each takes a slot of the limits. */
  passed: Schema.Array(Schema.Tuple([Schema.String, Millis])),
  /** Alerts held back by the limit of the subject. */
  own: Schema.optionalKey(Count),
  /** Alerts held back by the limit of all subjects together. */
  shared: Schema.optionalKey(Count)
})

type Entry = typeof Entry.Type

/** Entries by key, as {@link keyOf} makes them, besides {@link others}. */
export type Entries = Map<string, Entry>

/** Counts taken from the entries in order to report them with a delivery. {@link addCounts} puts them back. */
export type Report = ReadonlyArray<readonly [key: string, by: "own" | "shared", count: Count]>

/** At most `limit` alerts within any `window` of milliseconds. */
export interface Limit {
  readonly limit: number
  readonly window: number
}

/** The limit of all alerts together, and that of each subject. */
export interface Limits {
  readonly overall: Limit
  readonly perKey: Limit | undefined
}

/** The number of subjects that have a count of their own. Alerts about further subjects share one. */
const maxSubjects = 100

/** The key of the subjects without a count of their own. Summaries take their slots here too. */
export const others = "others"
const prefix = "of:"

/** Returns the key of the alert's subject. */
export const keyOf = (alert: Alert): string => prefix + subject(alert)

const nameOf = (key: string): string | undefined => key === others ? undefined : short(key.slice(prefix.length), 100)

const empty: Entry = { passed: [] }

/** Takes a slot for the alert and returns the counts that it has to report. Returns `undefined` without a free slot. */
export const admit = (
  entries: Entries,
  limits: Limits,
  inFlight: ReadonlySet<string>,
  alert: Alert,
  { id, now }: { readonly now: number; readonly id: string }
): Report | undefined => {
  prune(entries, limits, inFlight, now)
  const key = keyOf(alert)
  const { overall } = limits
  if (isHeldAlone(entries, limits, inFlight, key, now) || used(all(entries), overall, inFlight, now) >= overall.limit) {
    return undefined
  }
  takeSlot(entries, key, id, now)
  return takeCounts(entries, key)
}

/** Counts an alert as held back, and returns what it has counted. */
export const holdBack = (
  entries: Entries,
  limits: Limits,
  inFlight: ReadonlySet<string>,
  alert: Alert,
  { now, words }: { readonly now: number; readonly words: Words }
): Report => {
  const by = isHeldAlone(entries, limits, inFlight, keyOf(alert), now) ? "own" : "shared"
  // a combined alert is counted as what it combines
  return (alert.combines.length > 0 ? alert.combines : [alert]).map((part) => {
    const key = keyOf(part)
    const count = countOf(part, now, words)
    const counted: Report[number] = isCrowded(entries, key) ? [others, "shared", count] : [key, by, count]
    addCounts(entries, [counted])
    return counted
  })
}

/** Returns whether the limit of its subject holds an alert back. */
const isHeldAlone = (
  entries: Entries,
  { perKey }: Limits,
  inFlight: ReadonlySet<string>,
  key: string,
  now: number
): boolean => perKey !== undefined && used(entries.get(key)?.passed ?? [], perKey, inFlight, now) >= perKey.limit

/** Returns whether the key is new, and as many subjects as may have a count have one. */
const isCrowded = (entries: Entries, key: string): boolean =>
  !entries.has(key) &&
  [...entries.values()].filter(({ own, shared }) => own !== undefined || shared !== undefined).length >= maxSubjects

/** Takes a slot for a summary and returns all counts, if a summary is due and a slot is free. Else returns none. */
export const summarise = (
  entries: Entries,
  limits: Limits,
  inFlight: ReadonlySet<string>,
  now: number,
  id: string
): Report => {
  prune(entries, limits, inFlight, now)
  correct(entries, now)
  const at = dueAt(entries, limits)
  if (at === undefined || at > now || used(all(entries), limits.overall, inFlight, now) >= limits.overall.limit) {
    return []
  }
  takeSlot(entries, others, id, now)
  return takeCounts(entries, undefined)
}

/**
 * Returns when a summary can be posted. Returns `undefined` if nothing is held back, or if deliveries in flight take
 * all slots: then the end of one of them decides.
 */
export const nextSummary = (
  entries: Entries,
  limits: Limits,
  inFlight: ReadonlySet<string>,
  now: number
): number | undefined => {
  correct(entries, now)
  const at = dueAt(entries, limits)
  if (at === undefined) return undefined
  const { limit, window } = limits.overall
  const passed = all(entries)
  const ended = passed.filter(([id, at]) => !inFlight.has(id) && at <= now).map(([, time]) => time).toSorted((a, b) =>
    b - a
  )
  const slots = limit - passed.filter(([id]) => inFlight.has(id)).length
  if (slots < 1) return undefined
  const last = ended[slots - 1]
  return last === undefined ? at : Math.max(at, last + window)
}

/**
 * Removes counts from the entries and returns them: those that the next alert of a key reports (its own, and all that
 * the overall limit held back), or all where `key` is `undefined`. Sets no other entries, which a store would write.
 */
export const takeCounts = (entries: Entries, key: string | undefined): Report => {
  const report: Array<Report[number]> = []
  for (const [name, { own, passed, shared }] of entries) {
    const taken = key === undefined || key === name ? own : undefined
    if (taken === undefined && shared === undefined) continue
    if (taken !== undefined) report.push([name, "own", taken])
    if (shared !== undefined) report.push([name, "shared", shared])
    entries.set(name, own === taken ? { passed } : { passed, ...(own && { own }) })
  }
  return report
}

/** Adds counts to the entries: of an alert that is held back, or of a report whose delivery failed. */
export const addCounts = (entries: Entries, report: Report): void => {
  for (const [key, by, count] of report) {
    const entry = entries.get(key) ?? empty
    entries.set(key, { ...entry, [by]: sum(entry[by], count) })
  }
}

/** Takes a slot, or sets the time of one that the delivery `id` has taken before. */
export const takeSlot = (entries: Entries, key: string, id: string, at: number): void => {
  const entry = entries.get(key) ?? empty
  entries.set(key, { ...entry, passed: [...entry.passed.filter(([other]) => other !== id), [id, at]] })
}

/** Frees the slot of a delivery that failed. */
export const freeSlot = (entries: Entries, id: string): void => {
  for (const [key, entry] of entries) {
    if (entry.passed.some(([other]) => other === id)) {
      entries.set(key, { ...entry, passed: entry.passed.filter(([other]) => other !== id) })
    }
  }
}

/** Drops slots that have left all windows, and entries that are empty then. */
const prune = (entries: Entries, { overall, perKey }: Limits, inFlight: ReadonlySet<string>, now: number): void => {
  const longest = Math.max(overall.window, perKey?.window ?? 0)
  for (const [key, entry] of entries) {
    const passed = entry.passed.filter(([id, at]) => inFlight.has(id) || isWithin(at, now, longest))
    if (passed.length === 0 && entry.own === undefined && entry.shared === undefined) entries.delete(key)
    else if (passed.length < entry.passed.length) entries.set(key, { ...entry, passed })
  }
}

/** Takes times in the future for now. They were stored before the clock was put back, and would wait until then. */
const correct = (entries: Entries, now: number): void => {
  for (const [key, entry] of entries) {
    if ([entry.own, entry.shared].every((count) => count === undefined || count.since <= now)) continue
    const { own, passed, shared } = entry
    entries.set(key, {
      passed,
      ...(own && { own: { ...own, since: Math.min(own.since, now) } }),
      ...(shared && { shared: { ...shared, since: Math.min(shared.since, now) } })
    })
  }
}

const all = (entries: Entries): Entry["passed"] => [...entries.values()].flatMap(({ passed }) => passed)

/** Returns how many slots are taken. A delivery in flight takes one, however long it lasts. */
const used = (passed: Entry["passed"], { window }: Limit, inFlight: ReadonlySet<string>, now: number): number =>
  passed.filter(([id, at]) => inFlight.has(id) || isWithin(at, now, window)).length

/**
 * Returns whether a time lies in the window. One in the future was stored by a wrong clock, and would never leave it.
 */
const isWithin = (at: number, now: number, window: number): boolean => at > now - window && at <= now

/** Returns when the first count has waited for a whole window, and needs a summary. */
const dueAt = (entries: Entries, { overall, perKey }: Limits): number | undefined => {
  let due: number | undefined
  for (const { own, shared } of entries.values()) {
    const ends = [
      own === undefined ? undefined : own.since + (perKey ?? overall).window,
      shared === undefined ? undefined : shared.since + overall.window
    ]
    for (const end of ends) if (end !== undefined && (due === undefined || end < due)) due = end
  }
  return due
}

/** Returns the counts of a report with the names of their subjects. */
export const rows = (report: Report): ReadonlyArray<Row> =>
  report.map(([key, , count]) => ({ name: nameOf(key), count }))
