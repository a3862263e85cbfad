/** The alerts that a policy holds, as entries of its state, and what becomes of them. */
import * as Schema from "effect/Schema"
import type { Alert } from "../../../Alert.ts"
import { digestOf, listedOnly, maxListed, type Telling, withoutAttachments } from "../../../internal/alerts/digest.ts"
import { AlertJson, fromJson, toJson } from "../../../internal/alerts/json.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { Millis } from "../entries.ts"
import { allPlaces } from "../places.ts"
import { isFailure, isReminder, subject } from "../policy.ts"
import { isGone, owner } from "./owner.ts"

/** A held alert. */
export const Held = Schema.Struct({
  alert: AlertJson,
  /** When it was posted to the policy. */
  since: Millis,
  /** When it is to be posted to the channel. */
  due: Millis,
  /** Whether an attempt to post it has failed. */
  tried: Schema.Boolean,
  /** Whether channels that keep incidents have been told that its subject is well again. */
  settled: Schema.optionalKey(Schema.Boolean),
  /** Whether it is posted as soon as it is due, whatever the hours. */
  urgent: Schema.optionalKey(Schema.Boolean),
  /** Whether a later alert about its subject has been posted, so that it must not look like the latest news. */
  late: Schema.optionalKey(Schema.Boolean),
  /** Until when a process that uses the store reserves it, in order to post it. */
  claimed: Schema.optionalKey(Millis),
  /** The name of that process. */
  by: Schema.optionalKey(Schema.String)
})

/** @internal */
export type Held = typeof Held.Type

/** The milliseconds until a store that has failed is used again. */
export const storeDelay = 60_000

/** Held alerts by the keys that {@link idOf} returns. */
export type Entries = Map<string, Held>

/** Alerts that are posted or lost together. */
export type Batch = ReadonlyArray<readonly [id: string, held: Held]>

/** Returns the held alerts about a subject. */
export const ofSubject = (entries: Entries, about: string): Batch =>
  [...entries].filter(([, { alert }]) => subject(alert) === about)

/** Returns whether a held alert says what a reminder says. An earlier reminder is replaced by it. */
export const standsFor = (entries: Entries, reminder: Alert, words: Words): boolean => {
  for (const [id, held] of ofSubject(entries, subject(reminder))) {
    if (held.claimed !== undefined || !isFailure(held.alert)) continue
    if (isReminder(held.alert)) entries.set(id, { ...held, alert: toJson(withoutAttachments(reminder, words)) })
    return true
  }
  return false
}

/** Returns the alerts in groups that have arrived at the same places. Both are in the order in which alerts were posted. */
export const groupsOf = (batch: Batch): ReadonlyArray<Batch> => {
  const sorted = batch.toSorted(([, a], [, b]) => a.since - b.since)
  return [...Map.groupBy(sorted, ([, { alert }]) => alert.told?.toSorted().join() ?? "").values()]
}

/** Returns the key of an alert: that of its post, so that a repeat of that is known. */
export const idOf = ({ idempotencyKey }: Alert): string =>
  idempotencyKey ? `of:${idempotencyKey}` : globalThis.crypto.randomUUID()

/** Adds an alert to the entries. Returns whether there are more than `max` now, which makes all of them due. */
export const keep = (
  entries: Entries,
  id: string,
  alert: Alert,
  since: number,
  due: number,
  { max, words }: { readonly max: number; readonly words: Words }
): boolean => {
  // An alert that stays alone is posted as it is, with attachments. A digest shows none, so they need not be stored.
  // Alerts that are being posted are not combined with it, unless that fails.
  const alone = isAlone(entries)
  const kept = toJson(
    entries.size < maxListed ? alone ? alert : withoutAttachments(alert, words) : listedOnly(alert, words)
  )
  // of many entries, none has been alone lately
  for (const [id, held] of alone || entries.size > maxListed ? [] : entries) {
    if (held.alert.attachments !== undefined && held.claimed === undefined) {
      entries.set(id, { ...held, alert: toJson(withoutAttachments(fromJson(held.alert), words)) })
    }
  }
  entries.set(id, { alert: kept, since, due, tried: false })
  if (entries.size <= max) return false
  let fresh = 0
  for (const held of entries.values()) if (isFresh(held)) fresh++
  if (fresh <= max) return false
  for (const [id, held] of entries) if (isFresh(held) && held.due > since) entries.set(id, { ...held, due: since })
  return true
}

/** Whether no entry waits. Makes no list of all entries, of which a storm has thousands, for each alert anew. */
const isAlone = (entries: Entries): boolean => {
  for (const { claimed } of entries.values()) if (claimed === undefined) return false
  return true
}

const isFresh = ({ claimed, tried }: Held): boolean => !tried && claimed === undefined

/** Returns when the first of the unclaimed alerts is due. */
export const openAt = (entries: Entries) => (): number | undefined => {
  let at: number | undefined
  for (const { claimed, due } of entries.values()) {
    if (claimed === undefined && (at === undefined || due < at)) at = due
  }
  return at
}

/** Returns until when an alert is claimed. A claim ends with its process. */
export const claimEnd = (
  { by, claimed }: { readonly by?: string | undefined; readonly claimed?: number | undefined }
): number => claimed === undefined || (by !== undefined && isGone(by)) ? -Infinity : claimed

/**
 * Returns when something can be posted next.
 *
 * Corrects entries that are due later than an alert that arrives now (`latest`), or claimed for much longer than a claim
 * lasts. They were written while the clock was wrong, and would otherwise wait until then. A claim that another process
 * has made since `now` was read is none of these.
 */
export const nextOf = (entries: Entries, now: number, latest: number): number | undefined => {
  let next: number | undefined
  for (const [id, held] of entries) {
    const isWrong = claimEnd(held) > now + 2 * claimTime
    const due = Math.min(held.due, latest)
    if (isWrong || held.due > latest) {
      const { by: _by, claimed: _claimed, ...unclaimed } = held
      entries.set(id, { ...(isWrong ? unclaimed : held), due })
    }
    const at = Math.max(due, isWrong ? -Infinity : claimEnd(held))
    if (next === undefined || at < next) next = at
  }
  return next
}

/** Claims and returns the alerts that are due and may be posted now, and in any case those that `must` be. */
export const claim = (
  entries: Entries,
  now: number,
  opens: number,
  must: (id: string) => boolean,
  among: ReadonlyMap<string, Held> = entries
): Batch => {
  const batch: Array<Batch[number]> = []
  for (const [id, held] of among) {
    const { due } = held
    if (claimEnd(held) > now) continue
    if (must(id) || (due <= now && (opens <= now || held.urgent === true))) {
      batch.push([id, held])
      entries.set(id, { ...held, claimed: now + claimTime, by: owner() })
    } else if (due <= now) entries.set(id, { ...held, due: opens })
  }
  return batch
}

/** A little longer than the time limit of a post. */
export const claimTime = 6 * 60_000

/** Ends the claim on alerts that could not be posted. Skips those that were taken out meanwhile. */
export const release = (
  entries: Entries,
  batch: Batch,
  due: number,
  now: number,
  told: ReadonlyArray<string>
): void => {
  for (const [id] of batch) {
    // it may have been marked meanwhile
    const current = entries.get(id)
    if (current === undefined) continue
    const { by: _by, claimed: _claimed, ...held } = current
    const { alert } = held
    entries.set(id, {
      ...held,
      ...(told.length === 0 ? {} : { alert: { ...alert, told: allPlaces(alert.told, told) } }),
      due: held.urgent === true ? Math.min(due, now + urgentDelay) : due,
      tried: true
    })
  }
}

/** The delay after a delivery of urgent alerts that failed. */
const urgentDelay = 10 * 60_000

/** Takes entries out. */
export const takeOut = (ids: ReadonlySet<string>) => (entries: Entries): Batch => {
  const taken = [...entries].filter(([id]) => ids.has(id))
  for (const [id] of taken) entries.delete(id)
  return taken
}

/** Returns the alert that stands for those of a group: the only one as it is, or a digest. */
export const combined = (
  group: Batch,
  now: number,
  title: (since: number, now: number) => (count: number, tally: string) => string,
  telling: Telling
): Alert => {
  const [first, ...others] = group.map(([, held]) => held)
  if (first !== undefined && others.length === 0 && first.late !== true) {
    const alert = fromJson(first.alert)
    return first.settled === true ? alert.with({ resolves: false }) : alert
  }
  const all = group.map(([, { alert }]) => fromJson(alert))
  return digestOf(all, title(first?.since ?? now, now), telling).with({ told: first?.alert.told })
}
