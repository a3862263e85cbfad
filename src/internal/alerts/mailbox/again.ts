/** Waits until an alert that its channel has refused may be tried again. */
import * as Effect from "effect/Effect"
import type { Latch } from "effect/Latch"
import type { AlerterError } from "../../model/alerterError.ts"
import { sleepAtMost } from "./alarm.ts"
import type { Answers } from "./answers.ts"
import type { Delay } from "./gate.ts"
import { ended, type Item } from "./item.ts"
import { patience, type Schedule } from "./schedule.ts"

/**
 * Waits for the delay at least, and until the schedule allows an attempt, which it begins. Succeeds with `false`, at
 * once, where that would take too long. `closing` opens when the mailbox begins to close.
 */
export const again = (
  item: Item,
  failed: AlerterError,
  delay: Delay,
  schedule: Schedule,
  answers: Answers,
  closing: Latch
): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const began = schedule.now()
    ended(item, began)
    item.error = failed
    answers.refused(failed)
    const wait: Effect.Effect<boolean> = Effect.suspend(() => {
      const now = schedule.now()
      const deadline = schedule.deadline()
      const at = schedule.againAt(began, delay, now)
      if (at <= now) {
        item.stamp = schedule.begin()
        return Effect.succeed(true)
      }
      // as long as the channel takes other alerts, its refusals of this one do not last
      const since = Math.max(item.since, answers.takenAt())
      if (at - since >= patience || at > deadline) return Effect.succeed(false)
      for (const { report } of item.parts) report?.("waiting", failed)
      const sleep = sleepAtMost(at - now)
      // the time by which all must be sent makes some waits shorter, and others pointless
      return Effect.andThen(deadline === Infinity ? Effect.raceFirst(sleep, closing.await) : sleep, wait)
    })
    return wait
  })
