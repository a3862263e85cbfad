/** The background fiber that posts what a policy holds when it becomes due. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Alert } from "../../../Alert.ts"
import { AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { CurrentLedger, trial } from "../../../internal/alerts/ledger.ts"
import { sleepAtMost } from "../../../internal/alerts/mailbox/alarm.ts"
import { posting } from "../../../internal/model/posting.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { explain } from "../entries.ts"
import type { Post } from "../policy.ts"

/** The work of a {@link make | timer}. */
export interface Timer {
  /** Returns the time of the next flush in milliseconds since the epoch, or `undefined` if nothing is held. */
  readonly next: Effect.Effect<number | undefined>
  /** Posts what is due. Must leave `next` later than now, or the timer would spin. */
  readonly flush: Effect.Effect<unknown>
  /** Posts what must not wait for another process. Runs when the scope closes, for up to 30 seconds. */
  readonly close: Effect.Effect<unknown>
  /** Logs what `close` could not post. Runs after `close` has ended or was interrupted. */
  readonly closed: Effect.Effect<unknown>
}

/** The time by which `close` may delay the end of the scope. */
const closeLimit = Duration.seconds(30)

/** Makes the error of what could not be posted by the end of the scope. */
export const late = (policy: string): AlerterError =>
  new AlerterError({ channel: policy, reason: AlerterErrorReason.TimedOut({ limit: closeLimit }) })

/** For how long a closing policy waits for a post that a mailbox has, which is closed later and tells what it loses. */
const leaveAfter = "1 second"

/** Opens when the policy of the fiber begins to close. */
const CurrentClosing: Context.Reference<Latch.Latch | undefined> = Context.Reference<Latch.Latch | undefined>(
  "effect-epilogue/delivery/Closing",
  { defaultValue: () => undefined }
)

/** The time limit of one post in the background: longer than all attempts of a channel together. */
const postLimit = Duration.minutes(5)

/**
 * Flushes whenever something is due, one flush at a time, until the scope closes.
 *
 * Returns a function to call when `next` may have become earlier.
 */
export const make = ({ close, closed, flush, next }: Timer): Effect.Effect<() => void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const lock = Semaphore.makeUnsafe(1)
    const changed = Latch.makeUnsafe()
    const closes = Latch.makeUnsafe()
    let closing = false
    let flushing: Fiber.Fiber<unknown> | undefined

    // A detached fiber: an alerter that ignores interruption must not keep the scope open.
    const detached = (effect: Effect.Effect<unknown>) =>
      Effect.forkDetach(Effect.provideService(lock.withPermits(1)(effect), CurrentClosing, closes))

    const turn = Effect.gen(function*() {
      changed.closeUnsafe()
      const at = yield* next
      const now = yield* Clock.currentTimeMillis
      if (at === undefined || at > now) {
        return yield* at === undefined
          ? changed.await
          : Effect.raceFirst(changed.await, sleepAtMost(at - now))
      }
      flushing = yield* detached(Effect.suspend(() => closing ? Effect.void : flush))
      const exit = yield* Fiber.await(flushing)
      if (closing) return yield* Effect.never
      if (exit._tag === "Success") return
      // The flush died, as with a store that has a bug. Without a pause the loop would retry at once, for ever.
      yield* Writer.logError("effect-epilogue: held alerts could not be posted", explain(exit.cause))
      yield* Effect.sleep("1 minute")
    })
    yield* Effect.forkScoped(Effect.forever(turn))

    // Added after the fork, so it runs before the loop is interrupted: it waits for a flush that is in progress.
    yield* Effect.addFinalizer(() =>
      Effect.gen(function*() {
        closing = true
        closes.openUnsafe()
        const last = yield* detached(close)
        yield* Effect.timeoutOption(Fiber.await(last), closeLimit)
        flushing?.interruptUnsafe()
        last.interruptUnsafe()
        // The interrupted flush puts back what it has not posted, so that `closed` can log it.
        yield* Effect.timeoutOption(Fiber.await(last), "1 second")
        yield* closed
      })
    )
    return () => {
      changed.openUnsafe()
    }
  })

/**
 * Posts an alert in the background and returns the exit, within five minutes. An alert that others have taken
 * counts as posted. Once the policy is closing, it leaves an alert that is in a mailbox to that.
 *
 * Runs in a detached fiber: an alerter that ignores interruption must not block later posts.
 */
export const attempt = (post: Post, alert: () => Alert): Effect.Effect<Exit.Exit<void, AlerterError>> =>
  posting((held) =>
    Effect.gen(function*() {
      const closing = yield* CurrentClosing
      const taken: Effect.Effect<void> = Effect.andThen(
        Effect.sleep(leaveAfter),
        Effect.suspend(() => held.isOnItsWay ? Effect.void : taken)
      )
      const left = closing === undefined ? Effect.never : Effect.andThen(closing.await, taken)
      const ledger = trial(yield* CurrentLedger)
      const posted = Effect.interruptible(Effect.suspend(() => post(alert())))
      const fiber = yield* Effect.forkDetach(Effect.provideService(posted, CurrentLedger, ledger), {
        startImmediately: true
      })
      const exit = yield* Effect.timeoutOrElse(Effect.raceFirst(Fiber.join(fiber), left), {
        duration: postLimit,
        orElse: () =>
          Effect.fail(
            new AlerterError({ channel: "delivery", reason: AlerterErrorReason.TimedOut({ limit: postLimit }) })
          )
      }).pipe(
        Effect.interruptible,
        Effect.ensuring(Effect.sync(() => fiber.interruptUnsafe())),
        Effect.exit
      )
      // a post that was interrupted says now whether others have its alert
      yield* Effect.yieldNow
      ledger.release()
      return ledger.isTaken ? Exit.void : exit
    })
  ).pipe(Effect.uninterruptible)
