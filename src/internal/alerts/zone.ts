/** The time zone in which a channel shows times, for the policies around it. */
import type * as DateTime from "effect/DateTime"
import { hasProperty } from "effect/Predicate"
import type { Posting } from "./settling.ts"

const Zone: unique symbol = Symbol.for("effect-epilogue/Alerter/Zone")

/** Returns the alerter with the time zone in which it shows times. */
export const inZone = (alerter: Posting, zone: DateTime.TimeZone): Posting => Object.assign({ [Zone]: zone }, alerter)

/** Returns the time zone of an alerter, or `undefined` for one that has none of its own. */
export const zoneOf = (alerter: Posting): DateTime.TimeZone | undefined =>
  // a cast: only `inZone` sets the property
  hasProperty(alerter, Zone) ? alerter[Zone] as DateTime.TimeZone : undefined
