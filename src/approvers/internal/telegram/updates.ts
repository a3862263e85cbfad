/**
 * Distributes presses of buttons to the questions of a layer. Telegram delivers each press once, to the request that
 * comes first. So open questions take turns at polling, and the one that polls passes on the presses of the others.
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

/** A press of a button. */
export interface Press {
  /** The nonce of the question. */
  readonly nonce: string
  readonly button: "y" | "n"
  readonly from: unknown
  /** The message with the button, as far as Telegram says. */
  readonly message: unknown
  /** The time at which the press was received: Telegram does not say when the button was pressed. */
  readonly at: DateTime.Utc
}

/** The result of a press, with the text for the person who pressed. */
export interface Heard {
  readonly text: string
  readonly alert: boolean
  readonly vote?: Vote | undefined
}

export type Hear = (press: Press) => Heard

export interface Reply {
  /** The id of the press. */
  readonly id: string
  readonly text: string
  readonly alert: boolean
}

export interface Api {
  /** Waits up to `seconds` for updates, from number `offset` on. */
  readonly getUpdates: (
    seconds: number,
    offset: number | undefined
  ) => Effect.Effect<ReadonlyArray<unknown>, AlerterError>
  readonly answer: (reply: Reply) => Effect.Effect<void>
}

/** Receives the votes of a question. */
export interface Mailbox {
  readonly poll: (remaining: Duration.Duration) => Effect.Effect<ReadonlyArray<Vote>, AlerterError>
}

interface Open {
  hear: Hear
  readonly votes: Array<Vote>
  /** When the question times out, in milliseconds of the clock. */
  readonly until: number
  /** When the current poll must have ended, in milliseconds of the clock. `Infinity` while no fiber polls. */
  deadline: number
}

/** The longest wait of one request. */
const maxSeconds = 25

/** The number of presses that are kept for questions that this process does not know, or not yet. */
const maxUnclaimed = 1000

/** How long a question is kept after its timeout while no fiber polls for it, in milliseconds. */
const keptFor = 60_000

const pressIn = (query: unknown, heardAt: DateTime.Utc): Press | undefined => {
  const [, nonce, button] = /^(.+):([yn])$/.exec(textAt(query, "data") ?? "") ?? []
  if (nonce === undefined) return undefined
  return {
    nonce,
    button: button === "y" ? "y" : "n",
    from: at(query, "from"),
    message: at(query, "message"),
    at: heardAt
  }
}

/** @internal */
export const make = ({ answer, getUpdates }: Api) => {
  const open = new Map<string, Open>()
  /** Presses of questions that are not open yet: after a restart, the first poll receives the presses of all questions. */
  const unclaimed: Array<Press> = []
  const turns = Semaphore.makeUnsafe(1)
  let offset: number | undefined
  /** The long poll under way: when it ends, and how to end it earlier. */
  let waiting: { readonly until: number; readonly end: Deferred.Deferred<undefined> } | undefined

  /** Gives the vote of an update to its question. Returns the replies to the person who pressed. */
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

  /** Delivers received updates even if the fiber is interrupted: Telegram does not deliver them again. */
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

  /** Polls once. Succeeds with false if the long poll was ended because a question must stop waiting. */
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

  /** Removes questions for which no fiber of this process polls any more. */
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
        // ends the long poll of another question that would last longer than this question may wait
        if (waiting !== undefined && waiting.until > self.deadline) yield* Deferred.succeed(waiting.end, undefined)
        while (!(yield* turn)) {
          // the long poll was ended early
        }
        return self.votes
      })
  }

  return {
    /** Returns the mailbox of a question, which is opened if it is not yet. */
    open: (nonce: string, hear: Hear, until: number): Mailbox => {
      const self = open.get(nonce) ?? { hear, votes: claim(nonce, hear), until, deadline: Infinity }
      self.hear = hear
      open.set(nonce, self)
      return { poll: pollOf(self) }
    },
    /** Marks that no fiber polls for the question; presses still count. */
    leave: (nonce: string): void => {
      const self = open.get(nonce)
      if (self !== undefined) self.deadline = Infinity
    },
    /** Closes the question: presses no longer count. */
    close: (nonce: string): void => {
      open.delete(nonce)
    }
  }
}
