/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type { Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { dropped } from "../internal/alerts/metrics.ts"
import { atLeast } from "../internal/model/severity.ts"
import { around } from "./internal/policy.ts"

/**
 * Drops alerts below a severity. The order is `info`, `success`, `warning`, `error`, `critical`.
 *
 * **Gotchas**
 *
 * A recovery is a `success`, so `minSeverity("warning")` drops it. To drop all other successes, use the option
 * `successes: "drop"` of `recovered` instead.
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
      const passes = atLeast(severity)
      return Effect.succeed((alert) =>
        passes(alert) || alert.recovers.some(passes) ? post(alert) : dropped("minSeverity")
      )
    })(self)
)
