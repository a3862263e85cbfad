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
import type { AlerterError } from "../../../Alerter.ts"
import { at, numberAt, textAt } from "../../../internal/approvals/json.ts"
import type { Vote } from "../../../internal/approvals/question.ts"

/** A button pressed by somebody. */
export interface Press {
  /** The question's. */
  readonly nonce: string
  readonly button: "y" | "n"
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

export type Hear = (press: Press) => Heard

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
}

interface Open {
  hear: Hear
  readonly votes: Array<Vote>
  /** In milliseconds, as for what follows. */
  readonly until: number
  /** When it has to have heard all there is. `Infinity` where nobody waits for it. */
  deadline: number
}

/** The longest that one request waits for updates. */
const maxSeconds = 25

/** So many presses for questions that this process does not know, or not yet, are kept. */
const maxUnclaimed = 1000

/** For so long, in milliseconds, a question is known whose time is up and for which nobody waits. */
const keptFor = 60_000

const pressIn = (query: unknown, heardAt: DateTime.Utc): Press | undefined => {
  const [, nonce, button] = /^(.+):([yn])$/.exec(textAt(query, "data") ?? "") ?? []
  if (nonce === undefined) return undefined
  return { nonce, button: button === "y" ? "y" : "n", from: at(query, "from"), at: heardAt }
}

/** @internal */
export const make = ({ answer, getUpdates }: Api) => {
  const open = new Map<string, Open>()
  /** After a restart one question asks first, and hears what was pressed for all of them in the meantime. */
  const unclaimed: Array<Press> = []
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
    const press = pressIn(query, heardAt)
    const question = press && open.get(press.nonce)
    if (press !== undefined && question !== undefined) {
      const { alert, text, vote } = question.hear(press)
      if (vote !== undefined) question.votes.push(vote)
      return [{ id, text, alert }]
    }
    if (press !== undefined) unclaimed.push(press)
    if (unclaimed.length > maxUnclaimed) unclaimed.shift()
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
    const until = Math.min(now + maxSeconds * 1000, ...[...open.values()].map(({ deadline }) => deadline))
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

  const claim = (nonce: string, hear: Hear): Array<Vote> => {
    const claimed = unclaimed.filter((press) => press.nonce === nonce)
    if (claimed.length > 0) unclaimed.splice(0, Infinity, ...unclaimed.filter((press) => press.nonce !== nonce))
    return claimed.flatMap((press) => hear(press).vote ?? [])
  }

  /** Those whose answer somebody else awaits, or nobody does. */
  const forget = (now: number): void => {
    for (const [nonce, { deadline, until }] of open) {
      if (deadline === Infinity && until + keptFor < now) open.delete(nonce)
    }
  }

  const pollOf = (self: Open) => {
    const turn = turns.withPermits(1)(
      Effect.suspend(() => self.votes.length > 0 ? Effect.succeed(true) : listenOnce)
    )
    return (remaining: Duration.Duration) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        self.deadline = now + Duration.toMillis(remaining)
        forget(now)
        // Somebody else's long poll must not take longer than this question's time.
        if (waiting !== undefined && waiting.until > self.deadline) yield* Deferred.succeed(waiting.end, undefined)
        while (!(yield* turn)) {
          // ended without an answer: once more
        }
        return self.votes
      })
  }

  return {
    /** The mailbox of a question's buttons, which is that which there is. */
    open: (nonce: string, hear: Hear, until: number): Mailbox => {
      const self = open.get(nonce) ?? { hear, votes: claim(nonce, hear), until, deadline: Infinity }
      self.hear = hear
      open.set(nonce, self)
      return { poll: pollOf(self) }
    },
    /** Nobody waits for now; what is pressed counts all the same. */
    leave: (nonce: string): void => {
      const self = open.get(nonce)
      if (self !== undefined) self.deadline = Infinity
    },
    /** Presses count no longer. */
    close: (nonce: string): void => {
      open.delete(nonce)
    }
  }
}
