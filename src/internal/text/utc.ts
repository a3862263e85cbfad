/** Makes times of milliseconds. */
import * as DateTime from "effect/DateTime"

/** Returns a time. `DateTime.makeUnsafe` would do the same, and load what reads times from texts and from parts. */
export const utc = (millis: number): DateTime.Utc => DateTime.fromDateUnsafe(new Date(millis))
