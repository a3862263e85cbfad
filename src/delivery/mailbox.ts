/**
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type { Alert } from "../Alert.ts"
import { type Alerter, AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { CurrentGate, saidToWait } from "../internal/alerts/mailbox/gate.ts"
import * as Mailbox from "../internal/alerts/mailbox/mailbox.ts"
import { type Pace, paceMistakes } from "../internal/alerts/mailbox/pace.ts"
import { errorIn } from "../internal/model/alerterError.ts"
import { checked, durationMistakes, fromOne, type Known, optionalText } from "../internal/model/options.ts"
import { posting } from "../internal/model/posting.ts"
import { allPlaces, arrivalOf, conclude } from "./internal/places.ts"
import { around, type Post } from "./internal/policy.ts"

export type { Pace, PaceLimit } from "../internal/alerts/mailbox/pace.ts"

/**
 * Options of {@link mailbox}.
 *
 * @category models
 * @since 0.1.0
 */
export interface MailboxOptions {
  /** The name of the channel in metrics, logs and errors. `"custom"` by default. */
  readonly channel?: string | undefined
  /** How many alerts are sent in which time. As fast as they are taken, one after another, by default. */
  readonly pace?: Pace | undefined
  /**
   * How long the closing layer waits until the mailbox is empty. By default one minute, and 30 seconds where an
   * interruption closes it.
   */
  readonly drain?: Duration.Input | undefined
  /** How many alerts may wait. 1,000 by default. */
  readonly capacity?: number | undefined
}

/**
 * Puts a mailbox in front of an alerter: alerts wait in it, and are sent one after another, whether or not the hook that
 * posted them still waits.
 *
 * **When to use**
 *
 * Around an `Alerter.layer` of your own that sends to a service with limits. The channels of `effect-epilogue/alerters`
 * have a mailbox already, which `ChannelOptions` describes in full.
 *
 * **Details**
 *
 * - The most severe alert is sent first. Alerts about the same subject keep their order.
 * - A post ends when the alert has been sent. If its caller is interrupted before, or its time is up, the alert stays in
 *   the mailbox. A failure that nobody waits for is logged as an error.
 * - An attempt that takes longer than five minutes fails, and the next alert is sent.
 * - After the error `RateLimited`, the whole mailbox waits for its `retryAfter`, and tries the alert again, for up to an
 *   hour. Other errors fail the post.
 * - When the layer closes, alerts that wait are sent within `drain`. If the pace does not allow for all of them, they are
 *   folded into fewer; if it allows for none, they become one that is sent all the same.
 * - If more alerts than `capacity` wait, the oldest two of the subject with the most are folded into the later one, whose
 *   title says "and 1 more like it". Where all are about different things, the two least severe become one alert that
 *   lists both.
 *
 * **Gotchas**
 *
 * A pace, a `drain` or a `capacity` that is not valid is a defect when the layer is built.
 *
 * @example
 * ```ts
 * import { Alerter } from "effect-epilogue"
 * import { mailbox } from "effect-epilogue/delivery"
 * import { Effect } from "effect"
 *
 * declare const sms: (text: string) => Effect.Effect<void>
 *
 * const alerter = Alerter.layer(({ title }) => sms(title)).pipe(
 *   mailbox({ channel: "sms", pace: [{ count: 1, per: "2 seconds" }, { count: 20, per: "1 hour" }] })
 * )
 * ```
 *
 * @see {@link throttle} for dropping what exceeds a limit
 *
 * @category policies
 * @since 0.1.0
 */
export const mailbox: {
  (options?: MailboxOptions): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R>
  <E, R>(self: Layer.Layer<Alerter, E, R>, options?: MailboxOptions): Layer.Layer<Alerter, E, R>
} = dual(
  (args) => Layer.isLayer(args[0]),
  <E, R>(
    self: Layer.Layer<Alerter, E, R>,
    options: MailboxOptions = {}
  ): Layer.Layer<Alerter, E, R> =>
    around((inner, zone, words) => {
      const { capacity, channel = "custom", drain, pace = [] } = checked("mailbox", options, known)
      return Mailbox.make(again((alert) => limited(inner(alert), channel)), {
        channel,
        pace,
        drain,
        capacity,
        zone,
        words
      })
    }, "takes")(self)
)

const known: Known<MailboxOptions> = {
  channel: optionalText,
  pace: paceMistakes,
  drain: durationMistakes,
  capacity: fromOne
}

/** The longest time of an attempt: one that never ends would keep all other alerts in the mailbox, in silence. */
const attemptLimit = Duration.minutes(5)

/** Limits an attempt. It runs on a fiber of its own, since an alerter may ignore that it is interrupted. */
const limited = (post: Effect.Effect<void, AlerterError>, channel: string): Effect.Effect<void, AlerterError> =>
  posting((made) => {
    const late: Effect.Effect<never, AlerterError> = Effect.andThen(
      Effect.sleep(attemptLimit),
      Effect.suspend(() =>
        // a mailbox inside has it, and tells of it if it does not arrive
        made.isOnItsWay
          ? late
          : Effect.fail(new AlerterError({ channel, reason: AlerterErrorReason.TimedOut({ limit: attemptLimit }) }))
      )
    )
    return Effect.acquireUseRelease(
      Effect.forkDetach(Effect.interruptible(post), { startImmediately: true }),
      (fiber) => Effect.raceFirst(Fiber.join(fiber), late),
      (fiber) => Effect.sync(() => fiber.interruptUnsafe())
    )
  })

/** The delay after a refusal without one of its own, in milliseconds: it doubles up to a minute. */
const delayAfter = (refusals: number): number => Math.min(60_000, 500 * 2 ** Math.min(refusals, 10))

/** Posts again after a refusal of the rate, as long as the mailbox allows, to the places where the alert has not arrived. */
const again = (inner: Post) =>
  Effect.fnUntraced(function*(alert: Alert) {
    let left = alert
    for (let refusals = 0;; refusals++) {
      const arrival = yield* arrivalOf(Effect.suspend(() => inner(left)))
      const error = errorIn(arrival.exit)
      const isRefused = error?.reason._tag === "RateLimited"
      if (!isRefused || !(yield* mayRepeat(error, error.reason.retryAfter, refusals))) return yield* conclude(arrival)
      left = left.with({ told: allPlaces(left.told, arrival.told) })
    }
  })

/** Pauses the mailbox after a refusal, and waits. Succeeds with whether the alert may be posted again. */
const mayRepeat = (
  refusal: AlerterError,
  retryAfter: Duration.Duration | undefined,
  refusals: number
): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const said = retryAfter === undefined ? delayAfter(refusals) : Duration.toMillis(retryAfter)
    const delay = saidToWait(said, yield* Random.next, refusals === 0 ? 0 : delayAfter(refusals - 1))
    const gate = yield* CurrentGate
    if (gate === undefined) return false
    gate.pause(delay)
    return yield* gate.again(refusal, delay)
  })
