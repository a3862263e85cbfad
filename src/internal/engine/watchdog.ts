/** Looks after time limits: one fiber for those of a run, since a timer for each hook takes longer than the hook. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { monotonicMillis } from "../model/monotonic.ts"

/** A time limit that has not been reached yet. */
export interface Deadline {
  /** Ends it, and returns whether that was in time: `false` once it has ended, or the limit was reached. */
  readonly cancel: () => boolean
}

/**
 * An entry of a binary heap, in the order of time. A list would be searched for the place of each limit that is shorter
 * than those before it, which takes minutes for a hundred thousand concurrent steps with two limits.
 */
class Entry implements Deadline {
  readonly at: number
  readonly onLimit: () => void
  private readonly heap: Heap
  /** Entries of one time are called in the order in which they were added. */
  private readonly number: number
  /** Its place in the heap, or -1 once it has ended. */
  private index: number

  constructor(at: number, onLimit: () => void, heap: Heap) {
    this.at = at
    this.onLimit = onLimit
    this.heap = heap
    this.number = heap.added++
    this.index = heap.entries.length
    heap.entries.push(this)
    this.rise()
  }

  cancel(): boolean {
    if (this.index < 0) return false
    const { heap: { entries }, index } = this
    const last = entries.pop()!
    if (last !== this) {
      last.put(index)
      last.rise()
      last.sink()
    }
    this.index = -1
    return true
  }

  private isBefore(other: Entry): boolean {
    return this.at < other.at || (this.at === other.at && this.number < other.number)
  }

  private put(index: number): void {
    this.heap.entries[index] = this
    this.index = index
  }

  private rise(): void {
    const { entries } = this.heap
    while (this.index > 0) {
      const { index } = this
      const above = entries[(index - 1) >> 1]!
      if (!this.isBefore(above)) return
      this.put(above.index)
      above.put(index)
    }
  }

  private sink(): void {
    const { entries } = this.heap
    while (true) {
      const { index } = this
      const [left, right] = [entries[2 * index + 1], entries[2 * index + 2]]
      const below = right !== undefined && right.isBefore(left!) ? right : left
      if (below === undefined || !below.isBefore(this)) return
      this.put(below.index)
      below.put(index)
    }
  }
}

interface Heap {
  readonly entries: Array<Entry>
  added: number
}

/**
 * Calls back at time limits, on the clock of the fiber that it is made for. Its own fiber sleeps until the first limit
 * that it knew of when it fell asleep: a limit that is cancelled before, as nearly all are, costs no timer.
 */
export class Watchdog {
  readonly clock: Clock.Clock
  private readonly fiber: Fiber.Fiber<unknown, unknown>
  private readonly heap: Heap = { entries: [], added: 0 }
  private sleeper: Fiber.Fiber<unknown> | undefined
  private wakesAt = Infinity

  constructor(fiber: Fiber.Fiber<unknown, unknown>) {
    this.fiber = fiber
    this.clock = fiber.getRef(Clock.Clock)
  }

  /** Calls back in `limit` milliseconds from `now` on, unless the deadline is cancelled before. */
  add(limit: number, onLimit: () => void, now = this.now()): Deadline {
    const entry = new Entry(now + limit, onLimit, this.heap)
    if (entry.at < this.wakesAt) {
      this.stop()
      this.sleep(entry.at)
    }
    return entry
  }

  /** Interrupts the fiber, whose timer would keep the process alive. What is added later starts another. */
  stop(): void {
    this.sleeper?.interruptUnsafe()
    this.sleeper = undefined
    this.wakesAt = Infinity
  }

  /** Returns milliseconds on the monotonic clock, so that a change of the time of day changes no limit. */
  now(): number {
    return monotonicMillis(this.clock)
  }

  private sleep(until: number): void {
    this.wakesAt = until
    const wake = Effect.andThen(Effect.sleep(Math.max(0, until - this.now())), Effect.sync(() => this.wake()))
    const sleeper = Effect.runForkWith(this.fiber.context)(Effect.provideService(wake, Clock.Clock, this.clock))
    // a sleep of no time ends at once, and others may have begun since
    if (sleeper.pollUnsafe() === undefined) this.sleeper = sleeper
  }

  private wake(): void {
    this.sleeper = undefined
    this.wakesAt = Infinity
    // a timer may fire a fraction of a millisecond early
    const now = this.now() + 1
    const { entries } = this.heap
    for (let [first] = entries; first !== undefined && first.at <= now; [first] = entries) {
      first.cancel()
      first.onLimit()
    }
    const [first] = entries
    // a callback may have added a limit, and begun a sleep for it
    if (first === undefined || first.at >= this.wakesAt) return
    this.stop()
    this.sleep(first.at)
  }
}
