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
import { withoutUrls } from "../internal/text/addresses.ts"
import { monotonicMillis, withFields } from "./internal/entries.ts"
import { limitOf } from "./internal/options.ts"
import type { Post } from "./internal/policy.ts"
import { combine, combinedError, errorOf } from "./internal/several.ts"

/**
 * Options of {@link fallback}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FallbackOptions {
  /** The time limit of a post to the first alerter. 15 seconds by default. */
  readonly after?: Duration.Input | undefined
  /** For how long after a failure the first alerter is skipped. Zero by default: each alert is tried there first. */
  readonly cooldown?: Duration.Input | undefined
}

/**
 * Posts an alert to a second alerter if the first does not deliver it.
 *
 * **When to use**
 *
 * For alerts that must arrive even while a channel is down: push messages or the console as a fallback for a chat.
 *
 * **Details**
 *
 * - The second alerter is used where the first fails, dies, or exceeds the time limit `after`, in which case it is
 *   interrupted. The alert that the second receives says why, in a field `not delivered by`.
 * - Fails if both fail, with one error of the channel `"fallback"` that contains the messages of both.
 * - There may be a third: in `a.pipe(fallback(b), fallback(c))` each alerter has its own time limit.
 *
 * **Gotchas**
 *
 * - A slow alert may arrive at both alerters.
 * - Channels retry by themselves. Set `after` longer than all their attempts take, or give them fewer.
 * - Hooks have a time limit too, 30 seconds by default. It must be longer than the whole chain takes.
 * - An `after` that is not positive, or a negative `cooldown`, is a defect when the layer is built.
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
 * @see {@link fanOut} for posting to several alerters at once
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
 * Restarts the time limits of all fallbacks around this one. Runs when this one turns to its second alerter, which is
 * entitled to as much time as the first has had.
 */
const RestartTimeLimits: Context.Reference<Effect.Effect<void>> = Context.Reference(
  "effect-epilogue/delivery/fallback/RestartTimeLimits",
  { defaultValue: () => Effect.void }
)

const make = (first: Post, second: Post, after: Duration.Duration, cooldown: number): Post => {
  // the last error of the first alerter, while that is skipped
  let broken: { readonly error: AlerterError; readonly until: number } | undefined
  return (alert) =>
    Effect.gen(function*() {
      let error = broken !== undefined && (yield* monotonicMillis) < broken.until ? broken.error : undefined
      if (error === undefined) {
        error = yield* failureOf(Effect.suspend(() => first(alert)), after)
        broken = error && { error, until: (yield* monotonicMillis) + cooldown }
      }
      if (error === undefined) return
      yield* yield* RestartTimeLimits
      const annotated = withFields(alert, { "not delivered by": withoutUrls(error.message) })
      const firstError = error
      yield* Effect.catchCause(
        Effect.suspend(() => second(annotated)),
        (cause) => Effect.fail(combinedError("fallback", [firstError, errorOf(cause)]))
      )
    })
}

/** Returns the error of a post, also where it died or exceeded the time limit; `undefined` if it succeeded. */
const failureOf = (
  post: Effect.Effect<void, AlerterError>,
  after: Duration.Duration
): Effect.Effect<AlerterError | undefined> =>
  Effect.gen(function*() {
    const outer = yield* RestartTimeLimits
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
    // A detached fiber: an alerter that is slow to end when it is interrupted must not delay the second.
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const fiber = yield* outcome.pipe(
          Effect.provideService(RestartTimeLimits, extend),
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
