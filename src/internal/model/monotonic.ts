/** Reads the monotonic clock. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"

/** The clock of a program that has no other. */
const live = Context.get(Context.empty(), Clock.Clock)

/**
 * Returns milliseconds on the monotonic clock, with fractions. They tell durations: their origin is any. Reads the live
 * clock without a bigint, which would take half as long again.
 */
export const monotonicMillis = (clock: Clock.Clock): number =>
  clock === live ? performance.now() : Number(clock.monotonicTimeNanosUnsafe()) / 1e6
