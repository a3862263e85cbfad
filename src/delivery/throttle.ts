/**
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type { Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { around } from "./internal/policy.ts"
import type { Persisted } from "./internal/state/state.ts"
import * as internal from "./internal/throttle.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface ThrottleOptions<P extends string | undefined = undefined> {
  /** So many alerts at most, of all kinds, … */
  readonly limit: number
  /** … in any time span of this length. */
  readonly window: Duration.Input
  /**
   * So many about the same thing, besides: alerts with the same `dedupeKey`, or from
   * the same step or run, or else with the same title.
   */
  readonly perKey?: { readonly limit: number; readonly window: Duration.Input } | undefined
  /** Alerts at least as severe always pass, and are not counted. None unless set. */
  readonly always?: Severity | undefined
  /** The name, for this use alone, under which the `KeyValueStore` keeps the counts. In memory unless set. */
  readonly persist?: P | undefined
  /** In which times are shown. The machine's unless set. */
  readonly timeZone?: DateTime.TimeZone | undefined
}

/**
 * Lets no more than so many alerts through in any time span. What is too much is not
 * delivered but counted, and its post succeeds.
 *
 * The next alert that passes says in a field `held back` how many there were: those
 * that were too many of its own kind, and those that were too many of all. If none
 * passes by the end of the window, a summary does, with the counts by subject and the
 * highest severity. It needs room within the limit, too, and waits for it.
 *
 * An alert takes its place when it is posted; if its delivery fails, the place is free
 * again. Held back alerts of a hundred subjects are counted each by itself, those of
 * further subjects together.
 *
 * When the scope closes, the summary is posted at once, limit or no limit, for up to
 * 30 seconds; if that fails the counts are logged as an error. With `persist` they
 * are kept in the store instead, for the next process. Processes that use the same
 * name at the same time may let a few more through.
 *
 * Pipe `digest` and `quietHours` before it, since it holds back what these make of
 * several alerts like any other.
 *
 * A limit or a window that makes no sense is a defect when the layer is built.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { throttle } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(
 *   throttle({
 *     limit: 20,
 *     window: "10 minutes",
 *     perKey: { limit: 3, window: "1 hour" },
 *     always: "critical"
 *   })
 * )
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const throttle: {
  <P extends string | undefined = undefined>(
    options: ThrottleOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: ThrottleOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  2,
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: ThrottleOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => around((post) => internal.make(post, options))(self)
)
