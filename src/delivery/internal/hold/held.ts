/** Alerts that are kept for later. */
import * as Clock from "effect/Clock"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import { AlertJson, fromJson, toJson } from "../../../internal/alerts/json.ts"
import { heldBack } from "../../../internal/alerts/metrics.ts"
import { explain, Millis } from "../entries.ts"
import type { Post } from "../policy.ts"
import { makeState, type Persisted } from "../state/persisted.ts"
import { alerts, digestOf, listedOnly, maxListed, short } from "./digest.ts"
import * as Window from "./timer.ts"

const Held = Schema.Struct({
  alert: AlertJson,
  /** When it was posted, and when it is to be passed on. */
  since: Millis,
  due: Millis,
  /** Whether that was tried in vain. */
  tried: Schema.Boolean,
  /** Until then somebody is at it: this process, or another that uses the same store. */
  claimed: Schema.optionalKey(Millis)
})

type Held = typeof Held.Type
type Entries = Map<string, Held>
type Batch = ReadonlyArray<readonly [id: string, held: Held]>

export interface Options<P extends string | undefined> {
  readonly policy: string
  readonly persist: P | undefined
  /** When an alert is due that is kept from now on, or still. `open` says when others are due. */
  readonly due: (now: number, open: () => number | undefined) => number
  /** The earliest time from now on at which anything may be posted. */
  readonly opens: (now: number) => number
  /** If more are kept, all are due. */
  readonly max: number
  /** What follows the number of alerts in the title of a digest. */
  readonly when: (since: number, now: number) => string
  readonly zone: DateTime.TimeZone
}

/** How many titles a log entry has at most. */
const maxTitles = 20

/**
 * Keeps alerts until they are due, then posts them as one. Returns what keeps one;
 * after the scope was closed that posts at once, where nothing outlives the process.
 */
export const make = <P extends string | undefined>(
  post: Post,
  options: Options<P>
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const { due, max, opens, persist, policy, when, zone } = options
    const state = yield* makeState(policy, persist, Held)
    let closed = false
    // whether the next process knows what is kept
    let outlives = persist !== undefined
    // what the timer waits for
    let next: number | undefined

    const flush = (nowOrNever: ReadonlySet<string>) =>
      Effect.uninterruptible(Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const batch = yield* state.modify((entries) => claim(entries, now, opens(now), nowOrNever))
        if (batch.length === 0) return
        const exit = yield* Window.attempt(post, () => present(batch, now, when, zone))
        if (Exit.isSuccess(exit)) {
          yield* state.modify((entries) => batch.forEach(([id]) => entries.delete(id)))
          return
        }
        const later = yield* Clock.currentTimeMillis
        yield* state.modify((entries) => release(entries, batch, due(later, openAt(entries))))
        yield* Effect.logWarning(
          `effect-epilogue: ${policy}: ${alerts(batch.length)} could not be posted, and kept`,
          explain(exit.cause)
        )
      }))

    const changed = yield* Window.make({
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
        // What is due must not wait for the next process, which may be as short as this one.
        yield* flush(unsaved)
      }),
      closed: Effect.flatMap(
        state.unsaved,
        (unsaved) => unsaved.size === 0 ? Effect.void : Effect.flatMap(state.modify(takeOut(unsaved)), lost(policy))
      )
    })

    /** Not where nobody would post it any more. */
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

const keep = (entries: Entries, alert: Alert, since: number, due: number, max: number): boolean => {
  const { idempotencyKey } = alert
  const id = idempotencyKey ? `of:${idempotencyKey}` : globalThis.crypto.randomUUID()
  // a repeat of one that is kept already
  if (entries.has(id)) return false
  // Alone, it is posted as it is. Of several a digest shows nothing that is attached, which may be large.
  const alone = entries.size === 0
  const kept = toJson(
    entries.size < maxListed ? alert.with({ attachments: alone ? alert.attachments : [] }) : listedOnly(alert)
  )
  for (const [id, held] of entries) {
    if (held.alert.attachments !== undefined) entries.set(id, { ...held, alert: bare(held.alert) })
  }
  entries.set(id, { alert: kept, since, due, tried: false })
  if (entries.size <= max) return false
  const fresh = [...entries].filter(([, held]) => !held.tried && held.claimed === undefined)
  if (fresh.length <= max) return false
  for (const [id, held] of fresh) entries.set(id, { ...held, due: since })
  return true
}

const bare = ({ attachments: _, ...alert }: AlertJson): AlertJson => alert

/** When those are due that nobody is at. */
const openAt = (entries: Entries) => (): number | undefined => {
  let at: number | undefined
  for (const { claimed, due } of entries.values()) {
    if (claimed === undefined && (at === undefined || due < at)) at = due
  }
  return at
}

const never = (): undefined => undefined

/**
 * When something can be posted next. What seems to be due later than if it had come
 * just now was kept while a clock was wrong, and is put right.
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

/** What is due, unless it must wait, and what can't wait. */
const claim = (entries: Entries, now: number, opens: number, nowOrNever: ReadonlySet<string>): Batch => {
  const batch: Array<Batch[number]> = []
  for (const [id, held] of entries) {
    const { claimed = 0, due } = held
    if (claimed > now) continue
    if (nowOrNever.has(id) || (due <= now && opens <= now)) {
      batch.push([id, held])
      entries.set(id, { ...held, claimed: now + claimTime })
    } else if (due <= now) entries.set(id, { ...held, due: opens })
  }
  return batch
}

/** A little longer than a post may take. */
const claimTime = 6 * 60_000

const release = (entries: Entries, batch: Batch, due: number): void => {
  for (const [id, { claimed: _, ...held }] of batch) {
    // not what was taken away meanwhile
    if (entries.has(id)) entries.set(id, { ...held, due, tried: true })
  }
}

const takeOut = (ids: ReadonlySet<string>) => (entries: Entries): Batch => {
  const taken = [...entries].filter(([id]) => ids.has(id))
  for (const [id] of taken) entries.delete(id)
  return taken
}

const present = (batch: Batch, now: number, when: Options<string>["when"], zone: DateTime.TimeZone): Alert => {
  const inOrder = batch.map(([, held]) => held).toSorted((a, b) => a.since - b.since)
  const [first, ...others] = inOrder.map(({ alert }) => fromJson(alert))
  if (first !== undefined && others.length === 0) return first
  return digestOf(inOrder.map(({ alert }) => fromJson(alert)), when(inOrder[0]?.since ?? now, now), zone)
}

const lost = (policy: string) => (batch: Batch): Effect.Effect<void> => {
  if (batch.length === 0) return Effect.void
  const titles = batch.slice(0, maxTitles).map(([, { alert }]) => short(alert.title, 200))
  if (titles.length < batch.length) titles.push(`… and ${batch.length - titles.length} more`)
  return Effect.logError(`effect-epilogue: ${policy}: ${alerts(batch.length)} lost, never posted`, titles.join("\n"))
}
