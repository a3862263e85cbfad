/** The failures that a policy waits for somebody to react to, as entries of its state, and what becomes of them. */
import * as Schema from "effect/Schema"
import type { Alert } from "../../../Alert.ts"
import { withoutAttachments } from "../../../internal/alerts/digest.ts"
import { single, SingleJson } from "../../../internal/alerts/json.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { Millis } from "../entries.ts"
import { claimEnd, claimTime } from "../hold/heldEntries.ts"
import { owner } from "../hold/owner.ts"
import { bothPlaces } from "../places.ts"
import { isLike } from "../policy.ts"
import type * as Books from "./book.ts"
import { acknowledgementId } from "./texts.ts"

/** A failure that people have been told of. */
export const Pending = Schema.Struct({
  /** The latest alert about it, with the places that it has arrived at. */
  alert: SingleJson,
  /** Whether all alerts about it were like that one. */
  alike: Schema.optionalKey(Schema.Boolean),
  /** When the failure began. */
  since: Millis,
  /** When people were told first. */
  from: Millis,
  /** When they are told again. Missing if they are not. */
  due: Schema.optionalKey(Millis),
  /** How often they have been told again. */
  count: Schema.Natural,
  /** The places of another alerter that it has arrived at. */
  told: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Whether it has recovered, which the other alerter has not been told. */
  over: Schema.optionalKey(Schema.Boolean),
  /** The acknowledgement that was announced, or is being announced. */
  announced: Schema.optionalKey(Schema.String),
  /** The earliest time of the next attempt, after one that failed. */
  notBefore: Schema.optionalKey(Millis),
  /** Until when a process that uses the store reserves it, in order to post. */
  claimed: Schema.optionalKey(Millis),
  /** The name of that process. */
  by: Schema.optionalKey(Schema.String)
})

/** @internal */
export type Pending = typeof Pending.Type

/** Failures by their keys. */
export type Entries = Map<string, Pending>

/** Something to be posted about a failure: the next alert, or that somebody has acknowledged it. */
export interface Job {
  readonly key: string
  readonly pending: Pending
  readonly kind: "due" | "acknowledged"
}

/** The delay in milliseconds after an attempt to post that failed. */
export const retryDelay = 10 * 60_000

/** Returns the alert as an entry keeps it, with the places where people have been told. */
export const kept = (alert: Alert, told: ReadonlyArray<string>, words: Words): Pending["alert"] =>
  single(withoutAttachments(alert, words).with({ told, recovers: [], combines: [], quiet: false }))

/** Returns the entry with another alert of the same failure. */
export const withAlert = (pending: Pending, alert: Alert, told: ReadonlyArray<string>, words: Words): Pending => ({
  ...pending,
  alike: pending.alike === true && isLike(pending.alert, alert),
  alert: kept(alert, bothPlaces(pending.alert.told ?? [], told), words)
})

/** Returns the entry without its claim. */
export const unclaimed = (pending: Pending): Pending => {
  const { by: _by, claimed: _claimed, ...rest } = pending
  return rest
}

/** Returns what is to be posted about a failure, or `undefined` for nothing. */
const kindOf = (key: string, pending: Pending, book: Books.Entries, announces: boolean): Job["kind"] | undefined => {
  if (pending.over === true) return undefined
  const acknowledged = book.get(key)?.acknowledged
  if (acknowledged === undefined) return pending.due === undefined ? undefined : "due"
  return announces && pending.announced !== acknowledgementId(key, acknowledged) ? "acknowledged" : undefined
}

/** Returns when something can be posted about a failure. */
const timeOf = (pending: Pending, kind: Job["kind"]): number =>
  Math.max(
    kind === "due" ? pending.due ?? -Infinity : -Infinity,
    pending.notBefore ?? -Infinity,
    claimEnd(pending)
  )

/**
 * Returns when something can be posted next. Corrects times that were written while the clock was wrong: no entry is due
 * later than `period` from now.
 */
export const nextOf = (
  entries: Entries,
  book: Books.Entries,
  now: number,
  { announces, period }: { readonly announces: boolean; readonly period: number }
): number | undefined => {
  let next: number | undefined
  for (const [key, pending] of entries) {
    const kind = kindOf(key, pending, book, announces)
    if (kind === undefined) continue
    const corrected = inRange(pending, now, period)
    if (corrected !== pending) entries.set(key, corrected)
    const at = timeOf(corrected, kind)
    if (next === undefined || at < next) next = at
  }
  return next
}

const inRange = (pending: Pending, now: number, period: number): Pending => {
  const late = pending.due !== undefined && pending.due > now + period
  const slow = pending.notBefore !== undefined && pending.notBefore > now + retryDelay
  const isWrong = claimEnd(pending) > now + 2 * claimTime
  if (!late && !slow && !isWrong) return pending
  return {
    ...(isWrong ? unclaimed(pending) : pending),
    ...(late && { due: now + period }),
    ...(slow && { notBefore: now + retryDelay })
  }
}

/** Claims and returns what can be posted now, `most` at most. */
export const claim = (
  entries: Entries,
  book: Books.Entries,
  now: number,
  announces: boolean,
  most: number,
  among: ReadonlyMap<string, Pending> = entries
): ReadonlyArray<Job> => {
  const jobs: Array<Job> = []
  for (const [key, pending] of among) {
    if (jobs.length === most) break
    const kind = kindOf(key, pending, book, announces)
    if (kind === undefined || timeOf(pending, kind) > now) continue
    jobs.push({ key, pending, kind })
    entries.set(key, { ...pending, claimed: now + claimTime, by: owner() })
  }
  return jobs
}
