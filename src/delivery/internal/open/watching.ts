/** Waits for somebody to react to a failure, for `remind` and `escalate`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import type { AlerterError } from "../../../Alerter.ts"
import type { Telling } from "../../../internal/alerts/digest.ts"
import { fromJson } from "../../../internal/alerts/json.ts"
import { CurrentLedger } from "../../../internal/alerts/ledger.ts"
import { countedBy } from "../../../internal/alerts/metrics.ts"
import { isAcknowledgement } from "../../../internal/alerts/notices.ts"
import { errorIn } from "../../../internal/model/alerterError.ts"
import { plural } from "../../../internal/text/words.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { explain, locks, remember, timeOf } from "../entries.ts"
import { storeDelay } from "../hold/heldEntries.ts"
import * as Timer from "../hold/timer.ts"
import { type Arrival, arrivalOf, conclude, isTold } from "../places.ts"
import { isDigest, isFailure, isLike, isReminder, isRepeats, orTaken, type Post, subject } from "../policy.ts"
import { makeState, type Persisted } from "../state/persisted.ts"
import type * as Books from "./book.ts"
import { bookFor } from "./books.ts"
import { claim, type Job, kept, nextOf, Pending, retryDelay, unclaimed, withAlert } from "./pending.ts"
import type * as Texts from "./texts.ts"
import { acknowledgement, acknowledgementId } from "./texts.ts"

/** The ways of a policy. Times are milliseconds since the epoch. */
export interface Options<P extends string | undefined> {
  readonly policy: "remind" | "escalate"
  readonly persist: P | undefined
  readonly telling: Telling
  /** Whether people are told who has acknowledged a failure. */
  readonly announces: boolean
  /** For how long at most an entry waits until it is due. */
  readonly period: number
  /** Returns when people are told again who are told now, or `undefined` if they are not. */
  readonly due: (pending: Pick<Pending, "count" | "from">, now: number) => number | undefined
  /** Whether people who were told by somebody else wait for `period` again. */
  readonly postpones: boolean
  /** Makes the alert that is due. */
  readonly make: (open: Open, now: number) => Alert
  /** Posts that alert. */
  readonly post: Post
  /** Posts an alert about a failure that was told before to all that know of it. */
  readonly reach: (pending: Pending) => Post
  /** Posts that a failure is over, to the policy's alerter and to others that know of it. */
  readonly resolve: (alert: Alert, closed: ReadonlyArray<Closed>) => Effect.Effect<void, AlerterError>
  /** Whether others know of a failure, or may learn of it now, and must be told that it is over. */
  readonly isOwed: (pending: Pending, isBeingTold: boolean) => boolean
}

/** A failure that is due. */
export interface Open extends Texts.Open {
  readonly pending: Pending
}

/** A failure that is over, of which others than the policy's alerter know. */
export interface Closed {
  readonly key: string
  readonly pending: Pending
  readonly entry: Books.Entry | undefined
  /** The success. */
  readonly by: Alert
}

/** How many failures are claimed, and posted about, at the same time: a claim ends before a second post would. */
const most = 10

/** Makes the post of a policy around `inner`. */
export const make = <P extends string | undefined>(
  inner: Post,
  options: Options<P>
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const { announces, due, isOwed, period, persist, policy, postpones, reach, resolve, telling } = options
    const isStored = persist !== undefined
    const state = yield* makeState(policy, persist, Pending)
    const book = yield* bookFor(persist)
    const ledger = yield* CurrentLedger
    const oneAtATime = locks()
    // the alerts that could not be posted, by the keys of their failures
    const failed = new Map<string, { readonly alert: Alert; readonly error: AlerterError | undefined }>()
    // the earliest time of the next flush, after one that could not claim what the store has
    let notBefore = -Infinity

    // -------------------------------------------------------------------------
    // what is due
    // -------------------------------------------------------------------------

    /** Changes the entry of a failure, if there is one: of the outage in which people were told first at `from`. */
    const change = (key: string, f: (pending: Pending) => Pending, from?: number) =>
      state.modify((entries) => {
        const pending = entries.get(key)
        if (pending !== undefined && (from === undefined || pending.from === from)) entries.set(key, f(pending))
      })

    const claimDue = (now: number) =>
      Effect.gen(function*() {
        const open = yield* book.entries
        const claimed = yield* state.commit((entries) => claim(entries, open, now, announces, most))
        if (claimed !== undefined) return claimed
        // others may claim what the store has
        notBefore = now + storeDelay
        const own = yield* state.unsaved
        return yield* state.modify((entries) =>
          claim(entries, open, now, announces, most, new Map([...entries].filter(([key]) => own.has(key))))
        )
      })

    const openOf = ({ key, pending }: Job) =>
      Effect.map(book.entries, (entries): Open => {
        const entry = entries.get(key)
        const since = Math.min(entry?.since ?? pending.since, pending.since)
        return {
          key,
          pending,
          alert: fromJson(pending.alert),
          since,
          told: Math.max(entry?.told ?? 0, pending.count + 1),
          isStored
        }
      })

    const sendDue = (job: Job, now: number) =>
      Effect.gen(function*() {
        const { key } = job
        const open = yield* openOf(job)
        const alert = options.make(open, now)
        const arrival = yield* arrivalOf(Effect.flatten(Timer.attempt(options.post, () => alert)))
        const later = yield* Clock.currentTimeMillis
        const told = [...job.pending.told ?? [], ...arrival.told]
        if (Exit.isSuccess(arrival.exit)) {
          failed.delete(key)
          yield* change(key, (current) => {
            const { due: _due, notBefore: _notBefore, ...rest } = unclaimed(current)
            const next = due({ count: current.count + 1, from: current.from }, later)
            return {
              ...rest,
              count: current.count + 1,
              ...(told.length > 0 && { told }),
              ...(next !== undefined && { due: next })
            }
          }, job.pending.from)
          yield* book.told(key, alert, { title: open.alert.title, since: open.since, isShown: true })
          return
        }
        yield* couldNot(job, alert, arrival, later, (current) => ({ ...current, ...(told.length > 0 && { told }) }))
      })

    const sendAcknowledged = (job: Job, acknowledged: Books.Acknowledged, now: number) =>
      Effect.gen(function*() {
        const { key, pending } = job
        const alert = acknowledgement(yield* openOf(job), acknowledged, telling)
        // before the post, so that a policy around this one that says the same says it for both
        const isNews = yield* mark(key, acknowledgementId(key, acknowledged))
        if (!isNews) return yield* change(key, unclaimed, pending.from)
        const arrival = yield* arrivalOf(Effect.flatten(Timer.attempt(reach(pending), () => alert)))
        if (Exit.isSuccess(arrival.exit)) {
          failed.delete(key)
          return yield* change(key, unclaimed, pending.from)
        }
        const later = Math.max(now, yield* Clock.currentTimeMillis)
        yield* couldNot(job, alert, arrival, later, ({ announced: _announced, ...rest }) => rest)
      })

    const couldNot = (job: Job, alert: Alert, { exit }: Arrival, now: number, f: (pending: Pending) => Pending) =>
      Effect.gen(function*() {
        if (Exit.isSuccess(exit)) return
        failed.set(job.key, { alert, error: errorIn(exit) })
        yield* change(
          job.key,
          (current) => ({ ...f(unclaimed(current)), notBefore: now + Math.min(retryDelay, period) }),
          job.pending.from
        )
        yield* Writer.logWarning(
          `effect-epilogue: ${policy}: an alert could not be posted, will be tried again`,
          explain(exit.cause)
        )
      })

    /** Posts what a claimed failure needs, unless that has changed since. */
    const send = (job: Job, now: number) =>
      Effect.gen(function*() {
        const { key, kind, pending } = job
        const acknowledged = (yield* book.entries).get(key)?.acknowledged
        const current = yield* state.modify((entries) => entries.get(key))
        if (current === undefined || current.over === true || current.from !== pending.from) return
        if (kind === "due" && acknowledged === undefined) return yield* sendDue(job, now)
        if (kind === "acknowledged" && acknowledged !== undefined) {
          return yield* sendAcknowledged(job, acknowledged, now)
        }
        yield* change(key, unclaimed, pending.from)
      })

    const flush = Effect.uninterruptible(Effect.gen(function*() {
      let jobs: ReadonlyArray<Job>
      do {
        const now = yield* Clock.currentTimeMillis
        jobs = yield* claimDue(now)
        yield* Effect.forEach(jobs, (job) => send(job, now), { concurrency: most, discard: true })
      } while (jobs.length === most)
    }))

    const changed = yield* Timer.make({
      next: Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const open = yield* book.entries
        const next = yield* state.modify((entries) => nextOf(entries, open, now, { announces, period }))
        return next === undefined ? undefined : Math.max(next, notBefore)
      }),
      flush,
      // Also posts what is due: the next process may be as short as this one and never reach its timer.
      close: Effect.andThen(flush, book.save),
      closed: Effect.gen(function*() {
        const unsaved = yield* state.unsaved
        const open = yield* book.entries
        const left = yield* state.modify((entries) =>
          [...entries].filter(([key, { due, over }]) =>
            unsaved.has(key) && over !== true && due !== undefined && open.get(key)?.acknowledged === undefined
          )
        )
        for (const [key, { alert, error }] of failed) {
          if (unsaved.has(key)) ledger?.lost(alert, error ?? Timer.late(policy))
        }
        if (left.length === 0) return
        yield* Writer.logWarning(
          `effect-epilogue: ${policy}: ${plural(left.length, "open failure")} forgotten, since ${
            isStored ? "the store has failed" : "no store keeps them"
          }`
        )
      })
    })
    yield* book.onChange(() => changed())

    // -------------------------------------------------------------------------
    // what is posted
    // -------------------------------------------------------------------------

    /** Marks an acknowledgement as announced. Returns whether it is news. */
    const mark = (key: string, id: string) =>
      state.modify((entries) => {
        const pending = entries.get(key)
        if (pending === undefined) return true
        if (pending.announced === id) return false
        entries.set(key, { ...pending, announced: id })
        return true
      })

    /** Passes on an acknowledgement that another policy announces, unless this one has. */
    const announced = (alert: Alert) =>
      Effect.gen(function*() {
        const key = subject(alert)
        const pending = yield* state.modify((entries) => entries.get(key))
        if (pending === undefined) return yield* inner(alert)
        if (!(yield* mark(key, alert.idempotencyKey ?? ""))) return
        yield* Effect.onError(reach(pending)(alert), () => change(key, ({ announced: _announced, ...rest }) => rest))
      })

    /** Notes that people have been told of a failure. */
    const opened = (alert: Alert, told: ReadonlyArray<string>, isShown: boolean) =>
      Effect.gen(function*() {
        const key = subject(alert)
        const now = yield* Clock.currentTimeMillis
        const at = yield* timeOf(alert)
        const { since } = yield* book.told(key, alert, { title: alert.title, since: at, isShown })
        yield* state.modify((entries) => {
          const before = entries.get(key)
          if (before !== undefined && before.over !== true) {
            const { due: waits, ...rest } = withAlert(before, alert, told, telling.words)
            const next = waits === undefined ? undefined : isShown && postpones ? due(before, now) : waits
            return remember(entries, key, { ...rest, ...(next !== undefined && { due: next }) })
          }
          const first = due({ count: 0, from: now }, now)
          remember(entries, key, {
            alert: kept(alert, told, telling.words),
            alike: true,
            since,
            from: now,
            count: 0,
            ...(first !== undefined && { due: first })
          })
        })
        changed()
      })

    /** Ends the wait for a failure. Returns it where others must be told. */
    const closed = (by: Alert) =>
      Effect.gen(function*() {
        const key = subject(by)
        const entry = yield* book.close(key)
        failed.delete(key)
        const pending = yield* state.modify((entries) => {
          const pending = entries.get(key)
          if (pending === undefined) return undefined
          const isBeingTold = pending.claimed !== undefined && pending.due !== undefined &&
            entry?.acknowledged === undefined
          if (!isOwed(pending, isBeingTold)) {
            entries.delete(key)
            return undefined
          }
          entries.set(key, { ...unclaimed(pending), over: true })
          return pending
        })
        return pending === undefined ? [] : [{ key, pending, entry, by }]
      })

    /** Returns whether an alert ends all that is known of its subject: the end of what was overdue ends no failure. */
    const endsAll = (alert: Alert) =>
      alert.resolves ? Effect.succeed(true) : state.modify((entries) => {
        const pending = entries.get(subject(alert))
        return pending?.alike === true && alert.recovers.some((over) => isLike(pending.alert, over))
      })

    /** Posts that failures are over, and forgets them. If that fails, the next success tells it again. */
    const resolved = (alert: Alert, parts: ReadonlyArray<Alert>) =>
      Effect.gen(function*() {
        const over = (yield* Effect.forEach(parts, closed)).flat()
        yield* resolve(alert, over)
        if (over.length === 0) return
        yield* state.modify((entries) => {
          for (const { key } of over) if (entries.get(key)?.over === true) entries.delete(key)
        })
      })

    const reminded = (alert: Alert) =>
      Effect.gen(function*() {
        const key = subject(alert)
        const pending = yield* state.modify((entries) => entries.get(key))
        yield* pending === undefined || pending.over === true ? inner(alert) : reach(pending)(alert)
        if (!postpones) return
        const now = yield* Clock.currentTimeMillis
        yield* change(key, ({ due: waits, ...rest }) => {
          const next = waits === undefined ? undefined : due(rest, now)
          return { ...rest, ...(next !== undefined && { due: next }) }
        })
      })

    /** Posts failures, and waits for a reaction if people have been told. */
    const told = (alert: Alert, failures: ReadonlyArray<Alert>, post: Effect.Effect<void, AlerterError>) =>
      Effect.gen(function*() {
        const [arrival, isCounted] = yield* countedBy(arrivalOf(orTaken(post)))
        if (isTold(arrival)) {
          for (const failure of failures) {
            yield* opened(failure, arrival.told, !isCounted)
          }
        }
        yield* conclude(arrival)
      })

    /** Posts a combined alert, which may report failures and recoveries of several subjects. */
    const combined = (alert: Alert) => {
      // duplicates of a failure do not begin it anew, since it may be over
      if (isRepeats(alert)) return inner(alert)
      const parts = alert.combines.filter((part) => !isReminder(part) && !isAcknowledgement(part))
      const last = new Map(parts.map((part) => [subject(part), part]))
      // the worst of several alerts, of which the last was a success, resolves, too
      const failures = [...last.values()].filter((part) => isFailure(part) && !part.resolves)
      const successes = [...last.values()].filter(({ resolves }) => resolves)
        .map((part) => isFailure(part) ? part.with({ severity: "success", body: undefined }) : part)
      return Effect.uninterruptibleMask((restore) =>
        told(alert, failures, restore(Effect.suspend(() => resolved(alert, successes))))
      )
    }

    return (alert) => {
      if (isAcknowledgement(alert)) return announced(alert)
      if (isReminder(alert)) return reminded(alert)
      if (isDigest(alert)) return combined(alert)
      const isNews = isFailure(alert)
      if (!isNews && !alert.resolves && alert.recovers.length === 0) return inner(alert)
      // Only the post is interruptible: a delivered failure must not be missing from the state.
      return oneAtATime(subject(alert))(Effect.uninterruptibleMask((restore) =>
        isNews
          ? told(alert, [alert], restore(Effect.suspend(() => inner(alert))))
          : restore(Effect.flatMap(endsAll(alert), (all) => all ? resolved(alert, [alert]) : inner(alert)))
      ))
    }
  })
