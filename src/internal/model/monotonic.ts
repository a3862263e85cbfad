/** Reads the monotonic clock. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"

/** The clock of a program that has no other. */
const live = Context.get(Context.empty(), Clock.Clock)

/** Bound once, as effect binds its own clock: Node looks `performance` up by a getter, at each reading. */
const precise = performance.now.bind(performance)

/** The time of day at the last reading, and what was read. */
let wall = -1
let reading = 0

/**
 * Reads the clock once for each millisecond of the day. Deno takes 110 to 125 ns to read it, and half as long to read the
 * time of day: the three readings of a step that observers watch would take as long as half of the step. Where the time of
 * day is set, the clock is read again.
 */
const oncePerMillisecond = (): number => {
  const millis = Date.now()
  if (millis !== wall) {
    wall = millis
    reading = precise()
  }
  return reading
}

const now = "Deno" in globalThis ? oncePerMillisecond : precise

/**
 * Returns milliseconds on the monotonic clock, with fractions, on Deno to the millisecond. They tell durations: their
 * origin is any. Reads the live clock without a bigint, which would take half as long again.
 */
export const monotonicMillis = (clock: Clock.Clock): number =>
  clock === live ? now() : Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** Returns nanoseconds on the monotonic clock, as {@link monotonicMillis} does milliseconds. */
export const monotonicNanos = (clock: Clock.Clock): number => monotonicMillis(clock) * 1e6
