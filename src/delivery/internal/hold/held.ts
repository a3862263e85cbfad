/** Holding alerts until they are due, for `digest` and `quietHours`. */
import * as Clock from "effect/Clock"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import { AlertJson, fromJson, toJson } from "../../../internal/alerts/json.ts"
import { heldBack } from "../../../internal/alerts/metrics.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { explain, Millis } from "../entries.ts"
import type { Post } from "../policy.ts"
import { makeState, type Persisted } from "../state/persisted.ts"
import { alerts, digestOf, listedOnly, maxListed, short } from "./digest.ts"
import * as Timer from "./timer.ts"

/** A held alert. */
const Held = Schema.Struct({
  alert: AlertJson,
  /** When it was posted to the policy. */
  since: Millis,
  /** When it is to be posted to the channel. */
  due: Millis,
  /** Whether an attempt to post it has failed. */
  tried: Schema.Boolean,
  /** Until when a process that uses the store reserves it, in order to post it. */
  claimed: Schema.optionalKey(Millis)
})

type Held = typeof Held.Type
type Entries = Map<string, Held>
type Batch = ReadonlyArray<readonly [id: string, held: Held]>

/** How a policy holds alerts. Times are milliseconds since the epoch. */
export interface Options<P extends string | undefined> {
  readonly policy: string
  readonly persist: P | undefined
  /** Returns when an alert that is held from now on is due. `open` returns when the held alerts are due. */
  readonly due: (now: number, open: () => number | undefined) => number
  /** Returns the earliest time, from now on, at which held alerts may be posted. */
  readonly opens: (now: number) => number
  /** If more alerts are held, all are due at once. */
  readonly max: number
  /** Returns the text after the number of alerts in the title of a digest. */
  readonly when: (since: number, now: number) => string
  readonly zone: DateTime.TimeZone
}

/** The largest number of titles in a log entry. */
const maxTitles = 20

/**
 * Makes a post that holds alerts until they are due, then posts them as one.
 *
 * After the scope has closed the returned post passes alerts through at once, unless the store keeps them for the next
 * process: nothing in this process would post them any more.
 */
export const make = <P extends string | undefined>(
  post: Post,
  options: Options<P>
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const { due, max, opens, persist, policy, when, zone } = options
    const state = yield* makeState(policy, persist, Held)
    let closed = false
    // whether the next process will find the held alerts in the store
    let outlives = persist !== undefined
    // the time that the timer sleeps until
    let next: number | undefined

    /** Posts what is due, and the `unsaved` alerts whether due or not. */
    const flush = (unsaved: ReadonlySet<string>) =>
      Effect.uninterruptible(Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const batch = yield* state.modify((entries) => claim(entries, now, opens(now), unsaved))
        if (batch.length === 0) return
        const exit = yield* Timer.attempt(post, () => combined(batch, now, when, zone))
        if (Exit.isSuccess(exit)) {
          yield* state.modify((entries) => batch.forEach(([id]) => entries.delete(id)))
          return
        }
        const later = yield* Clock.currentTimeMillis
        yield* state.modify((entries) => release(entries, batch, due(later, openAt(entries))))
        yield* Writer.logWarning(
          `effect-epilogue: ${policy}: ${alerts(batch.length)} could not be posted, will be tried again`,
          explain(exit.cause)
        )
      }))

    const changed = yield* Timer.make({
      next: Effect.flatMap(Clock.currentTimeMillis, (now) =>
        state.modify((entries) => {
          next = nextOf(entries, now, due(now, never))
          return next
        })),
      flush: flush(new Set()),
      close: Effect.gen(function*() {
        closed = true
        const unsaved = yield* state.unsaved
        outlives = persist !== undefined && unsaved.size === 0
        // Also posts what is due: the next process may be as short as this one and never reach its timer.
        yield* flush(unsaved)
      }),
      closed: Effect.flatMap(
        state.unsaved,
        (unsaved) => unsaved.size === 0 ? Effect.void : Effect.flatMap(state.modify(takeOut(unsaved)), logLost(policy))
      )
    })

    /** Returns whether the alert is held now. */
    const hold = (alert: Alert, now: number) => (entries: Entries): boolean => {
      if (closed && !outlives) {
        return false
      }
      const at = due(now, openAt(entries))
      const overflows = keep(entries, alert, now, at, max)
      if (overflows || next === undefined || at < next) {
        changed()
      }
      return true
    }

    return (alert) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const held = yield* state.modify(hold(alert, now))
        yield* held ? heldBack(policy) : post(alert)
      })
  })

/** Adds an alert to the entries. Returns whether there are more than `max` now, which makes all of them due. */
const keep = (entries: Entries, alert: Alert, since: number, due: number, max: number): boolean => {
  const { idempotencyKey } = alert
  const id = idempotencyKey ? `of:${idempotencyKey}` : globalThis.crypto.randomUUID()
  // a repeat of a post that is held already
  if (entries.has(id)) return false
  // An alert that stays alone is posted as it is, with attachments. A digest shows none, so they need not be stored.
  const alone = entries.size === 0
  const kept = toJson(
    entries.size < maxListed ? alert.with({ attachments: alone ? alert.attachments : [] }) : listedOnly(alert)
  )
  for (const [id, held] of entries) {
    if (held.alert.attachments !== undefined) entries.set(id, { ...held, alert: withoutAttachments(held.alert) })
  }
  entries.set(id, { alert: kept, since, due, tried: false })
  if (entries.size <= max) return false
  const fresh = [...entries].filter(([, held]) => !held.tried && held.claimed === undefined)
  if (fresh.length <= max) return false
  for (const [id, held] of fresh) entries.set(id, { ...held, due: since })
  return true
}

const withoutAttachments = ({ attachments: _, ...alert }: AlertJson): AlertJson => alert

/** Returns when the first of the unclaimed alerts is due. */
const openAt = (entries: Entries) => (): number | undefined => {
  let at: number | undefined
  for (const { claimed, due } of entries.values()) {
    if (claimed === undefined && (at === undefined || due < at)) at = due
  }
  return at
}

const never = (): undefined => undefined

/**
 * Returns when something can be posted next.
 *
 * Corrects entries that are due later than an alert that arrives now (`latest`), or claimed for longer than a claim
 * lasts. They were written while the clock was wrong, and would otherwise wait until then.
 */
const nextOf = (entries: Entries, now: number, latest: number): number | undefined => {
  let next: number | undefined
  for (const [id, { claimed = 0, due, ...held }] of entries) {
    if (due > latest || claimed > now + claimTime) entries.set(id, { ...held, due: Math.min(due, latest) })
    const at = Math.max(Math.min(due, latest), claimed > now + claimTime ? 0 : claimed)
    if (next === undefined || at < next) next = at
  }
  return next
}

/** Claims and returns the alerts that are due and may be posted now, and the `unsaved` ones in any case. */
const claim = (entries: Entries, now: number, opens: number, unsaved: ReadonlySet<string>): Batch => {
  const batch: Array<Batch[number]> = []
  for (const [id, held] of entries) {
    const { claimed = 0, due } = held
    if (claimed > now) continue
    if (unsaved.has(id) || (due <= now && opens <= now)) {
      batch.push([id, held])
      entries.set(id, { ...held, claimed: now + claimTime })
    } else if (due <= now) entries.set(id, { ...held, due: opens })
  }
  return batch
}

/** A little longer than the time limit of a post. */
const claimTime = 6 * 60_000

/** Ends the claim on alerts that could not be posted. Skips those that were taken out meanwhile. */
const release = (entries: Entries, batch: Batch, due: number): void => {
  for (const [id, { claimed: _, ...held }] of batch) {
    if (entries.has(id)) entries.set(id, { ...held, due, tried: true })
  }
}

const takeOut = (ids: ReadonlySet<string>) => (entries: Entries): Batch => {
  const taken = [...entries].filter(([id]) => ids.has(id))
  for (const [id] of taken) entries.delete(id)
  return taken
}

const combined = (batch: Batch, now: number, when: Options<string>["when"], zone: DateTime.TimeZone): Alert => {
  const inOrder = batch.map(([, held]) => held).toSorted((a, b) => a.since - b.since)
  const [first, ...others] = inOrder.map(({ alert }) => fromJson(alert))
  if (first !== undefined && others.length === 0) return first
  return digestOf(inOrder.map(({ alert }) => fromJson(alert)), when(inOrder[0]?.since ?? now, now), zone)
}

const logLost = (policy: string) => (batch: Batch): Effect.Effect<void> => {
  if (batch.length === 0) return Effect.void
  const titles = batch.slice(0, maxTitles).map(([, { alert }]) => short(alert.title, 200))
  if (titles.length < batch.length) titles.push(`… and ${batch.length - titles.length} more`)
  return Writer.logError(`effect-epilogue: ${policy}: ${alerts(batch.length)} lost, never posted`, titles.join("\n"))
}
