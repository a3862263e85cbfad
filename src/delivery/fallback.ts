/**
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import { type Alerter, AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { withoutUrls } from "../internal/text/redact.ts"
import { monotonicMillis, withFields } from "./internal/entries.ts"
import { limitOf } from "./internal/options.ts"
import type { Post } from "./internal/policy.ts"
import { allOf, combine, errorOf } from "./internal/several.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface FallbackOptions {
  /** How long the first alerter may take. 15 seconds unless set. */
  readonly after?: Duration.Input | undefined
  /** For how long the first is not tried again after it has failed. Not at all unless set. */
  readonly cooldown?: Duration.Input | undefined
}

/**
 * Posts to a second alerter what the first has not delivered: it failed, died, or took
 * too long, in which case it is interrupted. The second is told so, in a field
 * `not delivered by`. An alert that was slow to be delivered may arrive in both.
 *
 * Fails if both do, with one error of the channel `"fallback"` that tells of each.
 * There may be a third: in `a.pipe(fallback(b), fallback(c))` each has its own time.
 *
 * A channel tries more than once by itself, so `after` is best longer than its retries
 * may take, or the channel be given fewer of them. And hooks have a time limit too, of
 * 30 seconds unless set, which must be longer than all of a chain takes.
 *
 * An `after` or a `cooldown` that makes no sense is a defect when the layer is built.
 *
 * @example
 * ```ts
 * import { Alerter } from "effect-epilogue"
 * import { Slack } from "effect-epilogue/alerters"
 * import { fallback } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(fallback(Alerter.layerConsole, { after: "5 seconds" }))
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const fallback: {
  <E2, R2>(
    second: Layer.Layer<Alerter, E2, R2>,
    options?: FallbackOptions
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E | E2, R | R2>
  <E, R, E2, R2>(
    self: Layer.Layer<Alerter, E, R>,
    second: Layer.Layer<Alerter, E2, R2>,
    options?: FallbackOptions
  ): Layer.Layer<Alerter, E | E2, R | R2>
} = dual(
  (args) => Layer.isLayer(args[1]),
  <E, R, E2, R2>(
    self: Layer.Layer<Alerter, E, R>,
    second: Layer.Layer<Alerter, E2, R2>,
    options?: FallbackOptions
  ): Layer.Layer<Alerter, E | E2, R | R2> =>
    combine([self, second], ([first, second]) =>
      make(
        first,
        second,
        Duration.millis(limitOf("fallback", "after", options?.after ?? "15 seconds")),
        limitOf("fallback", "cooldown", options?.cooldown ?? 0, 0)
      ))
)

/**
 * Run by a fallback that turns to its second alerter, so that one around it allows
 * that as much time as the first has had.
 */
const TurnedToSecond: Context.Reference<Effect.Effect<void>> = Context.Reference(
  "effect-epilogue/delivery/fallback/TurnedToSecond",
  { defaultValue: () => Effect.void }
)

const make = (first: Post, second: Post, after: Duration.Duration, cooldown: number): Post => {
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
