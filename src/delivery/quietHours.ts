/**
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { atLeast } from "../internal/model/severity.ts"
import * as Held from "./internal/hold/held.ts"
import { endOf, weekdays } from "./internal/hold/hours.ts"
import { around, type Post } from "./internal/policy.ts"
import type { Persisted } from "./internal/state/persisted.ts"

/**
 * A day of the week.
 *
 * @category models
 * @since 0.1.0
 */
export type Weekday = "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday"

/**
 * @category models
 * @since 0.1.0
 */
export interface QuietHoursOptions<P extends string | undefined = undefined> {
  /** When they begin, as in `"22:00"`. */
  readonly from: `${number}:${number}`
  /** When they end, as in `"07:00"`: on the next day, if that is earlier. `"24:00"` is the end of the day. */
  readonly to: `${number}:${number}`
  /** Where the clock hangs that shows these times. The machine's unless set. */
  readonly timeZone?: DateTime.TimeZone | undefined
  /** On which days they begin. On all unless set. */
  readonly days?: ReadonlyArray<Weekday> | undefined
  /** Alerts at least as severe are posted all the same. `"critical"` unless set. */
  readonly except?: Severity | undefined
  /** The name, for this use alone, under which the `KeyValueStore` keeps what is held. In memory unless set. */
  readonly persist?: P | undefined
}

/**
 * Holds alerts during some hours of the day, and posts them when these are over:
 * several as one, as `digest` does, a single one as it is.
 *
 * The post of an alert that is held succeeds. What can't be delivered after the hours
 * is kept and tried again each ten minutes. Where clocks are changed, hours that begin
 * in the hour left out begin an hour later by the clock, and hours that end in the
 * hour that comes twice end in its second run.
 *
 * When the scope closes, what is held is posted at once, for up to 30 seconds, quiet
 * or not, since nobody could post it later; if that fails the titles are logged as an
 * error. With `persist` it stays in the store instead (unless the store failed), and
 * is posted by the first process that runs outside the hours: a script that only ever
 * runs within them posts nothing of it.
 *
 * As with `digest`, what is posted together has the tag `digest` and no
 * `idempotencyKey`, a repeat of a post that is held is not held too, and a `fanOut` to
 * all of several channels goes around it, not within.
 *
 * Times such as `"25:00"`, hours without an end and an empty time span are a defect
 * when the layer is built.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { quietHours } from "effect-epilogue/delivery"
 * import { DateTime } from "effect"
 *
 * const alerter = Slack.layerConfig().pipe(
 *   quietHours({ from: "22:00", to: "07:00", timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin") }),
 *   quietHours({ from: "00:00", to: "24:00", days: ["saturday", "sunday"], except: "error" })
 * )
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const quietHours: {
  <P extends string | undefined = undefined>(
    options: QuietHoursOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: QuietHoursOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  2,
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: QuietHoursOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => around((post) => make(post, options))(self)
)

/** When what could not be posted after the hours is tried again. */
const again = 10 * 60_000

const make = <P extends string | undefined>(
  post: Post,
  options: QuietHoursOptions<P>
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const zone = options.timeZone ?? DateTime.zoneMakeLocal()
    const end = endOf({ from: options.from, to: options.to, timeZone: zone, days: options.days ?? weekdays })
    const isUrgent = atLeast(options.except ?? "critical")
    const hold = yield* Held.make<P>(post, {
      policy: "quietHours",
      persist: options.persist,
      due: (now) => end(now) ?? now + again,
      opens: (now) => end(now) ?? now,
      max: Infinity,
      when: () => " in quiet hours",
      zone
    })
    return (alert) =>
      isUrgent(alert)
        ? post(alert)
        : Effect.flatMap(Clock.currentTimeMillis, (now) => end(now) === undefined ? post(alert) : hold(alert))
  })
