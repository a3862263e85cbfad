/** Reads the monotonic clock. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"

/** The clock of a program that has no other. */
const live = Context.get(Context.empty(), Clock.Clock)

/** Bound once, as effect binds its own clock: Node looks `performance` up by a getter, at each reading. */
const now = performance.now.bind(performance)

/**
 * Returns milliseconds on the monotonic clock, with fractions. They tell durations: their origin is any. Reads the live
 * clock without a bigint, which would take half as long again.
 */
export const monotonicMillis = (clock: Clock.Clock): number =>
  clock === live ? now() : Number(clock.monotonicTimeNanosUnsafe()) / 1e6
