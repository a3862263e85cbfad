/** The mailbox around an attempt to send, for those who make several attempts. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { AlerterError } from "../../model/alerterError.ts"

/** @internal */
export interface Gate {
  /**
   * Waits until the alert may be tried again: for the delay at least, in milliseconds, and for the pace and the pauses
   * of the mailbox. Succeeds with `false`, at once, where that would take longer than alerts wait.
   */
  readonly again: (failed: AlerterError, delay: number) => Effect.Effect<boolean>
  /** Keeps the mailbox from sending anything for some milliseconds. */
  readonly pause: (millis: number) => void
}

/** The most that is added to what a channel says to wait, so that several processes do not come back at once. */
const maxJitter = 5_000

/** Returns how long to wait where a channel says how long. `random` is below 1. */
export const jittered = (said: number, random: number): number => said + Math.min(maxJitter, said / 4) * random

/** The mailbox that sends. `undefined` where there is none, or where it has closed. */
export const CurrentGate: Context.Reference<Gate | undefined> = Context.Reference<Gate | undefined>(
  "effect-epilogue/Alerter/Gate",
  { defaultValue: () => undefined }
)
