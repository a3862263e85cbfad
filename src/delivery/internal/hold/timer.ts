/** What posts at the end of a window what was held back within it. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Alert } from "../../../Alert.ts"
import { AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { explain } from "../entries.ts"
import type { Post } from "../policy.ts"

export interface Window {
  /** When something is to be posted, if anything is. */
  readonly next: Effect.Effect<number | undefined>
  /** Posts what is to be posted by now, and sees to it that `next` is later then. */
  readonly flush: Effect.Effect<unknown>
  /** Posts all there is, since the scope closes. */
  readonly close: Effect.Effect<unknown>
  /** When that is done, or has taken too long: tells of what is lost. */
  readonly closed: Effect.Effect<unknown>
}

/** How long the closing of a scope may be held up. */
export const closeLimit = Duration.seconds(30)

/** How long a post in the background may take: longer than all attempts of a channel together. */
export const postLimit = Duration.minutes(5)

/** A timer stands still while the machine sleeps, so what is due is looked for now and then. */
const longestSleep = Duration.toMillis(Duration.hours(1))

/**
 * Flushes whenever something is due, one flush at a time, until the scope closes.
 * Returns what is to be called when `next` may have changed.
 */
export const make = ({ close, closed, flush, next }: Window): Effect.Effect<() => void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const lock = Semaphore.makeUnsafe(1)
    const changed = Latch.makeUnsafe()
    let closing = false
    let flushing: Fiber.Fiber<unknown> | undefined

    // In a fiber of its own: an alerter that can't be interrupted can't hold up the scope then.
    const alone = (effect: Effect.Effect<unknown>) => Effect.forkDetach(lock.withPermits(1)(effect))

    const turn = Effect.gen(function*() {
      changed.closeUnsafe()
      const at = yield* next
      const now = yield* Clock.currentTimeMillis
      if (at === undefined || at > now) {
        return yield* at === undefined
          ? changed.await
          : Effect.raceFirst(changed.await, Effect.sleep(Math.min(at - now, longestSleep)))
      }
      flushing = yield* alone(Effect.suspend(() => closing ? Effect.void : flush))
      const exit = yield* Fiber.await(flushing)
      if (closing) return yield* Effect.never
      if (exit._tag === "Success") return
      // a store that dies, say: not at once again
      yield* Effect.logError("effect-epilogue: what was held back could not be posted", explain(exit.cause))
      yield* Effect.sleep("1 minute")
    })
    yield* Effect.forkScoped(Effect.forever(turn))

    // Added last, so it runs first: a flush that is under way is waited for, not cut off.
    yield* Effect.addFinalizer(() =>
      Effect.gen(function*() {
        closing = true
        const last = yield* alone(close)
        yield* Effect.timeoutOption(Fiber.await(last), closeLimit)
        flushing?.interruptUnsafe()
        last.interruptUnsafe()
        // what can be interrupted now tells what it did not do
        yield* Effect.timeoutOption(Fiber.await(last), "1 second")
        yield* closed
      })
    )
    return () => {
      changed.openUnsafe()
    }
  })

/**
 * Posts in the background. What comes of it is told, also where the alerter dies. In a
 * fiber of its own: one that can't be interrupted must not keep all that follows waiting.
 */
export const attempt = (post: Post, alert: () => Alert): Effect.Effect<Exit.Exit<void, AlerterError>> =>
  Effect.gen(function*() {
    const posting = Effect.interruptible(Effect.suspend(() => post(alert())))
    const fiber = yield* Effect.forkDetach(posting, { startImmediately: true })
    return yield* Effect.timeoutOrElse(Fiber.join(fiber), {
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
  }).pipe(Effect.uninterruptible)
