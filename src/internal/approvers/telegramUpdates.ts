/**
 * Presses of buttons, which Telegram tells whoever asks first, once. So questions that
 * stand at the same time ask by turns, and whichever does hands the others theirs.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { AlerterError } from "../../Alerter.ts"
import type { Vote } from "../approver.ts"
import { at, numberAt, textAt } from "./json.ts"

/** A button pressed by somebody. */
export interface Press {
  readonly data: string
  readonly from: unknown
  /** When it was heard; Telegram does not say when it was pressed. */
  readonly at: DateTime.Utc
}

/** What whoever pressed is told. */
export interface Heard {
  readonly text: string
  readonly alert: boolean
  readonly vote?: Vote | undefined
}

export interface Reply {
  /** Of the press. */
  readonly id: string
  readonly text: string
  readonly alert: boolean
}

export interface Api {
  /** Waits up to so many seconds for updates, from this one on. */
  readonly getUpdates: (
    seconds: number,
    offset: number | undefined
  ) => Effect.Effect<ReadonlyArray<unknown>, AlerterError>
  readonly answer: (reply: Reply) => Effect.Effect<void>
}

/** What a question hears. */
export interface Mailbox {
  readonly poll: (remaining: Duration.Duration) => Effect.Effect<ReadonlyArray<Vote>, AlerterError>
  /** Presses count no longer. */
  readonly close: () => void
}

interface Open {
  /** Undefined where the press is not of this question. */
  readonly hear: (press: Press) => Heard | undefined
  readonly votes: Array<Vote>
  deadline: number
}

/** The longest that one request waits for updates. */
const maxSeconds = 25

/** @internal */
export const make = ({ answer, getUpdates }: Api) => {
  const open = new Set<Open>()
  const turns = Semaphore.makeUnsafe(1)
  let offset: number | undefined
  /** The long poll under way: until when, and how to end it before. */
  let waiting: { readonly until: number; readonly end: Deferred.Deferred<undefined> } | undefined

  /** The update's question, which gets the vote, and what is said to whoever pressed. */
  const deliver = (update: unknown, heardAt: DateTime.Utc): ReadonlyArray<Reply> => {
    const number = numberAt(update, "update_id")
    if (number !== undefined) offset = Math.max(offset ?? 0, number + 1)
    const query = at(update, "callback_query")
    const id = textAt(query, "id")
    if (id === undefined) return []
    const press = { data: textAt(query, "data") ?? "", from: at(query, "from"), at: heardAt }
    for (const question of open) {
      const heard = question.hear(press)
      if (heard === undefined) continue
      if (heard.vote !== undefined) question.votes.push(heard.vote)
      return [{ id, text: heard.text, alert: heard.alert }]
    }
    return [{ id, text: "This question has been settled.", alert: false }]
  }

  /** Updates that were received are delivered whatever happens: they are told of no second time. */
  const round = (wait: Effect.Effect<ReadonlyArray<unknown> | undefined, AlerterError>) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const received = yield* restore(wait)
        if (received === undefined) return false
        const heardAt = DateTime.makeUnsafe(yield* Clock.currentTimeMillis)
        const replies = received.flatMap((update) => deliver(update, heardAt))
        yield* Effect.forEach(replies, answer, { concurrency: 8, discard: true })
        return true
      })
    )

  /** Whether there was an answer; a long poll ends without one where some question's time is up. */
  const listenOnce = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const until = Math.min(now + maxSeconds * 1000, ...[...open].map(({ deadline }) => deadline))
    const seconds = Math.floor((until - now) / 1000)
    if (seconds <= 0) return yield* round(getUpdates(0, offset))
    const end = Deferred.makeUnsafe<undefined>()
    waiting = { until, end }
    const cut = Effect.raceFirst(Deferred.await(end), Effect.as(Effect.sleep(until - now + 1000), undefined))
    return yield* Effect.ensuring(
      round(Effect.raceFirst(getUpdates(seconds, offset), cut)),
      Effect.sync(() => {
        waiting = undefined
      })
    )
  })

  return {
    open: (hear: Open["hear"]): Mailbox => {
      const self: Open = { hear, votes: [], deadline: Infinity }
      open.add(self)
      const turn = turns.withPermits(1)(
        Effect.suspend(() => self.votes.length > 0 ? Effect.succeed(true) : listenOnce)
      )
      return {
        close: () => {
          open.delete(self)
        },
        poll: (remaining) =>
          Effect.gen(function*() {
            self.deadline = (yield* Clock.currentTimeMillis) + Duration.toMillis(remaining)
            // Somebody else's long poll must not take longer than this question's time.
            if (waiting !== undefined && waiting.until > self.deadline) yield* Deferred.succeed(waiting.end, undefined)
            while (!(yield* turn)) {
              // ended without an answer: once more
            }
            return self.votes
          })
      }
    }
  }
}
