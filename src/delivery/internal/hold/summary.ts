/** Posts summaries of what a policy has counted, for `dedupe` and `throttle`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import type { AlerterError } from "../../../Alerter.ts"
import { CurrentLedger, type Taken } from "../../../internal/alerts/ledger.ts"
import { errorIn } from "../../../internal/model/alerterError.ts"
import { plural } from "../../../internal/text/words.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { explain } from "../entries.ts"
import { type Arrival, arrivalOf, isTold } from "../places.ts"
import type { Post } from "../policy.ts"
import type { State } from "../state/state.ts"
import * as Counts from "./count.ts"
import * as Timer from "./timer.ts"

/** The counts of a policy, and when they are to be told. */
export interface Options<A, Report> extends Counts.Summing {
  readonly policy: string
  readonly state: State<A>
  readonly isStored: boolean
  /** Returns when a summary is due. */
  readonly next: (entries: Map<string, A>, now: number) => number | undefined
  /** Takes the counts of a summary that is due, or all counts. `id` names the delivery, and is empty where there is none. */
  readonly take: (entries: Map<string, A>, now: number, id: string, all: boolean) => Report
  readonly rows: (report: Report) => ReadonlyArray<Counts.Row>
  /** Ends the delivery of a report, which is to be put back if nobody has been told. */
  readonly end: (id: string, report: Report, told: boolean) => Effect.Effect<void>
  /** For how many milliseconds to wait after a summary that could not be posted. */
  readonly pause: number
}

/** Posts summaries until the scope closes. */
export interface Summaries {
  /** To be called when a summary may be due earlier. */
  readonly changed: () => void
  /** Whether nothing in this process, and no other one, posts summaries any more. */
  readonly isLate: () => boolean
  /** Tells the log and the ledger of a report that nobody will get. */
  readonly loseCounts: (rows: ReadonlyArray<Counts.Row>) => Effect.Effect<void>
}

/** The number of subjects up to which each new one is noted at once. */
const manySubjects = 100

/** Starts to post summaries. */
export const make = <A, Report>(
  post: Post,
  { end, isStored, next, pause, policy, rows, state, take, ...summing }: Options<A, Report>
): Effect.Effect<Summaries, never, Scope.Scope> =>
  Effect.gen(function*() {
    let closed = false
    // whether the next process will find the counts in the store
    let outlives = isStored
    // the earliest time of the next summary, after one that failed
    let notBefore = -Infinity
    // summaries that have not reached all alerters of a fanOut
    let unfinished: ReadonlyArray<Alert> = []
    const ledger = yield* CurrentLedger
    let failure: AlerterError | undefined
    // the note of what a summary would tell
    let owed: { readonly names: string; readonly note: Taken; readonly again: number } | undefined

    const settle = (): void => {
      owed?.note.delivered()
      owed = undefined
    }

    /**
     * Notes what a summary would tell now: in the ledger, so that somebody else can tell it if the process is killed.
     * Notes it again for a new subject alone, and not for each alert of a storm; of very many subjects once a second,
     * since it lists all of them.
     */
    const owe = (entries: Map<string, A>, now: number): void => {
      if (ledger === undefined || isStored || (owed !== undefined && now < owed.again)) return
      const counted = rows(take(new Map(entries), now, "", true))
      const names = counted.map(({ name }) => name).join("\n")
      if (counted.length > 0 && names === owed?.names) return
      settle()
      if (counted.length === 0) return
      const again = counted.length > manySubjects ? now + 1_000 : now
      owed = { names, note: ledger.accepted(Counts.summaryOf(counted, now, summing), policy), again }
    }

    const lose = (summary: Alert): void => ledger?.lost(summary, failure ?? Timer.late(policy))

    const send = (summary: Alert): Effect.Effect<Arrival> =>
      Effect.gen(function*() {
        const arrival = yield* arrivalOf(Effect.flatten(Timer.attempt(post, () => summary)))
        if (Exit.isSuccess(arrival.exit)) return arrival
        if (arrival.told.length > 0) {
          unfinished = [...unfinished, summary.with({ told: [...summary.told, ...arrival.told] })]
        }
        failure = errorIn(arrival.exit)
        notBefore = (yield* Clock.currentTimeMillis) + pause
        yield* Writer.logWarning(
          `effect-epilogue: ${policy}: the summary of held back alerts could not be posted`,
          explain(arrival.exit.cause)
        )
        return arrival
      })

    const flush = (all: boolean) =>
      Effect.uninterruptible(Effect.gen(function*() {
        const again = unfinished
        unfinished = []
        for (const summary of again) {
          const arrival = yield* send(summary)
          if (Exit.isFailure(arrival.exit) && arrival.told.length === 0) unfinished = [...unfinished, summary]
        }
        const now = yield* Clock.currentTimeMillis
        const id = globalThis.crypto.randomUUID()
        const report = yield* state.modify((entries) => take(entries, now, id, all))
        const counted = rows(report)
        if (counted.length === 0) return
        const arrival = yield* send(Counts.summaryOf(counted, now, summing))
        yield* end(id, report, isTold(arrival) || arrival.dropped)
      }))

    const loseCounts = (counted: ReadonlyArray<Counts.Row>) =>
      Effect.gen(function*() {
        if (counted.length === 0) return
        lose(Counts.summaryOf(counted, yield* Clock.currentTimeMillis, summing))
        yield* Writer.logError(
          `effect-epilogue: ${policy}: ${plural(Counts.total(counted).count, "alert")} held back, never reported`,
          Counts.lines(counted)
        )
      })

    const changed = yield* Timer.make({
      next: Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.map(
          state.modify((entries) => {
            owe(entries, now)
            return next(entries, now)
          }),
          (due) => {
            // the clock was put back since
            if (notBefore > now + pause) notBefore = now + pause
            const at = unfinished.length > 0 ? notBefore : due
            return at === undefined ? undefined : Math.max(at, notBefore)
          }
        )),
      flush: flush(false),
      close: Effect.gen(function*() {
        closed = true
        const { size } = yield* state.unsaved
        outlives = isStored && size === 0
        // Also posts a summary that is due: the next process may be as short as this one and never reach its timer.
        yield* flush(size > 0)
      }),
      closed: Effect.gen(function*() {
        settle()
        if (outlives && (yield* state.unsaved).size > 0) outlives = false
        for (const summary of unfinished) {
          lose(summary)
          yield* Writer.logError(
            `effect-epilogue: ${policy}: a summary did not reach all of its channels`,
            summary.title
          )
        }
        if (outlives) return
        yield* loseCounts(rows(yield* state.modify((entries) => take(entries, 0, "", true))))
      })
    })

    return { changed, isLate: () => closed && !outlives, loseCounts }
  })
