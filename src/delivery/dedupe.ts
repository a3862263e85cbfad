/**
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type { Alert } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import * as internal from "./internal/dedupe.ts"
import { around } from "./internal/policy.ts"
import type { Persisted } from "./internal/state/state.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface DedupeOptions<P extends string | undefined = undefined> {
  /** For how long after its delivery an alert keeps others like it back. */
  readonly window: Duration.Input
  /** The name, for this use alone, under which the `KeyValueStore` remembers. In memory unless set. */
  readonly persist?: P | undefined
  /**
   * What alerts that are alike have in common. Unless this says it: the alert's
   * `dedupeKey`, or else its step (or title), its tags and the first line of its body.
   */
  readonly by?: ((alert: Alert) => string | undefined) | undefined
}

/**
 * Holds back alerts like one that was delivered not long ago, and as severe. The next
 * that is delivered after the window says how many there were, in a field `held back`.
 *
 * What was not delivered holds nothing back: of two at once the second waits for the
 * first, and is tried if that fails. A success after a delivered failure is never held
 * back, nor a failure after a delivered success: both are news. (What goes back and
 * forth all the time is for `throttle`.) Where none is delivered any more, nobody is
 * told how many there were. Up to 10,000 kinds of alerts are remembered;
 * if there are more, the oldest is forgotten.
 *
 * Alerts of the standard hooks have a `dedupeKey` for their step, whatever the error;
 * `by` may tell errors apart, as in the example.
 *
 * Pipe `throttle` and `afterConsecutive` after `dedupe`: asked later, nearer to the
 * channel, they might drop what `dedupe` takes for delivered. Pipe `digest` and
 * `quietHours` before it, since what they make of several alerts is like none of them.
 *
 * A window that makes no sense is a defect when the layer is built; an infinite one is
 * for ever.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { dedupe } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(
 *   dedupe({ window: "1 hour", by: (alert) => `${alert.dedupeKey} ${alert.tags.join(" ")}` })
 * )
 *
 * // for a script that runs each night, with the state in a KeyValueStore
 * const nightly = Slack.layerConfig().pipe(dedupe({ window: "3 days", persist: "nightly-etl" }))
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const dedupe: {
  <P extends string | undefined = undefined>(
    options: DedupeOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: DedupeOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  2,
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: DedupeOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => around((post) => internal.make(post, options))(self)
)
