/**
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type { Alerter } from "../Alerter.ts"
import * as internal from "./internal/fallback.ts"
import { limitOf } from "./internal/options.ts"
import { combine } from "./internal/several.ts"

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
      internal.make(
        first,
        second,
        Duration.millis(limitOf("fallback", "after", options?.after ?? "15 seconds")),
        limitOf("fallback", "cooldown", options?.cooldown ?? 0, 0)
      ))
)
