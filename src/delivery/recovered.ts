/**
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type { Alerter } from "../Alerter.ts"
import { around } from "./internal/policy.ts"
import * as internal from "./internal/recovered.ts"
import type { Persisted } from "./internal/state/state.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface RecoveredOptions<P extends string | undefined = undefined> {
  /** The name, for this use alone, under which the `KeyValueStore` remembers. In memory unless set. */
  readonly persist?: P | undefined
  /** What becomes of successes that no alerted failure came before: `"post"` unless set. */
  readonly successes?: "post" | "drop" | undefined
}

/**
 * Posts the first success after alerted failures of the same step (or with the same
 * `dedupeKey`, or title) as a recovery: its title says `recovered`, it is tagged so
 * too, and fields say how many failures there were, since when, and for how long.
 * Once: it is forgotten when the recovery has been delivered.
 *
 * A failure (a `warning`, or worse) counts if it was delivered.
 *
 * Pipe `throttle` and `afterConsecutive` after `recovered`: asked later, nearer to the
 * channel, they might drop what `recovered` takes for delivered. Pipe `digest` and
 * `quietHours` before it, since what they make of several alerts names no step. A
 * `minSeverity` above `success` drops recoveries too, wherever it stands: what is
 * meant is `successes: "drop"`.
 *
 * @example
 * ```ts
 * import { AlerterHooks } from "effect-epilogue"
 * import { Slack } from "effect-epilogue/alerters"
 * import { afterConsecutive, recovered } from "effect-epilogue/delivery"
 *
 * // both hooks, since a recovery is a success
 * const hooks = AlerterHooks.all
 *
 * // a script that runs each night tells of failures, and of the night when all is well again
 * const alerter = Slack.layerConfig().pipe(
 *   recovered({ successes: "drop", persist: "nightly-etl" }),
 *   afterConsecutive(2, { persist: "nightly-etl" })
 * )
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const recovered: {
  <P extends string | undefined = undefined>(
    options?: RecoveredOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options?: RecoveredOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  (args) => Layer.isLayer(args[0]),
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: RecoveredOptions<P> = {}
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => around((post) => internal.make(post, options))(self)
)
