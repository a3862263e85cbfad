/** Holding alerts until they are due, for `digest` and `quietHours`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import type { AlerterError } from "../../../Alerter.ts"
import { short } from "../../../internal/alerts/digest.ts"
import type { Telling } from "../../../internal/alerts/digest.ts"
import { fromJson } from "../../../internal/alerts/json.ts"
import { CurrentLedger, type Ledger, none, type Taken } from "../../../internal/alerts/ledger.ts"
import { heldBack } from "../../../internal/alerts/metrics.ts"
import { followed, type Report, reportOf } from "../../../internal/alerts/reports.ts"
import { errorIn } from "../../../internal/model/alerterError.ts"
import { plural } from "../../../internal/text/words.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { explain } from "../entries.ts"
import { arrivalOf, quietly, shownBy } from "../places.ts"
import { isFailure, isReminder, type Post, subject } from "../policy.ts"
import { makeState, type Persisted } from "../state/persisted.ts"
import {
  type Batch,
  claim,
  combined,
  type Entries,
  groupsOf,
  Held,
  idOf,
  keep,
  nextOf,
  ofSubject,
  openAt,
  release,
  standsFor,
  storeDelay,
  takeOut
} from "./heldEntries.ts"
import * as Timer from "./timer.ts"

/** The ways of a policy that holds alerts. Times are milliseconds since the epoch. */
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
  readonly title: (since: number, now: number) => (count: number, tally: string) => string
  readonly telling: Telling
}

/** The largest number of titles in a log entry. */
const maxTitles = 20

/**
 * Makes posts that hold alerts until they are due, then post them as one.
 *
 * After the scope has closed `hold` passes alerts through at once, unless the store keeps them for the next
 * process: nothing in this process would post them any more.
 */
export const make = <P extends string | undefined>(
  post: Post,
  options: Options<P>
): Effect.Effect<Holding, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const { due, max, opens, persist, policy, telling, title } = options
    const state = yield* makeState(policy, persist, Held)
    const ledger = yield* CurrentLedger
    // the alerts that only this process holds
    const taken = new Map<string, Taken>()
    let failure: AlerterError | undefined
    let closed = false
    // whether the next process will find the held alerts in the store
    let outlives = persist !== undefined
    // the time that the timer sleeps until
    let next: number | undefined
    // the earliest time of the next flush, after one that could not claim what the store has
    let notBefore = -Infinity

    /**
     * Claims what is due, and the `unsaved` alerts whether due or not. Where the store fails, claims only what it does
     * not have: another process may claim the rest.
     */
    const claimFor = (now: number, unsaved: ReadonlySet<string>) =>
      Effect.gen(function*() {
        const claimed = yield* state.commit((entries) => claim(entries, now, opens(now), (id) => unsaved.has(id)))
        if (claimed !== undefined) return claimed
        notBefore = now + storeDelay
        const own = closed ? unsaved : yield* state.unsaved
        return yield* state.modify((entries) =>
          claim(entries, now, opens(now), () => closed, new Map([...entries].filter(([id]) => own.has(id))))
        )
      })

    /** Posts alerts that are due, all of which have arrived at the same places. */
    const flushed = (batch: Batch, now: number) =>
      Effect.gen(function*() {
        const { exit, told } = yield* arrivalOf(
          Effect.flatten(Timer.attempt(post, () => combined(batch, now, title, telling)))
        )
        if (Exit.isSuccess(exit)) {
          yield* state.modify((entries) => batch.forEach(([id]) => entries.delete(id)))
          for (const [id] of batch) settle(taken, id)?.delivered()
          // a combined alert resolves nothing
          for (const [, held] of batch.length > 1 ? batch : []) {
            if (held.settled === true) continue
            const alert = fromJson(held.alert)
            if (alert.resolves) yield* Timer.attempt(post, () => quietly(alert))
          }
          return
        }
        failure = errorIn(exit)
        const later = yield* Clock.currentTimeMillis
        yield* state.modify((entries) => release(entries, batch, due(later, openAt(entries)), later, told))
        yield* Writer.logWarning(
          `effect-epilogue: ${policy}: ${plural(batch.length, "alert")} could not be posted, will be tried again`,
          explain(exit.cause)
        )
      })

    /** Posts what is due, and the `unsaved` alerts whether due or not. */
    const flush = (unsaved: ReadonlySet<string>) =>
      Effect.uninterruptible(Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const batch = yield* claimFor(now, unsaved)
        if (batch.length === 0) return
        for (const group of groupsOf(batch)) yield* flushed(group, now)
      }))

    const changed = yield* Timer.make({
      next: Effect.flatMap(Clock.currentTimeMillis, (now) =>
        state.modify((entries) => {
          next = nextOf(entries, now, due(now, never))
          return next === undefined ? undefined : Math.max(next, notBefore)
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
        (unsaved) => unsaved.size === 0 ? Effect.void : Effect.flatMap(state.modify(takeOut(unsaved)), lose)
      ).pipe(Effect.andThen(Effect.sync(() => settleAll())))
    })

    const lose = (batch: Batch): Effect.Effect<void> =>
      Effect.suspend(() => {
        const error = failure ?? Timer.late(policy)
        for (const [id, { alert }] of batch) {
          const own = settle(taken, id)
          if (own === undefined) ledger?.lost(fromJson(alert), error)
          else own.lost(error)
        }
        return logLost(policy, batch)
      })

    /** Returns whether the alert is held now. */
    const hold = (id: string, alert: Alert, now: number) => (entries: Entries): boolean => {
      if (closed && !outlives) {
        return false
      }
      // a repeat of a post that is held already
      if (entries.has(id)) return true
      if (isReminder(alert) && standsFor(entries, alert, telling.words)) return true
      const at = due(now, openAt(entries))
      const overflows = keep(entries, id, alert, now, at, { max, words: telling.words })
      if (overflows || next === undefined || at < next) {
        changed()
      }
      return true
    }

    /** Holds an alert, and notes whether only this process has it. */
    const noting = (id: string, alert: Alert, now: number, ledger: Ledger, report: Report | undefined) =>
      Effect.gen(function*() {
        const stored = persist === undefined ? undefined : yield* state.commit(hold(id, alert, now))
        if (stored === true) {
          // with all that the store did not have before
          settleAll()
          ledger.accepted(alert, policy).kept()
        }
        if (stored !== undefined || closed) return stored === true
        return yield* state.modify((entries) => {
          const isNew = !entries.has(id)
          const held = hold(id, alert, now)(entries)
          // here, since the timer may post it before this fiber goes on
          if (held && isNew && entries.has(id)) {
            report?.("held")
            taken.set(id, followed(ledger.accepted(alert, policy), report))
          }
          return held
        })
      })

    const settleAll = (): void => {
      for (const note of taken.values()) note.kept()
      taken.clear()
    }

    const holdOrPost = (alert: Alert): Effect.Effect<void, AlerterError> =>
      Effect.withFiber((fiber) =>
        Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          const id = idOf(alert)
          // a mailbox posts without the ledger of its callers
          const report = reportOf(alert, policy, fiber.context)
          const around = fiber.getRef(CurrentLedger) ?? ledger ?? (report && none)
          const held = yield* around === undefined
            // Later there is nobody to post what the store does not have.
            ? closed ? state.commit(hold(id, alert, now)) : state.modify(hold(id, alert, now))
            : noting(id, alert, now, around, report)
          if (held !== true) return yield* post(alert)
          report?.("held")
          yield* heldBack(policy)
          if (alert.resolves) yield* settleIncident(id, alert)
        })
      )

    /** Tells channels that keep incidents at once. They show nothing of it, and must not wait for people to be told. */
    const settleIncident = (id: string, alert: Alert) =>
      Effect.flatMap(Effect.exit(shownBy(Effect.suspend(() => post(quietly(alert))))), (exit) =>
        Exit.isFailure(exit) ? Effect.void : state.modify((entries) => {
          const held = entries.get(id)
          // a policy within has made a recovery of it, which people have been shown
          if (exit.value && held?.claimed === undefined) {
            entries.delete(id)
            settle(taken, id)?.delivered()
          } else if (held !== undefined) {
            entries.set(id, { ...held, settled: true })
          }
        }))

    /** Makes what is held about a subject due now. Returns whether there is any. */
    const hasten = (about: string) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        state.modify((entries) => {
          const mine = ofSubject(entries, about)
          for (const [id, held] of mine) {
            entries.set(id, { ...held, due: Math.min(held.due, now), urgent: true })
          }
          return mine.length > 0
        }))

    const markLate = (about: string) =>
      state.modify((entries) => {
        for (const [id, held] of ofSubject(entries, about)) {
          entries.set(id, { ...held, late: true })
        }
      })

    const pass = (alert: Alert): Effect.Effect<void, AlerterError> =>
      Effect.gen(function*() {
        const about = subject(alert)
        // A failure waits for nothing. What is held about it is told later as what it is.
        if (isFailure(alert)) {
          return yield* Effect.ensuring(post(alert), markLate(about))
        }
        if (!(yield* hasten(about))) {
          return yield* post(alert)
        }
        // after what has come before it
        yield* holdOrPost(alert)
        yield* hasten(about)
        changed()
      })

    return { hold: holdOrPost, pass }
  })

/** Posts an alert: holds it until it is due, or passes it at once if nothing about its subject is held. */
interface Holding {
  readonly hold: Post
  readonly pass: Post
}

const never = (): undefined => undefined

/** Removes the note of an alert, and returns it. */
const settle = (taken: Map<string, Taken>, id: string): Taken | undefined => {
  const found = taken.get(id)
  taken.delete(id)
  return found
}

const logLost = (policy: string, batch: Batch): Effect.Effect<void> => {
  if (batch.length === 0) return Effect.void
  const titles = batch.slice(0, maxTitles).map(([, { alert }]) => short(alert.title, 200))
  if (titles.length < batch.length) titles.push(`… and ${batch.length - titles.length} more`)
  return Writer.logError(
    `effect-epilogue: ${policy}: ${plural(batch.length, "alert")} lost, never posted`,
    titles.join("\n")
  )
}
