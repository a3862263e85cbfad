/** The time zone in which a channel shows times, for the policies around it. */
import * as DateTime from "effect/DateTime"
import { hasProperty } from "effect/Predicate"
import type { Check } from "../model/options.ts"
import type { Posting } from "./settling.ts"

const Zone: unique symbol = Symbol.for("effect-epilogue/Alerter/Zone")

/** Checks a time zone. The name of one is none: times would be shown in UTC. */
export const zoneMistakes: Check<DateTime.TimeZone | undefined> = (what, zone) =>
  zone === undefined || DateTime.isTimeZone(zone) ? [] : [`${what} must be a TimeZone, got ${typeof zone}`]

/** Returns the alerter with the time zone in which it shows times. */
export const inZone = (alerter: Posting, zone: DateTime.TimeZone): Posting => Object.assign({ [Zone]: zone }, alerter)

/** Returns the time zone of an alerter, or `undefined` for one that has none of its own. */
export const zoneOf = (alerter: Posting): DateTime.TimeZone | undefined =>
  // a cast: only `inZone` sets the property
  hasProperty(alerter, Zone) ? alerter[Zone] as DateTime.TimeZone : undefined
