/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type { Alert, Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { dropped } from "../internal/alerts/metrics.ts"
import { atLeast } from "../internal/model/severity.ts"
import { quietly } from "./internal/places.ts"
import { around } from "./internal/policy.ts"

/**
 * Drops alerts below a severity. The order is `info`, `success`, `warning`, `error`, `critical`.
 *
 * **Details**
 *
 * A recovery passes where its failure did. Other successes are dropped by `minSeverity("warning")`, though `recovered` and
 * channels that keep incidents learn from them that something is well again, in either order.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { minSeverity } from "effect-epilogue/delivery"
 *
 * const failuresOnly = Slack.layerConfig().pipe(minSeverity("warning"))
 * ```
 *
 * @see {@link route} for posting alerts elsewhere instead of dropping them
 *
 * @category policies
 * @since 0.1.0
 */
export const minSeverity: {
  (severity: Severity): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R>
  <E, R>(self: Layer.Layer<Alerter, E, R>, severity: Severity): Layer.Layer<Alerter, E, R>
} = dual(
  2,
  <E, R>(self: Layer.Layer<Alerter, E, R>, severity: Severity): Layer.Layer<Alerter, E, R> =>
    around((post) => {
      const least = atLeast(severity)
      const passes = (alert: Alert): boolean =>
        least(alert) || alert.recovers.some(least) || alert.combines.some(passes)
      return Effect.succeed((alert) => {
        if (passes(alert)) return post(alert)
        const drop = dropped(alert, "minSeverity")
        return alert.resolves ? Effect.andThen(drop, post(quietly(alert))) : drop
      })
    })(self)
)
