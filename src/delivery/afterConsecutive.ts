/**
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type { Alerter } from "../Alerter.ts"
import * as internal from "./internal/afterConsecutive.ts"
import { around } from "./internal/policy.ts"
import type { Persisted } from "./internal/state/state.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface AfterConsecutiveOptions<P extends string | undefined = undefined> {
  /** The name, for this use alone, under which the `KeyValueStore` remembers. In memory unless set. */
  readonly persist?: P | undefined
}

/**
 * Lets failures of the same step (or with the same `dedupeKey`, or title) pass only
 * from the `n`th in a row on. It and those that follow say how many there have been,
 * in a field `in a row`. A failure is a `warning`, or worse; a `success` ends the
 * row, and passes, as does an `info`, which ends none.
 *
 * Ask it early: pipe it after `dedupe`, `recovered` and `throttle`, so that what it
 * drops counts as delivered nowhere, and what they drop is counted here.
 *
 * An `n` that is no whole number of at least 1 is a defect when the layer is built.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { afterConsecutive } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(afterConsecutive(3))
 *
 * // for a script that starts anew each time, with the count in a KeyValueStore
 * const everyMinute = Slack.layerConfig().pipe(afterConsecutive(3, { persist: "every-minute" }))
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const afterConsecutive: {
  <P extends string | undefined = undefined>(
    n: number,
    options?: AfterConsecutiveOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    n: number,
    options?: AfterConsecutiveOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  (args) => Layer.isLayer(args[0]),
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    n: number,
    options?: AfterConsecutiveOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => around((post) => internal.make(post, n, options?.persist))(self)
)
