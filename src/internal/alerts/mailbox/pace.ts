/** Keeps to the number of alerts that a channel takes in a time. */
import type * as Duration from "effect/Duration"
import { limitMillis } from "../../model/limit.ts"
import { type Check, spanMistakes, wholeMistakes } from "../../model/options.ts"

/**
 * A limit on how many alerts are sent.
 *
 * @see {@link Pace} for several limits that hold together
 *
 * @category models
 * @since 0.1.0
 */
export interface PaceLimit {
  /** How many alerts are sent in any time span as long as `per`. So many may be sent at once. */
  readonly count: number
  /** The length of the time span. */
  readonly per: Duration.Input
  /**
   * How many alerts may be sent at once after a pause, each of which `count` in `per` make up for: a bucket of so many,
   * that fills again at that rate. Where the channel refuses an alert, or says to wait, it is empty. Without it there is no
   * bucket, but a limit for any time span.
   */
  readonly burst?: number | undefined
}

/**
 * The limits of a channel, which all hold. An empty list is no limit.
 *
 * @see {@link PaceLimit} for one limit
 *
 * @category models
 * @since 0.1.0
 */
export type Pace = ReadonlyArray<PaceLimit>

/** The time of an attempt: its start, and its end once it has ended. The channel counts it at some time between. */
export interface Stamp {
  at: number
}

/** Keeps to a pace. Times are milliseconds of one clock. */
export interface Pacer {
  /** Returns how long to wait before the next attempt. */
  readonly delay: (now: number) => number
  readonly begin: (now: number) => Stamp
  /** Begins anew with empty buckets: the channel takes nothing until then, whatever these would still allow. */
  readonly pause: (until: number) => void
  /** Returns how many of `most` attempts fit into a time span, each of which ends at once. */
  readonly fits: (now: number, millis: number, most: number) => number
}

/** A limit, which sums up the attempts that are not kept. */
interface Limit {
  /** How many attempts must be kept. */
  readonly kept: number
  readonly delay: (stamps: ReadonlyArray<Stamp>, now: number) => number
  readonly forget: (stamp: Stamp) => void
  readonly pause: (until: number) => void
}

const inAnySpan = (count: number, per: number): Limit => ({
  kept: count,
  delay: (stamps, now) => {
    const stamp = stamps[stamps.length - count]
    return stamp === undefined ? 0 : stamp.at + per - now
  },
  forget: () => {},
  pause: () => {}
})

const bucket = (burst: number, every: number): Limit => {
  // how long it takes to fill a bucket that has but one left
  const filling = (burst - 1) * every
  let forgotten = -Infinity
  let pausedUntil = -Infinity
  // when the bucket is full again
  const full = (after: number, { at }: Stamp): number =>
    Math.max(after, at, at >= pausedUntil ? pausedUntil + filling : -Infinity) + every
  return {
    kept: burst,
    delay: (stamps, now) => Math.max(stamps.reduce(full, forgotten), pausedUntil + filling) - filling - now,
    forget: (stamp) => {
      forgotten = full(forgotten, stamp)
    },
    pause: (until) => {
      pausedUntil = Math.max(pausedUntil, until)
    }
  }
}

/**
 * Checks a pace. Neither the count nor the time span may be left out, as callers without types can, and to them one limit
 * is a list.
 */
export const paceMistakes: Check<Pace | undefined> = (what, pace) =>
  [pace ?? []].flat().flatMap(({ burst, count, per }: Partial<PaceLimit> = {}) => [
    ...wholeMistakes(`${what}.count`, count ?? NaN, 1),
    ...wholeMistakes(`${what}.burst`, burst, 1),
    ...spanMistakes(`${what}.per`, per ?? NaN, true)
  ])

/** Makes a pacer of a pace that is valid. */
export const pacer = (pace: Pace): Pacer => {
  const limits = [pace].flat().map(({ burst, count, per }) => {
    const millis = limitMillis(per)!
    return burst === undefined ? inAnySpan(count, millis) : bucket(burst, millis / count)
  })
  const kept = Math.max(0, ...limits.map(({ kept }) => kept))
  const stamps: Array<Stamp> = []
  const delayAfter = (stamps: ReadonlyArray<Stamp>, now: number): number =>
    limits.reduce((most, { delay }) => Math.max(most, delay(stamps, now)), 0)
  return {
    delay: (now) => delayAfter(stamps, now),
    begin: (now) => {
      const stamp = { at: now }
      stamps.push(stamp)
      if (stamps.length > kept) {
        const oldest = stamps.shift()!
        for (const { forget } of limits) forget(oldest)
      }
      return stamp
    },
    pause: (until) => {
      for (const { pause } of limits) pause(until)
    },
    fits: (now, millis, most) => {
      const all = [...stamps]
      const made = () => all.length - stamps.length
      for (let at = now; made() < most; all.push({ at })) {
        at += delayAfter(all, at)
        if (at > now + millis) break
      }
      return made()
    }
  }
}
