/** Who may pass, and how many could not. */
import * as Schema from "effect/Schema"
import type { Alert } from "../../../Alert.ts"
import { SeverityJson } from "../../../internal/alerts/json.ts"
import { worst } from "../../../internal/model/severity.ts"
import { heldBackBefore, Millis } from "../entries.ts"
import { short } from "../hold/digest.ts"
import { subject } from "../policy.ts"

const Untold = Schema.Struct({
  count: Schema.Int,
  since: Millis,
  severity: SeverityJson
})

/** What was held back and not told of yet. */
export type Untold = typeof Untold.Type

/** What is kept of one subject. */
export const Entry = Schema.Struct({
  /** Alerts that were delivered, or are on their way, each with the time. */
  passed: Schema.Array(Schema.Tuple([Schema.String, Millis])),
  /** Held back since there were too many of the subject. */
  own: Schema.optionalKey(Untold),
  /** Held back since there were too many of all. */
  shared: Schema.optionalKey(Untold)
})

type Entry = typeof Entry.Type
type Entries = Map<string, Entry>

/** What is told of, by key. Keys are made by `keyOf`. */
export type Told = ReadonlyArray<readonly [key: string, what: "own" | "shared", untold: Untold]>

export interface Limit {
  readonly limit: number
  /** In milliseconds. */
  readonly window: number
}

export interface Limits {
  readonly overall: Limit
  readonly perKey: Limit | undefined
}

/** So many subjects are counted each by itself, and the others together. */
export const maxSubjects = 100

export const others = "others"
const prefix = "of:"

/** @internal */
export const keyOf = (alert: Alert): string => prefix + subject(alert)

const nameOf = (key: string): string => key === others ? "others" : short(key.slice(prefix.length), 100)

const none: Entry = { passed: [] }

/** A pass that may be used, and what it has to tell; or nothing, and the alert is counted. */
export const enter = (
  entries: Entries,
  limits: Limits,
  underway: ReadonlySet<string>,
  alert: Alert,
  now: number,
  id: string
): Told | undefined => {
  prune(entries, limits, underway, now)
  const key = keyOf(alert)
  const { overall, perKey } = limits
  const untold = { count: 1 + heldBackBefore(alert), since: now, severity: alert.severity }
  const passed = entries.get(key)?.passed ?? []
  const own = perKey !== undefined && used(passed, perKey, underway, now) >= perKey.limit
  if (own || used(all(entries), overall, underway, now) >= overall.limit) {
    add(entries, [isCrowded(entries, key) ? [others, "shared", untold] : [key, own ? "own" : "shared", untold]])
    return undefined
  }
  pass(entries, key, id, now)
  return tell(entries, key)
}

const isCrowded = (entries: Entries, key: string): boolean =>
  !entries.has(key) &&
  [...entries.values()].filter(({ own, shared }) => own !== undefined || shared !== undefined).length >= maxSubjects

/** Takes a pass for a summary, if something is due and there is room. */
export const summarise = (
  entries: Entries,
  limits: Limits,
  underway: ReadonlySet<string>,
  now: number,
  id: string
): Told => {
  prune(entries, limits, underway, now)
  const at = dueAt(entries, limits)
  if (at === undefined || at > now || used(all(entries), limits.overall, underway, now) >= limits.overall.limit) {
    return []
  }
  pass(entries, others, id, now)
  return tell(entries, undefined)
}

/** When a summary can be posted; nothing where there is nothing to tell, or only the end of a delivery makes room. */
export const nextSummary = (entries: Entries, limits: Limits, underway: ReadonlySet<string>): number | undefined => {
  const at = dueAt(entries, limits)
  if (at === undefined) return undefined
  const { limit, window } = limits.overall
  const passed = all(entries)
  const over = passed.filter(([id]) => !underway.has(id)).map(([, time]) => time).toSorted((a, b) => b - a)
  const room = limit - passed.filter(([id]) => underway.has(id)).length
  if (room < 1) return undefined
  const last = over[room - 1]
  return last === undefined ? at : Math.max(at, last + window)
}

/** What a key's next alert has to tell, or all there is to tell. It counts as told from now on. */
export const tell = (entries: Entries, key: string | undefined): Told => {
  const told: Array<Told[number]> = []
  for (const [name, { own, passed, shared }] of entries) {
    const tellsOwn = key === undefined || key === name
    if (own !== undefined && tellsOwn) told.push([name, "own", own])
    if (shared !== undefined) told.push([name, "shared", shared])
    entries.set(name, own === undefined || tellsOwn ? { passed } : { passed, own })
  }
  return told
}

/** Counts what was held back, once more where telling it has failed. */
export const add = (entries: Entries, told: Told): void => {
  for (const [key, what, untold] of told) {
    const entry = entries.get(key) ?? none
    entries.set(key, { ...entry, [what]: sum(entry[what], untold) })
  }
}

const sum = (a: Untold | undefined, b: Untold): Untold =>
  a === undefined
    ? b
    : { count: a.count + b.count, since: Math.min(a.since, b.since), severity: worst(a.severity, b.severity) }

/** The time at which a pass was used. */
export const pass = (entries: Entries, key: string, id: string, at: number): void => {
  const entry = entries.get(key) ?? none
  entries.set(key, { ...entry, passed: [...entry.passed.filter(([other]) => other !== id), [id, at]] })
}

/** The pass is not used. */
export const giveBack = (entries: Entries, id: string): void => {
  for (const [key, entry] of entries) {
    if (entry.passed.some(([other]) => other === id)) {
      entries.set(key, { ...entry, passed: entry.passed.filter(([other]) => other !== id) })
    }
  }
}

const prune = (entries: Entries, { overall, perKey }: Limits, underway: ReadonlySet<string>, now: number): void => {
  const longest = Math.max(overall.window, perKey?.window ?? 0)
  for (const [key, entry] of entries) {
    const passed = entry.passed.filter(([id, at]) => underway.has(id) || isWithin(at, now, longest))
    if (passed.length === 0 && entry.own === undefined && entry.shared === undefined) entries.delete(key)
    else if (passed.length < entry.passed.length) entries.set(key, { ...entry, passed })
  }
}

const all = (entries: Entries): Entry["passed"] => [...entries.values()].flatMap(({ passed }) => passed)

const used = (passed: Entry["passed"], { window }: Limit, underway: ReadonlySet<string>, now: number): number =>
  passed.filter(([id, at]) => underway.has(id) || isWithin(at, now, window)).length

/** What seems to come from the future is of a clock that was wrong, and might be in the way for ever. */
const isWithin = (at: number, now: number, window: number): boolean => at > now - window && at <= now

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

/** @internal */
export const total = (told: Told): Untold =>
  told.map(([, , untold]) => untold).reduce(sum, { count: 0, since: Infinity, severity: "info" })

/** How many subjects are named. */
const maxNamed = 20

/** How many of which subject, most of them first. A bounded list. */
export const bySubject = (told: Told): ReadonlyArray<{ readonly name: string; readonly count: number }> => {
  const counts = new Map<string, number>()
  for (const [key, , { count }] of told) counts.set(key, (counts.get(key) ?? 0) + count)
  const subjects = [...counts].map(([key, count]) => ({ name: nameOf(key), count })).toSorted((a, b) =>
    b.count - a.count
  )
  const rest = subjects.slice(maxNamed)
  if (rest.length === 0) return subjects
  return [...subjects.slice(0, maxNamed), {
    name: `… and ${rest.length} more`,
    count: rest.reduce((sum, { count }) => sum + count, 0)
  }]
}
