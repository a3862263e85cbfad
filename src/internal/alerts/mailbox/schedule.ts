/** Decides when a mailbox may send: by the pace of its channel, the pauses that it asks for, and the time of closing. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import { limitMillis } from "../../model/limit.ts"
import { monotonicMillis } from "../../model/monotonic.ts"
import type { Delay } from "./gate.ts"
import { type Pace, pacer, type Stamp } from "./pace.ts"

/** When a mailbox may send. Times are milliseconds of a clock that nobody sets. */
export interface Schedule {
  readonly now: () => number
  /** Returns how long nothing may be sent. */
  readonly delay: () => number
  /** Returns when the pause ends that the channel has asked for. */
  readonly pausedUntil: () => number
  readonly pause: (delay: Delay) => void
  readonly begin: () => Stamp
  /** Returns when an alert may be sent again that has waited for a delay since some time. */
  readonly againAt: (since: number, delay: Delay, now: number) => number
  /** Brings the time forward by which the mailbox must be empty. Returns whether that was later. */
  readonly closeWithin: (drain: number) => boolean
  /** For how long the mailbox is emptied when it closes. `undefined` unless set, until then. */
  readonly drain: () => number | undefined
  /** When the mailbox must be empty: `Infinity` until it closes. */
  readonly deadline: () => number
  /**
   * Returns how many of the alerts that wait can be sent before the mailbox must be empty: one at least. `interval` is
   * how long the channel takes for one: it may be slow, or have others to serve.
   */
  readonly fits: (waiting: number, interval: number) => number
}

/** For how long an alert is tried again while the channel takes no other either. */
export const patience = Duration.toMillis("1 hour")

/** Makes the schedule of a mailbox, of a pace and a drain that are valid. */
export const schedule = (
  pace: Pace,
  drain: Duration.Input | undefined,
  context: Context.Context<never>
): Schedule => {
  const clock = Context.get(context, Clock.Clock)
  const byPace = pacer(pace)
  let draining = drain === undefined ? undefined : limitMillis(drain)
  let deadline = Infinity
  // the pause: of several the longest counts
  let until = -Infinity
  let untilSpread = 0
  const now = () => monotonicMillis(clock)
  // adds the spread, unless it would be too late then
  const spreadOut = (at: number, spread: number) => at + spread > deadline ? at : at + spread
  const pausedUntil = () => spreadOut(until, untilSpread)
  const delay = () => {
    const at = now()
    const wait = byPace.delay(at)
    // an alert that the pace allows when it is too late would be lost, and the channel may take it all the same
    return Math.max(pausedUntil() - at, at + wait > deadline ? 0 : wait)
  }
  return {
    now,
    delay,
    pausedUntil,
    pause: ({ millis, spread }) => {
      // a channel that asks for days may be mistaken: it is asked again
      const at = now() + Math.min(millis, patience)
      if (at + spread > until + untilSpread) {
        until = at
        untilSpread = spread
      }
      byPace.pause(pausedUntil())
    },
    begin: () => byPace.begin(now()),
    againAt: (since, { millis, spread }, now) => Math.max(spreadOut(since + millis, spread), now + delay()),
    closeWithin: (drain) => {
      const at = now() + drain
      if (at >= deadline) return false
      deadline = at
      draining = drain
      return true
    },
    drain: () => draining,
    deadline: () => deadline,
    fits: (waiting, interval) => {
      if (deadline === Infinity) return Infinity
      const from = Math.max(now(), pausedUntil())
      // a tenth more than wait, since attempts take time
      const paced = byPace.fits(from, deadline - from, Math.ceil(waiting / 0.9) + 1)
      return Math.max(1, Math.floor(Math.min(paced, (deadline - from) / interval) * 0.9))
    }
  }
}
