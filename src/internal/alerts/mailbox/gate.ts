/** The mailbox around an attempt to send, for those who make several attempts. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { AlerterError } from "../../model/alerterError.ts"

/** @internal */
export interface Gate {
  /**
   * Waits until the alert may be tried again: for the delay at least, and for the pace and the pauses of the mailbox.
   * Succeeds with `false`, at once, where that would take longer than alerts wait.
   */
  readonly again: (failed: AlerterError, delay: Delay) => Effect.Effect<boolean>
  /** Keeps the mailbox from sending anything for some time. */
  readonly pause: (delay: Delay) => void
}

/** How long to wait, in milliseconds. */
export interface Delay {
  readonly millis: number
  /** The time that is added so that several processes do not come back at once, unless that would be too late. */
  readonly spread: number
}

/** The longest spread. */
const maxSpread = 5_000

/** The wait that a channel may ask for as often as it likes. A shorter one, be it 0, would make a loop of requests. */
const minWait = 1_000

/**
 * Returns how long to wait where a channel says how long. `random` is below 1. `repeated` is how long to wait at least
 * where the channel had refused before, and said a time that is very short.
 */
export const saidToWait = (said: number, random: number, repeated: number): Delay => {
  const millis = said < minWait ? Math.max(said, repeated) : said
  return { millis, spread: Math.min(maxSpread, millis / 4) * random }
}

/** Returns a delay that is as long as it is. */
export const exactly = (millis: number): Delay => ({ millis, spread: 0 })

/** The mailbox that sends. `undefined` where there is none, or where it has closed. */
export const CurrentGate: Context.Reference<Gate | undefined> = Context.Reference<Gate | undefined>(
  "effect-epilogue/Alerter/Gate",
  { defaultValue: () => undefined }
)
