/**
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import type { Telling } from "../internal/alerts/digest.ts"
import { atLeast } from "../internal/model/severity.ts"
import * as Held from "./internal/hold/held.ts"
import { endOf, weekdays } from "./internal/hold/hours.ts"
import { configured, passesAtOnce, type Post } from "./internal/policy.ts"
import type { Persisted } from "./internal/state/persisted.ts"

/**
 * A day of the week.
 *
 * @category models
 * @since 0.1.0
 */
export type Weekday = "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday"

/**
 * Options of {@link quietHours}.
 *
 * @category models
 * @since 0.1.0
 */
export interface QuietHoursOptions<P extends string | undefined = undefined> {
  /** The time of day at which the quiet hours begin, as in `"22:00"`. */
  readonly from: `${number}:${number}`
  /**
   * The time of day at which they end, as in `"07:00"`. A time before `from` is on the next day. `"24:00"` is the end
   * of the day.
   */
  readonly to: `${number}:${number}`
  /** The time zone of `from` and `to`, and of the times in alerts. The channel's by default, else the machine's. */
  readonly timeZone?: DateTime.TimeZone | undefined
  /** The days on which quiet hours begin. All by default. */
  readonly days?: ReadonlyArray<Weekday> | undefined
  /** The severity from which on alerts are posted during quiet hours too. `"critical"` by default. */
  readonly except?: Severity | undefined
  /**
   * The name of this policy's state in the {@link Store}, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
}

/**
 * Holds alerts during some hours of the day and posts them afterwards: several as one, like {@link digest}, a single
 * one unchanged.
 *
 * **When to use**
 *
 * For channels that make a sound, at times when nobody is to be disturbed by anything less than critical.
 *
 * **Details**
 *
 * - The post of an alert that is held succeeds. A repeat with the same `idempotencyKey` is not held twice. Alerts that
 *   are posted together have the tag `digest` and no `idempotencyKey`.
 * - Channels that keep incidents, such as `PagerDuty`, learn of a recovery at once. People do where the failure was posted
 *   during quiet hours, too; other recoveries are held.
 * - If the delivery after the quiet hours fails, it is tried again every ten minutes, outside of quiet hours.
 * - Where clocks are put forward, hours that begin in the skipped hour begin an hour later by the clock. Where they are
 *   put back, hours that end in the repeated hour end in its second run.
 * - When the scope closes, held alerts are posted at once, quiet or not, for up to 30 seconds, since nothing would post
 *   them later. If that fails, their titles are logged as an error.
 * - With `persist`, held alerts stay in the store instead, unless the store has failed. The first process that runs
 *   outside of the quiet hours posts them.
 *
 * **Gotchas**
 *
 * - With `persist`, a script that only ever runs within the quiet hours never posts what it holds.
 * - A time such as `"25:00"`, equal times, and quiet hours that never end are a defect when the layer is built.
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
 * @see {@link digest} for holding alerts at any time of the day
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
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => configured("quietHours", options, known, make)(self)
)

/** The delay, in milliseconds, after a delivery that failed outside of the quiet hours. */
const retryDelay = 10 * 60_000

const known = { from: 0, to: 0, timeZone: 0, days: 0, except: 0, persist: 0 } as const

const make = <P extends string | undefined>(
  post: Post,
  options: QuietHoursOptions<P>,
  telling: Telling
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const { words, zone } = telling
    const end = endOf({ from: options.from, to: options.to, timeZone: zone, days: options.days ?? weekdays })
    const isUrgent = atLeast(options.except ?? "critical")
    const { hold, pass } = yield* Held.make<P>(post, {
      policy: "quietHours",
      persist: options.persist,
      due: (now) => end(now) ?? now + retryDelay,
      opens: (now) => end(now) ?? now,
      max: Infinity,
      title: () => words.digestOfQuietHours,
      telling
    })
    return (alert) =>
      passesAtOnce(alert, isUrgent)
        ? pass(alert)
        : Effect.flatMap(Clock.currentTimeMillis, (now) => end(now) === undefined ? pass(alert) : hold(alert))
  })
