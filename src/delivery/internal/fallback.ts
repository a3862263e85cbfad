import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { AlerterError, AlerterErrorReason } from "../../Alerter.ts"
import { withoutUrls } from "../../internal/text/redact.ts"
import { monotonicMillis, withFields } from "./entries.ts"
import type { Post } from "./policy.ts"
import { allOf, errorOf } from "./several.ts"

/**
 * Run by a fallback that turns to its second alerter, so that one around it allows
 * that as much time as the first has had.
 */
const TurnedToSecond: Context.Reference<Effect.Effect<void>> = Context.Reference(
  "effect-epilogue/delivery/fallback/TurnedToSecond",
  { defaultValue: () => Effect.void }
)

/** @internal */
export const make = (first: Post, second: Post, after: Duration.Duration, cooldown: number): Post => {
  let broken: { readonly error: AlerterError; readonly until: number } | undefined
  return (alert) =>
    Effect.gen(function*() {
      let error = broken !== undefined && (yield* monotonicMillis) < broken.until ? broken.error : undefined
      if (error === undefined) {
        error = yield* failure(Effect.suspend(() => first(alert)), after)
        broken = error && { error, until: (yield* monotonicMillis) + cooldown }
      }
      if (error === undefined) return
      yield* yield* TurnedToSecond
      const told = withFields(alert, { "not delivered by": withoutUrls(error.message) })
      const why = error
      yield* Effect.catchCause(
        Effect.suspend(() => second(told)),
        (cause) => Effect.fail(allOf("fallback", [why, errorOf(cause)]))
      )
    })
}

/** What kept a post from success. None where it succeeded. */
const failure = (
  post: Effect.Effect<void, AlerterError>,
  after: Duration.Duration
): Effect.Effect<AlerterError | undefined> =>
  Effect.gen(function*() {
    const outer = yield* TurnedToSecond
    const allowed = Duration.toMillis(after)
    let deadline = (yield* monotonicMillis) + allowed
    const extend = Effect.andThen(outer, Effect.map(monotonicMillis, (now) => void (deadline = now + allowed)))
    const outOfTime = Effect.gen(function*() {
      let left = allowed
      while (left > 0) {
        yield* Effect.sleep(left)
        left = deadline - (yield* monotonicMillis)
      }
      const reason = AlerterErrorReason.TimedOut({ limit: after })
      return new AlerterError({ channel: "the first channel", reason })
    })
    const outcome = Effect.matchCause(post, { onSuccess: () => undefined, onFailure: errorOf })
    // A fiber of its own, since one that is slow to end when it is interrupted must not hold up the second.
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const fiber = yield* outcome.pipe(
          Effect.provideService(TurnedToSecond, extend),
          Effect.interruptible,
          Effect.forkDetach({ startImmediately: true })
        )
        return yield* Effect.raceFirst(Fiber.join(fiber), outOfTime).pipe(
          restore,
          Effect.onInterrupt(() => Fiber.interrupt(fiber)),
          Effect.ensuring(Effect.sync(() => fiber.interruptUnsafe()))
        )
      })
    )
  })
